"""How many mails a receiving domain gets a minute, from all senders together: large receivers refuse who hurries.

The table counts; a sender reserves what a whole batch needs by one conditional update for each domain. What finds no
room waits for the minutes to come, in the order in which it was due, and costs no try.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from infusions.reminders.delivery_models import DomainPace
from infusions.reminders.models import Reminder, ReminderState

# "sent" of a domain that asked for a pause: no limit is as high.
CLOSED = 2_000_000_000
UPDATES = 3  # how often a reservation is tried while others reserve at the same moment
# 421 closes the channel; 4.7.x and such words: the receiver wants less of it for a while (RFC 3463, RFC 5321).
WANTS_LESS = re.compile(r"^421\b|^4\d\d.*(too many|too fast|too much|rate|limit|throttl|\b4\.7\.)", re.IGNORECASE)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip().lower()[:253]


def reserve(wanted: Mapping[str, int], now: dt.datetime) -> Counter:
    """How many mails may go to each domain within this minute, of those wanted."""
    minute, limit = _minute(now), settings.REMINDER_DOMAIN_PER_MINUTE
    if not limit:
        closed = DomainPace.objects.filter(domain__in=list(wanted), minute__gte=minute, sent=CLOSED)
        paused = set(closed.values_list("domain", flat=True))
        return Counter({domain: 0 if domain in paused else number for domain, number in wanted.items()})
    with transaction.atomic():
        # In one order for all, so that two senders never wait for each other.
        return Counter({domain: _reserve_one(domain, wanted[domain], minute, limit) for domain in sorted(wanted)})


def slow_down(domain: str, now: dt.datetime) -> None:
    """The receiver asked for a pause: nobody sends there for the rest of this minute and the next one."""
    row, _ = DomainPace.objects.get_or_create(domain=domain, defaults={"minute": 0})
    DomainPace.objects.filter(pk=row.pk).update(minute=_minute(now) + 1, sent=CLOSED)


def asks_for_less(answer: str) -> bool:
    return WANTS_LESS.search(answer) is not None


def next_turn(domain: str, now: dt.datetime) -> dt.datetime:
    """When the domain has room again: the coming minute, or the one after a pause."""
    row = DomainPace.objects.filter(domain=domain).first()
    minute = max(_minute(now), row.minute if row is not None and row.sent == CLOSED else 0) + 1
    return dt.datetime.fromtimestamp(minute * 60, dt.UTC)


def line_up(domain: str, now: dt.datetime) -> int:
    """Give all that is due to a full domain a minute of its own to come, as many each as it takes; how many.

    Once a minute instead of at each claim: a large domain's backlog does not keep senders busy with putting it back.
    """
    turn, size = next_turn(domain, now), settings.REMINDER_DOMAIN_PER_MINUTE or 100
    ending = f"@{domain}"
    due = Reminder.objects.filter(state=ReminderState.OWED, due_at__lte=now).filter(
        Q(appointment__patient__email__iendswith=ending) | Q(offer__entry__patient__email__iendswith=ending)
    )
    waiting = list(due.order_by("due_at", "pk").values_list("pk", flat=True))
    for place in range(0, len(waiting), size):
        rows = Reminder.objects.filter(pk__in=waiting[place : place + size], state=ReminderState.OWED)
        rows.update(due_at=turn + dt.timedelta(minutes=place // size), updated_at=now)
    return len(waiting)


def _reserve_one(domain: str, wanted: int, minute: int, limit: int) -> int:
    pace = DomainPace.objects.filter(domain=domain)
    for _ in range(UPDATES):
        wanted = min(wanted, limit)
        if pace.filter(minute=minute, sent__lte=limit - wanted).update(sent=F("sent") + wanted):
            return wanted
        if pace.filter(minute__lt=minute).update(minute=minute, sent=wanted):
            return wanted
        row = pace.first()
        if row is None:
            DomainPace.objects.bulk_create([DomainPace(domain=domain, minute=0)], ignore_conflicts=True)
            continue
        wanted = limit - row.sent if row.minute == minute else 0
        if wanted <= 0:
            return 0
    return 0


def _minute(now: dt.datetime) -> int:
    return int(now.timestamp()) // 60
