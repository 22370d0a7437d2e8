"""One sealed file with all that the database holds: see docs/operations.md, Backup."""

import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from infusion_center.backup.contents import Manifest
from infusion_center.backup.errors import BackupError
from infusion_center.backup.files import make_backup, verify_file
from infusion_center.core import clock
from infusions.reminders.heartbeat import BACKUP, note_beat


class Command(BaseCommand):
    help = (
        "Write a sealed backup of the database as it is now, while the application runs. The key is BACKUP_KEY. "
        "--verify reads a backup through, without a database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--to", type=Path, default=settings.BACKUP_DIR, help="folder (default: BACKUP_DIR)")
        parser.add_argument("--keep", type=int, help="how many to keep; older ones go once the new one is verified")
        parser.add_argument("--verify", type=Path, metavar="FILE", help="only check this file")

    def handle(self, *args, to, keep, verify, **options):
        if keep is not None and keep < 1:
            raise CommandError("--keep wants 1 or more.")
        began = time.monotonic()
        try:
            if verify:
                path, manifest, gone = verify, verify_file(verify, key=settings.BACKUP_KEY), []
            else:
                path, manifest, gone = make_backup(connection, to, key=settings.BACKUP_KEY, keep=keep)
        except (BackupError, OSError, DatabaseError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{path}\n{summary(manifest)}")
        self.stdout.write(f"{path.stat().st_size:,} bytes, read back and whole, {time.monotonic() - began:.1f} s")
        if not verify:
            self._note()
        for name in manifest.unknown:
            self.stderr.write(f"Not kept, as no model knows it: table {name}")
        for old in gone:
            self.stdout.write(f"let go: {old.name}")

    def _note(self) -> None:
        """For the monitor, which sees by this that backups go on."""
        try:
            note_beat(BACKUP, now=clock.now())
        except DatabaseError as problem:  # of one that is read only, for instance; the file is there and whole
            self.stderr.write(f"The backup could not be noted for the monitor: {problem}")


def summary(manifest: Manifest) -> str:
    said = f"{manifest.rows:,} rows of {len(manifest.tables)} tables, {manifest.engine}, "
    said += f"of {manifest.created_at} by release {manifest.version}"
    if manifest.audit_head:
        said += f"\naudit trail up to {manifest.audit_head['position']}:{manifest.audit_head['digest']}"
    return said
