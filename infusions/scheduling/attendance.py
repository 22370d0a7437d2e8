"""Moves a visit through its states on the day: confirm, check in, begin, finish, no-show.

Every step locks the visit and updates it only from where it may come, so of two people who press at once one is told
that the other was first. `version`: of the visit as the person saw it; one moved since is not confirmed unseen.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker
from infusions.scheduling.contention import tried_again
from infusions.scheduling.lanes import claims_for
from infusions.scheduling.models import Appointment
from infusions.scheduling.placing import locked_appointment, refuse_stale, wrong_state
from infusions.scheduling.states import UPCOMING, State, may_follow


@tried_again
@transaction.atomic
def confirm(*, appointment: Appointment, by, now: dt.datetime | None = None, version: int | None = None) -> Appointment:
    """The patient will come; `by` None when he said so by a link. Saying it twice changes nothing."""
    now = now or clock.now()
    _lock(appointment, version)
    if appointment.state == State.CONFIRMED and appointment.move_requested_at is None:
        return appointment
    _refuse_past(appointment, now)
    if appointment.state == State.CONFIRMED:
        return _note(appointment, "appointment.confirmed", by=by, now=now, move_requested_at=None)
    return _go(appointment, State.CONFIRMED, "confirmed", by=by, now=now, confirmed_at=now, move_requested_at=None)


@tried_again
@transaction.atomic
def request_move(*, appointment: Appointment, message: str, now: dt.datetime | None = None) -> Appointment:
    """The patient asks for another time. The visit stays booked, no longer confirmed, until somebody moves it."""
    now = now or clock.now()
    _lock(appointment)
    _refuse_past(appointment, now)
    fields = {"move_requested_at": now, "patient_message": message.strip()[:300], "confirmed_at": None}
    if appointment.state == State.CONFIRMED:
        return _go(appointment, State.EXPECTED, "move_requested", by=None, now=now, **fields)
    if appointment.state != State.EXPECTED:
        raise RuleViolation([wrong_state(appointment, "be moved")])
    return _note(appointment, "appointment.move_requested", by=None, now=now, **fields)


@tried_again
@transaction.atomic
def check_in(
    *, appointment: Appointment, by, now: dt.datetime | None = None, version: int | None = None
) -> Appointment:
    """The patient is here, on the day of the visit; also one who was given up as a no-show."""
    now = now or clock.now()
    _lock(appointment, version)
    zone = appointment.site.time_zone
    if clock.local_date(appointment.start, zone) != clock.local_date(now, zone):
        message = f"The visit is on {clock.local_date(appointment.start, zone):%a %d %b %Y}, not today."
        raise RuleViolation([blocker("not-today", message, remedy="Move the visit, or open today's.")])
    return _go(appointment, State.ARRIVED, "checked_in", by=by, now=now, arrived_at=now)


@tried_again
@transaction.atomic
def undo_check_in(
    *, appointment: Appointment, by, now: dt.datetime | None = None, version: int | None = None
) -> Appointment:
    """Checked in by mistake: the visit is expected again."""
    _lock(appointment, version)
    return _go(
        appointment, State.EXPECTED, "check_in_undone", by=by, now=now, only_from=[State.ARRIVED], arrived_at=None
    )


@tried_again
@transaction.atomic
def mark_no_show(
    *, appointment: Appointment, by, now: dt.datetime | None = None, version: int | None = None
) -> Appointment:
    """He did not come. The visit keeps its chair for the day: he still may."""
    now = now or clock.now()
    _lock(appointment, version)
    if now < appointment.start:
        message = "The visit has not begun yet."
        raise RuleViolation([blocker("not-yet", message, remedy="Wait until its start, or cancel it.")])
    return _go(appointment, State.NO_SHOW, "no_show", by=by, now=now)


@tried_again
@transaction.atomic
def begin(*, appointment: Appointment, by, now: dt.datetime | None = None) -> Appointment:
    """The infusion starts; called by the dose record, whose rules are the gate."""
    now = now or clock.now()
    return _go(appointment, State.IN_PROGRESS, "begun", by=by, now=now, started_at=now)


@tried_again
@transaction.atomic
def finish(*, appointment: Appointment, stopped_early: bool, by, now: dt.datetime | None = None) -> Appointment:
    """The visit is over: what it needs no longer is free at once. One that overran takes nothing more."""
    now = now or clock.now()
    state = State.STOPPED_EARLY if stopped_early else State.COMPLETED
    finished = _go(appointment, state, "finished", by=by, now=now, finished_at=now)
    needed = set(claims_for(finished))
    unneeded = [pk for pk, *claim in finished.claims.values_list("pk", "lane", "quarter") if tuple(claim) not in needed]
    finished.claims.filter(pk__in=unneeded).delete()
    return finished


def _lock(appointment: Appointment, version: int | None = None) -> None:
    """Nobody else changes the visit now; the caller's own object shows how it stands."""
    locked_appointment(appointment)
    appointment.refresh_from_db()
    refuse_stale(appointment, version)


def _go(
    appointment: Appointment, to: State, done: str, *, by, now: dt.datetime | None, only_from=None, **fields
) -> Appointment:
    sources = only_from or [state for state in State if may_follow(state, to)]
    before = appointment.state
    now = now or clock.now()
    # update() skips auto_now, and the board asks for what changed since.
    rows = Appointment.objects.filter(pk=appointment.pk, state__in=sources)
    if not rows.update(state=to, updated_at=now, **fields):
        appointment.refresh_from_db()
        raise RuleViolation([wrong_state(appointment, f"become {to.label.lower()}" if appointment.state != to else "")])
    return _recorded(appointment, f"appointment.{done}", by, before=before, after=to)


def _note(appointment: Appointment, action: str, *, by, now: dt.datetime, **fields) -> Appointment:
    """A mark on a visit whose state stays as it is."""
    if not Appointment.objects.filter(pk=appointment.pk, state__in=UPCOMING).update(updated_at=now, **fields):
        appointment.refresh_from_db()
        raise RuleViolation([wrong_state(appointment, "be changed")])
    return _recorded(appointment, action, by)


def _recorded(appointment: Appointment, action: str, by, **detail) -> Appointment:
    appointment.refresh_from_db()
    actor = {} if by else {"actor": "Patient"}
    audit.record(action, appointment, by=by, patient=appointment.patient, site=appointment.site, **detail, **actor)
    return appointment


def _refuse_past(appointment: Appointment, now: dt.datetime) -> None:
    if appointment.start < now:
        raise RuleViolation([blocker("in-the-past", "The visit is past.")])
