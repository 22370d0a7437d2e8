"""When the clocks change, and the moments around a change at which a run looks at the ledger."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

ZONES = ("America/New_York", "America/Phoenix", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu")
YEAR = 2027
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


# By UTC, counted from the day of the change: shortly after nine in the morning of some zone or other.
LOOKS = (
    *((-2, "14:00"), (-2, "22:35")),
    *((-1, "09:10"), (-1, "16:05"), (-1, "22:35")),
    *((0, "09:10"), (0, "16:05"), (0, "22:35"), (1, "04:00")),
)


@dataclass(frozen=True)
class Change:
    """The first instant by the new offset."""

    zone: str
    at: dt.datetime

    @property
    def day(self) -> dt.date:
        return self.at.astimezone(ZoneInfo(self.zone)).date()

    @property
    def moments(self) -> list[dt.datetime]:
        """Mornings and evenings of all zones in the three days around, and seconds before the change itself.

        Between two of them lie at most some hours, as in an outage of a night; every zone is awake at some of them.
        """
        fixed = [dt.datetime.combine(self.day + days * DAY, dt.time.fromisoformat(at), dt.UTC) for days, at in LOOKS]
        return sorted([*fixed, self.at - dt.timedelta(seconds=1)])

    @property
    def after(self) -> dt.datetime:
        """All visits of the days around are over, everything owed for them is due."""
        return dt.datetime.combine(self.day + 4 * DAY, dt.time(12), dt.UTC)


def changes(year: int = YEAR) -> list[Change]:
    found = [change for zone in ZONES for change in _changes_of(zone, year)]
    return sorted(found, key=lambda change: change.at)


def some(of: list[Change], number: int) -> list[Change]:
    """So many of them, the first and the last among them, so that clocks go forward and back."""
    number = max(1, min(number, len(of)))
    return [of[round(index * (len(of) - 1) / max(1, number - 1))] for index in range(number)]


def _changes_of(zone: str, year: int) -> list[Change]:
    hours = [dt.datetime(year, 1, 1, tzinfo=dt.UTC) + 30 * MINUTE * number for number in range(365 * 48)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return [Change(zone, hours[n]) for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]]
