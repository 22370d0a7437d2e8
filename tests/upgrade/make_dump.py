"""`python -m tests.upgrade.make_dump CHECKOUT`: writes release.jsonl, the rows of a small center of the last release.

CHECKOUT is a folder with that release (git worktree add CHECKOUT COMMIT). Its own code migrates and fills an SQLite
file; the backup of the present writes it down, as plain lines instead of a sealed file, so that it can be read.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import django

from tests.upgrade.release import RELEASE

HERE = Path(__file__).parent
DUMP = HERE / "release.jsonl"


def main(checkout: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/old.sqlite3"
        settings = {"DJANGO_SETTINGS_MODULE": "infusion_center.settings", "DEBUG": "true", "READ_DOT_ENV": "false"}
        env = {**os.environ, **settings, "DATABASE_URL": url, "PYTHONPATH": "."}
        for program in (["manage.py", "migrate", "-v0"], [HERE / "old_ground.py"]):
            subprocess.run([sys.executable, *program], cwd=checkout, env=env, check=True)
        os.environ.update(settings, DATABASE_URL=url)
        write()


def write() -> None:
    django.setup()
    from django.db import connection

    from infusion_center.backup.contents import write_contents
    from infusion_center.backup.snapshot import snapshot_of

    with DUMP.open("wb") as out, snapshot_of(connection) as snapshot:
        manifest = write_contents(snapshot, out, version=RELEASE["version"])
    sys.stdout.write(f"{DUMP}: {manifest.rows} rows of {len(manifest.tables)} tables\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
