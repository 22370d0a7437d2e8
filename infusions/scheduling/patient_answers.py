"""What patients may do with a visit by the links in their mail: move it to a start that is offered, ask for a call, or
cancel it. They approve nothing; close to the visit, and once it has begun, they call instead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import models, transaction

from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker, refuse_if_blocking
from infusions.facility.models import MoveRequests
from infusions.scheduling import attendance
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.contention import tried_again
from infusions.scheduling.models import Appointment
from infusions.scheduling.placing import locked_appointment, locked_order, refuse_stale, wrong_state
from infusions.scheduling.queries import course_so_far
from infusions.scheduling.slots import SlotOption, find_slots, moved_window
from infusions.scheduling.states import UPCOMING

MOST_OFFERED = 6
# Of the best that fit; enough to have several days and hours among them, and never the whole of a long window.
LOOKED_AT = 60
# Two starts closer than this are the same time of day to somebody who has to be elsewhere.
SAME_TIME = dt.timedelta(hours=2)
BY_PATIENT = "By the patient: "  # how the reason begins that staff read
TOO_CLOSE, CALL_ONLY = "too-close", "one-of-several-days"


class Because(models.TextChoices):
    """Why a patient cannot come, as staff read it."""

    ILL = "ill", "ill"
    APPOINTMENT = "appointment", "another appointment"
    TRAVEL = "travel", "away"
    TRANSPORT = "transport", "no way to get here"
    OTHER = "other", "other, or not said"


def answer_problems(visit: Appointment, now: dt.datetime) -> list[Problem]:
    """Why nothing can be changed by link any more."""
    if visit.state not in UPCOMING or visit.start <= now:
        return [wrong_state(visit, "be changed by link")]
    hours = visit.site.cancel_cutoff_hours
    if visit.start - now < dt.timedelta(hours=hours):
        return [blocker(TOO_CLOSE, f"Patients change a visit by link until {hours} hours before it.")]
    return []


def cancel_problems(visit: Appointment, now: dt.datetime) -> list[Problem]:
    """Leaving out one of several days, or moving it alone, is for a clinician to decide."""
    found = answer_problems(visit, now)
    if not found and is_one_of_several_days(visit):
        found = [blocker(CALL_ONLY, "The visit is one day of a course: the patient calls.")]
    return found


def is_one_of_several_days(visit: Appointment) -> bool:
    return visit.order.days > 1


def offers_starts(visit: Appointment) -> bool:
    return visit.site.move_requests == MoveRequests.OFFER and not is_one_of_several_days(visit)


def offered_starts(visit: Appointment, *, now: dt.datetime) -> list[SlotOption]:
    """Some starts that fit the visit as they would fit it at the desk, by time. None of them needs an approval."""
    first, last = span_offered(visit, now)
    if not offers_starts(visit) or first > last:
        return []
    search = find_slots(
        visit.order,
        setting=visit.setting,
        site=visit.site,
        earliest=first,
        latest=last,
        limit=LOOKED_AT,
        now=now,
        moving=visit,
    )
    return spread([one for one in search.options if not one.needs_approval], visit.site.time_zone)


def span_offered(visit: Appointment, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """First and last start: in the drug's window, and as far ahead as a patient must say that he cannot come."""
    zone = visit.site.time_zone
    course = course_so_far(visit.order, ignore=visit)
    window = moved_window(visit.order, course, visit, clock.local_date(now, zone))
    begins, ends = clock.day_bounds(window.first, zone)[0], clock.day_bounds(window.last, zone)[1]
    if window.needs_approval_before:
        begins = max(begins, clock.day_bounds(window.needs_approval_before, zone)[0])
    return max(begins, now + dt.timedelta(hours=visit.site.cancel_cutoff_hours)), ends - clock.QUARTER


def spread(options: Sequence[SlotOption], zone: str) -> list[SlotOption]:
    """Of options, best first, at most six that differ: another day before another hour, another hour before a better
    one. Given back in the order of time."""
    left, chosen = list(options), []
    while left and len(chosen) < MOST_OFFERED:
        best = min(left, key=lambda one: _likeness(one, chosen, zone))  # the first of equals is the better one
        left.remove(best)
        chosen.append(best)
    return sorted(chosen, key=lambda one: one.start)


@tried_again
@transaction.atomic
def move_by_patient(
    *, appointment: Appointment, start: dt.datetime, version: int, now: dt.datetime | None = None
) -> Appointment:
    """Move a visit to a start that is offered; who chose it has also confirmed it. Raises RuleViolation."""
    now = now or clock.now()
    visit = _locked(appointment, version)
    refuse_if_blocking(answer_problems(visit, now))
    first, last = span_offered(visit, now)
    if not offers_starts(visit) or not first <= start <= last or start == visit.start:
        raise RuleViolation([blocker("start-not-offered", "This start is not offered to patients.", field="start")])
    moved = move_appointment(appointment=visit, start=start, by=None, version=version, now=now)
    return attendance.confirm(appointment=moved, by=None, now=now)


@tried_again
@transaction.atomic
def ask_for_call(
    *, appointment: Appointment, message: str, version: int, now: dt.datetime | None = None
) -> Appointment:
    """The patient wants another time and to be called about it. The visit stays booked until somebody moves it."""
    now = now or clock.now()
    visit = _locked(appointment, version)
    refuse_if_blocking(answer_problems(visit, now))
    return attendance.request_move(appointment=visit, message=message, now=now)


@tried_again
@transaction.atomic
def cancel_by_patient(
    *, appointment: Appointment, because: Because, version: int, message: str = "", now: dt.datetime | None = None
) -> Appointment:
    """The patient cannot come; the reason stands on the visit for whoever calls about another one."""
    now = now or clock.now()
    visit = _locked(appointment, version)
    refuse_if_blocking(cancel_problems(visit, now))
    reason = f"{BY_PATIENT}{Because(because).label}. {' '.join(message.split())}".strip()
    return cancel_appointment(appointment=visit, reason=reason, by=None, version=version, now=now)


def is_cancelled_by_patient(visit: Appointment) -> bool:
    return visit.cancel_reason.startswith(BY_PATIENT)


def _locked(appointment: Appointment, version: int) -> Appointment:
    locked_order(appointment.order)
    visit = locked_appointment(appointment)
    refuse_stale(visit, version)
    return visit


def _likeness(option: SlotOption, chosen: Sequence[SlotOption], zone: str) -> tuple[int, int]:
    """How many of the chosen are on the same day, and how many at about the same time of day."""
    local = clock.to_local(option.start, zone)
    others = [clock.to_local(one.start, zone) for one in chosen]
    same_time = [other for other in others if abs(_since_midnight(other) - _since_midnight(local)) < SAME_TIME]
    return sum(other.date() == local.date() for other in others), len(same_time)


def _since_midnight(local: dt.datetime) -> dt.timedelta:
    return dt.timedelta(hours=local.hour, minutes=local.minute)
