import datetime as dt

import pytest
from django.core.cache import cache
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.doses.models import DoseRecord, DoseState, RateChange, VialUsed
from infusions.doses.services import record_reaction
from infusions.facility.models import Nurse
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record, make_rate
from tests.factories.facility import make_nurse, make_site
from tests.factories.orders import make_order
from tests.factories.stock import make_recall
from tests.infusions.doses.conftest import NOON, at, make_passed

PASSWORD = "correct horse battery"


@pytest.fixture
def nurse(nurse_user, site) -> Nurse:
    return make_nurse(user=nurse_user, site=site)


@pytest.fixture
def mine(make_visit, nurse):
    """A visit of the signed-in nurse, arrived and checked."""
    visit = make_visit(order=make_order(), nurse=nurse)
    make_passed(visit)
    return visit


@pytest.fixture
def client(client_for):
    return client_for("nurse")


def url(name, visit, *more) -> str:
    return reverse(f"doses:{name}", args=[visit.public_id, *more])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_my_patients_shows_overdue_first(client, make_visit, nurse, morning):
    running = make_dose_record(make_visit(order=make_order(), nurse=nurse, state=State.IN_PROGRESS))
    later = make_visit(nurse=nurse, start=at(300), state=State.CONFIRMED)
    morning.move_to(at(60))
    response = client.get(reverse("doses:my-patients"))
    cards = [(one.appointment, one.due.kind, one.due.is_overdue) for one, _ in response.context["cards"]]
    assert cards == [(running.appointment, "vital_signs", True), (later, "arrival", False)]
    assert "Overdue" in text_of(response)


def test_my_patients_leaves_out_others_unless_asked(client, make_visit, nurse):
    make_visit(state=State.CONFIRMED)
    assert client.get(reverse("doses:my-patients")).context["cards"] == []
    assert len(client.get(reverse("doses:my-patients") + "?all=1").context["cards"]) == 1


def test_my_patients_lists_what_was_left_unsigned(client, make_visit, nurse):
    yesterday = make_visit(order=make_order(), nurse=nurse, start=NOON - dt.timedelta(days=3), state=State.COMPLETED)
    make_dose_record(yesterday, state=DoseState.ENDED)
    response = client.get(reverse("doses:my-patients"))
    assert [one.appointment for one, _ in response.context["unsigned"]] == [yesterday]


def test_my_patients_costs_the_same_for_one_and_for_four(client, make_visit, nurse, django_assert_max_num_queries):
    for number in range(4):
        visit = make_visit(order=make_order(), nurse=nurse, state=State.IN_PROGRESS, start=at(number * 60))
        make_dose_record(visit)
    with django_assert_max_num_queries(20):
        assert len(client.get(reverse("doses:my-patients")).context["cards"]) == 4


def test_whole_infusion_through_the_pages(client, mine, nurse_user, colleague, morning):
    """Prepare, vials, second check, start, vital signs, step, reaction, end, observe, sign, amend: every act a POST."""

    def post(name, minute, *more, **data):
        morning.move_to(at(minute))
        response = client.post(url(name, mine, *more), data, follow=True)
        errors = [form.errors for form in response.context.get("forms", {}).values() if form.errors]
        assert errors == []
        return response

    signs = {"systolic": 120, "diastolic": 70, "pulse": 70, "temperature_c": "36.6"}
    post("dose-prepare", 0)
    post("vial-add", 5, grams="20", count=1, lot="lot a", expires_on="10/2027")
    post("vial-add", 6, grams="10", count=1, lot="lot a", expires_on="2027-10-31")
    post("vital-signs-add", 7, **signs)
    post("second-check", 10, email=colleague.email, password=PASSWORD)
    post("infusion-start", 30)
    post("vital-signs-add", 58, **signs)
    post("rate-change", 60, rate_ml_per_h="42")
    post("reaction-add", 70, kind="headache", grade=1, minutes_ago=5, done=["Slowed", "Fluids"])
    post("infusion-pause", 71)
    post("infusion-resume", 75, rate_ml_per_h="42", chip="Feels well again")
    post("infusion-end", 80, stop_reason="Patient's wish")
    post("vital-signs-add", 81, **signs)
    post("observation-end", 110)
    post("dose-sign", 112, password=PASSWORD, notes="Calm")
    amendment = {"concerns": "Notes", "text": "Called at home", "reason": "Asked by the prescriber"}
    page = post("dose-amend", 200, **amendment, password=PASSWORD)
    record = DoseRecord.objects.get(appointment=mine)
    assert (record.state, record.signed_by, record.second_check_by) == (DoseState.SIGNED, nurse_user, colleague)
    assert list(record.rates.values_list("kind", flat=True)) == ["start", "step", "pause", "resume", "stop"]
    assert list(VialUsed.objects.values_list("lot", "expires_on")) == [("LOTA", dt.date(2027, 10, 31))] * 2
    assert record.reactions.get().action == "Slowed; Fluids"
    assert "Called at home" in text_of(page)


