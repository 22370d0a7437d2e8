import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infusion_center.core.rules import RuleViolation
from infusions.doses.models import DoseState
from infusions.doses.services import start_infusion
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import NOON


@pytest.fixture
def ready(visit, colleague):
    """Everything done but the start."""
    return make_dose_record(visit, state=DoseState.PREPARING, checked_by=colleague)


@pytest.mark.parametrize("state", [DoseState.INFUSING, DoseState.OBSERVING, DoseState.ENDED])
@pytest.mark.parametrize("same_order", [True, False])
def test_start_infusion_refuses_while_an_earlier_dose_of_the_patient_is_not_signed(
    make_visit, ready, nurse_user, state, same_order
):
    order = ready.order if same_order else make_order(patient=ready.patient)
    day_before = make_visit(order=order, start=NOON - dt.timedelta(days=1), state=State.IN_PROGRESS)
    make_dose_record(day_before, state=state)
    with pytest.raises(RuleViolation) as refused:
        start_infusion(record=ready, by=nurse_user, now=NOON)
    ready.refresh_from_db()
    ready.appointment.refresh_from_db()
    assert refused.value.codes == {"earlier-dose-open"}
    assert (ready.state, ready.appointment.state) == (DoseState.PREPARING, State.ARRIVED)


def test_start_infusion_does_not_mind_open_doses_of_other_patients(make_visit, ready, nurse_user):
    make_dose_record(make_visit(start=NOON - dt.timedelta(days=1), state=State.IN_PROGRESS), state=DoseState.ENDED)
    assert start_infusion(record=ready, by=nurse_user).state == DoseState.INFUSING


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite takes the one write lock at BEGIN")
def test_start_infusion_holds_the_patient_and_the_order_while_it_asks_the_rules(ready, nurse_user):
    with CaptureQueriesContext(connection) as queries:
        start_infusion(record=ready, by=nurse_user)
    locked = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert [
        table in sql for table, sql in zip(("patients_patient", "infusions_infusionorder"), locked, strict=True)
    ] == [True, True]
