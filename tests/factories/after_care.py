"""Reports of the days after a visit, written as the page writes them."""

import datetime as dt

from infusions.reminders.after_care import assess
from infusions.reminders.after_care_models import AfterCareReport
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.scheduling import make_appointment


def make_report(
    appointment: Appointment | None = None,
    *yes: str,
    at: dt.datetime | None = None,
    comment: str = "",
    wants_call: bool = False,
) -> AfterCareReport:
    """`yes`: codes of the questions that were answered so. A day after the visit."""
    appointment = appointment or make_appointment(state=State.COMPLETED)
    values = dict.fromkeys(yes, "yes")
    return AfterCareReport.objects.create(
        appointment=appointment,
        values=values,
        comment=comment,
        wants_call=wants_call,
        urgency=assess(values, comment=comment, wants_call=wants_call).urgency,
        reported_at=at or appointment.end + dt.timedelta(days=1),
    )