@pytest.fixture
def prepared(mine):
    return make_dose_record(mine, state=DoseState.PREPARING, second_check_by=None, second_check_at=None)


def test_expired_vial_comes_back_beside_its_field(client, mine):
    make_dose_record(mine, state=DoseState.PREPARING, with_vials=False)
    data = {"grams": "20", "count": 1, "lot": "L1", "expires_on": "2026-11-22"}
    response = client.post(url("vial-add", mine), data)
    form = response.context["forms"]["vial"]
    assert form.errors == {"expires_on": ["The vial expired on 22-Nov-2026. Set it aside and take another vial."]}
    assert (form["lot"].value(), VialUsed.objects.count()) == ("L1", 0)


@pytest.mark.parametrize("product", ["", "none", "its own"])
def test_a_product_that_cannot_be_chosen_any_more_leaves_the_page_standing(client, mine, prepared, product):
    chosen = prepared.product.public_id if product == "its own" else product
    response = client.post(url("product-choose", mine), {"product": chosen}, follow=True)
    after = DoseRecord.objects.get(pk=prepared.pk)
    assert (response.status_code, after.product, after.updated_at) == (200, prepared.product, prepared.updated_at)


def test_vial_removed_through_the_page(client, mine, prepared):
    vial = prepared.vials.first()
    client.post(url("vial-remove", mine, vial.public_id))
    assert not VialUsed.objects.filter(pk=vial.pk).exists()


def test_second_check_with_a_wrong_password_is_refused_and_kept_in_the_trail(client, mine, prepared, colleague):
    response = client.post(url("second-check", mine), {"email": colleague.email, "password": "guess"})
    prepared.refresh_from_db()
    assert response.context["forms"]["second_check"].errors == {"password": ["Email and password do not match."]}
    assert (prepared.second_check_by, response.context["request"].user.email != colleague.email) == (None, True)
    assert AuditEvent.objects.get(action="staff.proof_refused").detail == {"purpose": "second check", "why": "wrong"}


def test_second_check_by_oneself_is_refused(client, mine, prepared, nurse_user):
    VialUsed.objects.update(recorded_by=nurse_user)
    response = client.post(url("second-check", mine), {"email": nurse_user.email, "password": PASSWORD})
    assert list(response.context["forms"]["second_check"].errors) == ["email"]


