"""From the empty search to the closed chart and the manager's review, by the pages."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from infusion_center.accounts.roles import Role
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from patients.emergency_forms import found_token
from patients.emergency_models import EmergencyAccess
from patients.emergency_rules import OPEN_FOR
from tests.factories.accounts import force_login, make_staff
from tests.factories.emergency import WORDS, make_access
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
FIND, OPEN = reverse("patients:emergency-find"), reverse("patients:emergency-open")
ANSWER = {"kind": "here", "reason": WORDS, "confirmed": "on"}


@pytest.fixture
def far_site(site):
    return make_site()


@pytest.fixture
def patient(far_site):
    return make_patient(site=far_site, family_name="Faraway", mrn="FAR-77")


@pytest.fixture
def client(client_for):
    return client_for("nurse")


def chart(patient) -> str:
    return patient.get_absolute_url()


def test_empty_search_and_emergency_page_lead_there_whoever_may(client, client_for, patient):
    search, words = reverse("patients:patient-list"), {"q": "Faraway"}
    pages = [client.post(search, words, follow=True), client.get(reverse("emergency"))]
    assert [FIND in page.text for page in pages] == [True, True]
    assert FIND not in client_for("scheduler").post(search, words, follow=True).text
    assert client_for("scheduler").get(FIND).status_code == 403


def test_chart_opens_after_finding_saying_why_and_confirming(client, patient, nurse_user):
    page = client.post(FIND, {"mrn": "far-77"})
    assert client.get(chart(patient)).status_code == 404  # found is not open
    token = page.context["form"]["found"].value()
    refused = client.post(OPEN, {"found": token, "kind": "here", "reason": "short"})
    assert ("The chart is not open yet" in refused.text, EmergencyAccess.objects.count()) == (True, 0)
    answer = client.post(OPEN, {"found": token, **ANSWER})
    assert (answer.status_code, answer.url) == (302, chart(patient))
    access = EmergencyAccess.objects.get()
    assert (access.patient, access.user, access.kind, access.reason) == (patient, nurse_user, "here", WORDS)
    text = client.get(chart(patient)).text
    banner = re.search(r'<section class="emergency-access" role="alert".*?</section>', text, re.DOTALL)[0]
    assert [part for part in ("60 minutes left", WORDS, "Close this access", "Extend") if part not in banner] == []
    again = client.post(OPEN, {"found": token, **ANSWER})  # pressed twice
    assert (again.url, EmergencyAccess.objects.count()) == (chart(patient), 1)


def test_before_the_reason_nobody_learns_all_that_identifies_a_patient(client, patient):
    born = patient.date_of_birth
    for typed, shown in (
        ({"mrn": "far-77"}, {"name": True, "mrn": True, "birthday": False}),
        ({"family_name": "faraway", "date_of_birth": born}, {"name": True, "mrn": False, "birthday": True}),
    ):
        page = client.post(FIND, typed)
        again = client.post(OPEN, {"found": page.context["form"]["found"].value(), "kind": "here", "reason": "short"})
        for text in (page.text, again.text):
            parts = {"name": patient.name, "mrn": patient.mrn, "birthday": f"{born:%d-%b-%Y}"}
            assert {what: part in text for what, part in parts.items()} == shown


def test_wrong_tries_are_counted_down_and_then_refused(client, patient):
    left = [client.post(FIND, {"mrn": "WRONG"}).context["tries_left"] for _ in range(5)]
    last = client.post(FIND, {"mrn": patient.mrn})
    assert left == [4, 3, 2, 1, 0]
    assert ("no more now" in last.text, "Faraway" in last.text) == (True, False)


def test_ids_and_tokens_of_others_open_nothing(client, patient, pharmacist):
    hers = found_token(patient, pharmacist, by_mrn=True)
    for token in (patient.public_id, "", hers, hers[:-1]):
        assert client.post(OPEN, {"found": token, **ANSWER}).url == FIND
    assert EmergencyAccess.objects.count() == 0


def test_a_token_of_a_while_ago_opens_nothing(client, patient, nurse_user, time_machine):
    start = clock.now()
    time_machine.move_to(start)
    token = found_token(patient, nurse_user, by_mrn=True)
    time_machine.move_to(start + dt.timedelta(seconds=601))
    assert client.post(OPEN, {"found": token, **ANSWER}).url == FIND
    assert EmergencyAccess.objects.count() == 0


def test_close_shuts_the_chart_at_once(client, patient, nurse_user):
    access = make_access(patient=patient, user=nurse_user)
    assert client.get(chart(patient)).status_code == 200
    assert client.post(reverse("patients:emergency-close", args=[access.public_id])).url == FIND
    assert client.get(chart(patient)).status_code == 404


def test_extend_asks_for_another_reason(client, patient, nurse_user):
    access = make_access(patient=patient, user=nurse_user)
    address = reverse("patients:emergency-extend", args=[access.public_id])
    assert "Nothing was extended" in client.post(address, {"kind": "here", "reason": "more"}).text
    assert client.post(address, {"kind": "here", "reason": "Still waits for the ambulance"}).url == chart(patient)
    text = client.get(chart(patient)).text
    assert ("120 minutes left" in text, address in text) == (True, False)


def test_other_peoples_accesses_are_not_there(client, patient, pharmacist):
    access = make_access(patient=patient, user=pharmacist)
    for name in ("extend", "close"):
        assert client.post(reverse(f"patients:emergency-{name}", args=[access.public_id])).status_code == 404
    access.refresh_from_db()
    assert access.closed_at is None


def test_pages_offer_nothing_to_change(client, patient, nurse_user):
    make_access(patient=patient, user=nurse_user)
    text = client.get(chart(patient)).text
    linked = set(re.findall(rf'"(/(?:patients|orders)/{patient.public_id}/[^"]*|/orders/[^"]*)"', text))
    assert linked - {chart(patient)} == {reverse("patients:patient-facts", args=[patient.public_id])} | (
        linked & {reverse("orders:order-list")}
    )


def test_each_page_is_marked_in_the_trail(client, patient, nurse_user):
    access = make_access(patient=patient, user=nurse_user)
    client.get(chart(patient))
    client.get(reverse("patients:patient-facts", args=[patient.public_id]))
    events = AuditEvent.objects.about_patient(patient).order_by("id").values_list("action", "detail")
    assert list(events) == [
        ("chart.opened", {"what": "chart", "emergency": access.public_id}),
        ("chart.opened", {"what": "facts", "emergency": access.public_id}),
    ]


def test_managers_see_count_and_list_and_review(client, client_for, patient, nurse_user, manager):
    access = make_access(patient=patient, user=nurse_user)
    client.get(chart(patient))
    boss = client_for("manager")
    assert "1<span" in boss.get(reverse("patients:emergency-count")).text
    rows = boss.get(reverse("patients:emergency-list"))
    assert [row.public_id for row in rows.context["page"]] == [access.public_id]
    address = reverse("patients:emergency-detail", args=[access.public_id])
    assert [line.text for line in boss.get(address).context["events"]] == ["opened chart"]
    assert boss.post(address, {"note": "She had collapsed here."}).url == reverse("patients:emergency-list")
    access.refresh_from_db()
    assert (access.reviewed_by, access.review_note) == (manager, "She had collapsed here.")
    assert boss.get(reverse("patients:emergency-count")).text.strip() == ""


def test_the_name_is_for_managers_of_the_patients_site_only(client_for, patient, far_site, nurse_user):
    access = make_access(patient=patient, user=nurse_user)
    pages = [reverse("patients:emergency-list"), reverse("patients:emergency-detail", args=[access.public_id])]
    assert ["Faraway" in client_for("manager").get(page).text for page in pages] == [False, False]
    theirs = make_staff(role=Role.MANAGER, site=far_site)
    client = client_for("manager")
    force_login(client, theirs)
    assert ["Faraway" in client.get(page).text for page in pages] == [True, True]


def test_where_nobody_could_be_told_the_pages_say_so(client_for, patient, manager):
    access = make_access(patient=patient, user=manager)  # the only manager there is: no notice
    client = client_for("manager")
    assert "Nobody told" in client.get(reverse("patients:emergency-list")).text
    page = client.get(reverse("patients:emergency-detail", args=[access.public_id])).text
    assert "nobody: there is no other manager" in page


def test_managers_of_other_sites_see_nothing(client_for, patient, nurse_user):
    access = make_access(patient=patient, user=nurse_user)
    client = client_for("manager")
    force_login(client, make_staff(role=Role.MANAGER, site=make_site()))
    assert list(client.get(reverse("patients:emergency-list") + "?all=1").context["page"]) == []
    assert client.get(reverse("patients:emergency-detail", args=[access.public_id])).status_code == 404


def test_ones_own_access_cannot_be_reviewed_on_the_page(client_for, patient, manager):
    access = make_access(patient=patient, user=manager)
    address = reverse("patients:emergency-detail", args=[access.public_id])
    client = client_for("manager")
    assert "another manager has to review it" in client.get(address).text
    client.post(address, {"note": "I was right"})
    access.refresh_from_db()
    assert access.reviewed_at is None


def test_an_access_that_is_over_opens_nothing(client, patient, nurse_user):
    make_access(patient=patient, user=nurse_user, opened_at=clock.now() - OPEN_FOR)
    assert client.get(chart(patient)).status_code == 404
