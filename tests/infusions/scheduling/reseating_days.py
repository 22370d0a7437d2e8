"""Small generated days in plain numbers, for the proof of re-seating; no rows of a database.

Quarters count from 08:00. Whoever sits somewhere sits lawfully when he is booked; afterwards chairs fail, nurses call
out, ratios are lowered, visits begin and are pinned.
"""

import datetime as dt
import random
from collections import defaultdict
from dataclasses import dataclass, field

from infusions.facility.models import Chair, Nurse, Site
from infusions.scheduling.availability import Availability
from infusions.scheduling.bitmaps import Need, Picture, ShiftSpan
from infusions.scheduling.drawing import draw_visits
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseating import Wanted
from infusions.scheduling.seating_day import DayRows, Span

EIGHT = dt.datetime(2026, 3, 3, 8, tzinfo=dt.UTC)
LENGTH = 40
TRAVEL = 2


@dataclass
class PlainVisit:
    key: int
    start: int
    length: int
    chair: int | None
    nurse: int
    place: int
    start_hands: int = 2
    end_hands: int = 1
    state: str = "expected"
    pinned: bool = False
    elsewhere: bool = False

    @property
    def at_home(self):
        return self.chair is None

    @property
    def away(self):
        """Quarters in which the nurse has it."""
        reach = TRAVEL if self.at_home else 0
        return range(self.start - reach, self.start + self.length + reach)

    @property
    def hands(self):
        if self.at_home:
            return set(self.away)
        stop = self.start + self.length
        return {*range(self.start, self.start + self.start_hands), *range(stop - self.end_hands, stop)}


@dataclass
class PlainDay:
    now: int
    chairs: dict[int, str] = field(default_factory=dict)  # -> kind
    retired: set[int] = field(default_factory=set)
    outages: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    shifts: list[tuple[int, int, int, int, bool]] = field(default_factory=list)  # nurse, first, stop, ratio, at home
    visits: list[PlainVisit] = field(default_factory=list)

    def stays(self, visit: PlainVisit) -> bool:
        not_begun = visit.state in ("expected", "confirmed", "arrived")
        return not (not_begun and visit.start >= self.now and not visit.pinned and not visit.elsewhere)


def generate(seed: int) -> PlainDay:
    rng = random.Random(seed)
    day = PlainDay(now=rng.choice([-2, -2, 0, 7]))
    for chair in range(1, rng.randint(2, 5) + 1):
        day.chairs[chair] = rng.choice(["recliner", "recliner", "bed"])
    for nurse in range(1, rng.randint(2, 4) + 1):
        day.shifts += _shifts(rng, nurse)
    taken: set = set()
    for key in range(1, rng.randint(5, 14)):
        if visit := _book(rng, day, key, taken):
            day.visits.append(visit)
    _break(rng, day)
    return day


def _shifts(rng, nurse):
    ratio = rng.choice([1, 2, 2, 3, 3, 4])
    first, stop = rng.choice([(0, LENGTH), (0, LENGTH), (0, LENGTH), (0, 28), (12, LENGTH), (4, 36)])
    kind = rng.random()
    if kind < 0.15:
        return [(nurse, first, stop, 1, True)]
    if kind < 0.3:
        middle = (first + stop) // 2
        return [(nurse, first, middle, ratio, False), (nurse, middle, stop, rng.choice([1, 3]), rng.random() < 0.5)]
    if kind < 0.4:  # overlapping shifts, by mistake in the roster
        return [(nurse, first, stop, ratio, False), (nurse, 8, 28, rng.choice([1, 2, 4]), False)]
    return [(nurse, first, stop, ratio, False)]


def _book(rng, day, key, taken):
    for _ in range(30):
        nurse, first, stop, ratio, home = rng.choice(day.shifts)
        if home and rng.random() < 0.5:
            continue
        length = rng.choice([4, 6, 8, 10, 14])
        margin = TRAVEL if home else 0
        if stop - first < length + 2 * margin:
            continue
        start = rng.randint(first + margin, stop - length - margin)
        chair = None if home else rng.choice(list(day.chairs))
        visit = PlainVisit(key, start, length, chair, nurse, 0 if home else rng.randrange(ratio))
        visit.start_hands, visit.end_hands = rng.choice([(2, 1), (2, 1), (1, 1), (3, 0)])
        visit.elsewhere = not home and rng.random() < 0.06
        lanes = lanes_of_plain(visit)
        if not lanes & taken:
            taken |= lanes
            return visit
    return None


def lanes_of_plain(visit):
    """Every lane and quarter that nobody else may have, straight from what the words mean."""
    lanes = {("hands", visit.nurse, quarter) for quarter in visit.hands}
    places = range(6) if visit.at_home else [visit.place]
    lanes |= {("place", visit.nurse, place, quarter) for place in places for quarter in visit.away}
    if not visit.at_home and not visit.elsewhere:
        lanes |= {("chair", visit.chair, quarter) for quarter in visit.away}
    return lanes


