"""Plays the faults: visits change while messages are under way, and what the application stands on is taken away."""

import datetime as dt
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from django.db import connection, connections
from django.db.models import Q

from infusion_center.celery import app
from infusion_center.core import clock
from infusions.reminders.models import Reminder
from infusions.reminders.services import plan_reminders
from tests.faults import kinds
from tests.faults.ground import CLOCK, DECK, FAULTS
from tests.faults.processes import Rig
from tests.faults.world import World
from tests.faults.zones import Change

PLAN, SEND = "infusions.reminders.tasks.plan_reminders", "infusions.reminders.tasks.send_due_reminders"
LONGEST_WAIT = 40
LOCK_SECONDS = 0.8
# The longest pause between two tries is half an hour; an order on hold is looked at every hour.
SOON = dt.timedelta(minutes=35)
MOST_STEPS = 10
LAST_CALL = dt.timedelta(hours=4)
SECOND = dt.timedelta(seconds=1)
DOWN_SECONDS = 0.4


class Stalled(Exception):
    pass


class Director:
    def __init__(self, world: World, rig: Rig, rng: random.Random, faults: list[str], changes: list[Change]):
        self._world, self._rig, self._rng = world, rig, rng
        self._changes = changes
        self._late: list[str] = []
        moments = sum(len(change.moments) for change in changes)
        self._hands = [faults[n::moments] for n in range(moments)]
        self.longest_wait = 0.0
        self._faults: dict[str, Callable[[], bool]] = {
            kinds.MOVED: world.move,
            kinds.CANCELLED: world.cancel,
            kinds.CONSENT: world.withdraw_consent,
            kinds.HELD: world.hold,
            kinds.WORKER_KILLED: self._kill_worker,
            kinds.BEAT_DOUBLED: self._double_beat,
            kinds.PLANNERS: self._plan_at_once,
            kinds.BROKER_KILLED: self._kill_broker,
            kinds.BROKER_FLUSHED: self._flush_broker,
            kinds.MAIL_SERVER_DOWN: self._kill_mail_server,
            kinds.DATABASE_LOCKED: self._lock_database,
        }

    def play(self, change: Change, visits: int) -> None:
        CLOCK.jump(change.moments[0])
        self._world.open(change, visits)
        for moment in change.moments:
            self._go_on_to(moment)
            self._play_hand(self._hands.pop(0))
            if dt.timedelta() < change.at - moment <= SECOND:
                self._pass_the_change(change)
            self._let_tries_come_to_an_end()
        self._go_on_to(change.after)
        self._wake()
        self._wait_until_quiet()
        self._let_tries_come_to_an_end()

    def _go_on_to(self, moment: dt.datetime) -> None:
        """Not past the last hours in which a message is still of use: that would be an outage of days."""
        pressing = Reminder.objects.filter(state="owed", appointment__start__lte=moment + LAST_CALL)
        held = Q(appointment__order__status="held") & ~Q(kind="cancelled")
        pressing = pressing.exclude(held).order_by("due_at")
        while (row := pressing.filter(due_at__gt=clock.now(), due_at__lt=moment).first()) is not None:
            CLOCK.jump(row.due_at + SECOND)
            self._wake()
            self._wait_until_quiet()
            self._let_tries_come_to_an_end()
        if clock.now() < moment:
            CLOCK.jump(moment)

    def _play_hand(self, hand: list[str]) -> None:
        """At once after the jump, as what is due by now is about to be sent."""
        hand, self._late = self._late + hand, []
        for kind in hand:
            if kind in kinds.CARDS:
                DECK.lay(kind)
        directed = [kind for kind in hand if kind in self._faults]
        # What people do comes first, so that it meets messages that are owed.
        for kind in sorted(directed, key=lambda kind: kind not in (kinds.MOVED, kinds.CANCELLED)):
            if self._faults[kind]():
                FAULTS.write(kind=kind)
            else:
                self._late.append(kind)
        self._wake()
        self._world.release_some()
        self._wait_until_quiet()
        self._rig.second_beat(False)

    def _pass_the_change(self, change: Change) -> None:
        while clock.now() <= change.at:
            time.sleep(0.05)
        self._wake()
        self._wait_until_quiet()
        FAULTS.write(kind=kinds.CLOCK)

    def _let_tries_come_to_an_end(self) -> None:
        """Jump by minutes to where leases and pauses end, and messages are tried again, before hours pass."""
        for _ in range(MOST_STEPS):
            now = clock.now()
            waiting = Reminder.objects.filter(Q(state="claimed") | Q(state="owed", due_at__lte=now + SOON))
            step = max((row.lease_until or row.due_at for row in waiting), default=None)
            if step is None:
                return
            if step > now:
                CLOCK.jump(step + dt.timedelta(seconds=1))
            self._wake()
            self._wait_until_quiet()

    def _wake(self) -> None:
        """As beat does, only sooner."""
        for name in (PLAN, SEND, SEND):
            with suppress(Exception):
                app.send_task(name, retry=False)

    def _wait_until_quiet(self) -> None:
        """Everything planned that should be, nothing due that nobody has claimed."""
        began = time.monotonic()
        while self._world.unplanned() or self._is_anything_due():
            if time.monotonic() - began > LONGEST_WAIT:
                raise Stalled(f"after {LONGEST_WAIT} s: {self._world.unplanned()} not planned, or something due unsent")
            time.sleep(0.08)
        self.longest_wait = max(self.longest_wait, time.monotonic() - began)

    def _is_anything_due(self) -> bool:
        now = clock.now()
        due = Q(state="owed", due_at__lte=now) | Q(state="claimed", lease_until__lte=now)
        return Reminder.objects.filter(due).exists()

    def _kill_worker(self) -> bool:
        self._rig.kill(self._rng.choice([name for name in self._rig.programs if name.startswith("worker")]))
        return True

    def _double_beat(self) -> bool:
        self._rig.second_beat(True)
        return True

    def _plan_at_once(self) -> bool:
        """Two workers and this process, while there is something to plan."""
        self._world.book()
        for _ in range(2):
            with suppress(Exception):
                app.send_task(PLAN, retry=False)
        plan_reminders()
        return True

    def _kill_broker(self) -> bool:
        self._rig.kill_broker(down=DOWN_SECONDS)
        return True

    def _flush_broker(self) -> bool:
        self._rig.flush_broker()
        return True

    def _kill_mail_server(self) -> bool:
        self._wake()
        self._rig.kill("mail", down=DOWN_SECONDS)
        return True

    def _lock_database(self) -> bool:
        """By a connection of its own, while the workers are awake."""
        self._wake()
        lock = threading.Thread(target=hold_the_ledger)
        lock.start()
        lock.join()
        return True


def hold_the_ledger() -> None:
    """Everybody who wants to write to the ledger waits for this connection."""
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("BEGIN EXCLUSIVE")
            else:
                cursor.execute("BEGIN")
                cursor.execute("LOCK TABLE infusions_reminder IN ACCESS EXCLUSIVE MODE")
            time.sleep(LOCK_SECONDS)
            cursor.execute("ROLLBACK")
    except Exception as error:
        print(f"the database was not locked: {error}", file=sys.stderr)
    finally:
        connections.close_all()
