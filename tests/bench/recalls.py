"""A recall among millions of vials: how long the page takes that says who got which lots.

Rows are written by SQL from one template visit, without asking triggers and foreign keys: 2.5 million vials in some
minutes. Lots are scattered over all years, which is harder on the disk than life; some were given to thousands, most to
a few dozen.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from infusion_center.core import clock
from infusions.doses.models import DoseRecord, VialUsed
from infusions.doses.reaction_models import Reaction
from infusions.formulary.models import Product
from infusions.scheduling.models import Appointment
from infusions.stock.models import KnownLot
from patients.models import Patient
from tests.bench.measuring import Result
from tests.factories.doses import make_dose_record

LIMIT_SECONDS = 2
FIRST = 10_000_000  # row numbers of what is written here begin behind everything else
PRIME, MODULUS = 7919, 1_000_003
LOTS_A_LETTER = 20


@dataclass(frozen=True)
class Archive:
    vials: int
    doses: int
    patients: int
    lots: int
    rounds: int


FULL = Archive(vials=2_500_000, doses=600_000, patients=50_000, lots=8_000, rounds=7)
QUICK = Archive(vials=250_000, doses=60_000, patients=5_000, lots=2_000, rounds=3)


def results(archive: Archive, visit: Appointment, client: Client, say: Callable[[str], None]) -> Iterator[Result]:
    """`visit`: any arrived one, whose site the client's person belongs to."""
    began = time.monotonic()
    fill(archive, visit)
    say(f"{archive.vials:,} vials in {archive.doses:,} doses written in {time.monotonic() - began:.0f} s")
    phase = f"recall among {archive.vials:,} vials"
    near = lots_given_about(300, archive)
    part = f"{near[0][:-1]}*"
    searches = {
        "a lot": near[0],
        "ten lots": ",".join(near[:10]),
        f"a part of a lot that {LOTS_A_LETTER} lots match": part,
        "a lot that nobody got": "NOSUCHLOT1",
    }
    client.get("/lots/?lot=NOSUCHLOT0")  # so that the first time is the database's, not that of compiling templates
    for name, typed in searches.items():
        yield measured(phase, f"recall, {name}", client, f"/lots/?lot={typed}", archive.rounds)
    as_file = f"/lots/doses.csv?lot={','.join(near[:10])}"
    yield measured(phase, "recall, ten lots as a file", client, as_file, 3, limit=None)
    yield Result(phase, "whole tables read for a lot", count=len(scans_of(near[:1])), goal=0)


def measured(
    phase: str, name: str, client: Client, path: str, rounds: int, limit: float | None = LIMIT_SECONDS
) -> Result:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        response = client.get(path)
        response.getvalue()
        times.append(time.perf_counter() - started)
        assert response.status_code == 200, (path, response.status_code)
    with CaptureQueriesContext(connection) as asked:
        again = client.get(path)
        body = again.getvalue()
    shown = re.search(rb"<dt>Doses</dt><dd>(\d+)</dd>", body)
    doses = int(shown[1]) if shown else body.count(b"\r\n") - 1 if again.streaming else 0
    seconds = statistics.median(times)
    note = f"{doses} doses, {len(asked)} statements, first time {times[0]:.2f} s"
    return Result(phase, f"{name}, seconds", seconds * 1000, count=round(seconds, 2), goal=limit, note=note)


def lots_given_about(doses: int, archive: Archive) -> list[str]:
    """The twenty lots of one name that about so many doses have, see `lot_of`."""
    share = archive.doses / (2 * doses)  # how many lots have more: doses(i) is about doses / (2 sqrt(i * lots))
    group = int(share * share / archive.lots) // LOTS_A_LETTER
    return [f"P{group:04d}{chr(ord('A') + letter)}" for letter in range(LOTS_A_LETTER)]


