"""What the front desk does to many visits at once: series and courses, call-outs, re-seating, freed starts."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from infusion_center.core import clock
from infusions.facility import roster_services
from infusions.facility.models import Setting
from infusions.scheduling import booking, reseat_services, series_services
from infusions.scheduling.cover import uncovered_ids
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseat_plans import plan_key, reseating_for
from infusions.scheduling.reseating import reseat_day
from infusions.scheduling.rules import examine
from infusions.scheduling.series_planning import plan_series
from infusions.scheduling.states import State
from tests.infusions.scheduling.machine import DAYS, Desk, days, maybe, numbers, quarters
from tests.infusions.scheduling.machine_checks import uncovered_by_hand

WHOLE_RUN = dt.datetime(2026, 3, 5, tzinfo=dt.UTC), dt.datetime(2026, 3, 15, tzinfo=dt.UTC)


class WholeDesk(Desk):
    """Everything of Desk, and what takes several visits together."""

    @invariant()
    def who_lost_chair_or_nurse_is_on_the_list(self):
        found = uncovered_ids(self.center.site, *WHOLE_RUN, now=self.now)
        waiting = Appointment.objects.filter(
            state__in=[State.EXPECTED, State.CONFIRMED, State.ARRIVED], end__gt=self.now
        )
        assert found == {visit.pk for visit in waiting if uncovered_by_hand(visit)}

    # Series

    @rule(order=numbers, day=days, count=st.integers(1, 3), left_out=st.sets(st.integers(1, 3), max_size=1))
    def book_series(self, order, day, count, left_out):
        order = self.orders[order % len(self.orders)]
        setting = Setting.HOME if order.home_allowed else Setting.FACILITY
        where = {"order": order, "site": self.center.site, "setting": setting}
        with clock.pretend(self.now):
            plan = plan_series(**where, first_on=DAYS[day], count=count)
        lines = [line for line in plan.bookable if line.number not in left_out]
        refused = self._do("book_series", series_services.book_series, **where, lines=lines)
        if lines and not left_out and not plan.needs_reason:
            assert refused == set(), "what was planned a moment ago cannot be booked"

    @rule(visit=numbers, day=days, quarter=quarters)
    def move_following(self, visit, day, quarter):
        if (found := self._visit(visit)) is not None:
            self._do("move_following", series_services.move_following, found, start=self._at(day, quarter))

    @rule(visit=numbers, quarters=st.integers(-4, 4))
    def move_following_a_little(self, visit, quarters):
        """The tail moves into the hours that it holds itself."""
        if (found := self._visit(visit)) is not None:
            start = found.start + quarters * clock.QUARTER
            self._do("move_following", series_services.move_following, found, start=start)

    @rule(visit=numbers)
    def cancel_following(self, visit):
        if (found := self._visit(visit)) is not None:
            self._do("cancel_following", series_services.cancel_following, found, reason="Moves away")

    # Re-seating

    @rule(visit=numbers, pinned=st.booleans())
    def pin(self, visit, pinned):
        if (found := self._visit(visit)) is not None:
            self._do("pin", reseat_services.set_pinned, found, pinned=pinned)

    @rule(day=days, starts=st.lists(st.tuples(numbers, quarters, maybe), min_size=2, max_size=6))
    def crowd_a_day(self, day, starts):
        """Several visits on one day; where only seats stand in the way, by the plan that the page would show."""
        for order, quarter, chair in starts:
            order = self.orders[order % len(self.orders)]
            setting = Setting.HOME if order.home_allowed else Setting.FACILITY
            named = None if order.home_allowed else self._chair(chair)
            wishes = {"order": order, "site": self.center.site, "setting": setting, "start": self._at(day, quarter)}
            if self._do("book", booking.book_appointment, **wishes, chair=named):
                self._book_with_reseating(wishes, named)

    def _book_with_reseating(self, wishes, chair):
        with clock.pretend(self.now):
            proposal = examine(**wishes, now=self.now, chair=chair)
            plan = reseating_for(proposal, now=self.now, chair=chair)
        if plan is not None:
            service = reseat_services.book_with_reseating
            refused = self._do("book_with_reseating", service, **wishes, chair=chair, shown=plan_key(plan))
            others = {problem.code for problem in proposal.problems if problem not in proposal.about_place}
            assert refused <= others, "a plan that was just made does not hold"

    @rule(day=days)
    def seat_who_is_uncovered(self, day):
        site, (start, end) = self.center.site, clock.day_bounds(DAYS[day], self.center.site.time_zone)
        for setting in Setting:
            keys = uncovered_ids(site, start, end, now=self.now)
            open_ones = list(Appointment.objects.filter(pk__in=keys, setting=setting).order_by("pk"))
            if not open_ones:
                continue
            plan = reseat_day(site=site, setting=setting, day=DAYS[day], uncovered=open_ones, now=self.now)
            if plan is None or not plan.changes:
                continue
            refused = self._do("apply_changes", reseat_services.apply_changes, changes=plan.changes, reason="Is ill")
            assert refused == set(), "a plan that was just made does not hold"
            left = uncovered_ids(site, start, end, now=self.now) & keys
            assert left == (keys & {visit.pk for visit in plan.unseated}) | _of_other_setting(keys, setting)

    # When a nurse cannot come

    @rule(nurse=numbers, day=days, quarter=quarters, hours=st.integers(1, 9), seat=st.booleans())
    def call_out(self, nurse, day, quarter, hours, seat):
        start = self._at(day, quarter)
        hours = {"starts_at": start, "ends_at": start + dt.timedelta(hours=hours)}
        self._do("call_out", roster_services.call_out, nurse=self._nurse(nurse), reason="Ill", **hours)
        if seat:
            self.seat_who_is_uncovered(day)


def _of_other_setting(keys: set[int], setting: str) -> set[int]:
    return set(Appointment.objects.filter(pk__in=keys).exclude(setting=setting).values_list("pk", flat=True))
