"""The second check as the site sets it: what it covers, what is kept of it, and a colleague at her own tablet."""

import pytest
from django.urls import reverse

from infusion_center.core.rules import RuleViolation
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.rules import start_problems
from infusions.doses.running import record_version
from infusions.doses.services import second_check, start_infusion
from infusions.facility.models import Nurse
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_nurse
from tests.infusions.doses.conftest import NOON

CONTENT = {
    "product": "{product}: 20 g, lot LOT1, expires 23-Nov-2027; 10 g, lot LOT1, expires 23-Nov-2027",
    "dose": "30 g (300 mL) for {patient}",
    "rate": "21, 42, 84, 168, 336 mL/h, never above 336 mL/h",
}
UNCHECKED = {"second_check_by": None, "second_check_at": None}


@pytest.fixture
def nurse(nurse_user, site) -> Nurse:
    return make_nurse(user=nurse_user, site=site)


@pytest.fixture
def unchecked(visit):
    return make_dose_record(visit, state=DoseState.PREPARING, **UNCHECKED)


def set_parts(site, *parts):
    site.second_check = list(parts)
    site.save()


@pytest.mark.parametrize("parts", [("product", "dose", "rate"), ("dose",)])
def test_the_record_keeps_what_the_second_person_checked(unchecked, site, colleague, parts):
    set_parts(site, *parts)
    second_check(record=DoseRecord.objects.get(pk=unchecked.pk), by=colleague)
    names = {"product": str(unchecked.product), "patient": unchecked.patient.full_legal_name}
    unchecked.refresh_from_db()
    assert unchecked.second_checked == {part: CONTENT[part].format(**names) for part in parts}


def test_a_site_that_wants_no_second_check_starts_without(unchecked, site, nurse_user):
    set_parts(site)
    start_infusion(record=DoseRecord.objects.get(pk=unchecked.pk), by=nurse_user, now=NOON)
    unchecked.refresh_from_db()
    assert (unchecked.state, unchecked.second_check_by, unchecked.second_checked) == ("infusing", None, None)


def test_what_is_missing_is_named_as_the_site_sets_it(unchecked, site, nurse_user):
    set_parts(site, "dose", "rate")
    problems = start_problems(DoseRecord.objects.get(pk=unchecked.pk), by=nurse_user, now=NOON)
    assert [one.message for one in problems if one.code == "second-check-missing"] == [
        "A second person has not checked dose and rates."
    ]


def own(visit) -> str:
    return reverse("doses:second-check-own", args=[visit.public_id])


def test_a_colleague_checks_from_her_own_tablet_with_one_press(unchecked, visit, nurse, client_for):
    """Vials were added by the visit's nurse; whoever is signed in here is somebody else."""
    client = client_for("nurse")
    page = client.get(reverse("doses:dose-detail", args=[visit.public_id])).content.decode()
    assert "I have checked it with my own eyes" in page
    client.post(own(visit), {"seen": record_version(unchecked)})
    unchecked.refresh_from_db()
    assert unchecked.second_check_by == nurse.user


def test_whoever_added_the_vials_is_not_offered_the_own_check(visit, nurse, client_for):
    record = make_dose_record(visit, state=DoseState.PREPARING, by=nurse.user, **UNCHECKED)
    client = client_for("nurse")
    page = client.get(reverse("doses:dose-detail", args=[visit.public_id])).content.decode()
    assert "I have checked it with my own eyes" not in page
    client.post(own(visit), {"seen": record_version(record)})
    record.refresh_from_db()
    assert record.second_check_by is None


@pytest.mark.parametrize("seen", ["", "preparing-"])
def test_a_check_of_other_vials_than_those_on_the_page_is_refused(unchecked, visit, nurse, client_for, seen):
    client_for("nurse").post(own(visit), {"seen": seen})
    unchecked.refresh_from_db()
    assert unchecked.second_check_by is None


def test_an_empty_list_asks_for_no_check_on_the_page(unchecked, visit, site, nurse, client_for):
    set_parts(site)
    page = client_for("nurse").get(reverse("doses:dose-detail", args=[visit.public_id])).content.decode()
    assert "Second check" not in page
    assert "Start at 21 mL/h" in page


def test_nobody_checks_after_the_start(make_visit, colleague):
    record = make_dose_record(make_visit(state="in_progress"), **UNCHECKED)
    with pytest.raises(RuleViolation) as refused:
        second_check(record=record, by=colleague)
    assert "already-started" in refused.value.codes
