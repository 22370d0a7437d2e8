"""The reactions of a report as a CSV file, one a line; patients are named by their record number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from django.db import transaction
from django.db.models import Prefetch

from infusion_center.accounts.models import User
from infusion_center.core import clock
from infusions.doses.models import DoseRecord, VialUsed
from infusions.doses.reaction_models import LateReaction, Reaction
from infusions.reports.exports import csv_lines, keep_download, number
from infusions.reports.reactions import rate_mg
from infusions.reports.scope import Scope

HEADINGS = (
    "Site",
    "Infusion",
    "Visit",
    "Patient MRN",
    "Product",
    "Lots",
    "Reaction",
    "CTCAE grade",
    "Began",
    "Learned later",
    "mL/h at onset",
    "mg/kg/min at onset",
    "mL at onset",
    "What was done",
    "Made up",
)


@transaction.atomic
def download_reactions(*, scope: Scope, by: User) -> Iterator[str]:
    """Record the download and hand out the file."""
    rows = reaction_lines(scope)
    keep_download(scope, by=by, what="the list of reactions", rows=len(rows))
    return csv_lines(HEADINGS, rows)


def reaction_lines(scope: Scope) -> list[list[str]]:
    """By infusion and onset; few enough to be held at once."""
    records = DoseRecord.objects.filter(appointment__in=scope.visits(), started_at__isnull=False).order_by()
    related = ("record__appointment__site", "record__patient", "record__product")
    vials = Prefetch("record__vials", VialUsed.objects.order_by("lot"))
    found = [
        model.objects.filter(record__in=records).select_related(*related).prefetch_related(vials)
        for model in (Reaction, LateReaction)
    ]
    ordered = sorted(chain(*found), key=lambda one: (one.record.started_at, one.record_id, one.recorded_at))
    return [reaction_cells(one) for one in ordered]


def reaction_cells(reaction: Reaction | LateReaction) -> list[str]:
    """One line of the file; times by the wall clock of the site."""
    record, is_late = reaction.record, isinstance(reaction, LateReaction)
    zone_name = record.appointment.site.time_zone
    rate = None if is_late else reaction.rate_ml_per_h
    lots = (None if is_late else reaction.lots) or sorted({vial.lot for vial in record.vials.all()})
    onset = reaction.onset_on if is_late else clock.to_local(reaction.onset_at, zone_name)
    return [
        record.appointment.site.name,
        clock.local_date(record.started_at, zone_name).isoformat(),
        record.appointment.public_id,
        record.patient.mrn,
        record.product.label,
        " ".join(lots),
        reaction.get_kind_display(),
        str(reaction.grade),
        f"{onset:%Y-%m-%d}" if is_late else f"{onset:%Y-%m-%d %H:%M}",
        "yes" if is_late else "no",
        number(rate),
        number(rate_mg(rate, record.weight_kg, record.product.concentration_mg_per_ml) if rate else None),
        number(None if is_late else reaction.volume_ml),
        reaction.action,
        "yes" if record.patient.is_test else "",
    ]
