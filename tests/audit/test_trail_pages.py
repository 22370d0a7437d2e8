"""The trail: what it shows, to whom, by which filters; and that looking at a patient's trail is itself recorded."""

import datetime as dt
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from infusion_center.audit import services as audit
from infusion_center.audit.models import AuditEvent
from infusion_center.audit.presenters import present
from patients.services import note_site
from patients.site_models import PatientSite
from tests.audit.tampering import EVENTS, tamper, verified
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db


def shown(client, query="", **typed):
    """Actions on the page, as asked by address, or by what is typed into the form; without what the pages left."""
    page = client.post("/audit/", typed, follow=True) if typed else client.get(f"/audit/{query}")
    return [sentence.event.action for sentence in page.context["events"] if sentence.event.action != "list.opened"]


def test_trail_filters_by_person_patient_kind_and_local_day(client_for, manager, nurse_user, site):
    patient = make_patient()
    with time_machine.travel(dt.datetime(2026, 3, 3, 3, 30, tzinfo=dt.UTC), tick=False):  # 22:30 the day before
        audit.record("order.drafted", patient, by=nurse_user, patient=patient, site=site)
    with time_machine.travel(dt.datetime(2026, 3, 3, 15, 0, tzinfo=dt.UTC), tick=False):
        audit.record("patient.amended", patient, by=manager, patient=patient)
        audit.record("staff.invited", nurse_user, by=manager)
    client = client_for("manager")
    assert shown(client) == ["staff.invited", "patient.amended", "order.drafted"]
    assert shown(client, f"?person={nurse_user.public_id}") == ["order.drafted"]
    assert shown(client, mrn=patient.mrn.lower()) == ["patient.amended", "order.drafted"]
    assert shown(client, mrn=patient.mrn, action="patient") == ["patient.amended"]
    assert shown(client, "?action=staff") == ["staff.invited"]
    assert shown(client, "?day=2026-03-02") == ["order.drafted"]
    assert shown(client, "?day=2026-03-03") == ["staff.invited", "patient.amended"]


def test_trail_tells_about_an_unknown_mrn_and_one_of_another_site_alike(client_for, site):
    far, client = make_patient(site=make_site(), mrn="FAR-1"), client_for("manager")
    for answer in (
        *(client.post("/audit/", {"mrn": mrn}) for mrn in ("NONE", far.mrn)),
        *(client.get(f"/audit/?patient={known}") for known in ("zzzzzzzzzzzzzz", far.public_id)),
    ):
        assert "No patient of your sites has this MRN." in answer.content.decode()


def test_a_patients_number_stands_in_no_address(client_for, site):
    patient = make_patient()
    answer = client_for("manager").post("/audit/", {"mrn": patient.mrn, "sort": "user"})
    assert (answer.status_code, answer.url) == (302, f"/audit/?sort=user&patient={patient.public_id}")


def test_events_of_foreign_sites_are_not_shown(client_for, manager):
    other = make_site()
    patient, stranger = make_patient(site=other), make_staff(site=other, full_name="Far Away")
    audit.record("appointment.booked", manager, by=manager, site=other)
    audit.record("patient.amended", patient, by=stranger, patient=patient)
    audit.record("staff.invited", stranger, by=stranger)
    client = client_for("manager")
    assert shown(client) == []
    assert client.get(f"/patients/{patient.public_id}/trail/").status_code == 404
    assert "Far Away" not in client.get("/audit/").content.decode()


def test_that_a_further_site_treats_a_patient_is_told_at_all_his_sites(client_for, scheduler):
    patient, other = make_patient(), make_site()
    note_site(patient=patient, site=other, by=make_staff(site=other), why="treat-here")
    assert shown(client_for("manager"), "?action=patient") == ["patient.site_added"]


def test_patient_trail_shows_the_patients_events_and_records_the_look(client_for, manager):
    patient, other = make_patient(), make_patient()
    audit.record("patient.amended", patient, by=manager, patient=patient)
    audit.record("patient.amended", other, by=manager, patient=other)
    page = client_for("manager").get(f"/patients/{patient.public_id}/trail/")
    assert [sentence.event.action for sentence in page.context["events"]] == ["chart.opened", "patient.amended"]
    assert AuditEvent.objects.filter(action="chart.opened", patient_id=patient.public_id).count() == 1


