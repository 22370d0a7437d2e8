"""Doors that stay shut: what must not happen does not, whoever tries by whichever page, and nothing is written."""

import datetime as dt

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.checklists.models import ChecklistAnswer, ChecklistOverride, PreInfusionChecklist
from infusions.doses.models import DoseRecord, RateChange, VialUsed
from infusions.orders.models import InfusionOrder, Signature
from infusions.scheduling.models import Appointment, Claim
from patients.models import Allergy, Weight
from tests.factories.doses import make_dose_record
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.journeys import steps
from tests.journeys.steps import VISIT_DAY

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TABLES = (
    InfusionOrder,
    Signature,
    Appointment,
    Claim,
    PreInfusionChecklist,
    ChecklistAnswer,
    ChecklistOverride,
    DoseRecord,
    VialUsed,
    RateChange,
    Allergy,
    Weight,
)


def everything():
    """All clinical rows, and the trail without openings and failed proofs."""
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in TABLES}
    return rows | {"trail": AuditEvent.objects.exclude(action__in=("chart.opened", "access.denied")).count()}


@pytest.fixture
def center(time_machine):
    """The morning of the visit."""
    center = steps.open_center(time_machine)
    center.go_to("07:55")
    return center


@pytest.fixture
def make_visit(center):
    """A visit at 08:00 by a signed order of the center's product; `state` as it stands."""

    def made(*, state="arrived", **fields):
        schedule = center.schedule
        order = make_order(patient=make_patient(), product=schedule.product, indication=schedule.indication, **fields)
        start = center.at("08:00")
        return make_appointment(order=order, chair=center.chair, nurse=center.nurse, start=start, state=state)

    return made


def page_of(feature, name, row):
    return reverse(f"{feature}:{name}", args=[row.public_id])


def prepared(center, visit):
    """A nurse before the start: vials added, checked by a second person; the check of the day is as it is."""
    nurse = center.walk("nurse").open(page_of("doses", "dose-detail", visit)).press("Prepare the infusion")
    steps.add_vials(nurse)
    return steps.second_check(nurse, center.colleague)


def start_refused(nurse, visit) -> str:
    """The page offers no start; the post that it does not offer is refused, and nothing changes."""
    assert "Start at" not in nurse.again().text
    before = everything()
    answer = nurse.client.post(page_of("doses", "infusion-start", visit), follow=True)
    assert everything() == before
    return " ".join(answer.content.decode().split())


# Orders


def test_an_unsigned_order_is_neither_booked_nor_given(center, make_visit):
    order = make_order(status="draft")
    desk = center.walk("scheduler").open(page_of("scheduling", "slot-list", order))
    before = everything()
    typed = {"day": VISIT_DAY.isoformat(), "time": "09:00"}
    desk.press("Check and book", typed)
    assert ("The order is not signed." in desk.text, everything()) == (True, before)

    visit = make_visit(status="draft")
    nurse = center.walk("nurse")
    steps.fill_checklist(nurse, visit, steps.ANSWERS | {"emergency-set": "yes"})
    [problem] = PreInfusionChecklist.objects.get().problems
    assert (problem["code"], "Nobody can let this pass." in nurse.text) == ("order-not-signed", True)
    assert "The order is not signed." in start_refused(prepared(center, visit), visit)


def test_a_contraindicated_product_cannot_be_signed(center):
    patient = steps.register_patient(center)
    chart = center.walk("nurse").open(patient.get_absolute_url())
    chart.follow("Add allergy").press("Save allergy", {"code": "hyperprolinemia"})
    order = steps.draft_order(center, patient)
    pharmacist = center.walk("pharmacist").open(order.get_absolute_url())
    assert "Sign order" not in pharmacist.text
    before = everything()
    sent = {"version": order.version, "read": "on", "override_reason": "I insist"}
    refused = pharmacist.client.post(page_of("orders", "order-sign", order), sent)
    assert ("proline" in refused.content.decode(), everything()) == (True, before)


def test_an_allergy_recorded_after_booking_stops_the_start(center, make_visit):
    visit = make_visit()
    steps.answered_checklist(center, visit, steps.ANSWERS | {"emergency-set": "yes"})
    chart = center.walk("nurse").open(visit.patient.get_absolute_url())
    chart.follow("Add allergy").press("Save allergy", {"code": "hyperprolinemia"})
    assert "proline" in start_refused(prepared(center, visit), visit)


# The check before the infusion


