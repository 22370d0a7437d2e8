"""What was planned, as a row of the ledger."""

import datetime as dt

from infusions.reminders.models import Reminder, ReminderState
from infusions.reminders.planning import Planned


def ledger_row(planned: Planned, now: dt.datetime, **about) -> Reminder:
    """Not saved: rows are written many at once, and the unique keys keep one where two planners meet."""
    return Reminder(
        kind=planned.kind,
        due_at=planned.due_at,
        state=ReminderState.SKIPPED if planned.skip else ReminderState.OWED,
        reason=planned.skip or "",
        settled_at=now if planned.skip else None,
        **about,
    )
