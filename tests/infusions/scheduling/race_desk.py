"""Jobs for race_worker in which several people do different things to the same day at once, or die in the middle.

Each process has a role and keeps to it until the time is over. `job["roles"]` says which roles there are.
"""

import datetime as dt
import os
import random
import time
from pathlib import Path

# What a killed process had got to when it was stopped: so many writing statements, and not committed.
WRITES = ("INSERT", "UPDATE", "DELETE")


def act_at_random(job: dict, number: int, result: dict) -> None:
    from infusion_center.core import clock

    desk = Desk(job, result)
    role = getattr(desk, job["roles"][number % len(job["roles"])])
    until = time.monotonic() + job["seconds"]
    with clock.pretend(desk.now):
        while time.monotonic() < until:
            role()


def hang_while_acting(job: dict, number: int, result: dict) -> None:
    """Stop after so many writing statements of the one act of this process, inside its transaction, to be killed."""
    from django.db import connection

    from infusion_center.core import clock

    act, writes = job["acts"][number]
    desk, written = Desk(job, result), []

    def stop_after(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if sql.lstrip().upper().startswith(WRITES):
            written.append(sql)
            if len(written) == writes:
                Path(f"{job['flag']}-{act}").write_text(str(os.getpid()))
                time.sleep(600)
        return done

    with clock.pretend(desk.now), connection.execute_wrapper(stop_after):
        while True:  # until an attempt is not refused before it gets so far
            written.clear()
            getattr(desk, act)()


class Desk:
    """The people of one center, each act by itself and at random."""

    def __init__(self, job: dict, result: dict):
        from infusion_center.accounts.models import User
        from infusions.facility.models import Nurse, Site
        from infusions.orders.models import InfusionOrder

        self.result = result
        self.now = dt.datetime.fromisoformat(job["now"])
        self.by, self.site = User.objects.get(pk=job["by"]), Site.objects.get(pk=job["site"])
        self.orders = list(InfusionOrder.objects.filter(pk__in=job["orders"]).order_by("pk"))
        self.nurses = list(Nurse.objects.filter(pk__in=job["nurses"]).order_by("pk"))
        self.starts = [dt.datetime.fromisoformat(start) for start in job["starts"]]

    # The desk

    def book(self):
        from infusions.scheduling.booking import book_appointment

        order, start = random.choice(self.orders), random.choice(self.starts)
        self._try(book_appointment, order=order, start=start, setting="facility", site=self.site)

    def move(self):
        from infusions.scheduling.booking import move_appointment

        if visit := self._visit("expected", "confirmed"):
            self._try(move_appointment, appointment=visit, start=random.choice(self.starts))

    def cancel(self):
        from infusions.scheduling.booking import cancel_appointment

        if visit := self._visit("expected", "confirmed"):
            self._try(cancel_appointment, appointment=visit, reason="Race")

    def book_series(self):
        """Three days of one order, over the lanes that the others want singly."""
        from infusions.scheduling.series_planning import plan_series
        from infusions.scheduling.series_services import book_series

        where = {"order": random.choice(self.orders), "site": self.site, "setting": "facility"}
        first = random.choice(self.starts)
        plan = plan_series(**where, first_on=first.date(), count=3, now=self.now)
        self._try(book_series, **where, lines=plan.bookable)

    def move_tail(self):
        from infusions.scheduling.series_services import move_following

        if visit := self._visit("expected", "confirmed"):
            start = visit.start + dt.timedelta(minutes=random.choice([-30, 15, 60]))
            self._try(move_following, appointment=visit, start=start)

    def reseat(self):
        """Give the visits of a day other chairs or nurses: those uncovered, else one by a plan for another visit."""
        from infusion_center.core import clock
        from infusions.scheduling.cover import uncovered_visits
        from infusions.scheduling.reseat_services import apply_changes
        from infusions.scheduling.reseating import reseat_day

        day = clock.local_date(self.starts[0], self.site.time_zone)
        found = uncovered_visits(self.site, *clock.day_bounds(day, self.site.time_zone), now=self.now)
        if not found:
            return self.reseat_for_one_more()
        visits = [one.appointment for one in found]
        plan = reseat_day(site=self.site, day=day, uncovered=visits, now=self.now)
        if plan is not None and plan.changes:
            self._try(apply_changes, changes=plan.changes, reason="Race", now=self.now)
        return None

    def reseat_for_one_more(self):
        from infusions.scheduling.reseat_plans import plan_key, reseating_for
        from infusions.scheduling.reseat_services import book_with_reseating
        from infusions.scheduling.rules import examine

        wishes = {"order": random.choice(self.orders), "setting": "facility", "site": self.site}
        for start in random.sample(self.starts, len(self.starts)):
            proposal = examine(**wishes, start=start, now=self.now)
            if (plan := reseating_for(proposal, now=self.now)) is not None:
                self._try(book_with_reseating, **wishes, start=start, shown=plan_key(plan), now=self.now)
                return

    def change_seat(self):
        """What re-seating does to one visit, again and again: so that it meets whoever begins it."""
        from infusions.facility.models import Chair
        from infusions.scheduling.reseat_services import apply_changes
        from infusions.scheduling.reseating import SeatChange

        if visit := self._visit("expected", "confirmed", "arrived"):
            chair = random.choice(list(Chair.objects.filter(site=self.site).order_by("pk")))
            change = SeatChange(visit, chair, random.choice(self.nurses), visit.ratio_place)
            self._try(apply_changes, changes=[change], reason="Race", now=self.now)

    # The floor

    def check_in(self):
        from infusions.scheduling import attendance

        if visit := self._visit("expected", "confirmed"):
            self._try(attendance.check_in, appointment=visit)

    def begin(self):
        from infusions.scheduling import attendance

        if visit := self._visit("arrived"):
            self._try(attendance.begin, appointment=visit)
        else:
            self.check_in()

    def finish(self):
        from infusions.scheduling import attendance

        if visit := self._visit("in_progress"):
            self._try(attendance.finish, appointment=visit, stopped_early=False)

    # The roster

    def call_out(self):
        from infusions.facility import roster_services

        start = random.choice(self.starts)
        hours = {"starts_at": start, "ends_at": start + dt.timedelta(hours=5)}
        self._try(roster_services.call_out, nurse=random.choice(self.nurses), reason="Ill", **hours)

    def plan_shift(self):
        from infusions.facility import roster_services

        start = random.choice(self.starts)
        hours = {"starts_at": start, "ends_at": start + dt.timedelta(hours=5)}
        self._try(roster_services.add_shift, nurse=random.choice(self.nurses), site=self.site, **hours)

    def close(self):
        from infusion_center.core import clock
        from infusions.facility import services
        from infusions.facility.models import Closure

        day = clock.local_date(random.choice(self.starts), self.site.time_zone)
        reason = {"reason": f"Race {os.getpid()}-{random.random()}", "override_reason": "Race"}
        self._try(services.add_closure, site=self.site, starts_on=day, ends_on=day, **reason)
        time.sleep(0.02)
        for closure in Closure.objects.filter(reason=reason["reason"]):
            self._try(services.remove_closure, closure=closure)

    # How

    def _visit(self, *states):
        from infusions.scheduling.models import Appointment

        keys = list(Appointment.objects.filter(state__in=states).order_by("pk").values_list("pk", flat=True))
        visits = Appointment.objects.select_related("order", "site", "patient")
        return visits.get(pk=random.choice(keys)) if keys else None

    def _try(self, service, **arguments):
        from infusion_center.core.rules import RuleViolation

        try:
            done = service(**arguments, by=self.by)
        except RuleViolation as refused:
            self.result["refused"].update(f"{service.__name__}:{code}" for code in refused.codes)
            return None
        self.result["refused"][f"{service.__name__}:done"] += 1
        return done
