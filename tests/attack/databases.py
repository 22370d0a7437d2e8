"""A database for each part of a run: all copies of one that is migrated and filled once."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "attack_template"


class Databases:
    """On PostgreSQL `server` is the address of an empty database that may create others."""

    def __init__(self, folder: Path, server: str = ""):
        self.folder, self.server = folder, server

    def environment(self, name: str) -> dict[str, str]:
        url = f"sqlite:///{self.folder / name}.sqlite3"
        if self.server:
            url = urlunsplit(urlsplit(self.server)._replace(path=f"/{name}"))
        return {
            **os.environ,
            "DATABASE_URL": url,
            "ATTACK_FOLDER": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "tests.attack.settings",
            "PYTHONHASHSEED": "0",
            "PYTHONWARNINGS": "ignore",
        }

    def fill(self) -> None:
        if self.server:
            self._sql(f"CREATE DATABASE {TEMPLATE}")
        env = self.environment(TEMPLATE)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=env, cwd=ROOT, check=True)
        subprocess.run([sys.executable, "-m", "tests.attack.part", "world"], env=env, cwd=ROOT, check=True)
        if not self.server:
            with sqlite3.connect(self.folder / f"{TEMPLATE}.sqlite3") as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy(self, name: str) -> dict[str, str]:
        """The environment of a process that has the copy for itself."""
        if self.server:
            self._sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        else:
            shutil.copy(self.folder / f"{TEMPLATE}.sqlite3", self.folder / f"{name}.sqlite3")
        return self.environment(name)

    def _sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement)
