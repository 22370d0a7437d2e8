"""The trail: what it shows, to whom, by which filters; and that looking at a patient's trail is itself recorded."""

import datetime as dt

import pytest
import time_machine

from infusion_center.audit import services as audit
from infusion_center.audit.models import AuditEvent
from infusion_center.audit.presenters import present
from patients.services import note_site
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db


def shown(client, query=""):
    return [sentence.event.action for sentence in client.get(f"/audit/{query}").context["events"]]


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
    assert shown(client, f"?mrn={patient.mrn.lower()}") == ["patient.amended", "order.drafted"]
    assert shown(client, "?action=staff") == ["staff.invited"]
    assert shown(client, "?day=2026-03-02") == ["order.drafted"]
    assert shown(client, "?day=2026-03-03") == ["staff.invited", "patient.amended"]


def test_trail_tells_about_an_unknown_mrn_and_one_of_another_site_alike(client_for, site):
    make_patient(site=make_site(), mrn="FAR-1")
    for mrn in ("NONE", "FAR-1"):
        page = client_for("manager").get(f"/audit/?mrn={mrn}").content.decode()
        assert "No patient of your sites has this MRN." in page


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
    assert not AuditEvent.objects.exists()


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