def test_a_dehydrated_patient_is_held_until_the_pharmacist_lets_it_pass(center, make_visit):
    visit = make_visit()
    nurse = center.walk("nurse")
    dry = {"intake-day-before": "600", "dehydration-signs": ["thirst", "dry-mouth"], "emergency-set": "yes"}
    steps.fill_checklist(nurse, visit, steps.ANSWERS | dry)
    run = PreInfusionChecklist.objects.get()
    holding = ["intake-day-before-low", "dehydration-signs-hold"]
    assert (run.status, sorted(row["code"] for row in run.problems)) == ("failed", sorted(holding))
    assert "Hold: do not start the infusion" in nurse.text
    at_chair = prepared(center, visit)
    assert "The pre-infusion check did not pass." in start_refused(at_chair, visit)

    before = everything()
    decision = {"code": holding[0], "reason": "Drank 500 mL here."}
    assert nurse.client.post(page_of("checklists", "checklist-override", run), decision).status_code == 403
    pharmacist = center.walk("pharmacist").open(page_of("checklists", "checklist-detail", visit))
    pharmacist.press("Let this pass", {"reason": ""})
    assert everything() == before

    for _ in holding:
        pharmacist.press("Let this pass", {"reason": "Drank 500 mL here, Dr. Example agrees."})
    run.refresh_from_db()
    decided = ChecklistOverride.objects.order_by("problem_code").values_list("problem_code", "overridden_by")
    assert (run.status, [*decided]) == (
        "overridden",
        [(code, center.people["pharmacist"].pk) for code in sorted(holding)],
    )
    at_chair.again().press("Start at 21 mL/h")  # with the vital signs of the check, which nobody types twice
    assert DoseRecord.objects.get().state == "infusing"


def test_a_cold_product_holds_and_nobody_may_let_it_pass(center, make_visit):
    visit = make_visit()
    run = steps.answered_checklist(center, visit, steps.ANSWERS | {"room-temperature": "no", "emergency-set": "yes"})
    assert (run.status, [row["code"] for row in run.problems]) == ("failed", ["room-temperature"])
    at_chair = prepared(center, visit)
    assert "The pre-infusion check did not pass." in start_refused(at_chair, visit)
    pharmacist = center.walk("pharmacist").open(page_of("checklists", "checklist-detail", visit))
    assert ("Nobody can let this pass." in pharmacist.text, "Let this pass" in pharmacist.text) == (True, False)
    before = everything()
    decision = {"code": "room-temperature", "reason": "It is warm enough."}
    pharmacist.client.post(page_of("checklists", "checklist-override", run), decision)
    assert everything() == before


# Vials


def test_an_expired_vial_is_refused_with_what_was_typed_kept(center, make_visit):
    visit = make_visit()
    nurse = center.walk("nurse").open(page_of("doses", "dose-detail", visit)).press("Prepare the infusion")
    before = everything()
    yesterday = VISIT_DAY - dt.timedelta(days=1)
    typed = {"grams": "20", "count": "1", "lot": "LOT9", "expires_on": f"{yesterday:%m/%d/%Y}"}
    nurse.press("Add to the dose", typed)
    assert everything() == before
    assert "The vial expired on 07-Jun-2026." in nurse.text
    assert {name: nurse.page.context["forms"]["vial"][name].value() for name in typed} == typed


def test_a_vial_that_expired_since_it_was_added_stops_the_start(center, make_visit):
    visit = make_visit()
    steps.answered_checklist(center, visit, steps.ANSWERS | {"emergency-set": "yes"})
    at_chair = prepared(center, visit)
    VialUsed.objects.filter(grams=20).update(expires_on=VISIT_DAY - dt.timedelta(days=1))
    assert "The vial expired on 07-Jun-2026." in start_refused(at_chair, visit)


# Who may, and who was first


@pytest.mark.parametrize(
    ("role", "feature", "name"),
    [
        ("scheduler", "checklists", "checklist-detail"),
        ("scheduler", "checklists", "checklist-start"),
        ("scheduler", "doses", "dose-detail"),
        ("scheduler", "doses", "infusion-start"),
        ("manager", "doses", "infusion-start"),
        ("pharmacist", "doses", "infusion-start"),
        ("pharmacist", "scheduling", "appointment-cancel"),
        ("nurse", "orders", "order-sign"),
        ("scheduler", "orders", "order-sign"),
    ],
)
def test_the_wrong_role_is_turned_away(center, make_visit, role, feature, name):
    visit = make_visit()
    make_dose_record(visit, state="preparing")
    row = make_order(status="draft") if feature == "orders" else visit
    walker, before = center.walk(role), everything()
    for send in (walker.client.get, walker.client.post):
        answer = send(page_of(feature, name, row), {"version": row.version, "read": "on"})
        assert answer.status_code == 403
    assert everything() == before


def test_of_two_schedulers_who_want_the_same_chair_the_second_is_told_and_keeps_the_form(center):
    schedule = center.schedule
    orders = [make_order(product=schedule.product, indication=schedule.indication) for _ in range(2)]
    first, second = [center.walk("scheduler").open(page_of("scheduling", "slot-list", order)) for order in orders]
    typed = {"day": VISIT_DAY.isoformat(), "time": "09:00", "chair": center.chair.public_id}
    first.press("Check and book", typed)
    booked = everything()
    second.press("Check and book", typed | {"override_reason": "Came from far"})
    assert everything() == booked
    assert Appointment.objects.get().order == orders[0]
    assert f"{center.chair.name} is taken" in second.text
    form = second.page.context["form"]
    kept = {name: form[name].value() for name in (*typed, "override_reason")}
    assert kept == typed | {"override_reason": "Came from far"}
    fresh = second.page.context["search"].options
    assert fresh and all(
        option.start >= Appointment.objects.get().end for option in fresh if option.start < center.at("23:00")
    )
    second.press("Book this start")
    assert Appointment.objects.count() == 2