def test_second_check_stops_guessing(client, mine, prepared, colleague, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/m/key"}
    cache.clear()
    for _ in range(4):
        response = client.post(url("second-check", mine), {"email": colleague.email, "password": "guess"})
    assert "Too many failed attempts" in text_of(response)
    assert AuditEvent.objects.filter(action="staff.proof_refused").count() == 4


def test_second_check_alone_at_home_is_one_press(client, make_visit, nurse):
    home = make_visit(order=make_order(), nurse=nurse, setting="home")
    record = make_dose_record(home, state=DoseState.PREPARING, second_check_by=None, second_check_at=None)
    client.post(url("second-check", home), {"alone": 1})
    record.refresh_from_db()
    assert record.second_check_by == nurse.user


def test_start_is_offered_only_when_nothing_stands_against_it(client, mine, prepared):
    page = text_of(client.get(url("dose-detail", mine)))
    assert ("Start at 21 mL/h" in page, "First have a second person check" in page) == (False, True)
    response = client.post(url("infusion-start", mine), follow=True)
    assert "A second person has not checked" in text_of(response)
    assert not RateChange.objects.exists()


@pytest.fixture
def running(make_visit, nurse):
    return make_dose_record(make_visit(order=make_order(), nurse=nurse, state=State.IN_PROGRESS))


def test_rate_above_the_cap_is_refused_through_the_page(client, running):
    response = client.post(url("rate-change", running.appointment), {"rate_ml_per_h": "400", "reason": "quick"})
    assert list(response.context["forms"]["rate"].errors) == ["rate_ml_per_h"]
    assert RateChange.objects.count() == 1


def test_a_page_opened_before_a_colleague_acted_acts_no_more(client, running, nurse_user):
    seen = client.get(url("dose-detail", running.appointment)).context["seen"]
    make_rate(running, "change", at(31), 15)
    response = client.post(url("infusion-pause", running.appointment), {"seen": seen}, follow=True)
    assert "A colleague has changed this infusion" in text_of(response)
    assert RateChange.objects.filter(kind="pause").count() == 0


def test_vital_signs_outside_the_limits_say_hold(client, running, morning):
    morning.move_to(at(45))
    data = {"systolic": 85, "diastolic": 50, "pulse": 70}
    page = client.post(url("vital-signs-add", running.appointment), data, follow=True)
    assert text_of(page).count("Systolic pressure 85 mmHg is low (limit 90 mmHg).") == 1
    assert "Hold the infusion, measure again and call the prescriber." in text_of(page)


def test_a_recall_of_a_running_lot_is_told_at_the_chair(client, running, morning):
    def told():
        page = client.get(url("dose-status", running.appointment))
        return "Lot LOT1 runs here and is recalled: Particles." in text_of(page)

    assert not told()
    make_recall(running.product, "LOT1", opened_at=at(40), reason="Particles")
    assert told()


def test_the_restart_after_grade_2_offers_only_an_order_as_its_reason(client, running, nurse_user, morning):
    morning.move_to(at(45))
    record_reaction(record=running, kind="headache", grade=2, action="Paused", by=nurse_user, now=at(44))
    page = client.get(url("dose-detail", running.appointment))
    assert page.context["resume_needs_reason"]
    assert page.context["forms"]["resume"].chips == ("Prescriber ordered the restart",)


def test_status_follows_the_clock_and_says_when_a_colleague_acted(client, running, morning):
    morning.move_to(at(50))
    seen = client.get(url("dose-detail", running.appointment)).context["seen"]
    status = url("dose-status", running.appointment)
    assert 'data-given="7.00"' in text_of(client.get(f"{status}?seen={seen}"))
    make_rate(running, "pause", at(51), 0)
    DoseRecord.objects.update(state=DoseState.PAUSED)
    assert "A colleague has changed this infusion" in text_of(client.get(f"{status}?seen={seen}"))


@pytest.mark.parametrize("state", DoseState.values)
def test_every_state_has_its_screen_and_its_print(client, make_visit, nurse, state):
    visit_state = State.ARRIVED if state == "preparing" else State.IN_PROGRESS
    record = make_dose_record(make_visit(order=make_order(), nurse=nurse, state=visit_state), state=state)
    for name in ("dose-detail", "dose-print"):
        page = text_of(client.get(url(name, record.appointment)))
        assert "LOT1" in page
    assert record.order.product.name in page


@pytest.mark.parametrize("act", ["vital-signs", "reaction", "rate", "pause", "end"])
def test_every_act_opens_its_form(client, running, act):
    response = client.get(url("dose-detail", running.appointment) + f"?do={act}")
    assert (response.context["act"], 'id="act"' in text_of(response)) == (act, True)


def test_an_amendment_asks_for_the_own_password(client, make_visit, nurse):
    record = make_dose_record(make_visit(order=make_order(), nurse=nurse), state=DoseState.SIGNED)
    amendment = {"concerns": "Notes", "text": "Called at home", "reason": "Asked"}
    for typed in ({}, {"password": "wrong"}):
        response = client.post(url("dose-amend", record.appointment), amendment | typed)
        assert list(response.context["forms"]["amend"].errors) == ["password"]
    assert record.amendments.count() == 0


def test_sign_asks_for_the_own_password(client, make_visit, nurse):
    record = make_dose_record(make_visit(nurse=nurse, order=make_order()), state=DoseState.ENDED)
    response = client.post(url("dose-sign", record.appointment), {"password": "wrong"})
    record.refresh_from_db()
    assert (record.state, list(response.context["forms"]["sign"].errors)) == (DoseState.ENDED, ["password"])


def test_opening_the_page_is_recorded_and_the_way_back_from_an_act_is_not(client, running, morning):
    morning.move_to(at(31))
    seen = client.get(url("dose-detail", running.appointment)).context["seen"]
    done = client.post(url("infusion-pause", running.appointment), {"seen": seen}, follow=True)
    assert len(done.redirect_chain) == 1
    assert AuditEvent.objects.filter(action="chart.opened").count() == 1
    assert client.post(url("vital-signs-add", running.appointment)).status_code == 200  # refused: shown again
    assert AuditEvent.objects.filter(action="chart.opened").count() == 2


def test_another_sites_infusion_is_not_found(client, make_visit):
    other = make_dose_record(make_visit(site=make_site(), order=make_order()), state=DoseState.ENDED)
    for name in ("dose-detail", "dose-status", "dose-print"):
        assert client.get(url(name, other.appointment)).status_code == 404
    assert client.post(url("infusion-pause", other.appointment)).status_code == 404


def test_the_pharmacist_reads_but_does_not_act(client_for, running):
    pharmacist = client_for("pharmacist")
    page = text_of(pharmacist.get(url("dose-detail", running.appointment)))
    assert ("What happened" in page, "What to do" in page) == (True, False)
    assert pharmacist.post(url("infusion-pause", running.appointment)).status_code == 403
    assert client_for("scheduler").get(url("dose-detail", running.appointment)).status_code == 403


def test_an_act_is_no_get(client, running):
    assert client.get(url("infusion-pause", running.appointment)).status_code == 405
