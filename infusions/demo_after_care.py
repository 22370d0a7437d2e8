"""How patients of the last days say they are: a call list with something of each kind on it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from infusions.reminders.after_care import TO_BE_ANSWERED
from infusions.reminders.after_care_services import record_after_care_call, record_after_care_report
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import DONE

if TYPE_CHECKING:
    from infusions.demo import Demo

NONE_OF_IT = dict.fromkeys(TO_BE_ANSWERED, "no")
# Which yes, in what words, how many minutes ago; of the latest visits that ended a day ago.
REPORTS = (
    ({"limb": "yes"}, "The left calf, since this morning.", 80),
    ({"headache": "yes"}, "", 55),
    ({}, "", 40),
    ({"rash": "yes"}, "Itches on both arms.", 190),
)
CALLED = 3  # the last of them was called, in vain


def let_some_report(demo: Demo, now: dt.datetime) -> None:
    ended = Appointment.objects.filter(state__in=DONE, end__lt=now - dt.timedelta(hours=12)).order_by("-start", "id")
    for number, (visit, (yes, comment, minutes)) in enumerate(zip(ended[: len(REPORTS)], REPORTS, strict=False)):
        at = now - dt.timedelta(minutes=minutes)
        report = record_after_care_report(appointment=visit, values=NONE_OF_IT | yes, comment=comment, now=at)
        if number == CALLED:
            later = at + dt.timedelta(minutes=20)
            record_after_care_call(report=report, outcome="not_reached", by=visit.nurse.user, now=later)
