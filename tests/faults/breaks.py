"""Defects to be put in on purpose, to see that a run finds them: `--break lease`, `settle-first`, `no-recheck`."""

NAMES = ("lease", "settle-first", "no-recheck")


def apply(name: str) -> None:
    {"": _nothing, "lease": _claims_hold_nobody_off, "settle-first": _settle_first, "no-recheck": _no_recheck}[name]()


def _nothing() -> None:
    pass


def _claims_hold_nobody_off() -> None:
    """A claimed row is free for the next sender at once."""
    from infusions.reminders.models import Reminder
    from tests.faults.backend import Backend
    from tests.faults.ground import CLOCK

    send = Backend._send

    def end_leases_and_send(self, email_message):
        Reminder.objects.filter(state="claimed").update(lease_until=CLOCK.now())
        return send(self, email_message)

    Backend._send = end_leases_and_send


def _settle_first() -> None:
    """The row is recorded as sent before the mail server has the message."""
    from infusions.reminders.models import Reminder
    from tests.faults.backend import Backend
    from tests.faults.ground import CLOCK

    send = Backend._send

    def settle_and_send(self, email_message):
        message_id = email_message.extra_headers["Message-ID"]
        row = Reminder.objects.filter(public_id=message_id.strip("<>").split("@")[0])
        row.update(state="sent", settled_at=CLOCK.now(), lease_until=None, message_id=message_id)
        return send(self, email_message)

    Backend._send = settle_and_send


def _no_recheck() -> None:
    """What was planned is sent, whatever became of the visit."""
    from infusions.reminders import rules

    rules.reason_to_skip = lambda *args, **kwargs: None
