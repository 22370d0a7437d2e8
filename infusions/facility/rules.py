"""What may be wrong with hours, closures, outages and shifts: overlaps, and booked visits left uncovered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from infusion_center.core.rules import Problem, blocker, needs_approval
from infusions.facility.models import MAX_RATIO, Nurse, Setting, Shift, Site
from infusions.facility.queries import Span
from infusions.formulary.clinical_words import clinical_words

# What patients read in mails, how the message calls it, and whether its words may run together.
SHOWN_IN_MAIL = (
    ("mail_name", "the name", False),
    ("address", "the address", False),
    ("phone", "the phone number", False),
    ("email", "the address for replies", True),
)
LONGEST_SHIFT = dt.timedelta(hours=16)
# By their values, because appointments are born in a later feature: those that no longer need a chair or a nurse.
OVER = ("cancelled", "completed", "stopped_early")


def mail_word_problems(fields: Mapping) -> list[Problem]:
    """Mail shows these fields of a site to whoever looks over the patient's shoulder (45 CFR 164.530(c))."""
    problems = []
    for name, what, run_together in SHOWN_IN_MAIL:
        if found := clinical_words(fields.get(name) or "", run_together=run_together):
            message = f"Patients' mail shows {what}, and “{'”, “'.join(found)}” tells what they come for."
            problems.append(blocker("clinical-word", message, field=name, remedy="Leave it out."))
    return problems


def booked(appointments: QuerySet) -> QuerySet:
    """Visits (of a reverse relation such as chair.appointments) that still need what they were booked for."""
    return appointments.exclude(state__in=OVER)


def not_cancelled(appointments: QuerySet) -> QuerySet:
    return appointments.exclude(state="cancelled")


def uncovered_problems(number: int, consequence: str) -> list[Problem]:
    """`consequence` ends the sentence "3 booked visits ..."."""
    if number == 0:
        return []
    visits = "1 booked visit" if number == 1 else f"{number} booked visits"
    remedy = "Move them first, or say why this is done nevertheless."
    return [needs_approval("visits-uncovered", f"{visits} {consequence}.", remedy=remedy)]


def overlapping(appointments: QuerySet, start: dt.datetime, end: dt.datetime | None) -> int:
    """How many booked visits touch [start, end); without an end all from start on."""
    touched = booked(appointments).filter(end__gt=start)
    return (touched.filter(start__lt=end) if end is not None else touched).count()


def outside(spans: Iterable[Span], visits: Iterable[Span]) -> int:
    """How many of the visits lie in none of the spans."""
    spans = list(spans)
    return sum(not any(opens <= start and end <= closes for opens, closes in spans) for start, end in visits)


def shift_problems(
    *,
    nurse: Nurse,
    site: Site,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    setting: str,
    ratio: int,
    is_member: bool,
    others: Iterable[Shift],
) -> list[Problem]:
    """Whether the nurse can work these hours here. A nurse is in one place at a time, whichever the site.

    `others`: her shifts around these hours, earliest first.
    """
    problems = []
    if ends_at <= starts_at:
        return [blocker("shift-backwards", "The shift ends before it starts.", field="ends")]
    if ends_at - starts_at > LONGEST_SHIFT:
        hours = int(LONGEST_SHIFT.total_seconds() // 3600)
        problems.append(blocker("shift-too-long", f"A shift lasts {hours} hours at most.", field="ends"))
    if not 1 <= ratio <= MAX_RATIO:
        problems.append(blocker("shift-ratio", f"One to {MAX_RATIO} patients at once.", field="ratio"))
    if not nurse.is_active or not nurse.user.is_active:
        problems.append(blocker("nurse-inactive", f"{nurse} no longer works as a nurse here.", field="nurse"))
    elif not is_member:
        message = f"{nurse} does not belong to {site}."
        problems.append(blocker("nurse-not-member", message, field="nurse", remedy="Add the person to the site first."))
    if setting == Setting.HOME and not nurse.visits_homes:
        message = f"{nurse} does not visit homes."
        problems.append(blocker("nurse-no-home-visits", message, field="setting", remedy="Change it with the nurse."))
    other = next((shift for shift in others if shift.starts_at < ends_at and shift.ends_at > starts_at), None)
    if other is not None:
        message = f"{nurse} already has a shift at {other.site} at that time."
        problems.append(
            blocker("shift-overlaps", message, field="nurse", remedy="Remove it first, or change the hours.")
        )
    return problems


def call_out_problems(
    nurse: Nurse, shifts: list[Shift], starts_at: dt.datetime, ends_at: dt.datetime, reason: str, now: dt.datetime
) -> list[Problem]:
    """Whether the hours can be taken off the roster; `shifts` are the nurse's that touch them."""
    if ends_at <= starts_at:
        return [blocker("call-out-backwards", "It ends before it starts.", field="ends")]
    if ends_at <= now:
        return [blocker("call-out-past", "These hours are past.", field="first_day")]
    if not reason.strip():
        return [blocker("reason-missing", "Say why.", field="reason")]
    if not shifts:
        message = f"{nurse} has no shift then."
        return [blocker("no-shift-then", message, field="first_day", remedy="Nothing has to be taken off the roster.")]
    return []
