"""Who walks in or is added today: patients with a bookable order, what fits for each on the day, from now on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit.services import record_openings
from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker
from infusions.facility.models import Chair, Nurse, Setting, Site
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import active_order
from infusions.scheduling.models import Appointment
from infusions.scheduling.slots import SlotOption, SlotSearch, find_slots
from infusions.scheduling.states import UPCOMING
from infusions.scheduling.why_not import WhyNot, explain_start
from patients.finding import find_patients
from patients.models import Patient

# Each of them is searched for: who types more of the name finds the one he means.
MOST_PATIENTS = 4
MOST_STARTS = 5
TOO_EARLY = blocker(
    "dose-too-early",
    "A visit on this day would come earlier than the order's interval allows.",
    remedy="A nurse can decide it, with a reason.",
)


@dataclass(frozen=True)
class Spot:
    """A place that was pointed at on the board."""

    start: dt.datetime
    chair: Chair | None = None
    nurse: Nurse | None = None


@dataclass(frozen=True)
class WalkIn:
    """A patient, the order that would be given, and the starts that fit; `later` is the visit booked already."""

    patient: Patient
    order: InfusionOrder | None
    starts: list[SlotOption] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    at_spot: WhyNot | None = None
    later: Appointment | None = None
    only_moving: bool = False  # one more visit does not fit, but the later one could come to this day instead


def find_walk_ins(
    *, text: str, site: Site, day: dt.date, asked_by, spot: Spot | None, now: dt.datetime
) -> list[WalkIn]:
    """For what was typed, best first; who is found is recorded as opened. Booking asks everything again."""
    found = find_patients(text, MOST_PATIENTS, by=asked_by, among=Patient.objects.visible_to(asked_by))
    record_openings(found, by=asked_by, what="walk-in search")
    return [_walk_in(patient, site, day, asked_by, spot, now) for patient in found]


def _walk_in(patient: Patient, site: Site, day: dt.date, asked_by, spot: Spot | None, now: dt.datetime) -> WalkIn:
    order = active_order(patient)
    if order is None:
        return WalkIn(patient, None)
    later = (
        Appointment.objects.filter(order=order, site=site, state__in=UPCOMING, start__gte=now)
        .with_people()
        .order_by("start", "pk")
        .first()
    )
    earliest = max(now, clock.day_bounds(day, site.time_zone)[0])

    def search_day(moving: Appointment | None) -> SlotSearch:
        return find_slots(
            order,
            setting=Setting.FACILITY,
            site=site,
            earliest=earliest,
            latest=day,
            limit=None,
            now=now,
            moving=moving,
        )

    search = search_day(None)
    is_due = any(not option.needs_approval for option in search.options)
    only_moving = not is_due and later is not None and clock.local_date(later.start, site.time_zone) != day
    if only_moving:
        search = search_day(later)
    at_spot = None
    if spot is not None:
        at_spot = explain_start(
            order=order,
            start=spot.start,
            setting=Setting.FACILITY,
            site=site,
            by=asked_by,
            chair=spot.chair,
            nurse=spot.nurse,
            now=now,
        )
    may_decide = has_permission(asked_by, Permission.APPROVE_EARLY_VISIT)
    options = [option for option in search.options if may_decide or not option.needs_approval]
    wished = spot.start if spot else earliest
    closest = sorted(options, key=lambda option: abs(option.start - wished))[:MOST_STARTS]
    starts = sorted(closest, key=lambda option: option.start)
    problems = [] if starts else search.refusals or [TOO_EARLY]
    return WalkIn(patient, order, starts, problems, at_spot, later, only_moving)
