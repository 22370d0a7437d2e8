"""What the tests of booking share: one call to book or move, and refusals that wrote nothing."""

import pytest
from django.db import IntegrityError
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.scheduling import booking
from infusions.scheduling.booking import book_appointment, move_appointment
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment, Claim, WaitlistEntry, WaitlistOffer
from tests.factories.orders import make_order
from tests.infusions.scheduling.conftest import DAY


def book(center, start="09:00", *, order=None, day=DAY, **wishes):
    return book_appointment(
        order=order or make_order(infusion_minutes=180),
        start=center.at(start, day),
        setting=wishes.pop("setting", Setting.FACILITY),
        site=center.site,
        by=center.scheduler,
        **wishes,
    )


def move(center, appointment, start, *, day=DAY, **wishes):
    return move_appointment(appointment=appointment, start=center.at(start, day), by=center.scheduler, **wishes)


def refusal(call, *args, **kwargs) -> set[str]:
    """The codes by which the call is refused; asserts that it wrote nothing at all."""
    before = everything_written()
    with pytest.raises(RuleViolation) as refused:
        call(*args, **kwargs)
    assert everything_written() == before
    assert claim_violations() == []
    return refused.value.codes


# Events of what was seen or refused: a form that comes back shows the patient again.
LOOKED = ("list.opened", "chart.opened", "access.denied")


def everything_written():
    return (
        list(Appointment.objects.order_by("pk").values()),
        list(Claim.objects.order_by("pk").values()),
        list(WaitlistEntry.objects.order_by("pk").values()),
        list(WaitlistOffer.objects.order_by("pk").values()),
        AuditEvent.objects.exclude(action__in=LOOKED).count(),
    )


def steal(monkeypatch, thefts):
    """Before each of the next writes another visit takes what the function says."""
    place = booking.place

    def place_after_theft(appointment, proposal, seat):
        place(appointment, proposal, seat)
        if thefts:
            thefts.pop(0)(appointment)

    monkeypatch.setattr(booking, "place", place_after_theft)


def raise_integrity_error(*_):
    raise IntegrityError("claim_lane_quarter_once")


def url(name, row):
    return reverse(f"scheduling:{name}", args=[row.public_id])


def errors(response):
    return [error for group in response.context["form"].errors.values() for error in group]
