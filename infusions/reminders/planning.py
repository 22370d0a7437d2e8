"""Which messages a visit should have, and when. Pure: no rows, and the clock is handed in."""

import datetime as dt
from dataclasses import dataclass

from infusion_center.core import clock
from infusions.reminders.models import DAYS_BEFORE, Kind, Reason

DECENT_HOUR = dt.time(9)
# When people can still drink something that evening, and when whoever slept badly after the visit is up again.
EVENING = dt.time(17)
DAY_AFTER = dt.time(10)
# A nurse's next day is settled by then, and she is not yet asleep.
SHEET_HOUR = dt.time(18)
# A reminder that would follow a booking or a move this closely repeats what the patient has just read.
FRESH = dt.timedelta(hours=12)
# The reminder of the last day is of no use to somebody who is about to leave the house.
LAST_CALL = dt.timedelta(hours=4)
# Late effects of a visit show within three days; to ask later how somebody is would miss them.
LATE_EFFECTS = dt.timedelta(hours=72)


@dataclass(frozen=True)
class QuietHours:
    """No mail from `begins` until `ends` by the patient's wall clock; across midnight when `begins` is the later."""

    begins: dt.time
    ends: dt.time

    @property
    def exist(self) -> bool:
        return self.begins != self.ends

    def hold(self, wall: dt.time) -> bool:
        if self.begins <= self.ends:
            return self.begins <= wall < self.ends
        return wall >= self.begins or wall < self.ends


@dataclass(frozen=True)
class Visit:
    """What planning needs to know of an appointment as it now is."""

    start: dt.datetime
    since: dt.datetime  # when it became what it now is: booked, moved or cancelled
    zone: str  # of the patient
    quiet: QuietHours
    reminder_days: tuple[int, ...]
    sends_hydration: bool = False
    cancelled: bool = False
    told: bool = False  # whether the patient heard of an earlier version


@dataclass(frozen=True)
class Planned:
    kind: Kind
    due_at: dt.datetime
    skip: Reason | None = None


@dataclass(frozen=True)
class Span:
    """From when a message is due, and from when it comes too late."""

    due_at: dt.datetime
    ends_at: dt.datetime


def planned_messages(visit: Visit, now: dt.datetime) -> list[Planned]:
    """All messages that this version of the visit should have, those already too late marked as skipped.

    A visit that has begun gets none. The announcement of a booking goes at once, whatever the hour.
    """
    if visit.start <= now:
        return []
    if visit.cancelled:
        return [_waiting(Kind.CANCELLED, visit, now)] if visit.told else []
    announcement = _waiting(Kind.MOVED, visit, now) if visit.told else Planned(Kind.CONFIRMATION, now)
    wanted = [kind for kind, days in DAYS_BEFORE.items() if days in visit.reminder_days]
    evening = [_evening_before(visit, now)] if visit.sends_hydration else []
    return [announcement, *(_days_before(kind, visit, now) for kind in wanted), *evening]


def planned_offer(*, expires_at: dt.datetime, zone: str, quiet: QuietHours, now: dt.datetime) -> Planned:
    """The mail of a waitlist offer goes now, but not at night; by morning it may be too late to be of use."""
    due_at = next_allowed(now, zone, quiet)
    return Planned(Kind.OFFER, due_at, Reason.OFFER_NIGHT if due_at >= expires_at else None)


def planned_after_care(*, finished: dt.datetime, zone: str, quiet: QuietHours, now: dt.datetime) -> Planned:
    """The mail of the day after a visit that was over at `finished`."""
    return _within(Kind.AFTER_CARE, day_after(finished, zone, quiet), now)


def planned_day_sheet(*, day: dt.date, begins: dt.datetime, zone: str, quiet: QuietHours, now: dt.datetime) -> Planned:
    """A nurse's mail about `day`, when her first shift begins at `begins`; by the clock of the site."""
    return _within(Kind.DAY_SHEET, before_shift(day, begins, zone, quiet), now)


def next_allowed(instant: dt.datetime, zone: str, quiet: QuietHours) -> dt.datetime:
    """The instant itself, or the end of the quiet hours that it lies in."""
    local = clock.to_local(instant, zone)
    if not quiet.hold(local.time()):
        return instant
    ends_tomorrow = local.time() >= quiet.ends
    day = local.date() + dt.timedelta(days=1 if ends_tomorrow else 0)
    return max(instant, wall_instant(day, quiet.ends, zone))


