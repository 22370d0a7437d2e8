"""What is recorded of pages without their doing: lists by a number, polls seldom, refusals but not without end."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from infusion_center.accounts.models import SharedTablet
from infusion_center.audit.models import AuditEvent
from infusion_center.audit.page_events import MOST_REFUSALS
from infusion_center.core import clock
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from tests.factories.accounts import client_at_tablet, make_tablet
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
BOARD, FRAGMENT = "/board/", "/board/now/"
# At noon in New York, where the visits of these tests are.
NOON = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)


@pytest.fixture
def noon():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def events(action: str) -> list[dict]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk").values_list("detail", flat=True))


def test_the_board_leaves_one_event_with_the_number_of_what_it_shows(noon, client_for, site):
    for _ in range(2):
        make_appointment(site=site, start=clock.now() + dt.timedelta(hours=1))
    client_for("scheduler").get(BOARD)
    event = AuditEvent.objects.get(action="list.opened")
    assert (event.site_id, event.patient_id, event.detail) == (site.public_id, "", {"what": "the board", "count": 2})


def test_polls_of_an_open_board_are_noted_once_a_quarter_of_an_hour(noon, client_for, site):
    make_appointment(site=site, start=clock.now() + dt.timedelta(hours=1))
    client = client_for("scheduler")
    client.get(BOARD)
    written = []
    for _ in range(40):
        noon.shift(dt.timedelta(minutes=1))
        assert client.get(FRAGMENT, headers={"HX-Request": "true"}).status_code == 200
        written.append(len(events("list.opened")))
    assert written == [1] * 14 + [2] * 15 + [3] * 11


def test_what_is_asked_while_a_visit_is_dragged_is_a_part_of_the_board(noon, client_for, site):
    visit = make_appointment(site=site, start=clock.now() + dt.timedelta(hours=1))
    client, place = client_for("scheduler"), {"quarter": clock.quarter_of(visit.start), "chair": visit.chair.public_id}
    address = reverse("scheduling:move-preview", args=[visit.public_id])
    for _ in range(2):
        assert client.get(address, place | {"brief": "1"}, headers={"HX-Request": "true"}).status_code == 200
    client.get(address, place, headers={"HX-Request": "true"})
    told = AuditEvent.objects.order_by("pk").values_list("action", "detail__what")
    assert list(told) == [("list.opened", "the board"), ("chart.opened", "visit")]


def test_looking_at_the_board_is_no_change_of_it(noon, client_for, site):
    make_appointment(site=site, start=clock.now() + dt.timedelta(hours=1))
    client = client_for("scheduler")
    version = client.get(BOARD).context["version"]
    assert client.get(FRAGMENT, {"seen": version}).status_code == 204


def test_a_search_leaves_its_own_event_and_no_second_one(client_for, site):
    patient = make_patient()
    client_for("nurse").post("/patients/", {"q": patient.family_name}, follow=True)
    assert list(AuditEvent.objects.values_list("action", flat=True)) == ["patient.searched"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_id_of_another_site_is_a_refusal_in_the_trail(client_for, method):
    visit = make_appointment(site=make_site())
    answer = getattr(client_for("scheduler"), method)(reverse("scheduling:appointment-cancel", args=[visit.public_id]))
    assert (answer.status_code, Appointment.objects.get().state) == (404, visit.state)
    event = AuditEvent.objects.get()
    assert (event.action, event.patient_id, event.detail) == (
        "access.denied",
        "",
        {
            "page": "scheduling:appointment-cancel",
            "status": 404,
            "method": method.upper(),
            "objects": [visit.public_id],
        },
    )


def test_a_page_without_the_permission_is_a_refusal_about_the_patient(client_for):
    patient = make_patient()
    assert client_for("nurse").get(f"/patients/{patient.public_id}/trail/").status_code == 403
    assert list(AuditEvent.objects.values_list("action", "patient_id")) == [("access.denied", patient.public_id)]


def test_refusals_without_end_do_not_fill_the_trail(noon, client_for):
    client = client_for("nurse")
    for _ in range(MOST_REFUSALS + 5):
        client.get("/audit/")
    assert len(events("access.denied")) == MOST_REFUSALS
    noon.shift(dt.timedelta(minutes=16))
    client.get("/audit/")
    assert len(events("access.denied")) == MOST_REFUSALS + 1


def test_odd_words_in_an_address_are_not_kept(client_for):
    client = client_for("scheduler")
    for odd in ("<script>", "a" * 300, "Anna Muster", "' OR 1=1 --"):
        client.get(f"/appointments/{odd}/")
    assert (events("access.denied"), InfusionOrder.objects.count()) == ([], 0)


def test_the_device_is_the_shared_tablet_or_the_browser(client_for, nurse_user):
    tablet = make_tablet(by=nurse_user, name="Chair 4")
    at_tablet, at_desk = client_at_tablet(), client_for("nurse")
    at_tablet.post("/accounts/login/", {"login": nurse_user.email, "password": "correct horse battery"})
    at_desk.get(f"/patients/{make_patient().public_id}/trail/", headers={"User-Agent": FIREFOX})
    devices = dict(AuditEvent.objects.order_by("pk").values_list("action", "device"))
    assert (devices["staff.signed_in"], devices["access.denied"]) == (
        f"Chair 4 ({tablet.public_id})",
        "Firefox 128, Windows",
    )
    assert SharedTablet.objects.count() == 1


FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
