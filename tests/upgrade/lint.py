"""`python -m tests.upgrade.lint`: would the last release keep running while the new migrations run, and after them?

django-migration-linter reads the PostgreSQL statements of each migration that the last release does not have. Each
finding needs a reason in release.toml; a reason whose finding is gone is a fault too.
"""

import os
import sys
from collections.abc import Iterator

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infusion_center.settings_test")
django.setup()

from django.apps import apps
from django.db import connection
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import analyse_sql_statements

from tests.guards.source import PACKAGES
from tests.upgrade.release import RELEASE, new_migrations


def findings() -> Iterator[tuple[str, str, str]]:
    """(migration, code, what it says)"""
    ours = {config.label for config in apps.get_app_configs() if config.name.split(".")[0] in PACKAGES}
    linter = MigrationLinter(no_output=True, no_cache=True, analyser_string="postgresql")
    for app, name in new_migrations(linter.migration_loader, ours):
        statements = linter.get_sql(app, name)
        errors, _, warnings = analyse_sql_statements(linter.sql_analyser_class, statements, [])
        data_errors, _, data_warnings = linter.analyse_data_migration(linter.migration_loader.get_migration(app, name))
        for issue in (*errors, *warnings, *data_errors, *data_warnings):
            yield f"{app}.{name}", issue.code, f"{issue.message} {issue.table or ''} {issue.column or ''}".strip()


def main() -> int:
    if connection.vendor != "postgresql":
        sys.exit("SQLite rebuilds tables where PostgreSQL alters them: run it on PostgreSQL (make lint does).")
    reasons = {(entry["migration"], entry["code"]): entry["reason"] for entry in RELEASE.get("accepted", [])}
    found = list(findings())
    faults = [f"{name}: {code}: {said}" for name, code, said in found if (name, code) not in reasons]
    faults += [f"{name}: {code} is accepted but not found" for name, code in reasons if (name, code) not in {f[:2] for f in found}]
    sys.stdout.write("".join(f"{fault}\n" for fault in dict.fromkeys(faults)))
    sys.stdout.write(f"{len(found)} findings in migrations since release {RELEASE['version']}, {len(set(faults))} without a reason\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
