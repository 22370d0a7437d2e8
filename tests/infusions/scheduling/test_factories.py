import pytest
from django.db import IntegrityError, transaction

from infusions.facility.models import Setting
from infusions.scheduling.lanes import claims_for
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import State
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("setting", Setting.values)
def test_make_appointment_writes_the_claims_of_the_visit(setting):
    appointment = make_appointment(setting=setting)
    written = appointment.claims.order_by("lane", "quarter").values_list("lane", "quarter")
    assert list(written) == claims_for(appointment)


def test_make_appointment_finds_a_free_place_of_the_nurse():
    first = make_appointment(at="09:00")
    second = make_appointment(site=first.site, nurse=first.nurse, at="10:00")
    assert (first.ratio_place, second.ratio_place) == (0, 1)


def test_make_appointment_makes_every_state():
    assert {make_appointment(state=state).state for state in State.values} == set(State.values)
    assert not Claim.objects.filter(appointment__state=State.CANCELLED).exists()


def test_the_database_refuses_a_second_visit_in_the_chair():
    taken = make_appointment(at="09:00")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_appointment(chair=taken.chair, at="11:00")
    assert list(Appointment.objects.all()) == [taken]
