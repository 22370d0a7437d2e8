"""The visits of a report as a CSV file: streamed, recorded, and safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from infusion_center.accounts.models import User
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.csv_text import csv_lines
from infusions.doses.reaction_models import Reaction
from infusions.reports.clinical import grams_in
from infusions.reports.scope import Scope
from infusions.reports.utilization import LATE
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

HEADINGS = (
    "Visit",
    "Site",
    "Day",
    "Start",
    "End",
    "Where",
    "Chair",
    "Nurse",
    "Patient MRN",
    "Product",
    "State",
    "Cancelled late",
    "Why cancelled",
    "Given g",
    "Given mL",
    "Wasted mL",
    "Gravest reaction (CTCAE grade)",
    "Made up",
)
CHUNK = 2000


def keep_download(scope: Scope, *, by: User, what: str, rows: int) -> None:
    """Every download is recorded with its period, its sites and how long it was."""
    site = scope.sites[0] if len(scope.sites) == 1 else None
    audit.record(
        "report.downloaded",
        site or by,
        by=by,
        site=site,
        what=what,
        sites=[one.public_id for one in scope.sites],
        first_day=scope.first_day.isoformat(),
        last_day=scope.last_day.isoformat(),
        rows=rows,
    )


@transaction.atomic
def download_visits(*, scope: Scope, by: User) -> Iterator[str]:
    """Record the download and hand out the file line by line; patients are named by their record number."""
    rows = visit_rows(scope)
    keep_download(scope, by=by, what="the list of visits", rows=rows.count())
    return csv_lines(HEADINGS, (visit_cells(visit) for visit in rows.iterator(chunk_size=CHUNK)))


def visit_rows(scope: Scope) -> QuerySet[Appointment]:
    gravest = Reaction.objects.filter(record__appointment=OuterRef("pk")).order_by("-grade").values("grade")[:1]
    return (
        scope.visits()
        .select_related("site", "chair", "nurse__user", "patient", "order__product", "dose_record__product")
        .annotate(gravest=Subquery(gravest))
        .order_by("start", "pk")
    )


def visit_cells(visit: Appointment) -> list[str]:
    """One line of the file; times by the wall clock of the site."""
    record = getattr(visit, "dose_record", None)
    product = record.product if record else visit.order.product
    start, end = (clock.to_local(moment, visit.site.time_zone) for moment in (visit.start, visit.end))
    given_ml = record.volume_given_ml if record else None
    return [
        visit.public_id,
        visit.site.name,
        start.date().isoformat(),
        f"{start:%H:%M}",
        f"{end:%H:%M}",
        visit.get_setting_display(),
        visit.chair.name if visit.chair else "",
        visit.nurse.user.full_name,
        visit.patient.mrn,
        product.label,
        visit.get_state_display(),
        ("yes" if is_late(visit) else "no") if visit.state == State.CANCELLED else "",
        visit.cancel_reason,
        number(grams_in(given_ml, product) if given_ml is not None else None),
        number(given_ml),
        number(record.waste_ml if record else None),
        number(visit.gravest),
        "yes" if visit.patient.is_test else "",
    ]


def is_late(visit: Appointment) -> bool:
    return visit.state == State.CANCELLED and visit.cancelled_at > visit.start - LATE


def number(value) -> str:
    return "" if value is None else str(value)
