"""Would the last release keep running while the new migrations run, and after them? Run by `make lint`.

django-migration-linter reads the PostgreSQL statements of each migration that the last release does not have. Each
finding needs a reason in release.toml; a reason whose finding is gone is a fault too.
"""

import sys
from collections.abc import Iterator

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


def faults(found: list[tuple[str, str, str]], accepted: list[dict]) -> list[str]:
    reasons = {(entry["migration"], entry["code"]) for entry in accepted if entry["reason"].strip()}
    unexplained = [f"{name}: {code}: {said}" for name, code, said in found if (name, code) not in reasons]
    stale = reasons - {(name, code) for name, code, _ in found}
    return [
        *dict.fromkeys(unexplained),
        *(f"{name}: {code} is accepted, but not found" for name, code in sorted(stale)),
    ]


def main() -> int:
    if connection.vendor != "postgresql":
        sys.exit("SQLite rebuilds tables where PostgreSQL alters them: this wants PostgreSQL, as make lint starts it.")
    found = list(findings())
    wrong = faults(found, RELEASE.get("accepted", []))
    sys.stdout.write("".join(f"{fault}\n" for fault in wrong))
    sys.stdout.write(f"{len(found)} findings in the migrations since {RELEASE['version']}, {len(wrong)} faults\n")
    return 1 if wrong else 0
