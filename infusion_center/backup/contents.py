"""What lies inside a backup: lines of JSON, written once and read from the beginning to the end.

    {"format": 1, "created_at": ..., "version": ..., "engine": ..., "migrations": [...], "unknown": [...], ...}
    {"table": name, "columns": [...]}        one for each table, then its rows by key, each a list of cells
    {"end": name, "rows": n, "sha256": ..., "highest_key": n}
    {"whole": true, "rows": n, "audit_head": ...}

A table's checksum is the SHA-256 over its lines of rows: the same rows give the same sum on either engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from infusion_center import VERSION
from infusion_center.backup.errors import BackupError
from infusion_center.backup.snapshot import Snapshot
from infusion_center.backup.tables import LEFT_OUT, Migrations, Table, tables_at
from infusion_center.core import clock

FORMAT = 1
AUDIT_CHAIN = "audit_auditlink"


@dataclass(frozen=True)
class Tally:
    """How many rows a table has, their checksum, and up to which number its keys were given out."""

    rows: int
    sha256: str
    highest_key: int


@dataclass
class Manifest:
    """What a backup says of itself. `tables` is complete only when all was read."""

    created_at: str
    version: str
    engine: str
    migrations: Migrations
    unknown: list[str]
    tables: dict[str, Tally] = field(default_factory=dict)
    audit_head: dict | None = None

    @property
    def rows(self) -> int:
        return sum(tally.rows for tally in self.tables.values())


class Counting:
    """Lets lines of rows through and keeps count."""

    def __init__(self, lines: Iterable[bytes]):
        self._lines, self._sum, self.rows = lines, sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self._sum.update(line)
            self.rows += 1
            yield line

    def tally(self, highest_key: int) -> Tally:
        return Tally(self.rows, self._sum.hexdigest(), highest_key)


def line_of(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def tally_of(snapshot: Snapshot, table: Table) -> Tally:
    """The same count as in a backup, of what is in a database now."""
    counting = Counting(map(line_of, snapshot.rows(table)))
    for _ in counting:
        pass
    return counting.tally(snapshot.highest_key(table))


def audit_head(snapshot: Snapshot, tables: Iterable[Table]) -> dict | None:
    """The newest link of the audit chain: by it a chain is known that was cut."""
    chain = next((table for table in tables if table.name == AUDIT_CHAIN), None)
    row = snapshot.last(chain) if chain else None
    return dict(zip((column.name for column in chain.columns), row, strict=True)) if row else None


def write_contents(snapshot: Snapshot, out, *, version: str = VERSION) -> Manifest:
    migrations = snapshot.migrations()
    if snapshot.is_empty():  # night after night it would let go of the backups that hold something
        raise BackupError("The database holds nothing of this application: does DATABASE_URL name the right one?")
    tables = tables_at(migrations)
    manifest = Manifest(clock.now().isoformat(), version, snapshot.vendor, migrations, snapshot.unknown_tables(tables))
    first = {"format": FORMAT, "created_at": manifest.created_at, "version": version, "engine": snapshot.vendor}
    first |= {"migrations": sorted(migrations), "left_out": LEFT_OUT, "unknown": manifest.unknown}
    out.write(line_of(first))
    for table in tables:
        manifest.tables[table.name] = _write_table(snapshot, table, out)
    manifest.audit_head = audit_head(snapshot, tables)
    out.write(line_of({"whole": True, "rows": manifest.rows, "audit_head": manifest.audit_head}))
    return manifest


def _write_table(snapshot: Snapshot, table: Table, out) -> Tally:
    out.write(line_of({"table": table.name, "columns": [column.name for column in table.columns]}))
    rows = () if table.name in LEFT_OUT else snapshot.rows(table)
    counting = Counting(map(line_of, rows))
    for line in counting:
        out.write(line)
    tally = counting.tally(0 if table.name in LEFT_OUT else snapshot.highest_key(table))
    out.write(
        line_of({"end": table.name, "rows": tally.rows, "sha256": tally.sha256, "highest_key": tally.highest_key})
    )
    return tally


class Reading:
    """One pass through a backup: `for table, columns, rows in reading.tables()`. Each sum is compared on the way."""

    def __init__(self, lines: Iterable[bytes]):
        self._lines = iter(lines)
        first = self._said()
        if first.get("format") != FORMAT:
            raise BackupError(f"The file has format {first.get('format')}; this release reads {FORMAT}.")
        migrations = frozenset(map(tuple, first["migrations"]))
        self.manifest = Manifest(first["created_at"], first["version"], first["engine"], migrations, first["unknown"])

    def tables(self) -> Iterator[tuple[str, list[str], Iterator[list]]]:
        said = self._said()
        while "table" in said:
            name = said["table"]
            counting = Counting(self._rows_of_table())
            yield name, said["columns"], map(json.loads, counting)
            for _ in counting:  # what was not asked for
                pass
            self.manifest.tables[name] = self._compare(name, counting)
            said = self._said()
        if not said.get("whole") or said["rows"] != self.manifest.rows:
            raise BackupError("The backup is not whole.")
        self.manifest.audit_head = said["audit_head"]

    def _rows_of_table(self) -> Iterator[bytes]:
        for line in self._lines:
            if line.startswith(b"{"):
                self._end = json.loads(line)
                return
            yield line
        raise BackupError("The backup is not whole.")

    def _compare(self, name: str, counting: Counting) -> Tally:
        tally = counting.tally(self._end["highest_key"])
        if (self._end["end"], self._end["rows"], self._end["sha256"]) != (name, tally.rows, tally.sha256):
            raise BackupError(f"The rows of {name} are not those that were backed up.")
        return tally

    def _said(self) -> dict:
        line = next(self._lines, b"")
        if not line.startswith(b"{"):
            raise BackupError("The backup is not whole.")
        return json.loads(line)
