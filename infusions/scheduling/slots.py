"""Searches the starts that fit an order's next visit, best first, and says why the others do not fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity
from infusions.facility.models import Chair, Nurse, Setting, Site
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import VisitLength, infusion_minutes_of, visit_length
from infusions.orders.rules import dose_window, validity_problems
from infusions.scheduling import refusals
from infusions.scheduling.availability import read_availability
from infusions.scheduling.bitmaps import Fits, Need, fill, fitting, need_of, seats, snug_starts, union
from infusions.scheduling.models import Appointment
from infusions.scheduling.queries import CourseSoFar, Known, known_about, usual_site
from infusions.scheduling.ranking import DaySlice, Merits, best_starts
from infusions.scheduling.windows import DrugWindow, course_began, drug_window, rest_of_course

# Problems of an order that a later or earlier day would not have are answered by the window itself.
DATED = {"order-not-started", "order-expired"}
# Bit patterns over the longest local day, of 25 hours: every full hour, every half.
EVERY = {step: union(1 << bit for bit in range(0, 100, step)) for step in (2, 4)}


@dataclass(frozen=True)
class SlotOption:
    """One start that fits, the chair and nurse it would get, and what speaks for it."""

    start: dt.datetime
    end: dt.datetime
    site: Site
    chair: Chair | None
    nurse: Nurse
    merits: tuple[str, ...] = ()
    needs_approval: bool = False


@dataclass(frozen=True)
class SlotSearch:
    """`options` best first; `refusals` why nothing else fits. Neither is ever a promise: booking checks again."""

    options: list[SlotOption] = field(default_factory=list)
    refusals: list[Problem] = field(default_factory=list)
    window: DrugWindow | None = None
    length: VisitLength | None = None


def find_slots(
    order: InfusionOrder,
    *,
    setting: str,
    earliest: dt.date | dt.datetime | None = None,
    latest: dt.date | dt.datetime | None = None,
    site: Site | None = None,
    limit: int | None = 20,
    now: dt.datetime | None = None,
    moving: Appointment | None = None,
) -> SlotSearch:
    """Starts for the order's next visit, from `earliest` to `latest` (days, or instants of the start).

    Without them, the window in which the order's interval is kept. `moving`: the visit that is looked after and that
    does not stand in its own way. Six queries, whatever the window and however much is booked.
    """
    now = now or clock.now()
    site = site or usual_site(order)
    if site is None:
        return SlotSearch(refusals=[refusals.NO_SITE])
    known = known_about(order, ignore=moving)
    window = next_window(order, known.course, clock.local_date(now, site.time_zone))
    standing = standing_problems(order, window, setting, known)
    if any(problem.severity == Severity.BLOCKER for problem in standing):
        return SlotSearch(refusals=standing, window=window)
    search = _Search(order, site, setting, now, window, known, earliest, latest)
    if search.first_start > search.last_start:
        return SlotSearch(refusals=[*standing, *refusals.empty_window(order, window, search.days)], window=window)
    return search.run(limit, standing, moving)


def next_window(order: InfusionOrder, course: CourseSoFar, today: dt.date) -> DrugWindow:
    """The days for the next visit, counted from the last dose or the last visit held, whichever is later."""
    last_held = max(course.held_on, default=None)
    if following := rest_of_course(course.held_on, order.days):
        found = (following, following)
    elif last_held and (order.last_dose_on is None or last_held > order.last_dose_on):
        found = dose_window(order, last_on=course_began(last_held, course.held_on, order.days))
    else:
        found = dose_window(order)
    return drug_window(today=today, starts_on=order.starts_on, valid_until=order.valid_until, dose_window=found)


def standing_problems(order: InfusionOrder, window: DrugWindow, setting: str, known: Known) -> list[Problem]:
    """What stands against every start alike, whatever the day."""
    found = validity_problems(order, window.first, weight=known.weight)
    dateless = [problem for problem in found if problem.code not in DATED]
    return [*dateless, *refusals.order_refusals(order, setting, known.course)]


class _Search:
    """One search: the days looked at, the picture read for them, and what was found on it."""

    def __init__(self, order, site, setting, now, window, known, earliest, latest):
        self.order, self.site, self.setting = order, site, setting
        self.window, self.known, self.course = window, known, known.course
        self.first_start, self.last_start = self._bounds(now, earliest, latest)

    def _bounds(self, now, earliest, latest) -> tuple[dt.datetime, dt.datetime]:
        """First and last instant at which a visit may start: asked for, not past, within the order."""
        zone = self.site.time_zone
        first = _day_of(earliest, zone) or min(self.window.first, _day_of(latest, zone) or self.window.first)
        last = _day_of(latest, zone) or max(self.window.last, first + dt.timedelta(days=14) if earliest else first)
        first = max(first, self.order.starts_on, clock.local_date(now, zone))
        last = min(last, self.order.valid_until)
        self.days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        if not self.days:
            return now, now - clock.QUARTER  # nothing to look at
        begin, end = clock.day_bounds(first, zone)[0], clock.day_bounds(last, zone)[1] - clock.QUARTER
        if isinstance(earliest, dt.datetime):
            begin = max(begin, earliest)
        if isinstance(latest, dt.datetime):
            end = min(end, latest)
        return max(begin, now), end

    def run(self, limit: int | None, standing: list[Problem], moving: Appointment | None) -> SlotSearch:
        minutes = infusion_minutes_of(self.order, has_risk=self.known.has_risk)
        lengths = {
            day: visit_length(
                self.order,
                self.site,
                self.setting,
                on=day,
                infusion_minutes=minutes,
                last_on=self.course.last_before(day),
            )
            for day in self.days
        }
        longest = max(length.total for length in lengths.values())
        pad = dt.timedelta(minutes=self.site.travel_minutes + 15 if self.setting == Setting.HOME else 0)
        self.seen = read_availability(
            site=self.site,
            setting=self.setting,
            patient_id=self.order.patient_id,
            start=self.first_start - pad,
            end=self.last_start + dt.timedelta(minutes=longest + 15) + pad,
            ignore=moving,
        )
        # A visit that is moved is not offered the start that it has.
        self.left_out = self.seen.bits(moving.start, moving.start + clock.QUARTER) if moving else 0
        self.slices = {day: self._slice(day) for day in self.days}
        parts = [
            self._part(total, [day for day in self.days if lengths[day].total == total])
            for total in sorted({length.total for length in lengths.values()})
        ]
        starts = union(fits.starts for _, fits in parts)
        merits = self._merits(parts)
        best = best_starts(starts, self.slices.values(), merits, limit)
        found = [self._option(start, parts, merits) for start in best]
        refused = refusals.explain_days(self.slices, [fits for _, fits in parts], self.setting, bool(found))
        return SlotSearch(found, [*standing, *self._window_refusals(), *refused], self.window, lengths[self.days[0]])

    def _slice(self, day: dt.date) -> DaySlice:
        start, end = clock.day_bounds(day, self.site.time_zone)
        size = self.seen.picture.size
        first, stop = (min(max(self.seen.bit(at), 0), size) for at in (start, end))
        early = self.window.needs_approval_before
        return DaySlice(first, stop, (day - self.window.due_on).days, needs_approval=bool(early and day < early))

    def _part(self, minutes: int, days: Iterable[dt.date]) -> tuple[Need, Fits]:
        """The starts on the days on which a visit takes so long."""
        need = need_of(self.site, self.setting, minutes)
        may_start = self.seen.bits(self.first_start, self.last_start + clock.QUARTER) & ~self.left_out
        on_days = union(fill(self.slices[day].first, self.slices[day].stop) for day in days)
        return need, fitting(self.seen.picture, need, may_start & on_days)

    def _merits(self, parts: list[tuple[Need, Fits]]) -> Merits:
        snug = [snug_starts(self.seen.picture, need, fits) for need, fits in parts]
        known = [fits.nurses.get(self.course.last_nurse_id, {}) for _, fits in parts]
        return Merits(
            same_nurse=union(starts for by_place in known for starts in by_place.values()),
            snug_before=union(before for before, _ in snug),
            snug_after=union(after for _, after in snug),
            full_hour=union(_every(4, one) for one in self.slices.values()),
            half_hour=union(_every(2, one) for one in self.slices.values()),
        )

    def _option(self, start: int, parts: list[tuple[Need, Fits]], merits: Merits) -> SlotOption:
        need, fits = next((need, fits) for need, fits in parts if fits.starts >> start & 1)
        seat = next(seats(self.seen.picture, need, fits, start, nurse_ids=[self.course.last_nurse_id]))
        one = next(one for one in self.slices.values() if one.first <= start < one.stop)
        words = refusals.merits_in_words(one, start, seat.nurse_id == self.course.last_nurse_id, merits)
        return SlotOption(
            start=self.seen.instant(start),
            end=self.seen.instant(start + need.length),
            site=self.site,
            chair=self.seen.chairs.get(seat.chair_id),
            nurse=self.seen.nurses[seat.nurse_id],
            merits=words,
            needs_approval=one.needs_approval,
        )

    def _window_refusals(self) -> list[Problem]:
        return refusals.window_refusals(self.order, self.window, self.days)


def _every(step: int, one: DaySlice) -> int:
    return EVERY[step] << one.first & fill(one.first, one.stop)


def _day_of(moment: dt.date | dt.datetime | None, zone: str) -> dt.date | None:
    return clock.local_date(moment, zone) if isinstance(moment, dt.datetime) else moment
