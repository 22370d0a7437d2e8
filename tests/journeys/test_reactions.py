"""A reaction of each grade, lived through at the chair and after, through the pages that people use."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.doses.models import DoseRecord, Phase
from infusions.doses.reaction_models import LateReaction, Reaction, ReactionStep
from infusions.orders.models import InfusionOrder
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.journeys import steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(time_machine):
    center = steps.open_center(time_machine)
    center.go_to("09:40")
    return center


@pytest.fixture
def record(center):
    """Started at 08:30; 84 mL/h since 09:30, vital signs fresh."""
    schedule = center.schedule
    order = make_order(patient=make_patient(), product=schedule.product, indication=schedule.indication)
    visit = make_appointment(
        order=order, chair=center.chair, nurse=center.nurse, start=center.at("08:00"), state="in_progress"
    )
    record = make_dose_record(visit, checked_by=center.colleague)
    for wall, rate, step in (("09:00", 42, 2), ("09:30", 84, 3)):
        make_vital_signs(record, Phase.DURING, center.at(wall))
        make_rate(record, "step", center.at(wall), rate, step=step)
    return record


@pytest.fixture
def nurse(center, record):
    return center.walk("nurse").open(reverse("doses:dose-detail", args=[record.appointment.public_id]))


def react(nurse, kind, grade, **fields):
    return nurse.follow("Reaction").press(
        "Save reaction", {"kind": kind, "grade": str(grade), "done": ["Watched"]} | fields
    )


def kept(record) -> tuple:
    """State, last rate, orders of the patient, presses."""
    record.refresh_from_db()
    last = record.rates.order_by("-at", "-pk").first()
    orders = InfusionOrder.objects.filter(patient=record.patient).values_list("status", flat=True)
    presses = ReactionStep.objects.order_by("at", "pk").values_list("kind", flat=True)
    return record.state, last.rate_ml_per_h, [*orders], [*presses]


def sign(nurse):
    return nurse.press("Sign as", {"password": steps.PASSWORD})


def to_the_end_of_observation(center, nurse):
    steps.vital_signs(nurse.again())
    center.wait(60)
    nurse.again().follow("End observation").press("End observation")


def test_grade_1_slows_by_one_tap_is_looked_at_again_and_over(center, record, nurse):
    react(nurse, "headache", 1, minutes_ago="5")
    reaction = Reaction.objects.get()
    assert (reaction.onset_at, reaction.rate_ml_per_h, reaction.volume_ml) == (center.at("09:35"), 84, Decimal("38.5"))
    nurse.press("Slow to 42 mL/h (last tolerated)")
    assert kept(record) == ("infusing", 42, ["signed"], ["slowed"])
    assert not nurse.offers("Slow to")
    center.wait(15)
    mine = center.walk("nurse").open(reverse("doses:my-patients"))
    assert "Look at the reaction again" in nurse.again().text
    assert "Vital signs" in mine.text
    nurse.press("Looked again").press("Over")
    assert kept(record)[-1] == ["slowed", "reassessed", "resolved"]
    assert "Look at the reaction again" not in nurse.text


def test_grade_2_pauses_and_restarts_at_half_by_order_only(center, record, nurse):
    react(nurse, "chills_fever", 2)
    assert kept(record) == ("paused", 0, ["signed"], [])
    assert "Restart at half: 42 mL/h, by order" in nurse.text
    nurse.follow("Restart at half").press("Resume", {"rate_ml_per_h": "42", "reason": ""})
    assert ("needs the prescriber" in nurse.text, kept(record)[:2]) == (True, ("paused", 0))
    nurse.press("Resume", {"rate_ml_per_h": "60", "reason": "Dr. Example"})
    assert ("at 42 mL/h or slower" in nurse.text, kept(record)[:2]) == (True, ("paused", 0))
    nurse.press("Prescriber called")
    nurse.follow("Resume").press("Resume", {"rate_ml_per_h": "42", "reason": "Dr. Example by phone"})
    assert kept(record) == ("infusing", 42, ["signed"], ["prescriber_called"])


@pytest.mark.parametrize(("kind", "grade"), [("thrombosis", 3), ("anaphylaxis", 4), ("anaphylaxis", 5)])
def test_grade_3_and_more_stops_calls_and_holds_until_the_pharmacist_releases(center, record, nurse, kind, grade):
    react(nurse, kind, grade, done=["Epinephrine"])
    assert kept(record) == ("observing", 0, ["held"], [])
    assert "this dose is not restarted" in nurse.text
    assert [nurse.offers(word) for word in ("Resume", "Step up", "Set this rate")] == [False] * 3

    center.wait(11)
    card = center.walk("nurse").open(reverse("doses:my-patients")).text
    assert "Call the prescriber" in card and "is-overdue" in card
    nurse.again().press("911 called").press("Pharmacist told")
    to_the_end_of_observation(center, nurse)
    sign(nurse)
    assert ("No call to the prescriber is on record" in nurse.text, kept(record)[0]) == (True, "ended")
    nurse.press("Prescriber called")
    sign(nurse)
    assert kept(record) == ("signed", 0, ["held"], ["emergency_called", "pharmacist_told", "prescriber_called"])

    pharmacist = center.walk("pharmacist").open(record.order.get_absolute_url())
    assert f"grade {grade}" in pharmacist.text
    pharmacist.follow("Release").press("Release", {"reason": ""})
    assert kept(record)[2] == ["held"]
    pharmacist.press("Release", {"reason": "Dr. Example: other brand, slower."})
    assert kept(record)[2] == ["signed"]


def test_nobody_but_who_infuses_presses_at_a_reaction(center, record, nurse):
    react(nurse, "rash", 1)
    reaction, before = Reaction.objects.get(), kept(record)
    for role in ("scheduler", "pharmacist", "manager"):
        client = center.walk(role).client
        for name in ("doses:reaction-slow", "doses:reaction-step-add"):
            page = reverse(name, args=[record.appointment.public_id, reaction.public_id])
            assert client.post(page, {"kind": "resolved"}).status_code == 403
    assert kept(record) == before


def test_a_page_that_is_stale_slows_nothing(center, record, nurse):
    react(nurse, "rash", 1)
    make_rate(record, "change", center.at("09:40"), 63)
    nurse.press("Slow to 42 mL/h")
    assert ("A colleague has changed this infusion" in nurse.text, kept(record)[1]) == (True, 63)


# After signing


@pytest.fixture
def signed(center, record, nurse):
    nurse.follow("End or stop").press("Stop the infusion", {"stop_reason": "Line lost"})
    to_the_end_of_observation(center, nurse)
    sign(nurse)
    assert DoseRecord.objects.get().state == "signed"
    return nurse


def test_a_stroke_told_of_a_week_later_holds_the_order_and_is_seen_everywhere(center, record, signed):
    center.go_to("10:00", steps.VISIT_DAY + dt.timedelta(days=8))
    form = center.walk("pharmacist").open(record.patient.get_absolute_url()).follow("Add a reaction learned of later")
    told = {"kind": "thrombosis", "grade": "4", "onset_on": "2026-06-10", "action": "Hospital, heparin"}
    form.press("Save reaction", told | {"learned_from": "Letter of the hospital"})
    assert "is on hold until a pharmacist releases it" in form.text
    assert kept(record)[2] == ["held"]
    shown = {"Thrombosis", "Letter of the hospital"}
    chart = center.walk("nurse").open(record.patient.get_absolute_url())
    assert "A reaction of grade 4 after the last infusion was learned of later." in chart.text
    pages = [reverse(name, args=[record.appointment.public_id]) for name in ("doses:dose-detail", "doses:dose-print")]
    for text in (chart.text, *(center.walk("nurse").open(page).text for page in pages)):
        assert {word for word in shown if word not in text} == set()


def test_a_late_reaction_before_its_infusion_is_refused_and_the_form_kept(center, record, signed):
    form = signed.follow("Reaction learned of later")
    told = {"kind": "rash", "grade": "1", "onset_on": "2026-06-07", "action": "Cream", "learned_from": "Phone"}
    form.press("Save reaction", told)
    assert "Choose a day from the infusion" in form.text
    assert {name: form.page.context["form"][name].value() for name in told} == told
    assert (LateReaction.objects.count(), kept(record)[2]) == (0, ["signed"])


# Reporting


def test_the_summary_for_medwatch_holds_what_the_form_asks_for_and_its_opening_is_recorded(center, record, nurse):
    record.vials.filter(pk=record.vials.first().pk).update(lot="LOT2", serial="S77")
    react(nurse, "anaphylaxis", 4, done=["Epinephrine", "911 called"], lots=["LOT2"])
    page = nurse.follow("MedWatch summary").text
    patient = record.patient
    wanted = [
        f"record number {patient.mrn}",
        "A. Patient, in confidence",
        "B. Adverse event",
        "C. Product availability",
        "D. Suspect product",
        "F. Other medicines",
        "G. Reporter",
        "1-800-FDA-1088",
        "This is no report.",
        "Anaphylaxis, CTCAE grade 4.",
        "Began at 84 mL/h after 45.5 mL.",
        "Life-threatening (by its grade)",
        f"made by {record.product.maker}",
        "S77",
    ]
    assert [word for word in wanted if word not in page] == []
    sheet = page[page.index("<article") :]
    assert patient.family_name not in sheet
    assert [lot.in_use for lot in nurse.page.context["report"].suspects] == [True, False]
    event = AuditEvent.objects.get(action="dose.medwatch_opened")
    assert (event.patient_id, event.detail["reaction"]) == (patient.public_id, Reaction.objects.get().public_id)
