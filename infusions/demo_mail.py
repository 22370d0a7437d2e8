"""The demo's mail that came back: one address that takes no more, and one reader who wants none."""

import datetime as dt

from infusions.reminders.delivery_models import MailEventKind
from infusions.reminders.mail_events import MailReport, record_mail_event
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

SOON = dt.timedelta(days=3)
TOLD = (
    (MailEventKind.BOUNCED, "550 5.1.1 The email account that you tried to reach does not exist"),
    (MailEventKind.COMPLAINED, "abuse"),
)


def let_some_mail_come_back(demo, now: dt.datetime) -> None:
    """As a provider would tell of the first mails to two patients whose visits come soon."""
    coming = Appointment.objects.filter(site=demo.site, state=State.EXPECTED, start__gt=now + SOON)
    visits = coming.exclude(patient__email="").select_related("patient").order_by("start", "pk")
    for visit, (kind, words) in zip(visits[: len(TOLD)], TOLD, strict=False):
        report = MailReport(
            provider="Demo", kind=kind, happened_at=now, address=visit.patient.email, is_final=True, detail=words
        )
        record_mail_event(report, now=now)
