"""Compares claims with appointments: what must never differ. Asked by tests after every race, and by operators."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q

from infusion_center.core import clock
from infusions.facility.models import Setting, Shift
from infusions.scheduling.housekeeping import may_lack_claims
from infusions.scheduling.lanes import claims_for, name_lane
from infusions.scheduling.models import Appointment, Claim


@dataclass(frozen=True)
class ClaimViolation:
    """`kind`: missing (a visit without its claim), extra (a claim without its visit), above-ratio."""

    kind: str
    appointment_id: int
    lane: int
    quarter: int

    def __str__(self) -> str:
        return f"{self.kind}: visit {self.appointment_id}, {name_lane(self.lane)}, quarter {self.quarter}"


def claim_violations(*, now: dt.datetime | None = None) -> list[ClaimViolation]:
    """Every difference between what the appointments take and what is claimed; none is the only right answer.

    Visits that are long over may have none of their claims any more (housekeeping.trim_claims), but no wrong ones.
    """
    claimed = Q(pk__in=Claim.objects.values("appointment"))
    looked_at = Appointment.objects.holding().filter(~may_lack_claims(now or clock.now()) | claimed)
    wanted = {
        (appointment.pk, lane, quarter)
        for appointment in looked_at.order_by().iterator()
        for lane, quarter in claims_for(appointment)
    }
    held = set(Claim.objects.values_list("appointment_id", "lane", "quarter"))
    return [
        *(ClaimViolation("missing", *claim) for claim in sorted(wanted - held)),
        *(ClaimViolation("extra", *claim) for claim in sorted(held - wanted)),
    ]


def shared_lanes(appointments=None) -> list[tuple[int, int, list[int]]]:
    """(lane, quarter, visits) wherever visits as such, whatever their claims, share a lane in a quarter-hour."""
    holders: dict[tuple[int, int], list[int]] = defaultdict(list)
    for appointment in Appointment.objects.holding() if appointments is None else appointments:
        for claim in claims_for(appointment):
            holders[claim].append(appointment.pk)
    return [(*claim, sorted(visits)) for claim, visits in sorted(holders.items()) if len(visits) > 1]


def unstaffed_visits() -> list[int]:
    """Visits in a chair whose nurse has no shift over the whole visit with a ratio that reaches their place."""
    found = []
    for visit in Appointment.objects.holding().filter(setting=Setting.FACILITY):
        covering = Shift.objects.filter(
            nurse_id=visit.nurse_id,
            site_id=visit.site_id,
            setting=Setting.FACILITY,
            starts_at__lte=visit.start,
            ends_at__gte=visit.end,
            ratio__gt=visit.ratio_place,
        )
        if not covering.exists():
            found.append(visit.pk)
    return found
