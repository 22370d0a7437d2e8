"""Compares ranked booking with first-come-earliest booking over generated weeks. Pure: no rows, no clock, one seed.

Both policies book the same calls, in the same order, by the search that the application uses. Then each day is played
through: patients come a little early or late, infusions take more or less time than planned, and whoever needs a
nurse's hands or a chair that is not free yet waits.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from infusions.scheduling.bitmaps import Need, Picture, Seat, ShiftSpan, fill, fitting, seats
from infusions.scheduling.lanes import chair_lane, hands_lane, place_lane
from infusions.scheduling.load import counts, load_of
from infusions.scheduling.playing import Planned, play_day
from infusions.scheduling.ranking import DaySlice, Part, Weights, best_starts, set_bits

DAY, OPENS, CLOSES, WORKDAYS = 96, 32, 72, 5  # quarters: 08:00 to 18:00
HOURS = (2, 2.5, 3, 3.5, 4, 4, 4.5, 5, 6)
# How full weeks are asked for, as a share of all chair hours: near weeks are fuller than far ones.
TAPER = (0.92, 0.85, 0.78, 0.7, 0.6, 0.5)
DUE_DAYS = (0, 1, 1, 2, 2, 3, 3, 4)  # the middle of the week is asked for most
POLICIES = ("earliest", "ranked")
PATIENT = 0  # every call is another patient, whose own lane is free


@dataclass(frozen=True)
class Center:
    chairs: int = 12
    nurses: int = 4
    ratio: int = 4


@dataclass(frozen=True)
class Call:
    """Somebody asks for a visit of so many quarters, due on this day of the week."""

    length: int
    due: int


@dataclass
class Outcome:
    """Sums and lists over all weeks of one policy; times in minutes."""

    placed: int = 0
    unplaced: int = 0
    days_from_due: int = 0
    peaks: list[float] = field(default_factory=list)  # each day's fullest quarter, as a share of the nurses' hands
    crowds: list[int] = field(default_factory=list)  # each day's most patients at once
    ratio_limit: int = 0  # nurse-minutes with as many patients as the ratio allows
    overtime: list[int] = field(default_factory=list)  # each day, until the last patient is out
    waits: list[int] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        waits = sorted(self.waits) or [0]
        days = max(len(self.peaks), 1)
        return {
            "visits placed": self.placed,
            "calls not placed": self.unplaced,
            "peak of nurses' hands, %": 100 * sum(self.peaks) / days,
            "most patients at once": sum(self.crowds) / days,
            "nurse-minutes at the ratio limit a day": self.ratio_limit / days,
            "overtime a day, minutes": sum(self.overtime) / days,
            "waiting, mean minutes": sum(waits) / len(waits),
            "waiting, 90th percentile": waits[int(0.9 * (len(waits) - 1))],
            "days from the due day": self.days_from_due / max(self.placed, 1),
        }


def simulate(*, weeks: int, seed: int, center: Center | None = None, weights: Weights | None = None) -> dict:
    """Figures of each policy by name. The same seed gives the same calls and the same days, whatever is compared."""
    center, weights = center or Center(), weights or Weights()
    outcomes = {policy: Outcome() for policy in POLICIES}
    for week in range(weeks):
        calls = calls_of_a_week(random.Random(f"{seed}-{week}"), center, TAPER[week % len(TAPER)])  # nosec B311: made-up days, the same again by the same seed
        for policy, outcome in outcomes.items():
            booked = _Week(center, weights)
            for call in calls:
                booked.book(call, policy, outcome)
            booked.measure(outcome)
            for number in range(WORKDAYS):
                play_day(booked.planned[number], center.nurses, random.Random(f"{seed}-{week}-{number}"), outcome)  # nosec B311: made-up days, the same again by the same seed
    return {policy: outcome.figures() for policy, outcome in outcomes.items()}


def calls_of_a_week(dice: random.Random, center: Center, share: float) -> list[Call]:
    wanted, calls = share * center.chairs * (CLOSES - OPENS) * WORKDAYS, []
    while wanted > 0:
        call = Call(int(dice.choice(HOURS) * 4), dice.choice(DUE_DAYS))
        calls.append(call)
        wanted -= call.length
    return calls


class _Week:
    """A week's picture as it fills up."""

    def __init__(self, center: Center, weights: Weights):
        self.center, self.weights = center, weights
        self.spans = [range(day * DAY + OPENS, day * DAY + CLOSES) for day in range(WORKDAYS)]
        self.shifts = tuple(
            ShiftSpan(nurse, span.start, span.stop, center.ratio)
            for nurse in range(1, center.nurses + 1)
            for span in self.spans
        )
        self.busy: dict[int, int] = {}
        self.planned: list[list[Planned]] = [[] for _ in range(WORKDAYS)]

    def picture(self) -> Picture:
        chairs = tuple(range(1, self.center.chairs + 1))
        return Picture(WORKDAYS * DAY, PATIENT, tuple(self.spans), chairs, self.shifts, self.busy)

    def book(self, call: Call, policy: str, outcome: Outcome) -> None:
        picture, need = self.picture(), Need(call.length)
        fits = fitting(picture, need)
        if not fits.starts:
            outcome.unplaced += 1
            return
        start = self._ranked(picture, need, fits, call) if policy == "ranked" else _earliest(fits.starts, call)
        self._take(start, call, next(seats(picture, need, fits, start)))
        outcome.placed += 1
        outcome.days_from_due += abs(start // DAY - call.due)

    def _ranked(self, picture: Picture, need: Need, fits, call: Call) -> int:
        days = [DaySlice(day * DAY, (day + 1) * DAY, day - call.due, midnight=day * DAY) for day in range(WORKDAYS)]
        part = Part(picture, need, fits, days, load_of(picture))
        return best_starts([part], self.weights, 1)[0].start

    def _take(self, start: int, call: Call, seat: Seat) -> None:
        whole = fill(start, start + call.length)
        hands = fill(start, start + 2) | fill(start + call.length - 1, start + call.length)
        for lane, bits in (
            (chair_lane(seat.chair_id), whole),
            (place_lane(seat.nurse_id, seat.place), whole),
            (hands_lane(seat.nurse_id), hands),
        ):
            self.busy[lane] = self.busy.get(lane, 0) | bits
        self.planned[start // DAY].append(Planned(start % DAY, call.length, seat.chair_id))

    def measure(self, outcome: Outcome) -> None:
        center, size = self.center, WORKDAYS * DAY
        nurses = range(1, center.nurses + 1)
        hands = counts((self.busy.get(hands_lane(nurse), 0) for nurse in nurses), size)
        patients = counts((self.busy.get(chair_lane(chair), 0) for chair in range(1, center.chairs + 1)), size)
        for span in self.spans:
            outcome.peaks.append(max(hands[span.start : span.stop]) / center.nurses)
            outcome.crowds.append(max(patients[span.start : span.stop]))
        for nurse in nurses:
            places = (self.busy.get(place_lane(nurse, place), 0) for place in range(center.ratio))
            outcome.ratio_limit += 15 * sum(1 for taken in counts(places, size) if taken == center.ratio)


def _earliest(starts: int, call: Call) -> int:
    """The first free start of the due day, else of the next days, else of the days before."""
    by_day: dict[int, int] = {}
    for start in set_bits(starts):
        by_day.setdefault(start // DAY, start)
    return by_day[min(by_day, key=lambda day: (day < call.due, abs(day - call.due)))]


def ratios(figures: dict[str, dict[str, float]]) -> Iterable[tuple[str, float, float, float | None]]:
    """Each figure of first-come-earliest, of ranked booking, and the second divided by the first."""
    earliest, ranked = (figures[policy] for policy in POLICIES)
    for name, value in earliest.items():
        yield name, value, ranked[name], ranked[name] / value if value else None