def fill(archive: Archive, visit: Appointment) -> None:
    record = make_dose_record(visit, state="ended", lot="TEMPLATE")
    vial = record.vials.first()
    reaction = Reaction.objects.create(
        record=record,
        kind="rash",
        grade=2,
        onset_at=record.started_at,
        recorded_at=clock.now(),
        recorded_by=vial.recorded_by,
    )
    products = list(Product.objects.order_by("pk").values_list("pk", flat=True))[:5]
    with unguarded(), connection.cursor() as cursor:
        run = cursor.execute
        number = f"{FIRST} + n"
        dose = f"{FIRST} + 1 + (n * {archive.doses}) / {archive.vials + 1}"
        run(
            copies(
                Patient,
                visit.patient_id,
                archive.patients,
                id=number,
                public_id=pad("n", 14),
                mrn=f"'B' || {pad('n', 9)}",
            )
        )
        run(
            copies(
                Appointment, visit.pk, archive.doses,
                id=number, public_id=pad("n", 14), patient_id=f"{FIRST} + 1 + (n * 31) % {archive.patients}",
                start=earlier("n * 7", visit), idempotency_token="NULL",
            )
        )  # fmt: skip
        run(
            copies(
                DoseRecord, record.pk, archive.doses,
                id=number, public_id=pad("n", 14), appointment_id=number,
                patient_id=f"{FIRST} + 1 + (n * 31) % {archive.patients}", started_at=earlier("n * 7", visit),
                product_id=product_of(lot_number("n", archive), products),
            )
        )  # fmt: skip
        # One vial in twenty-five is of the next lot.
        lot = f"({lot_number(f'({dose} - {FIRST})', archive)} + CASE WHEN n % 25 = 0 THEN 1 ELSE 0 END)"
        given = {"lot": lot_of(lot), "product_id": product_of(lot, products), "record_id": dose}
        run(copies(VialUsed, vial.pk, archive.vials, id=number, public_id=pad("n", 14), **given))
        reacted = {"id": number, "public_id": pad("n", 14), "record_id": f"{FIRST} + n * 49"}
        run(copies(Reaction, reaction.pk, archive.doses // 50, **reacted))
        run(
            f"INSERT INTO infusions_knownlot (lot, product_id) {series(archive.lots)} "
            f"SELECT {lot_of('(n - 1)')}, {product_of('(n - 1)', products)} FROM series"
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    assert KnownLot.objects.count() >= archive.lots


def series(count: int) -> str:
    return (
        f"WITH RECURSIVE series(n) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM series WHERE n < {count})"
    )


def copies(model, template: int, count: int, **changed: str) -> str:
    """As many copies of one row, each with its own number n in the columns that change."""
    columns = [field.column for field in model._meta.local_concrete_fields]
    values = ", ".join(changed.get(column, f'old."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    table = model._meta.db_table
    rows = f'SELECT {values} FROM series, "{table}" old WHERE old.id = {template}'
    return f'INSERT INTO "{table}" ({names}) {series(count)} {rows}'


def pad(number: str, width: int) -> str:
    if connection.vendor == "postgresql":
        return f"lpad(({number})::text, {width}, '0')"
    return f"printf('%0{width}d', {number})"


def earlier(minutes: str, visit: Appointment) -> str:
    """So many minutes before the template's start."""
    start = f"{visit.start:%Y-%m-%d %H:%M:%S}"
    if connection.vendor == "postgresql":
        return f"timestamptz '{start}+00' - ({minutes}) * interval '1 minute'"
    return f"datetime('{start}', '-' || ({minutes}) || ' minutes')"


def lot_number(dose: str, archive: Archive) -> str:
    """From 0: the low numbers are given most, as the square of an even chance has it."""
    even = f"(({dose} * {PRIME}) % {MODULUS})"
    return f"(({even} * {even} / {MODULUS}) * {archive.lots} / {MODULUS})"


def lot_of(number: str) -> str:
    """P0006A to P0006T, P0007A, ...: twenty lots share their beginning."""
    letter = f"substr('ABCDEFGHIJKLMNOPQRST', CAST({number} % {LOTS_A_LETTER} AS integer) + 1, 1)"
    return f"'P' || {pad(f'{number} / {LOTS_A_LETTER}', 4)} || {letter}"


def product_of(number: str, products: list[int]) -> str:
    cases = " ".join(f"WHEN {place} THEN {pk}" for place, pk in enumerate(products))
    return f"CASE ({number} / {LOTS_A_LETTER}) % {len(products)} {cases} END"


@contextmanager
def unguarded() -> Iterator[None]:
    """No trigger and no foreign key is asked while the copies are written."""
    off, on = (
        ("SET session_replication_role = replica", "SET session_replication_role = origin")
        if connection.vendor == "postgresql"
        else ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON")
    )
    with connection.cursor() as cursor:
        cursor.execute(off)
        try:
            yield
        finally:
            cursor.execute(on)


def scans_of(lots: list[str]) -> list[str]:
    """Large tables that the database would read from end to end for these lots."""
    large = {"infusions_vialused", "infusions_doserecord", "infusions_appointment", "patients_patient"}
    rows = (
        VialUsed.objects.filter(lot__in=lots).order_by().values_list("record__patient_id", "record__appointment__start")
    )
    plan = rows.explain()
    word = "Seq Scan on " if connection.vendor == "postgresql" else "SCAN "
    return [table for table in large if f"{word}{table}" in plan]
