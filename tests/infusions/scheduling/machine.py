"""The front desk as a state machine: Hypothesis chooses who does what to which visit, across a change of the clocks.

Every step is a service as the pages call it. What must hold afterwards is asked of the rows, not of the services.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility import chair_services, roster_services, services
from infusions.facility.models import Chair, ChairOutage, Closure, Nurse, Setting, Shift
from infusions.scheduling import attendance, booking
from infusions.scheduling.housekeeping import trim_claims
from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.models import Appointment
from tests.infusions.scheduling.machine_checks import check_step, snapshot

# Saturday to Monday; New York's clocks go forward on Sunday the 8th.
DAYS = [dt.date(2026, 3, day) for day in (7, 8, 9)]
FIRST_NOW = dt.datetime(2026, 3, 6, 22, tzinfo=dt.UTC)
LAST_NOW = dt.datetime(2026, 3, 9, 23, tzinfo=dt.UTC)
OPENS, QUARTERS_OPEN = 8 * 4, 28

numbers = st.integers(0, 11)
days = st.integers(0, len(DAYS) - 1)
# Mostly on few starts, so that visits meet; sometimes off the opening hours.
quarters = st.one_of(st.sampled_from([0, 1, 2, 4, 8, 12, 16]), st.integers(-2, QUARTERS_OPEN + 2))
maybe = st.one_of(st.none(), numbers)


class Desk(RuleBasedStateMachine):
    """`center`, `orders` and `outcomes` are set by the test that runs it; rows are rolled back after each example."""

    center = None
    orders: list = []
    outcomes: Counter = Counter()

    @initialize(booked=st.lists(st.tuples(numbers, days, quarters), max_size=8))
    def open(self, booked):
        """Most days begin with visits that are booked already."""
        self.now = FIRST_NOW
        self.savepoint = transaction.savepoint()
        for order, day, quarter in booked:
            self.book(order, day, quarter, None, None, "")

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    @invariant()
    def claims_follow_from_the_visits(self):
        assert claim_violations(now=self.now) == []

    @invariant()
    def no_lane_holds_two(self):
        assert shared_lanes() == []

    # Booking

    @rule(order=numbers, day=days, quarter=quarters, chair=maybe, nurse=maybe, reason=st.sampled_from(["", "Agreed"]))
    def book(self, order, day, quarter, chair, nurse, reason):
        order = self.orders[order % len(self.orders)]
        setting = Setting.HOME if order.home_allowed else Setting.FACILITY
        wishes = {"chair": None if order.home_allowed else self._chair(chair), "nurse": self._nurse(nurse)}
        self._do(
            *("book", booking.book_appointment),
            order=order,
            start=self._at(day, quarter),
            setting=setting,
            site=self.center.site,
            **{"override_reason": reason, **wishes},
        )

    @rule(visit=numbers, day=days, quarter=quarters, chair=maybe, nurse=maybe)
    def move(self, visit, day, quarter, chair, nurse):
        if (found := self._visit(visit)) is not None:
            wishes = {"chair": None if found.is_home else self._chair(chair), "nurse": self._nurse(nurse)}
            self._do("move", booking.move_appointment, found, start=self._at(day, quarter), **wishes)

    @rule(visit=numbers, quarters=st.integers(-6, 6))
    def move_a_little(self, visit, quarters):
        """Often into the time that the visit holds itself."""
        if (found := self._visit(visit)) is not None:
            self._do("move", booking.move_appointment, found, start=found.start + quarters * clock.QUARTER)

    @rule(visit=numbers, chair=numbers, nurse=maybe)
    def change_seat(self, visit, chair, nurse):
        if (found := self._visit(visit)) is not None:
            wishes = {"chair": None if found.is_home else self._chair(chair), "nurse": self._nurse(nurse)}
            self._do("change_seat", booking.move_appointment, found, start=found.start, **wishes)

    @rule(visit=numbers, day=days, quarter=quarters)
    def move_as_seen_before(self, visit, day, quarter):
        found = self._visit(visit)
        if found is not None and found.version > 1:
            stale = {"version": found.version - 1, "start": self._at(day, quarter)}
            assert "changed-meanwhile" in self._do("move_stale", booking.move_appointment, found, **stale)

    @rule(visit=numbers)
    def cancel(self, visit):
        if (found := self._visit(visit)) is not None:
            self._do("cancel", booking.cancel_appointment, found, reason="Has a fever")

    # On the day

    @rule(visit=numbers, act=st.sampled_from(["confirm", "check_in", "undo_check_in", "mark_no_show", "begin"]))
    def attend(self, visit, act):
        if (found := self._visit(visit)) is not None:
            self._do(act, getattr(attendance, act), found)

    @rule(visit=numbers, stopped_early=st.booleans())
    def finish(self, visit, stopped_early):
        if (found := self._visit(visit)) is not None:
            self._do("finish", attendance.finish, found, stopped_early=stopped_early)

    @rule(visit=numbers, quarters=st.integers(0, 20))
    def come_and_stay(self, visit, quarters):
        """The usual way, so that enough visits get as far; 0: still infused."""
        found = self._visit(visit)
        if found is not None and self.now < found.start < LAST_NOW:
            self.now = found.start
            self._do("check_in", attendance.check_in, found)
            self._do("begin", attendance.begin, found)
            if quarters:
                self.now = min(self.now + quarters * clock.QUARTER, LAST_NOW)
                self._do("finish", attendance.finish, found, stopped_early=quarters < 4)

    @rule(visit=numbers)
    def ask_for_another_time(self, visit):
        if (found := self._visit(visit)) is not None:
            self._do("request_move", attendance.request_move, found, by=..., message="Later, please")

    @rule(quarters=st.integers(1, 24))
    def time_passes(self, quarters):
        self.now = min(self.now + quarters * clock.QUARTER, LAST_NOW)

    @rule()
    def forget_old_claims(self):
        trim_claims(now=self.now)

    # When things break: one rule for all of it, so that Hypothesis does not do little else

    @rule(what=st.sampled_from(["shift", "day", "chair", "chair_for_good"]), number=numbers, day=days, quarter=quarters)
    def break_something(self, what, number, day, quarter):
        if what == "shift" and (shift := self._pick(Shift.objects.all(), number)) is not None:
            self._do("remove_shift", roster_services.remove_shift, shift=shift, override_reason="Is ill")
        elif what == "day":
            on = {"starts_on": DAYS[day], "ends_on": DAYS[day]}
            reason = {"reason": f"Water damage {number}", "override_reason": "Cannot open"}
            self._do("close", services.add_closure, site=self.center.site, **on, **reason)
        elif what.startswith("chair"):
            start = self._at(day, quarter)
            span = {"starts_at": start, "ends_at": start + dt.timedelta(hours=4) if what == "chair" else None}
            reason = {"reason": "Broken", "override_reason": "Cannot be used"}
            self._do("chair_fails", chair_services.take_chair_out, chair=self._chair(number), **span, **reason)

    @rule(what=st.sampled_from([Closure, ChairOutage, Shift]), number=numbers, day=days, ratio=st.integers(1, 3))
    def mend_something(self, what, number, day, ratio):
        if what is Shift:
            midnight = clock.day_bounds(DAYS[day], self.center.site.time_zone)[0]
            span = {f"{edge}s_at": midnight + dt.timedelta(hours=hour) for edge, hour in (("start", 15), ("end", 18))}
            wanted = {"nurse": self._nurse(number), "site": self.center.site, "ratio": ratio}
            self._do("add_shift", roster_services.add_shift, **wanted, **span)
        elif (found := self._pick(what.objects.all(), number)) is not None:
            if what is Closure:
                self._do("open_again", services.remove_closure, closure=found)
            else:
                self._do("chair_is_mended", chair_services.put_chair_back, outage=found)

    # What the steps are made of

    def _do(self, name: str, service: Callable, visit: Appointment | None = None, **arguments) -> set[str]:
        """Call the service; the codes by which it refused. A refusal wrote nothing; else every change is lawful."""
        by = {"by": self.center.scheduler} if arguments.pop("by", None) is None else {}
        if visit is not None:
            arguments["appointment"] = visit
        before = snapshot()
        try:
            with clock.pretend(self.now):
                service(**arguments, **by)
        except RuleViolation as refused:
            assert snapshot() == before, f"{name} wrote something before it refused"
            self.outcomes[name, "refused"] += 1
            self.outcomes.update((name, code) for code in refused.codes)
            return refused.codes
        check_step(before, snapshot(), aimed_at=visit and visit.pk)
        self.outcomes[name, "done"] += 1
        return set()

    def _at(self, day: int, quarter: int) -> dt.datetime:
        minutes = (OPENS + quarter) * 15
        return clock.from_local(DAYS[day], dt.time(minutes // 60, minutes % 60), self.center.site.time_zone)

    def _visit(self, number: int) -> Appointment | None:
        """Seldom one that is cancelled: of those there is little to say."""
        holding = Appointment.objects.holding()
        return self._pick(holding if number < 11 and holding.exists() else Appointment.objects.all(), number)

    def _pick(self, rows, number: int):
        """The row whose turn it is, in the order in which they were made."""
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        return rows.get(pk=keys[number % len(keys)]) if keys else None

    def _chair(self, number: int | None) -> Chair | None:
        return None if number is None else self.center.chairs[number % len(self.center.chairs)]

    def _nurse(self, number: int | None) -> Nurse | None:
        return None if number is None else self.center.nurses[number % len(self.center.nurses)]
