"""What became of mails, and addresses that are blocked for it."""

from itertools import count

from infusion_center.core import clock
from infusions.reminders.delivery_models import BlockCause, BlockedAddress, MailEvent, MailEventKind

numbers = count(1)


def make_mail_event(*, reminder=None, kind: str = MailEventKind.BOUNCED, **fields) -> MailEvent:
    values = {"event_key": f"event-{next(numbers)}", "happened_at": clock.now()}
    return MailEvent.objects.create(reminder=reminder, kind=kind, **{**values, **fields})


def make_block(address: str, *, cause: str = BlockCause.BOUNCED, reminder=None, **fields) -> BlockedAddress:
    event = make_mail_event(reminder=reminder, kind=cause)
    values = {"address": address.lower(), "cause": cause, "event": event, "blocked_at": clock.now()}
    return BlockedAddress.objects.create(**{**values, **fields})
