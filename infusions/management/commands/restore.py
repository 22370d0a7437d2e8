"""Fill an empty database from a backup and prove it: see docs/operations.md, Restore."""

import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from infusion_center.backup.contents import Manifest
from infusion_center.backup.errors import BackupError
from infusion_center.backup.files import verify_file
from infusion_center.backup.loading import load, migrate_forwards, migrations_to_come, prepare
from infusion_center.core.triggers import triggers_on
from infusions.management.commands.backup import summary
from infusions.restoring import findings, note_restore

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty database, migrated or not, compare every table with the backup, and check that "
        "the data make sense. All or nothing. The key is BACKUP_KEY."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--replace", action="store_true", help="lose what the database holds")
        parser.add_argument("--accept-findings", action="store_true", help="keep the data though checks find something")

    def handle(self, *args, file, yes, replace, accept_findings, **options):
        self._accepts, self._began = accept_findings, time.monotonic()
        try:
            manifest = verify_file(file, key=settings.BACKUP_KEY)
            self.stdout.write(summary(manifest))
            self._tell("read through: the file is whole")
            if not yes:
                self._ask(replace)
            self._restore(file, manifest, replace)
        except (BackupError, OSError, DatabaseError) as problem:
            raise CommandError(f"{problem} Nothing was restored.") from problem
        self._tell(f"restored: {manifest.rows:,} rows, {len(triggers_on(connection))} triggers in force")

    def _restore(self, file: Path, manifest: Manifest, replace: bool) -> None:
        prepare(connection, manifest, replace=replace)
        self._tell("tables are those of the backup")
        is_older = bool(migrations_to_come(connection))

        def before_commit():
            self._tell("every table is as it was backed up")
            if not is_older:
                self._check(manifest)

        load(connection, file, key=settings.BACKUP_KEY, before_commit=before_commit)
        if is_older:
            self._bring_to_the_present(manifest)

    def _bring_to_the_present(self, manifest: Manifest) -> None:
        """Migrations cannot run inside the load's transaction: from here on the data are there, as they were."""
        try:
            applied = migrate_forwards(connection)
        except Exception as problem:  # however it fails, "nothing was restored" would not be true
            raise CommandError(
                f"{problem} The data are there as they were backed up, but not migrated to this release: "
                "mend the cause and run migrate, then verify_audit; or drop the database."
            ) from problem
        self._tell(f"migrated to this release: {', '.join(applied)}")
        try:
            with transaction.atomic():
                self._check(manifest)
        except BackupError as problem:
            raise CommandError(f"{problem} The data are there and migrated: do not use them yet.") from None

    def _check(self, manifest: Manifest) -> None:
        found = findings(manifest)
        for sentence in found[:SHOWN]:
            self.stderr.write(sentence)
        if found and not self._accepts:
            raise BackupError(f"The checks found {len(found)} things wrong (--accept-findings keeps the data).")
        self._tell(f"claims, stock and audit trail checked: {len(found)} findings")
        note_restore(manifest)

    def _ask(self, replace: bool) -> None:
        name = connection.settings_dict["NAME"]
        what = "REPLACES ALL DATA IN" if replace else "fills"
        if input(f"This {what} {connection.vendor} database {name}. Go on? [yes/no] ") != "yes":
            raise CommandError("Nothing was restored.")

    def _tell(self, what: str) -> None:
        self.stdout.write(f"{time.monotonic() - self._began:7.1f} s  {what}")
