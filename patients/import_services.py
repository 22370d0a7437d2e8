"""Patients from a sheet: kept, looked at, chosen, registered row by row, erased.

Each chosen row is registered whole or not at all, in a transaction of its own, and says so: one transaction for a
sheet of thousands would keep every chair from writing meanwhile. What is done is marked in the same transaction, so
pressing twice, or going on after a failure, registers nobody twice.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection

from django.db import transaction
from django.db.models import Count, Q

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, Severity, blocker
from infusion_center.core.uploads import Sheet
from patients import import_cells as cells
from patients.import_checking import check_rows, hidden_unless, resource_for, show_problems, visible_ids
from patients.import_columns import BY_NAME, match_headings
from patients.import_models import ImportRow, ImportState, PatientImport, RowState

KEPT_FOR = dt.timedelta(hours=24)
SECONDS_AT_ONCE = 8  # of registering within one request
CHECKED = ("state", "problems", "is_chosen")


@transaction.atomic
def keep_sheet(
    *, sheet: Sheet, file_hash: str, site, by, is_test: bool = False, now: dt.datetime | None = None
) -> PatientImport:
    """Keep an uploaded sheet and check its rows. Raises RuleViolation where its columns cannot be used."""
    now = now or clock.now()
    forget_old_imports(now=now)
    names, problems = match_headings(sheet.headings)
    if problems:
        raise RuleViolation(problems)
    rows = [
        {name: cells.plain_text(cell) for name, cell in zip(names, row, strict=True) if name and cell}
        for row in sheet.rows
    ]
    order = cells.order_told_by(values[name] for values in rows for name in values if BY_NAME[name].is_date)
    upload = PatientImport.objects.create(
        by=by,
        site=site,
        uploaded_at=now,
        file_hash=file_hash,
        headings=list(zip(sheet.headings, names, strict=True)),
        date_order=cells.MONTH_FIRST if order is None else order,
        is_test=is_test,
    )
    lines = [
        ImportRow(upload=upload, line=line, values=values, state=RowState.ERROR)
        for line, values in enumerate(rows, start=2)
        if values
    ]
    if not lines:
        raise RuleViolation([blocker("sheet-empty", "No row has a value in a column that is read.", field="file")])
    if upload.date_order:
        check_rows(upload, lines, now)
    ImportRow.objects.bulk_create(lines, batch_size=500)
    _record("patient_import.checked", upload, by=by)
    return upload


@transaction.atomic
def say_date_order(*, upload: PatientImport, order: str, by, now: dt.datetime | None = None) -> None:
    """Answer what 3/4/1961 means in this sheet; its rows are checked then."""
    if order not in (cells.MONTH_FIRST, cells.DAY_FIRST):
        raise RuleViolation([blocker("date-order-unknown", "Choose which number is the month.", field="date_order")])
    if not PatientImport.objects.filter(pk=upload.pk, state=ImportState.OPEN).update(date_order=order):
        return
    upload.date_order = order
    rows = list(upload.rows.all())
    check_rows(upload, rows, now or clock.now())
    ImportRow.objects.bulk_update(rows, CHECKED, batch_size=200)
    _record("patient_import.checked", upload, by=by)


def choose_rows(upload: PatientImport, *, shown: Collection[int], chosen: Collection[int]) -> None:
    """Of the lines on a page, exactly the ticked ones; rows with errors cannot be."""
    rows = upload.rows.filter(line__in=shown, state__in=(RowState.NEW, RowState.ASK), upload__state=ImportState.OPEN)
    rows.filter(line__in=chosen).update(is_chosen=True)
    rows.exclude(line__in=chosen).update(is_chosen=False)


def choose_all(upload: PatientImport, *, state: str = RowState.NEW, chosen: bool = True) -> None:
    """All that are new; or none at all."""
    states = (state,) if chosen else (RowState.NEW, RowState.ASK)
    upload.rows.filter(state__in=states, upload__state=ImportState.OPEN).update(is_chosen=chosen)


def register_chosen(
    *, upload: PatientImport, by, seconds: float = SECONDS_AT_ONCE, now: dt.datetime | None = None
) -> int:
    """Register chosen rows until none is left or the time is over; how many are left."""
    PatientImport.objects.filter(pk=upload.pk, state=ImportState.OPEN).update(state=ImportState.RUNNING)
    upload.refresh_from_db()
    now, ends = now or clock.now(), time.monotonic() + seconds
    for line in upload.rows.filter(is_chosen=True).values_list("line", flat=True):
        _register_row(upload, line, by=by, now=now)
        if time.monotonic() > ends:
            break
    left = upload.rows.filter(is_chosen=True).count()
    if not left:
        _end(upload, by=by)
    return left


@transaction.atomic
def _register_row(upload: PatientImport, line: int, *, by, now: dt.datetime) -> None:
    """Whoever lowers the choice registers the row; another press finds nothing to lower."""
    if not upload.rows.filter(line=line, is_chosen=True).update(is_chosen=False):
        return
    row = upload.rows.get(line=line)
    shown = [problem["code"] for problem in row.problems if problem["severity"] == Severity.APPROVAL]
    draft = resource_for(upload, now).register(row.values, line, by=by, accepted=shown, site=upload.site)
    if draft.patient is None:
        seen = visible_ids(by, draft.problems)
        show_problems(row, [hidden_unless(seen, problem) for problem in draft.problems])
        row.is_chosen = False
        row.save(update_fields=CHECKED)
        return
    upload.rows.filter(line=line).update(
        state=RowState.DONE, patient_id=draft.patient.public_id, values={}, problems=[]
    )


@transaction.atomic
def _end(upload: PatientImport, *, by) -> None:
    if PatientImport.objects.filter(pk=upload.pk, state=ImportState.RUNNING).update(state=ImportState.ENDED):
        upload.state = ImportState.ENDED
        _record("patient_import.ended", upload, by=by)


@transaction.atomic
def note_download(*, upload: PatientImport, by) -> None:
    audit.record(
        "patient_import.downloaded",
        upload,
        by=by,
        site=upload.site,
        what="the rows of a sheet that were not registered",
    )


def forget_import(upload: PatientImport) -> None:
    """With all its rows; the patients who were registered stay."""
    upload.delete()


def forget_old_imports(*, now: dt.datetime) -> int:
    """Whoever's they are."""
    old = PatientImport.objects.filter(uploaded_at__lte=now - KEPT_FOR)
    number = old.count()
    old.delete()
    return number


def counts_of(upload: PatientImport) -> Counter:
    """Rows by state, and how many are chosen."""
    rows = (
        upload.rows.order_by()
        .values_list("state")
        .annotate(number=Count("pk"), ticked=Count("pk", filter=Q(is_chosen=True)))
    )
    counts = Counter()
    for state, number, ticked in rows:
        counts[state] = number
        counts["chosen"] += ticked
        counts["all"] += number
    return counts


def _record(action: str, upload: PatientImport, *, by) -> None:
    """Counts and the hash of the file; nobody is named."""
    counts = counts_of(upload)
    audit.record(
        action,
        upload,
        by=by,
        site=upload.site,
        rows=counts["all"],
        **{state.label.lower().replace(" ", "_"): counts[state] for state in RowState},
        file_hash=upload.file_hash,
    )
