"""The trail as a file: the same events as the page, each with its place in the chain, for who proved himself."""

import csv
import io
import json

import pytest
from django.test import Client

from infusion_center.audit import macs
from infusion_center.audit import services as audit
from infusion_center.audit.models import AuditEvent, AuditLink
from infusion_center.audit.sealing import seal_pending
from tests.factories.accounts import force_login
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
CSV, LINES = "/audit/trail.csv", "/audit/trail.jsonl"


def text_of(answer) -> str:
    assert answer.status_code == 200
    return b"".join(answer).decode()


def test_json_lines_hold_all_that_the_chain_vouches_for(client_for, manager):
    patient = make_patient()
    audit.record("order.signed", patient, by=manager, patient=patient, changed=["dose"])
    seal_pending()
    answer = client_for("manager").get(LINES)
    first, last = map(json.loads, text_of(answer).splitlines())
    link, event = AuditLink.objects.get(), AuditEvent.objects.order_by("pk").first()
    assert list(first) == ["position", "digest", "id", *macs.SEALED, "mac"]
    assert (first["position"], first["digest"], first["id"], first["detail"]) == (
        1, link.digest, event.pk, {"changed": ["dose"]},
    )  # fmt: skip
    assert (last["position"], last["action"], last["detail"]) == (
        None, "audit.exported", {"format": "jsonl", "filters": []},
    )  # fmt: skip
    assert "attachment" in answer.headers["Content-Disposition"]


def test_no_cell_of_the_csv_file_is_a_formula(client_for, manager):
    manager.full_name = '=HYPERLINK("http://example.org")'
    audit.record("staff.invited", manager, by=manager)
    rows = list(csv.DictReader(io.StringIO(text_of(client_for("manager").get(CSV)).lstrip("\ufeff"))))
    assert rows[0]["actor_name"] == '\'=HYPERLINK("http://example.org")'
    assert [row["action"] for row in rows] == ["staff.invited", "audit.exported"]


def test_a_file_holds_what_the_filters_show_and_no_other_site(client_for, manager, nurse_user):
    patient = make_patient()
    audit.record("order.signed", patient, by=manager, patient=patient)
    audit.record("order.held", patient, by=nurse_user, patient=patient)
    audit.record("order.signed", manager, by=manager, site=make_site())
    client = client_for("manager")
    file = text_of(client.get(LINES, {"person": manager.public_id, "action": "order"}))
    assert [json.loads(line)["action"] for line in file.splitlines()] == ["order.signed"]
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.detail["filters"]) == ("audit.exported", ["action", "person"])


def test_a_patients_file_is_recorded_about_him(client_for):
    patient = make_patient()
    text_of(client_for("manager").get(CSV, {"patient": patient.public_id}))
    assert list(AuditEvent.objects.values_list("action", "patient_id")) == [("audit.exported", patient.public_id)]


def test_who_did_not_just_prove_himself_gets_no_file(staff):
    client = Client()
    force_login(client, staff["manager"], proven=False)
    assert client.get(CSV).status_code == 302
    assert not AuditEvent.objects.filter(action="audit.exported").exists()


@pytest.mark.parametrize(
    "address", ["/audit/trail.xml", "/audit/trail.csv?patient=zzzzzzzzzzzzzz", "/audit/trail.csv?day=x"]
)
def test_other_files_do_not_exist(client_for, address):
    assert client_for("manager").get(address).status_code == 404
    assert not AuditEvent.objects.filter(action="audit.exported").exists()
