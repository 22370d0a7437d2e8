"""How many mails a receiving domain gets a minute, from all senders together: large receivers refuse who hurries.

The table counts; a sender reserves at once what its whole batch needs, in two or three statements. What finds no room
waits for the minutes to come, in the order in which it was due, and costs no try.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from infusions.reminders.delivery_models import DomainPace
from infusions.reminders.models import Reminder, ReminderState

# "sent" of a domain that asked for a pause: no limit is as high.
CLOSED = 2_000_000_000
# 421 closes the channel; 4.7.x and such words: the receiver wants less of it for a while (RFC 3463, RFC 5321).
WANTS_LESS = re.compile(r"^421\b|^4\d\d.*(too many|too fast|too much|rate|limit|throttl|\b4\.7\.)", re.IGNORECASE)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip().lower()[:253]


def reserve(wanted: Mapping[str, int], now: dt.datetime) -> Counter:
    """How many mails may go to each domain within this minute, of those wanted."""
    minute, limit = _minute(now), settings.REMINDER_DOMAIN_PER_MINUTE
    if not limit:
        closed = DomainPace.objects.filter(domain__in=list(wanted), minute__range=(minute, minute + 1), sent=CLOSED)
        paused = set(closed.values_list("domain", flat=True))
        return Counter({domain: 0 if domain in paused else number for domain, number in wanted.items()})
    _make_rows(wanted)
    with transaction.atomic():
        # The rows are locked in one order for all, so that two senders never wait for each other; on SQLite the
        # transaction holds the write lock from its beginning.
        rows = list(DomainPace.objects.select_for_update().filter(domain__in=list(wanted)).order_by("domain"))
        room = Counter({row.domain: _room(row, wanted[row.domain], minute, limit) for row in rows})
        _note(rows, room, minute)
    return room


def slow_down(domain: str, now: dt.datetime) -> None:
    """The receiver asked for a pause: nobody sends there for the rest of this minute and the next one."""
    row, _ = DomainPace.objects.get_or_create(domain=domain, defaults={"minute": 0})
    DomainPace.objects.filter(pk=row.pk).update(minute=_minute(now) + 1, sent=CLOSED)


def asks_for_less(answer: str) -> bool:
    return WANTS_LESS.search(answer) is not None


def next_turn(domain: str, now: dt.datetime) -> dt.datetime:
    """When the domain has room again: the coming minute, or the one after a pause."""
    row = DomainPace.objects.filter(domain=domain).first()
    present = _minute(now)
    is_paused = row is not None and row.sent == CLOSED and not _is_stale(row, present)
    minute = max(present, row.minute if is_paused else 0) + 1
    return dt.datetime.fromtimestamp(minute * 60, dt.UTC)


def line_up(domain: str, now: dt.datetime, held: Iterable[int] = ()) -> int:
    """Give all that is due to a full domain a minute of its own to come, as many each as it takes; how many.

    Once a minute instead of at each claim: a large domain's backlog does not keep senders busy with putting it back.
    `held`: row numbers of those that found no room. They wait whatever the database makes of their addresses, or the
    sender would take them again at once, and nothing else until the minute is over.
    """
    turn, size = next_turn(domain, now), settings.REMINDER_DOMAIN_PER_MINUTE or 100
    ending = f"@{domain}"
    due = Reminder.objects.filter(state=ReminderState.OWED, due_at__lte=now).filter(
        Q(appointment__patient__email__iendswith=ending)
        | Q(offer__entry__patient__email__iendswith=ending)
        | Q(nurse__user__email__iendswith=ending)
        | Q(pk__in=list(held))
    )
    waiting = list(due.order_by("due_at", "pk").values_list("pk", flat=True))
    for place in range(0, len(waiting), size):
        rows = Reminder.objects.filter(pk__in=waiting[place : place + size], state=ReminderState.OWED)
        rows.update(due_at=turn + dt.timedelta(minutes=place // size), updated_at=now)
    return len(waiting)


def _make_rows(wanted: Mapping[str, int]) -> None:
    known = set(DomainPace.objects.filter(domain__in=list(wanted)).values_list("domain", flat=True))
    if fresh := sorted(set(wanted) - known):
        DomainPace.objects.bulk_create([DomainPace(domain=one, minute=0) for one in fresh], ignore_conflicts=True)


def _is_stale(row: DomainPace, minute: int) -> bool:
    """Of a minute that is over; or of one that is further off than a pause: the clock was set back since."""
    return row.minute < minute or row.minute > minute + 1


def _room(row: DomainPace, wanted: int, minute: int, limit: int) -> int:
    """Of those wanted; none while the row's minute, that of a pause, is yet to come."""
    if _is_stale(row, minute):
        return min(wanted, limit)
    return max(0, min(wanted, limit - row.sent)) if row.minute == minute else 0


def _note(rows: list[DomainPace], room: Counter, minute: int) -> None:
    """One update for all domains that get the same number, mostly one or two in all."""
    groups: dict[tuple[bool, int], list[int]] = {}
    for row in rows:
        if room[row.domain]:
            groups.setdefault((_is_stale(row, minute), room[row.domain]), []).append(row.pk)
    for (is_fresh, number), pks in groups.items():
        counted = {"minute": minute, "sent": number} if is_fresh else {"sent": F("sent") + number}
        DomainPace.objects.filter(pk__in=pks).update(**counted)


def _minute(now: dt.datetime) -> int:
    return int(now.timestamp()) // 60
