"""Patients from a sheet: kept, looked at, chosen, registered row by row, erased.

Each chosen row is registered whole or not at all, in a transaction of its own, and says so: one transaction for a
sheet of thousands would keep every chair from writing meanwhile. What is done is marked in the same transaction, so
pressing twice, or going on after a failure, registers nobody twice.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from functools import partial

from django.db import OperationalError, transaction
from django.db.models import Count, Q

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.retention import kept_for
from infusion_center.core.rules import Problem, RuleViolation, Severity, blocker
from infusion_center.core.uploads import Sheet
from patients import import_cells as cells
from patients.import_checking import check_rows, resource_for, show_problems
from patients.import_columns import BY_NAME, match_headings
from patients.import_models import ImportRow, ImportState, PatientImport, RowState
from patients.named_charts import hidden_unless, named_in, visible_ids

logger = logging.getLogger(__name__)
NOT_REGISTERED = blocker(
    "row-failed",
    "This row could not be registered.",
    remedy="Register the patient by hand, and tell whoever runs this system.",
)
KEPT_FOR = kept_for("imports")
SECONDS_AT_ONCE = 8  # of registering within one request
SAID_BEFORE = blocker(
    "date-order-said",
    "For this sheet it was already said which number is the month.",
    field="date_order",
    remedy="Upload it again.",
)
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
    elsewhere = check_rows(upload, lines, now) if upload.date_order else 0
    ImportRow.objects.bulk_create(lines, batch_size=500)
    _record("patient_import.checked", upload, by=by, found_elsewhere=elsewhere)
    return upload


@transaction.atomic
def say_date_order(*, upload: PatientImport, order: str, by, now: dt.datetime | None = None) -> None:
    """Answer what 3/4/1961 means in this sheet; its rows are checked then."""
    if order not in (cells.MONTH_FIRST, cells.DAY_FIRST):
        raise RuleViolation([blocker("date-order-unknown", "Choose which number is the month.", field="date_order")])
    unsaid = PatientImport.objects.filter(pk=upload.pk, state=ImportState.OPEN, date_order="")
    if not unsaid.update(date_order=order):
        upload.refresh_from_db()
        if upload.date_order != order:
            raise RuleViolation([SAID_BEFORE])
        return
    upload.date_order = order
    rows = list(upload.rows.all())
    elsewhere = check_rows(upload, rows, now or clock.now())
    ImportRow.objects.bulk_update(rows, CHECKED, batch_size=200)
    _record("patient_import.checked", upload, by=by, found_elsewhere=elsewhere)


def choose_rows(upload: PatientImport, *, shown: Collection[int], chosen: Collection[int]) -> None:
    """Of the lines on a page, exactly the ticked ones; rows with errors cannot be."""
    rows = upload.rows.filter(line__in=shown, state__in=(RowState.NEW, RowState.ASK), upload__state=ImportState.OPEN)
    rows.filter(line__in=chosen).update(is_chosen=True)
    rows.exclude(line__in=chosen).update(is_chosen=False)


def choose_all(upload: PatientImport, *, chosen: bool = True) -> None:
    """All that are new; or none at all."""
    states = (RowState.NEW,) if chosen else (RowState.NEW, RowState.ASK)
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


def _register_row(upload: PatientImport, line: int, *, by, now: dt.datetime) -> None:
    """One row that nobody foresaw must not keep the others out; a database that is busy or away may be asked again."""
    try:
        _try_row(upload, line, by=by, now=now)
    except OperationalError:
        raise
    except Exception as error:  # whatever it is
        # Its words may hold what the cells say.
        logger.error("line %s of sheet %s was not registered: %s", line, upload.public_id, type(error).__name__)
        upload.rows.filter(line=line, is_chosen=True).update(
            state=RowState.ERROR, problems=[asdict(NOT_REGISTERED)], is_chosen=False
        )


@transaction.atomic
def _try_row(upload: PatientImport, line: int, *, by, now: dt.datetime) -> None:
    """Whoever lowers the choice registers the row; another press finds nothing to lower."""
    if not upload.rows.filter(line=line, is_chosen=True).update(is_chosen=False):
        return
    row = upload.rows.get(line=line)
    must_ask = partial(_is_any_new, row=row, by=by)
    draft = resource_for(upload, now).register(row.values, line, by=by, must_ask=must_ask, site=upload.site)
    if draft.patient is None:
        seen = visible_ids(by, [problem.url for problem in draft.problems])
        show_problems(row, [hidden_unless(seen, problem) for problem in draft.problems])
        row.is_chosen = False
        row.save(update_fields=CHECKED)
        return
    upload.rows.filter(line=line).update(
        state=RowState.DONE, patient_id=draft.patient.public_id, values={}, problems=[]
    )


def _is_any_new(problems: Collection[Problem], *, row: ImportRow, by) -> bool:
    """Whether one asks for a look that was not shown beside the row when it was ticked."""
    asking = [problem for problem in problems if problem.severity == Severity.APPROVAL]
    seen = visible_ids(by, [problem.url for problem in asking])
    shown = Counter((one["code"], one["url"] or one["message"]) for one in row.problems)
    now = Counter(
        (one.code, one.url or one.message)
        for one in (hidden_unless(seen, problem) for problem in asking)
        if not _was_line_shown(one, row)
    )
    return bool(now - shown)


def _was_line_shown(problem: Problem, row: ImportRow) -> bool:
    """Whether it is about a patient registered from a line of this sheet, which was told beside the row."""
    twins = row.upload.rows.filter(state=RowState.DONE, patient_id=named_in(problem.url)) if problem.url else ()
    return any(one["message"].startswith(f"Line {twin.line}: ") for twin in twins for one in row.problems)


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


@transaction.atomic
def forget_import(*, upload: PatientImport, by) -> None:
    """With all its rows; the patients who were registered stay."""
    _record("patient_import.discarded", upload, by=by)
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


def _record(action: str, upload: PatientImport, *, by, **more: int) -> None:
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
        **more,
    )
