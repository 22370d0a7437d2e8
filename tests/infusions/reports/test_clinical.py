import datetime as dt
from decimal import Decimal

import pytest

from infusions.doses.models import DoseState
from infusions.doses.reaction_models import Reaction
from infusions.reports.clinical import ProductReport, product_reports, total_of
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2026, 3, 16)
D = Decimal


def make_infusion(site, product, *, day=MONDAY, state=DoseState.ENDED, grades=(), is_test=False, **fields):
    order = make_order(product=product, patient=make_patient(is_test=is_test))
    appointment = make_appointment(site=site, order=order, day=day, state=State.IN_PROGRESS)
    record = make_dose_record(appointment, state=state, **fields)
    for grade in grades:
        make_reaction(record, grade)
    return record


def make_reaction(record, grade):
    at = record.started_at + dt.timedelta(minutes=20)
    by = record.appointment.nurse.user
    return Reaction.objects.create(
        record=record, kind="headache", grade=grade, onset_at=at, action="Slower", recorded_at=at, recorded_by=by
    )


def test_product_reports_sum_doses_volumes_waste_and_reactions(site, scope_of):
    ten = make_product(name="Alphaglob", concentration_mg_per_ml=D("100"))
    five = make_product(name="Betaglob", concentration_mg_per_ml=D("50"))
    make_infusion(site, ten, volume_given_ml=D("300.10"), waste_ml=D("0.20"), grades=(1, 1, 3))
    make_infusion(site, ten, volume_given_ml=D("299.95"), waste_ml=D("0.10"), grades=(2,))
    make_infusion(site, ten, state=DoseState.INFUSING)
    make_infusion(site, ten, state=DoseState.PREPARING)
    make_infusion(site, five, volume_given_ml=D("600"), waste_ml=D("0"))
    reports = product_reports(scope_of(site))
    assert reports == [
        ProductReport("Alphaglob 10%", 3, D("600.05"), D("60.00"), D("0.30"), (2, 1, 1, 0, 0)),
        ProductReport("Betaglob 5%", 1, D("600.00"), D("30.00"), D("0.00"), (0, 0, 0, 0, 0)),
    ]
    assert [(r.reactions_total, r.reactions_per_100, r.waste_percent) for r in reports] == [
        (4, D("133.3"), D("0.0")),
        (0, D("0.0"), D("0.0")),
    ]
    assert total_of(reports) == ProductReport("All", 4, D("1200.05"), D("90.00"), D("0.30"), (2, 1, 1, 0, 0))


def test_product_reports_leave_out_other_days_and_foreign_sites(site, scope_of):
    product = make_product()
    make_infusion(site, product, day=MONDAY - dt.timedelta(days=1), grades=(4,))
    foreign = make_site()
    make_infusion(foreign, product, grades=(5,))
    assert product_reports(scope_of(site, foreign)) == []


def test_total_of_nothing_has_no_rates():
    total = total_of([])
    assert (total.infusions, total.reactions_per_100, total.waste_percent) == (0, None, None)