@pytest.mark.parametrize("role", ["scheduler", "nurse", "pharmacist"])
def test_only_managers_read_the_trail(client_for, role):
    client, patient = client_for(role), make_patient()
    assert client.get("/audit/").status_code == 403
    assert client.get(f"/patients/{patient.public_id}/trail/").status_code == 403
    assert {event.action for event in AuditEvent.objects.all()} == {"access.denied"}


def test_trail_costs_the_same_for_any_number_of_events(client_for, manager, django_assert_max_num_queries):
    for _ in range(60):
        audit.record("staff.invited", manager, by=manager)
    client = client_for("manager")
    with django_assert_max_num_queries(14):
        client.get("/audit/?page=2")


def test_present_says_known_actions_as_sentences(manager):
    event = audit.record("staff.roles_changed", manager, by=manager, given=["nurse"], taken=[])
    sentence = present(event)
    assert (sentence.actor, sentence.text, sentence.details) == (
        manager.full_name,
        f"changed the roles of {manager.full_name}",
        [("given", "nurse")],
    )


def test_present_reads_unknown_actions_from_their_words(manager):
    assert present(audit.record("dose.signed", manager, by=manager)).text == "signed the dose record"


# Of each sort: which column the page is in order of.
COLUMN = {"date": "at", "patient": "patient_id", "user": "actor_name", "action": "action"}


@pytest.mark.parametrize("sort", COLUMN)
def test_trail_can_be_sorted(client_for, manager, nurse_user, sort):
    patients = [make_patient() for _ in range(3)]
    for number in range(9):
        person = (manager, nurse_user)[number % 2]
        audit.record(("order.signed", "dose.started")[number % 3 > 0], person, by=person, patient=patients[number % 3])
    page = client_for("manager").get(f"/audit/?sort={sort}")
    keys = [getattr(sentence.event, COLUMN[sort]) for sentence in page.context["events"] if sentence.event.patient_id]
    assert (len(keys), keys) == (9, sorted(keys, reverse=sort == "date"))


@pytest.mark.parametrize("sort", ["actor_name", "-at", "id; DROP TABLE x", "pk"])
def test_no_other_name_sorts(client_for, manager, sort):
    audit.record("staff.invited", manager, by=manager)
    page = client_for("manager").get("/audit/", {"sort": sort})
    assert ("sort" in page.context["form"].errors, shown(client_for("manager"))) == (True, ["staff.invited"])


def test_later_pages_show_what_the_first_had_seen(client_for, manager):
    for _ in range(70):
        audit.record("staff.invited", manager, by=manager)
    client = client_for("manager")
    first = client.get("/audit/")
    for _ in range(30):
        audit.record("staff.amended", manager, by=manager)
    second = client.get(f"/audit/?page=2&upto={first.wsgi_request.GET['upto']}")
    events = [sentence.event for answer in (first, second) for sentence in answer.context["events"]]
    assert ({event.action for event in events}, len({event.pk for event in events})) == ({"staff.invited"}, 70)


def test_trail_filters_by_device(client_for, manager):
    client = client_for("manager")
    client.get("/chairs/x/edit/", headers={"User-Agent": "curl/8.1"})
    client.get(f"/patients/{make_patient().public_id}/trail/", headers={"User-Agent": "Firefox/128 Windows"})
    assert shown(client, "?device=firefox") == ["chart.opened"]
    assert shown(client, "?device=%25") == []


def test_events_about_patients_of_other_sites_are_not_shown_but_refusals_are(client_for, manager, site):
    other = make_patient()
    PatientSite.objects.all().delete()
    audit.record("patient.amended", other, by=manager, patient=other)
    client = client_for("manager")
    assert client.get(f"/patients/{other.public_id}/trail/").status_code == 404
    assert shown(client) == ["access.denied"]


def test_the_page_says_how_far_the_trail_is_sealed_and_that_a_check_failed(client_for, manager):
    client = client_for("manager")
    assert "Nothing is sealed yet." in client.get("/audit/").content.decode()
    event = audit.record("staff.invited", manager, by=manager)
    call_command("verify_audit", stdout=StringIO())
    whole = client.get("/audit/").content.decode()
    tamper(f"UPDATE {EVENTS} SET actor_name = 'x' WHERE id = {event.pk}")
    verified()
    changed = client.get("/audit/").content.decode()
    told = "The last check of the audit trail found one fault."
    assert ("Sealed up to" in whole, ": whole." in whole, told in whole, told in changed) == (True, True, False, True)
