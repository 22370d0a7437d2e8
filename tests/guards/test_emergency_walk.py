"""Every URL about one patient of another site while an emergency access is open: what it shows, and no more."""

import datetime as dt

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.checks import all_patterns
from patients.emergency_rules import OPEN_FOR
from patients.emergency_services import close_emergency_access
from patients.models import Patient
from tests.factories.emergency import make_access
from tests.factories.facility import make_site
from tests.guards.foreign import everything, scene
from tests.guards.test_foreign_site import REFUSED, TYPED

pytestmark = pytest.mark.django_db
# All that an emergency access opens. The chairside page leads on to the record as it is printed.
OPENS = {
    "patients:patient-detail",
    "patients:patient-facts",
    "orders:order-detail",
    "scheduling:appointment-list",
    "scheduling:appointment-detail",
    "doses:dose-detail",
    "doses:dose-print",
}
ABOUT_A_PATIENT = {"patient_id", "order_id", "appointment_id", "run_id", "reaction_id", "vial_id"}


def of(site) -> dict:
    known = scene(site)
    patient = Patient.objects.get(public_id=known["patient_id"])
    return known | {"patient": patient, "kind": "weights"}


@pytest.fixture
def theirs(site):
    return of(make_site())


def addresses(known) -> dict[str, str]:
    """(name, address) of each URL that names something of the patient."""
    found = {}
    for _, name, pattern in all_patterns():
        parts = set(pattern.pattern.converters)
        if parts & ABOUT_A_PATIENT and not name.startswith("admin:"):
            found[name] = reverse(name, kwargs={part: known.get(part, "none") for part in parts})
    return found


def opened(client, known) -> set[str]:
    """Which of them answer to looking; none ever answers to acting."""
    answers = {name: client.get(address).status_code for name, address in addresses(known).items()}
    acts = {name: client.post(address, TYPED).status_code for name, address in addresses(known).items()}
    assert {name: status for name, status in acts.items() if status not in REFUSED} == {}
    return {name for name, status in answers.items() if status not in REFUSED}


@pytest.mark.parametrize("role", ["nurse", "pharmacist", "manager"])
def test_an_open_access_opens_these_pages_of_that_patient_and_writes_nothing(client_for, staff, theirs, role):
    other, client, user = of(make_site()), client_for(role), staff[role]
    assert opened(client, theirs) == set()
    access = make_access(patient=theirs["patient"], user=user)
    before = everything()
    told = len(before.pop("AuditEvent"))
    assert (opened(client, theirs), opened(client, other)) == (OPENS, set())
    after = everything()
    events = after.pop("AuditEvent")[told:]
    assert after == before
    assert {row["detail"].get("emergency") for row in events} == {access.public_id}
    close_emergency_access(access=access, by=user)
    assert opened(client, theirs) == set()


def test_after_the_hour_everything_is_shut(client_for, nurse_user, theirs):
    make_access(patient=theirs["patient"], user=nurse_user, opened_at=clock.now() - OPEN_FOR - dt.timedelta(seconds=1))
    assert opened(client_for("nurse"), theirs) == set()
    assert not AuditEvent.objects.filter(action="chart.opened").exists()


def test_a_colleagues_access_opens_nothing(client_for, pharmacist, theirs):
    make_access(patient=theirs["patient"], user=pharmacist)
    assert opened(client_for("nurse"), theirs) == set()


def test_each_page_inside_shows_the_banner(client_for, nurse_user, theirs):
    make_access(patient=theirs["patient"], user=nurse_user)
    client, pages = client_for("nurse"), addresses(theirs)
    banner = 'class="emergency-access" role="alert"'
    assert [name for name in OPENS if banner not in client.get(pages[name], follow=True).text] == []
