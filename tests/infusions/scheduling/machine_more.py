"""What the front desk does to many visits at once: series and courses, call-outs, re-seating, freed starts."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from infusion_center.core import clock
from infusions.facility import roster_services
from infusions.facility.models import Setting
from infusions.scheduling import series_services
from infusions.scheduling.cover import uncovered_ids
from infusions.scheduling.models import Appointment
from infusions.scheduling.series_planning import plan_series
from infusions.scheduling.states import State
from tests.infusions.scheduling.machine import DAYS, Desk, days, numbers, quarters
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

    # When a nurse cannot come

    @rule(nurse=numbers, day=days, quarter=quarters, hours=st.integers(1, 9))
    def call_out(self, nurse, day, quarter, hours):
        start = self._at(day, quarter)
        hours = {"starts_at": start, "ends_at": start + dt.timedelta(hours=hours)}
        self._do("call_out", roster_services.call_out, nurse=self._nurse(nurse), reason="Ill", **hours)
