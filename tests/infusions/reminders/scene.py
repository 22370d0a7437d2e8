"""Noon of a quiet Monday in New York, a visit seventeen days ahead, and what may happen to it meanwhile."""

import datetime as dt

from infusion_center.core import clock
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

MINUTE = dt.timedelta(minutes=1)
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)
VISIT_DAY = dt.date(2026, 6, 18)


def changed(appointment, **fields) -> Appointment:
    """As if moved or cancelled: the fields, and a raised version."""
    for name, value in {"version": appointment.version + 1, **fields}.items():
        setattr(appointment, name, value)
    appointment.save()
    return appointment


def moved(appointment, days=7) -> Appointment:
    shift = dt.timedelta(days=days)
    return changed(appointment, start=appointment.start + shift, end=appointment.end + shift)


def cancelled(appointment) -> Appointment:
    return changed(appointment, state=State.CANCELLED, cancelled_at=clock.now())
