"""Pages of what is taken over by one tap, of who answered otherwise, and of what is done about a failed check."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from infusion_center.core import clock
from infusions.checklists.models import HoldStep, PatientReport, PreInfusionChecklist
from infusions.checklists.queries import latest_answers
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.checklists import give_answers, make_open_checklist, make_passed_checklist
from tests.factories.facility import make_site
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def nurse(client_for):
    return client_for("nurse")


@pytest.fixture
def arrived(site):
    """Today, whatever day of the week: what the patient reports now is about this visit."""
    return make_appointment(site=site, state=State.ARRIVED, day=clock.local_date(clock.now(), site.time_zone))


@pytest.fixture
def run(arrived):
    PatientReport.objects.create(
        appointment=arrived,
        values={"intake-day-before": "1440", "infection": "no", "new-drugs": "yes"},
        comment="New tablets: naproxen",
        reported_at=clock.now(),
    )
    return make_open_checklist(arrived)


def page(appointment):
    return reverse("checklists:checklist-detail", args=[appointment.public_id])


def words(text):
    """The page as read: tags away, one blank between words."""
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


def confirm(client, run, code, data=None, **more):
    return client.post(reverse("checklists:checklist-confirm", args=[run.public_id, code]), data or {}, **more)


def step(client, run, **data):
    return client.post(reverse("checklists:hold-step", args=[run.public_id]), data, follow=True)


def card(text, code) -> str:
    """One question as it is read, its buttons for the eye and the ear included."""
    start = text.index(f'id="item-{code}"')
    return words(text[text.index(">", start) + 1 : text.index("</fieldset>", start)])


def test_the_page_shows_what_was_reported_beside_its_question_and_answers_nothing(nurse, arrived, run):
    text = nurse.get(page(arrived)).text
    assert "“New tablets: naproxen”" in text
    assert "1,440 mL (6 glasses) Confirm" in card(text, "intake-day-before")
    assert "Yes: ask which" in card(text, "new-drugs")
    assert [code for code in ("intake-day-before", "new-drugs", "weight") if "Confirm" in card(text, code)] == [
        "intake-day-before"
    ]
    field = text[text.index('id="intake-day-before-field"') :]
    assert 'value=""' in field[: field.index(">")]
    assert "0 of 25 answered" in words(text)


def test_a_later_report_without_words_hides_none_of_an_earlier_one(nurse, arrived, run):
    PatientReport.objects.create(appointment=arrived, values={"urine-normal": "yes"}, reported_at=clock.now())
    assert "“New tablets: naproxen”" in nurse.get(page(arrived)).text


def test_one_tap_confirms_and_the_question_says_so(nurse, arrived, run, nurse_user):
    report = PatientReport.objects.get()
    answer = confirm(nurse, run, "intake-day-before", {"report": report.public_id, "seen": "0"}, headers=HTMX)
    kept = latest_answers(run)["intake-day-before"]
    assert (kept.value, kept.answered_by, kept.report) == ("1440", nurse_user, report)
    said = card(answer.text, "intake-day-before")
    assert ("as the patient reported" in said, "Confirm" in said) == (True, False)
    assert "1 of 25 answered" in words(answer.text)


def test_without_javascript_confirming_keeps_what_was_typed_beside(nurse, run):
    report = PatientReport.objects.get()
    typed = {"report": report.public_id, "was-pulse": "", "pulse": "72"}
    answer = confirm(nurse, run, "infection", typed)
    assert (answer.status_code, answer.url) == (302, f"{page(run.appointment)}#item-infection")
    assert {code: kept.value for code, kept in latest_answers(run).items()} == {"infection": "no", "pulse": "72"}


def test_what_the_patient_changed_meanwhile_is_shown_and_not_confirmed(nurse, arrived, run):
    seen = PatientReport.objects.get()
    PatientReport.objects.create(appointment=arrived, values={"infection": "yes"}, reported_at=clock.now())
    answer = confirm(nurse, run, "infection", {"report": seen.public_id}, headers=HTMX)
    assert "The patient reported something else meanwhile. Look again." in words(answer.text)
    assert run.answers.count() == 0


def test_a_report_of_another_visit_is_not_found(nurse, run):
    other = make_appointment(site=run.appointment.site)
    foreign = PatientReport.objects.create(appointment=other, values={"infection": "no"}, reported_at=clock.now())
    assert confirm(nurse, run, "infection", {"report": foreign.public_id}, headers=HTMX).status_code == 404
    assert run.answers.count() == 0


@pytest.mark.parametrize("role", ["scheduler", "pharmacist", "manager"])
def test_only_a_nurse_confirms_and_notes_steps(client_for, run, role):
    client = client_for(role)
    statuses = [
        confirm(client, run, "infection", {"report": PatientReport.objects.get().public_id}).status_code,
        client.post(reverse("checklists:hold-step", args=[run.public_id]), {"kind": "called"}).status_code,
    ]
    assert (statuses, run.answers.count(), HoldStep.objects.count()) == ([403, 403], 0, 0)


def test_another_sites_check_takes_no_taps(nurse):
    other = make_open_checklist(make_appointment(site=make_site(), state=State.ARRIVED))
    changes = reverse("checklists:checklist-changes", args=[other.public_id])
    assert confirm(nurse, other, "weight").status_code == 404
    assert step(nurse, other, kind="called").status_code == 404
    assert nurse.get(changes, {"seen": "0"}, headers=HTMX).status_code == 404


def test_asking_for_changes_costs_one_statement_and_is_answered_empty_while_nothing_changed(
    nurse, arrived, run, django_assert_max_num_queries
):
    changes = reverse("checklists:checklist-changes", args=[run.public_id])
    give_answers(run, {"consent": "yes"}, by=make_staff(site=arrived.site))
    seen = run.answers.get().pk
    nurse.get(changes, {"seen": seen}, headers=HTMX)
    with django_assert_max_num_queries(5) as asked:
        quiet = nurse.get(changes, {"seen": seen}, headers=HTMX)
    about_checks = [one["sql"] for one in asked.captured_queries if "checklist" in one["sql"]]
    assert (quiet.status_code, quiet.content, len(about_checks)) == (204, b"", 1)
    assert nurse.get(changes, {"seen": seen - 1}, headers=HTMX).status_code == 200


def test_a_check_finished_by_a_colleague_takes_the_page_along(nurse, arrived, run):
    make_passed_checklist(arrived)
    changes = reverse("checklists:checklist-changes", args=[run.public_id])
    seen = run.answers.order_by("-pk").first().pk
    assert nurse.get(changes, {"seen": seen}, headers=HTMX).headers["HX-Redirect"] == page(arrived)


def test_when_two_nurses_differ_the_page_of_each_says_who_answered_what(client_for, nurse, arrived, nurse_user):
    run, at = make_open_checklist(arrived), clock.now()
    other = make_staff(site=arrived.site, full_name="Bea Nurse")
    give_answers(run, {"consent": "yes"}, by=nurse_user, now=at - dt.timedelta(minutes=2))
    give_answers(run, {"consent": "no"}, by=other, now=at - dt.timedelta(minutes=1))
    mine = card(nurse.get(page(arrived)).text, "consent")
    assert re.search(r"You answered Yes at [\d:]+; Bea Nurse answered No at [\d:]+, which is the latest\.", mine)
    give_answers(run, {"consent": "yes"}, by=nurse_user, now=at)
    mine = card(nurse.get(page(arrived)).text, "consent")
    assert re.search(r"Bea Nurse answered No at [\d:]+; yours, Yes, is the latest\.", mine)
    give_answers(run, {"consent": "yes"}, by=other, now=at)
    assert "is the latest" not in card(nurse.get(page(arrived)).text, "consent")


def test_a_failed_check_offers_its_steps_and_counts_down(nurse, arrived):
    run = make_passed_checklist(arrived, dehydration_signs=["postural-fall"])
    text = nurse.get(page(arrived)).text
    assert all(f">{label}</button>" in text for label in ("250 mL", "500 mL", "15 min", "30 min", "60 min"))
    assert "data-due" not in text
    text = step(nurse, run, kind="fluids", amount_ml="250").text
    noted = HoldStep.objects.get()
    assert (noted.kind, noted.amount_ml) == ("fluids", 250)
    assert f'data-due="{int(noted.recheck_at.timestamp())}"' in text
    assert "Fluids given: 250 mL" in words(text)
    assert "Fluids given: 250 mL" in words(nurse.get(reverse("checklists:run-detail", args=[run.public_id])).text)


def test_a_fluid_restriction_hides_the_amounts_until_the_prescriber_was_asked(nurse, arrived):
    arrived.patient.fluid_restriction_ml_per_day = 1200
    arrived.patient.save()
    run = make_passed_checklist(arrived, consent="no")
    text = nurse.get(page(arrived)).text
    assert ("Fluid restriction of 1200 mL a day." in text, "500 mL</button>" in text) == (True, False)
    refused = step(nurse, run, kind="fluids", amount_ml="500").text
    assert "ask the prescriber before giving fluids." in words(refused)
    assert not HoldStep.objects.exists()
    assert "500 mL</button>" in step(nurse, run, kind="called", note="Dr. Example: 250 mL").text


def test_no_infusion_today_leads_to_the_visit(nurse, arrived):
    run = make_passed_checklist(arrived, infection="yes")
    answer = step(nurse, run, kind="sent_home", note="Fever")
    assert answer.redirect_chain == [(reverse("scheduling:appointment-detail", args=[arrived.public_id]), 302)]
    assert "Now move or cancel the visit." in answer.text
    assert HoldStep.objects.get().note == "Fever"


def test_a_step_about_a_check_that_passed_says_that_it_is_over(nurse, arrived):
    run = make_passed_checklist(arrived)
    assert "nothing is left to decide" in step(nurse, run, kind="called").text
    assert "What is done about it" not in nurse.get(page(arrived)).text
    assert not HoldStep.objects.exists()


def test_the_second_check_offers_earlier_answers_by_one_tap(nurse, arrived, nurse_user):
    make_passed_checklist(arrived, systolic="185")
    nurse.post(reverse("checklists:checklist-start", args=[arrived.public_id]))
    second = PreInfusionChecklist.objects.get(status="open")
    text = nurse.get(page(arrived)).text
    assert re.search(r"Same as [\d:]+: 70 kg Confirm", card(text, "weight"))
    assert ["Same as" in card(text, code) for code in ("systolic", "identity-name", "intake-today")] == [False] * 3
    answer = confirm(nurse, second, "weight", headers=HTMX)
    kept = latest_answers(second)
    assert {code: (one.value, one.answered_by) for code, one in kept.items()} == {"weight": ("70", nurse_user)}
    assert "Same as" not in card(answer.text, "weight")