def _break(rng, day):
    for visit in day.visits:
        if visit.elsewhere:
            continue
        if visit.start < day.now and rng.random() < 0.8:
            visit.state = "in_progress"
        elif rng.random() < 0.1:
            visit.state = rng.choice(["confirmed", "arrived", "in_progress"])
        visit.pinned = rng.random() < 0.1
    if rng.random() < 0.3:
        first = rng.randrange(LENGTH)
        day.outages[rng.choice(list(day.chairs))] |= set(range(first, min(first + rng.choice([6, 40]), LENGTH)))
    if rng.random() < 0.1:
        day.retired.add(rng.choice(list(day.chairs)))
    if rng.random() < 0.15:  # called out, or with fewer patients from now on
        index = rng.randrange(len(day.shifts))
        nurse, first, stop, ratio, home = day.shifts[index]
        day.shifts[index] = (nurse, first, stop, max(1, ratio - 1), home)
        if rng.random() < 0.5:
            del day.shifts[index]


def wanted_at(start: int, length: int, *, home: bool = False, kind: str = "") -> Wanted:
    need = Need(length=length, start_hands=2, end_hands=1, travel=TRAVEL if home else 0, at_home=home)
    return Wanted(start=instant(start), need=need, patient_id=999, chair_kind=kind)


def instant(quarter: int) -> dt.datetime:
    return EIGHT + dt.timedelta(minutes=15 * quarter)


def rows_of(day: PlainDay) -> DayRows:
    """The day as reseating reads it from the database."""
    site, other = Site(pk=1, time_zone="UTC", name="Here"), Site(pk=2, time_zone="UTC", name="There")
    origin = int(EIGHT.timestamp()) // 900 - 56
    chairs = {
        pk: Chair(pk=pk, site=site, kind=kind, is_active=pk not in day.retired) for pk, kind in day.chairs.items()
    }
    nurses = {
        nurse: Nurse(pk=nurse, user_id=nurse) for nurse in {s[0] for s in day.shifts} | {v.nurse for v in day.visits}
    }
    rows = DayRows(
        site=site,
        day=EIGHT.date(),
        now=instant(day.now),
        origin=origin,
        size=56 + 64 + 40,
        opening=(range(56, 56 + LENGTH),),
        chairs=chairs,
        outages={chair: sum(1 << (quarter + 56) for quarter in quarters) for chair, quarters in day.outages.items()},
        shifts=defaultdict(list),
        nurses=nurses,
        visits=[],
        elsewhere=[],
    )
    for nurse, first, stop, ratio, home in day.shifts:
        rows.shifts[nurse].append(Span(nurse, "home" if home else "facility", first + 56, stop + 56, ratio))
    for visit in day.visits:
        (rows.elsewhere if visit.elsewhere else rows.visits).append(_row(visit, site, other, chairs, nurses))
    return rows


def _row(visit, site, other, chairs, nurses):
    chair = None if visit.at_home else Chair(pk=90, site=other) if visit.elsewhere else chairs[visit.chair]
    return Appointment(
        pk=visit.key,
        patient_id=visit.key,
        site=other if visit.elsewhere else site,
        setting="home" if visit.at_home else "facility",
        chair=chair,
        nurse=nurses[visit.nurse],
        ratio_place=visit.place,
        start=instant(visit.start),
        end=instant(visit.start + visit.length),
        travel_minutes=15 * TRAVEL if visit.at_home else 0,
        start_hands_minutes=15 * visit.start_hands,
        end_hands_minutes=15 * visit.end_hands,
        state=visit.state,
        is_pinned=visit.pinned,
    )


def seen_by_search(day: PlainDay, *, home: bool, kind: str) -> Availability:
    """The day as a search reads it; its bits count from two hours before eight."""
    before = 8
    origin, size = int(EIGHT.timestamp()) // 900 - before, before + LENGTH + before
    rows = [_search_row(visit) for visit in day.visits]
    chairs = {pk: Chair(pk=pk, kind=day.chairs[pk]) for pk in day.chairs if pk not in day.retired}
    picture = Picture(
        size=size,
        patient_id=999,
        opening=() if home else (range(before, before + LENGTH),),
        chairs=() if home else tuple(pk for pk, chair in chairs.items() if kind in ("", chair.kind)),
        shifts=tuple(
            ShiftSpan(nurse, first + before, stop + before, ratio)
            for nurse, first, stop, ratio, at_home in day.shifts
            if at_home == home
        ),
        busy=draw_visits(rows, origin, size, 999),
        outages={chair: sum(1 << (q + before) for q in quarters) for chair, quarters in day.outages.items()},
    )
    setting = "home" if home else "facility"
    return Availability(Site(pk=1, time_zone="UTC"), setting, origin, picture, chairs, {}, rows, kind)


def _search_row(visit: PlainVisit) -> tuple:
    start, end = (int(instant(quarter).timestamp()) for quarter in (visit.start, visit.start + visit.length))
    chair = 900 if visit.elsewhere else visit.chair
    travel = 15 * TRAVEL if visit.at_home else 0
    hands = 15 * visit.start_hands, 15 * visit.end_hands
    return start, end, chair, visit.nurse, visit.place, visit.key, *hands, travel, None
