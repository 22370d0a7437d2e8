"""Searches the starts that fit an order's next visit, best first, and says why the others do not fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity
from infusions.facility.models import Chair, Nurse, Setting, Site
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import VisitLength, infusion_minutes_of, visit_length
from infusions.orders.rules import dose_window, validity_problems
from infusions.scheduling import refusals
from infusions.scheduling.availability import read_availability
from infusions.scheduling.bitmaps import Seat, fill, fitting, need_of, seats, union
from infusions.scheduling.load import load_of
from infusions.scheduling.models import Appointment
from infusions.scheduling.queries import CourseSoFar, Known, known_about, usual_site
from infusions.scheduling.ranking import DaySlice, Part, Ranked, Weights, best_starts, nearest_starts
from infusions.scheduling.reseat_search import find_by_reseating
from infusions.scheduling.windows import DrugWindow, course_began, drug_window, rest_of_course
from infusions.scheduling.wishes import chair_ranks, wished_in_words, wishes_of

# Problems of an order that a later or earlier day would not have are answered by the window itself.
DATED = {"order-not-started", "order-expired"}


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
    changes: tuple = ()  # visits that would get another chair or nurse for it; none where it fits as it is


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
    near: dt.datetime | None = None,
    reseating: bool = False,
) -> SlotSearch:
    """Starts for the order's next visit, from `earliest` to `latest` (days, or instants of the start).

    Without them, the window in which the order's interval is kept. `moving`: the visit that is looked after and that
    does not stand in its own way. `near`: not the best starts, but those nearest to this instant. `reseating`: where
    too few fit as it is, also starts that fit once others change chair or nurse; book_with_reseating books those.

    Six queries, whatever the window and however much is booked; seven more for re-seating.
    """
    now = now or clock.now()
    site = site or usual_site(order)
    if site is None:
        return SlotSearch(refusals=[refusals.NO_SITE])
    known = known_about(order, ignore=moving)
    today = clock.local_date(now, site.time_zone)
    window = moved_window(order, known.course, moving, today) if moving else next_window(order, known.course, today)
    standing = standing_problems(order, window, setting, known)
    if any(problem.severity == Severity.BLOCKER for problem in standing):
        return SlotSearch(refusals=standing, window=window)
    search = _Search(order, site, setting, now, window, known, earliest, latest)
    if search.first_start > search.last_start:
        return SlotSearch(refusals=[*standing, *refusals.empty_window(order, window, search.days)], window=window)
    return search.run(limit, standing, moving, near, now if reseating else None)


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


def moved_window(order: InfusionOrder, course: CourseSoFar, moving: Appointment, today: dt.date) -> DrugWindow:
    """The days for a visit among others that are booked: counted from those before it, and in time for the next one."""
    on = clock.local_date(moving.start, moving.site.time_zone)
    window = next_window(order, course.until(on), today)
    following = min((day for day in course.held_on if day > on), default=None)
    if following is None or (following - on).days < order.days:
        return window
    last = following - dt.timedelta(days=order.interval_days - order.tolerance_days)
    return replace(window, last=max(window.first, min(window.last, last)))


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

    def run(
        self,
        limit: int | None,
        standing: list[Problem],
        moving: Appointment | None,
        near: dt.datetime | None,
        reseating_now: dt.datetime | None,
    ) -> SlotSearch:
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
            chair_kind=self.known.wishes.needed_kind,
        )
        # A visit that is moved is not offered the start that it has.
        self.left_out = self.seen.bits(moving.start, moving.start + clock.QUARTER) if moving else 0
        self.slices = {day: self._slice(day) for day in self.days}
        self.load = None if self.setting == Setting.HOME else load_of(self.seen.picture)
        parts = [
            self._part(total, [day for day in self.days if lengths[day].total == total])
            for total in sorted({length.total for length in lengths.values()})
        ]
        if near is None:
            chosen = best_starts(parts, self._weights(), limit)
        else:
            midnight = clock.day_bounds(clock.local_date(near, self.site.time_zone), self.site.time_zone)[0]
            asked = self.seen.bit(near)
            chosen = nearest_starts(parts, asked, asked - self.seen.bit(midnight), limit)
        found = [self._option(ranked, parts) for ranked in chosen]
        told = []
        if reseating_now and limit is not None:
            told = self._reseat(found, parts, limit, moving, reseating_now)
        refused = refusals.explain_days(self.slices, [part.fits for part in parts], self.setting, bool(found))
        return SlotSearch(
            found, [*standing, *self._window_refusals(), *told, *refused], self.window, lengths[self.days[0]]
        )

    def _weights(self) -> Weights:
        site = self.site
        return Weights(site.weight_level, site.weight_chairs, site.weight_wishes, site.weight_due)

    def _slice(self, day: dt.date) -> DaySlice:
        start, end = (self.seen.bit(at) for at in clock.day_bounds(day, self.site.time_zone))
        size = self.seen.picture.size
        early = self.window.needs_approval_before
        return DaySlice(
            first=min(max(start, 0), size),
            stop=min(max(end, 0), size),
            from_due=(day - self.window.due_on).days,
            needs_approval=bool(early and day < early),
            midnight=start,
        )

    def _part(self, minutes: int, days: Iterable[dt.date]) -> Part:
        """The starts on the days on which a visit takes so long."""
        need = need_of(self.site, self.setting, minutes)
        may_start = self.seen.bits(self.first_start, self.last_start + clock.QUARTER) & ~self.left_out
        slices = {day: self.slices[day] for day in days}
        on_days = union(fill(one.first, one.stop) for one in slices.values())
        fits = fitting(self.seen.picture, need, may_start & on_days)
        wishes = wishes_of(self.known, self.seen, fits, slices)
        return Part(self.seen.picture, need, fits, list(slices.values()), self.load, wishes)

    def _option(self, ranked: Ranked, parts: list[Part]) -> SlotOption:
        start = ranked.start
        part = next(part for part in parts if part.fits.starts >> start & 1)
        wishes = self.known.wishes
        nurses = [wishes.nurse_id, self.course.last_nurse_id]
        ranks = chair_ranks(self.seen, wishes)
        seat = next(seats(self.seen.picture, part.need, part.fits, start, nurse_ids=nurses, chair_ranks=ranks))
        one = next(one for one in part.days if one.first <= start < one.stop)
        return SlotOption(
            start=self.seen.instant(start),
            end=self.seen.instant(start + part.need.length),
            site=self.site,
            chair=self.seen.chairs.get(seat.chair_id),
            nurse=self.seen.nurses[seat.nurse_id],
            merits=self._in_words(ranked, part, one, seat),
            needs_approval=one.needs_approval,
        )

    def _reseat(self, found: list[SlotOption], parts: list[Part], limit: int, moving, now) -> list[Problem]:
        """Adds the starts that fit once others change chair or nurse, where too few fit as it is."""
        room = limit - len(found)
        more = find_by_reseating(self.seen, parts, self.slices, room=room, moving=moving, now=now)
        for start, part, plan in more.starts:
            one = next(one for one in part.days if one.first <= start < one.stop)
            found.append(
                SlotOption(
                    start=self.seen.instant(start),
                    end=self.seen.instant(start + part.need.length),
                    site=self.site,
                    chair=more.chairs.get(plan.seat.chair_id),
                    nurse=more.nurses[plan.seat.nurse_id],
                    merits=("earlier than the interval: needs a reason",) if one.needs_approval else (),
                    needs_approval=one.needs_approval,
                    changes=plan.visible,
                )
            )
        return refusals.may_be_reseated(more.unasked)

    def _in_words(self, ranked: Ranked, part: Part, one: DaySlice, seat: Seat) -> tuple[str, ...]:
        """Why the start is good, the weightiest first; a merit that the site leaves out is not praised."""
        weights, start = self._weights(), ranked.start
        words = ["earlier than the interval: needs a reason"] if one.needs_approval else []
        if weights.due and one.from_due == 0 and self.window.needs_approval_before:
            words.append("on the due day")
        if weights.wishes:
            met = {wish.name for wish in part.wishes if wish.starts >> start & 1}
            if seat.nurse_id not in {self.known.wishes.nurse_id, self.course.last_nurse_id}:
                met -= {"nurse", "same-nurse"}
            local = clock.to_local(self.seen.instant(start), self.site.time_zone)
            words += wished_in_words(met, self.known.wishes, local)
        if weights.level and ranked.levels:
            words.append("levels the day")
        if weights.chairs and part.fills_gap >> start & 1:
            words.append("fills a gap")
        return tuple(words)

    def _window_refusals(self) -> list[Problem]:
        kind = "" if self.setting == Setting.HOME else self.known.wishes.needed_kind
        needed = refusals.kind_needed(kind, len(self.seen.picture.chairs), self.site) if kind else []
        return [*refusals.window_refusals(self.order, self.window, self.days), *needed]


def _day_of(moment: dt.date | dt.datetime | None, zone: str) -> dt.date | None:
    return clock.local_date(moment, zone) if isinstance(moment, dt.datetime) else moment
