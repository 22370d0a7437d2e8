"""What became of a mail after it left, as its provider tells: told twice or out of order, it means the same.

A message that came back for good, or a complaint, blocks the address. One that is only late, or came back for a while,
blocks nothing: if no later one arrives, the visit is on the list of those whom no mail reached.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import transaction

from infusion_center.core import clock
from infusions.reminders.blocks import block_address
from infusions.reminders.delivery_models import BlockCause, MailEvent, MailEventKind
from infusions.reminders.models import Reminder
from infusions.reminders.wording import mail_host
from patients.queries import patients_with_address

CAUSES = {MailEventKind.BOUNCED: BlockCause.BOUNCED, MailEventKind.COMPLAINED: BlockCause.COMPLAINED}


@dataclass(frozen=True)
class MailReport:
    """One report of a provider, freed of its manner of speaking."""

    provider: str
    kind: MailEventKind
    happened_at: dt.datetime | None
    address: str = ""
    message_id: str = ""  # the provider's, or our own Message-ID
    event_id: str = ""  # the provider's, of a report that tells no time
    reminder_id: str = ""  # the public id that went along with the message
    is_final: bool = False  # of what came back: the address will never take mail
    detail: str = ""

    @property
    def key(self) -> str:
        """The same for the same report; a provider that hears no answer repeats itself."""
        parts = [self.provider, self.kind, self.message_id or self.reminder_id, self.address.lower()]
        when = self.happened_at.astimezone(dt.UTC).isoformat() if self.happened_at else self.event_id
        parts += [when, str(self.is_final)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@transaction.atomic
def record_mail_event(report: MailReport, *, now: dt.datetime | None = None) -> MailEvent | None:
    """Note it beside its reminder, and block the address if mail to it is in vain; None if it was told before."""
    now, reminder = now or clock.now(), reminder_of(report)
    values = {
        "reminder": reminder,
        "kind": report.kind,
        "happened_at": report.happened_at or now,
        "detail": report.detail[:200],
    }
    event, created = MailEvent.objects.get_or_create(event_key=report.key, defaults=values)
    if not created:
        return None
    if _blocks(report) and (reminder or patients_with_address(report.address)):
        block_address(address=report.address, cause=CAUSES[report.kind], event=event, now=now)
    return event


def reminder_of(report: MailReport) -> Reminder | None:
    """By what went along with the message, by the provider's name for it, or by our own Message-ID."""
    own_id, _, host = report.message_id.strip("<>").partition("@")
    public_ids = [report.reminder_id, own_id if host == mail_host() else ""]
    for public_id in filter(None, public_ids):
        if found := Reminder.objects.filter(public_id=public_id[:14]).first():
            return found
    return Reminder.objects.filter(provider_id=report.message_id[:200]).first() if report.message_id else None


def _blocks(report: MailReport) -> bool:
    is_over = report.is_final or report.kind == MailEventKind.COMPLAINED
    return bool(report.address) and report.kind in CAUSES and is_over