def latest_moment(kind: str, start: dt.datetime, zone: str, quiet: QuietHours) -> dt.datetime:
    """After this instant the message is no longer sent: three days' notice two days before would be wrong."""
    if kind == Kind.HYDRATION:
        return evening_before(start, zone, quiet).ends_at
    days = DAYS_BEFORE.get(Kind(kind))
    if days is None:
        return start
    return start - (dt.timedelta(days=days - 1) if days > 1 else LAST_CALL)


def day_reminder_moment(days: int, start: dt.datetime, zone: str, quiet: QuietHours) -> dt.datetime:
    """A decent hour so many calendar days before the visit, both by the patient's wall clock."""
    day = clock.local_date(start, zone) - dt.timedelta(days=days)
    return next_allowed(wall_instant(day, DECENT_HOUR, zone), zone, quiet)


def evening_before(start: dt.datetime, zone: str, quiet: QuietHours) -> Span:
    """The evening before the visit, until its quiet hours begin. Advice for the evening is of no use in the morning.

    Where five o'clock is a quiet hour already, there is no such evening: the span is empty.
    """
    day = clock.local_date(start, zone) - dt.timedelta(days=1)
    _, midnight = clock.day_bounds(day, zone)
    ends_at = wall_instant(day, quiet.begins, zone) if quiet.begins > EVENING and quiet.exist else midnight
    return Span(next_allowed(wall_instant(day, EVENING, zone), zone, quiet), ends_at)


def day_after(finished: dt.datetime, zone: str, quiet: QuietHours) -> Span:
    day = clock.local_date(finished, zone) + dt.timedelta(days=1)
    return Span(next_allowed(wall_instant(day, DAY_AFTER, zone), zone, quiet), finished + LATE_EFFECTS)


def before_shift(day: dt.date, begins: dt.datetime, zone: str, quiet: QuietHours) -> Span:
    evening = wall_instant(day - dt.timedelta(days=1), SHEET_HOUR, zone)
    return Span(next_allowed(evening, zone, quiet), begins)


def wall_instant(day: dt.date, wall: dt.time, zone: str) -> dt.datetime:
    """The instant of a wall time; an hour later where the clocks skip it."""
    try:
        return clock.from_local(day, wall, zone)
    except clock.NonexistentTime:
        later = dt.datetime.combine(day, wall) + dt.timedelta(hours=1)
        return clock.from_local(later.date(), later.time(), zone)


def _waiting(kind: Kind, visit: Visit, now: dt.datetime) -> Planned:
    """A message that goes now, but not at night; useless when the night ends after the visit has begun."""
    due_at = next_allowed(now, visit.zone, visit.quiet)
    return Planned(kind, due_at, Reason.NO_DECENT_HOUR if due_at >= visit.start else None)


def _days_before(kind: Kind, visit: Visit, now: dt.datetime) -> Planned:
    due_at = day_reminder_moment(DAYS_BEFORE[kind], visit.start, visit.zone, visit.quiet)
    return Planned(kind, due_at, _why_not(kind, visit, due_at, now))


def _why_not(kind: Kind, visit: Visit, due_at: dt.datetime, now: dt.datetime) -> Reason | None:
    if due_at < visit.since + FRESH:
        return Reason.TOLD_RECENTLY
    if max(due_at, now) >= latest_moment(kind, visit.start, visit.zone, visit.quiet):
        return Reason.TOO_LATE
    return None


def _evening_before(visit: Visit, now: dt.datetime) -> Planned:
    span = evening_before(visit.start, visit.zone, visit.quiet)
    # Whoever was told later than that has just read the same advice.
    if visit.since >= span.due_at:
        return Planned(Kind.HYDRATION, span.due_at, Reason.TOLD_RECENTLY)
    return _within(Kind.HYDRATION, span, now)


def _within(kind: Kind, span: Span, now: dt.datetime) -> Planned:
    return Planned(kind, span.due_at, Reason.TOO_LATE if max(span.due_at, now) >= span.ends_at else None)
