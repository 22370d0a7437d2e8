"""What is given besides the dose: rules, presets, pages; flush and advice asked for before signing."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from infusion_center.core.rules import RuleViolation, codes
from infusions.doses import finish_rules
from infusions.doses.course import course_of
from infusions.doses.finish_screen import preset_initial
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.medication_presets import Preset, flush_of, ordered_presets, presets
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.services import record_advice, record_medication, record_reaction
from infusions.facility.models import Nurse
from infusions.reminders.models import Kind, Reminder
from infusions.scheduling.states import State
from tests.factories.checklists import make_open_checklist
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_nurse
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import NOON, at

PILL = {"purpose": "premedication", "name": "Acetaminophen", "dose": Decimal(650), "unit": "mg", "route": "oral"}


@pytest.fixture
def nurse(nurse_user, site) -> Nurse:
    return make_nurse(user=nurse_user, site=site)


@pytest.fixture
def record(make_visit):
    return make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))


@pytest.fixture
def ended(make_visit):
    return make_dose_record(make_visit(state=State.COMPLETED, order=make_order()), state=DoseState.ENDED)


def test_record_medication_keeps_dose_way_time_and_person(record, nurse_user):
    record_medication(record=record, **PILL, note="with water", at=at(-30), by=nurse_user, now=NOON)
    kept = MedicationGiven.objects.values(*PILL, "note", "at", "recorded_at", "recorded_by").get()
    assert kept == PILL | {"note": "with water", "at": at(-30), "recorded_at": NOON, "recorded_by": nurse_user.pk}


@pytest.mark.parametrize("state", [state for state in DoseState if state != DoseState.SIGNED])
def test_medication_is_recorded_from_preparing_to_the_end(make_visit, nurse_user, state):
    record = make_dose_record(make_visit(order=make_order(), state=State.IN_PROGRESS), state=state)
    record_medication(record=record, **PILL, by=nurse_user, now=NOON)
    assert record.medications.count() == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": "  "}, "medication-name-missing"),
        ({"dose": Decimal(0)}, "medication-dose-missing"),
        ({"dose": Decimal(5001)}, "medication-dose-implausible"),
        ({"name": "Epinephrine", "dose": Decimal("1.1"), "route": "im"}, "medication-dose-implausible"),
        ({"name": "Epinephrine", "dose": Decimal(3), "unit": "g"}, "medication-dose-implausible"),
        ({"dose": Decimal(11), "unit": "mL", "route": "im"}, "medication-dose-implausible"),
        ({"at": at(1)}, "medication-ahead"),
        ({"at": NOON - dt.timedelta(hours=24, minutes=1)}, "medication-too-early"),
    ],
)
def test_record_medication_refuses(record, nurse_user, changed, code):
    with pytest.raises(RuleViolation) as refused:
        record_medication(record=record, **PILL | changed, by=nurse_user, now=NOON)
    assert (refused.value.codes, MedicationGiven.objects.count()) == ({code}, 0)


def test_record_medication_refuses_a_signed_record(make_visit, nurse_user):
    signed = make_dose_record(make_visit(state=State.COMPLETED, order=make_order()), state=DoseState.SIGNED)
    with pytest.raises(RuleViolation) as refused:
        record_medication(record=signed, **PILL, by=nurse_user, now=NOON)
    assert (refused.value.codes, MedicationGiven.objects.count()) == ({"signed"}, 0)


def test_the_same_press_twice_keeps_one(record, nurse_user):
    for seconds in (0, 20):
        when = NOON + dt.timedelta(seconds=seconds)
        record_medication(record=record, **PILL, by=nurse_user, now=when)
    assert MedicationGiven.objects.count() == 1
    record_medication(record=record, **PILL, by=nurse_user, now=at(30))
    assert MedicationGiven.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Acetaminophen 650 mg by mouth, 30 min before", [("Acetaminophen", "650", "mg", "oral")]),
        (
            "acetaminophen 650 mg PO and diphenhydramine 25 mg IV",
            [("Acetaminophen", "650", "mg", "oral"), ("Diphenhydramine", "25", "mg", "iv")],
        ),
        (
            "Hydrocortisone 100 mg IV, cetirizine 10 mg",
            [("Hydrocortisone", "100", "mg", "iv"), ("Cetirizine", "10", "mg", "oral")],
        ),
        ("Dexamethasone 4000 mcg IM", [("Dexamethasone", "4000", "µg", "im")]),
        ("Epinephrine 300 mcg IM at hand; diphenhydramine 25 mg IV PRN", []),  # not given before every infusion
        ("Acetaminophen 500-1000 mg", []),  # a range is the nurse's to decide
        ("as last time", []),
        ("", []),
    ],
)
def test_the_order_of_premedication_is_read_from_its_words(text, found):
    assert ordered_presets(text) == [Preset("premedication", n, Decimal(d), u, r) for n, d, u, r in found]


@pytest.mark.parametrize(("kg", "mg"), [("15", "0.15"), ("29.9", "0.29"), ("30", "0.3"), ("90", "0.3")])
def test_the_tile_of_epinephrine_offers_a_child_no_more_than_its_weight_allows(kg, mg):
    """Source: fact sheet 5, 0.01 mg/kg."""
    [tile] = [one for one in presets("", Decimal(kg)) if one.name == "Epinephrine"]
    assert (tile.dose, tile.unit, tile.route) == (Decimal(mg), "mg", "im")


@pytest.mark.parametrize(
    ("dilution", "fluid"),
    [
        ("Only with 5% dextrose, never saline.", "5% dextrose"),
        ("May be diluted with 5% dextrose.", "5% dextrose"),
        ("Do not dilute.", "0.9% saline"),
        ("", "0.9% saline"),
    ],
)
def test_the_line_is_flushed_with_what_the_product_may_meet(dilution, fluid):
    assert flush_of(dilution).name == fluid


def test_signing_warns_of_flush_and_advice_until_both_are_on_record(ended, nurse_user):
    def left():
        return codes(finish_rules.sign_problems(course_of(DoseRecord.objects.get(pk=ended.pk))))

    assert left() == ["flush-missing", "advice-missing"]
    flush = {"purpose": "flush", "name": "0.9% saline", "dose": Decimal(50), "unit": "mL", "route": "iv"}
    record_medication(record=ended, **flush, by=nurse_user, now=at(250))
    record_advice(record=ended, by=nurse_user, now=at(255))
    assert left() == []


def test_advice_waits_for_the_end(record, nurse_user):
    with pytest.raises(RuleViolation) as refused:
        record_advice(record=record, by=nurse_user, now=at(60))
    record.refresh_from_db()
    assert (refused.value.codes, record.advice_at) == ({"wrong-state"}, None)


def url(name, record) -> str:
    return reverse(f"doses:{name}", args=[record.appointment.public_id])


@pytest.fixture
def client(client_for, nurse):
    return client_for("nurse")


def test_a_tile_fills_the_form_in_and_the_form_saves(client, record, morning):
    morning.move_to(at(60))
    page = client.get(url("dose-detail", record) + "?do=medication&preset=5")
    initial = page.context["forms"]["medication"].initial
    assert (initial["name"], initial["dose"], initial["unit"]) == ("0.9% saline", 250, "mL")
    typed = {"purpose": "fluid", "name": "0.9% saline", "dose": "250", "unit": "mL", "route": "iv", "minutes_ago": "10"}
    client.post(url("medication-add", record), typed)
    given = MedicationGiven.objects.get()
    assert (given.purpose, given.dose, given.at) == ("fluid", 250, at(50))


def test_ordered_premedication_taken_as_the_check_says_is_one_press(client, make_visit, nurse):
    order = make_order(premedication="Acetaminophen 650 mg by mouth")
    visit = make_visit(order=order, nurse=nurse)
    make_open_checklist(visit, answers={"premedication": "taken", "premedication-at": "08:20"})
    record = make_dose_record(visit, state=DoseState.PREPARING)
    page = client.get(url("dose-detail", record))
    assert page.context["premedication_at"] == "08:20"
    client.post(url("medication-add", record), PILL | {"time": "08:20"})
    assert MedicationGiven.objects.get().at == at(-40)
    assert client.get(url("dose-detail", record)).context["ordered_presets"] == []


def test_the_page_asks_for_the_flush_until_it_is_given(client, ended):
    assert client.get(url("dose-detail", ended)).context["flush"].dose == 50
    client.post(
        url("medication-add", ended), {"purpose": "flush", "name": "x", "dose": "50", "unit": "mL", "route": "iv"}
    )
    assert client.get(url("dose-detail", ended)).context["flush"] is None


@pytest.mark.parametrize("mailed", [False, True])
def test_advice_is_handed_over_or_owed_by_mail(client, ended, nurse_user, mailed):
    client.post(url("advice-give", ended), {"mail": "1"} if mailed else {})
    ended.refresh_from_db()
    assert (ended.advice_at, ended.advice_by, ended.advice_mailed) == (NOON, nurse_user, mailed)
    assert list(Reminder.objects.values_list("kind", flat=True)) == ([Kind.ADVICE] if mailed else [])


def test_mail_that_the_patient_does_not_want_leaves_the_record_as_it_was(client, ended):
    ended.patient.contact_preferences.all().delete()
    client.post(url("advice-give", ended), {"mail": "1"})
    ended.refresh_from_db()
    assert (ended.advice_at, Reminder.objects.count()) == (None, 0)


@pytest.mark.parametrize(("language", "words"), [("en", "Call 911 at once"), ("es", "Llame al 911 de inmediato")])
def test_the_printed_advice_is_in_the_patients_language_and_names_no_dose(client, ended, language, words):
    ended.patient.language = language
    ended.patient.save()
    page = client.get(url("advice-print", ended)).content.decode()
    sheet = page[page.index("<article") : page.index("</article>")]
    assert words in sheet
    assert [word for word in (str(ended.product), " g ", "mL") if word in sheet] == []


@pytest.mark.parametrize(
    ("state", "reacts", "purpose"),
    [("preparing", False, "premedication"), ("infusing", False, "other"), ("infusing", True, "reaction")],
)
def test_a_tile_tapped_after_the_start_is_no_premedication(make_visit, nurse_user, state, reacts, purpose):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()), state=state)
    if reacts:
        record_reaction(record=record, kind="headache", grade=1, action="Watched", by=nurse_user, now=at(45))
    assert preset_initial(course_of(record), "0")["purpose"] == purpose
