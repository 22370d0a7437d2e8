"""How visits went and how far chairs and nurses were used. Fixed numbers of queries, summed in the database."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DurationField, F, Q, QuerySet, Sum
from django.db.models.functions import Substr

from infusion_center.core import clock
from infusions.facility.models import Chair, Setting, Shift
from infusions.facility.queries import Span, open_spans_by_site, overlapping_outages
from infusions.reports.scope import Scope, hours_of, share
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import DONE, ON_SITE, State

# Too late to give the chair to somebody else, as a rule.
LATE = dt.timedelta(hours=24)
IS_LATE = Q(state=State.CANCELLED, cancelled_at__gt=F("start") - LATE)
# A chair kept for somebody who never came is not used.
USING = frozenset(set(State) - {State.CANCELLED, State.NO_SHOW})
NOTHING = dt.timedelta()


@dataclass(frozen=True)
class VisitCounts:
    """Visits by state, those without any left out; `late` of the cancelled ones came too late."""

    by_state: tuple[tuple[State, int], ...]
    late: int

    def of(self, *states: State) -> int:
        return sum(count for state, count in self.by_state if state in states)

    @property
    def total(self) -> int:
        return sum(count for _, count in self.by_state)

    @property
    def due(self) -> int:
        """Who came, who did not, and who cancelled when it was too late: what both rates are shares of."""
        return self.of(*DONE, *ON_SITE, State.NO_SHOW) + self.late

    @property
    def no_shows(self) -> int:
        return self.of(State.NO_SHOW)

    @property
    def no_show_percent(self) -> Decimal | None:
        return share(self.no_shows, self.due)

    @property
    def late_percent(self) -> Decimal | None:
        return share(self.late, self.due)

    @property
    def rows(self) -> list[tuple[State, int, Decimal | None]]:
        """State, visits, their share of all."""
        return [(state, count, share(count, self.total)) for state, count in self.by_state]


@dataclass(frozen=True)
class ChairUse:
    """Hours of visits in chairs over the hours that chairs were open and in service."""

    label: str
    visits: int
    visit_hours: Decimal
    open_hours: Decimal

    @property
    def percent(self) -> Decimal | None:
        return share(self.visit_hours, self.open_hours)


@dataclass(frozen=True)
class NurseLoad:
    """`place_hours`: shift hours times the patients that the nurse looks after at once."""

    name: str
    visits: int
    visit_hours: Decimal
    shift_hours: Decimal
    place_hours: Decimal

    @property
    def percent(self) -> Decimal | None:
        return share(self.visit_hours, self.place_hours)


def visit_counts(scope: Scope) -> VisitCounts:
    rows = scope.visits().values("state").annotate(visits=Count("pk"), late=Count("pk", filter=IS_LATE))
    found = {State(row["state"]): row for row in rows}
    by_state = tuple((state, found[state]["visits"]) for state in State if state in found)
    return VisitCounts(by_state, late=sum(row["late"] for row in found.values()))


def chair_use(scope: Scope) -> tuple[list[ChairUse], ChairUse]:
    """By weekday, those left out that were never open nor used; and all of them together."""
    visits: dict[int, int] = defaultdict(int)
    used: dict[int, dt.timedelta] = defaultdict(dt.timedelta)
    in_chairs = scope.visits().filter(setting=Setting.FACILITY)
    # The promised wall time begins with the local day, whatever the zone of the site.
    for row in _summed(in_chairs.annotate(day=Substr("local_start", 1, 10)), "day"):
        weekday = dt.date.fromisoformat(row["day"]).weekday()
        visits[weekday] += row["visits"]
        used[weekday] += row["length"]
    open_for = _open_by_weekday(scope, in_chairs)
    rows = [
        ChairUse(calendar.day_name[day], visits[day], hours_of(used[day]), hours_of(open_for[day]))
        for day in range(7)
        if visits[day] or open_for[day]
    ]
    total = ChairUse(
        "All", sum(visits.values()), hours_of(sum(used.values(), NOTHING)), hours_of(sum(open_for.values(), NOTHING))
    )
    return rows, total


def nurse_load(scope: Scope) -> list[NurseLoad]:
    """Nurses who had visits or shifts, by name."""
    busy = {
        (row["nurse__user__full_name"], row["nurse"]): row
        for row in _summed(scope.visits(), "nurse", "nurse__user__full_name")
    }
    on_shift: dict[tuple[str, int], list[dt.timedelta]] = defaultdict(lambda: [NOTHING, NOTHING])
    length = Sum(F("ends_at") - F("starts_at"), output_field=DurationField())
    shifts = Shift.objects.filter(scope.within("starts_at")).order_by()
    for row in shifts.values("nurse", "nurse__user__full_name", "ratio").annotate(length=length):
        hours = on_shift[row["nurse__user__full_name"], row["nurse"]]
        hours[0] += row["length"]
        hours[1] += row["length"] * row["ratio"]
    rows = []
    for key in sorted(busy.keys() | on_shift.keys()):
        visits = busy.get(key, {"visits": 0, "length": NOTHING})
        shift, places = on_shift[key]
        rows.append(NurseLoad(key[0], visits["visits"], hours_of(visits["length"]), hours_of(shift), hours_of(places)))
    return rows


def _summed(visits: QuerySet[Appointment], *by: str) -> Iterable[dict]:
    """For each group that used any time: how many `visits`, and the `length` of them together."""
    length = Sum(F("end") - F("start"), output_field=DurationField())
    return visits.filter(state__in=USING).values(*by).annotate(visits=Count("pk"), length=length)


def _open_by_weekday(scope: Scope, in_chairs: QuerySet[Appointment]) -> dict[int, dt.timedelta]:
    """Weekday -> time that chairs were open and in service. A chair given up since then counts if it was used."""
    used = in_chairs.filter(state__in=USING).values("chair")
    chairs = Chair.objects.filter(Q(is_active=True) | Q(pk__in=used), site__in=scope.sites)
    site_of = dict(chairs.order_by().values_list("pk", "site"))
    number_at = Counter(site_of.values())
    zones = {site.pk: site.time_zone for site in scope.sites}
    spans = open_spans_by_site(scope.sites, scope.first_day, scope.last_day)
    open_for: dict[int, dt.timedelta] = defaultdict(dt.timedelta)
    for site, site_spans in spans.items():
        for start, end in site_spans:
            open_for[_weekday(start, zones[site])] += (end - start) * number_at[site]
    for chair, away in _outages(scope, site_of).items():
        for start, end in spans[site_of[chair]]:
            open_for[_weekday(start, zones[site_of[chair]])] -= shared(away, start, end)
    return open_for


def _weekday(instant: dt.datetime, zone_name: str) -> int:
    return clock.local_date(instant, zone_name).weekday()


def _outages(scope: Scope, site_of: dict[int, int]) -> dict[int, list[Span]]:
    """Chair's row number -> when it was out of service, each moment once."""
    bounds = [scope.bounds(site.time_zone) for site in scope.sites]
    first, following = min(start for start, _ in bounds), max(end for _, end in bounds)
    found: dict[int, list[Span]] = defaultdict(list)
    outages = overlapping_outages(first, following).filter(chair__site__in=scope.sites).order_by("starts_at", "pk")
    for outage in outages:
        if outage.chair_id in site_of:
            found[outage.chair_id].append((outage.starts_at, outage.ends_at or following))
    return {chair: merged(spans) for chair, spans in found.items()}


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps; `spans` come in order of their start."""
    result: list[Span] = []
    for start, end in spans:
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def shared(spans: Iterable[Span], start: dt.datetime, end: dt.datetime) -> dt.timedelta:
    """How much of [start, end) the spans take."""
    return sum((max(min(until, end) - max(since, start), NOTHING) for since, until in spans), NOTHING)
