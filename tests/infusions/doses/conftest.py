"""A Monday morning in New York: a patient has arrived for 28 g (rounded to 30 g), the checklist of today is passed."""

import datetime as dt

import pytest
import time_machine

from infusions.checklists.models import ChecklistTemplate, PreInfusionChecklist, RunStatus
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.formulary import make_product, make_rate_schedule
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment

NOON = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)  # 09:00 at the site


def at(minutes: float) -> dt.datetime:
    """Minutes after the visit's start."""
    return NOON + dt.timedelta(minutes=minutes)


@pytest.fixture(autouse=True)
def morning():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def colleague(site):
    """The second nurse."""
    return make_staff(site=site, full_name="Second Nurse")


def make_passed(appointment, *, status=RunStatus.PASSED, when=NOON) -> PreInfusionChecklist:
    template = ChecklistTemplate.objects.first() or ChecklistTemplate.objects.create(
        version=1, is_active=True, published_at=when
    )
    person = appointment.nurse.user
    return PreInfusionChecklist.objects.create(
        appointment=appointment,
        template=template,
        status=status,
        started_at=when,
        started_by=person,
        closed_at=None if status == RunStatus.OPEN else when,
        closed_by=None if status == RunStatus.OPEN else person,
    )


@pytest.fixture
def make_visit(site):
    def made(**fields):
        values = {"site": site, "start": NOON, "state": State.ARRIVED}
        return make_appointment(**values | fields)

    return made


@pytest.fixture
def visit(make_visit):
    """Arrived for 30 g (300 mL) of a 10% product at 70 kg: 21, 42, 84, 168, 336 mL/h."""
    visit = make_visit(order=make_order())
    make_passed(visit)
    return visit


@pytest.fixture
def stocked(site):
    site.tracks_stock = True
    site.save()
    return site


@pytest.fixture
def cold_visit(make_visit):
    """The same, of a product that keeps for thirty days out of the refrigerator."""
    product = make_rate_schedule(product=make_product(needs_warming=True, room_temperature_days=30)).product
    visit = make_visit(order=make_order(product=product))
    make_passed(visit)
    return visit
