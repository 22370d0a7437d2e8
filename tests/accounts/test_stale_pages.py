"""Pages of the person before: whatever they send after a change of person is refused, and attributed to nobody."""

import re

import pytest
from django.test import Client

from infusion_center.audit.models import AuditEvent
from infusions.checklists.models import ChecklistAnswer
from infusions.scheduling.states import State
from tests.factories.accounts import PIN, client_at_tablet, sign_in
from tests.factories.checklists import make_open_checklist
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
CHANGED = "The person at this tablet changed since this page was opened. Nothing was saved."


def token_in(page) -> str:
    return re.search(r'"x-csrftoken": "(\w+)"', page.content.decode()).group(1)


def sign_in_strictly(client, user):
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/accounts/login/").content.decode()).group(1)
    client.post(
        "/accounts/login/", {"login": user.email, "password": "correct horse battery", "csrfmiddlewaretoken": token}
    )


@pytest.fixture
def run(tablet, site):
    return make_open_checklist(make_appointment(site=site, state=State.ARRIVED))


@pytest.fixture
def strict(tablet, bea):
    """The tablet's browser as browsers are: without the token of the session nothing is taken."""
    sign_in(client_at_tablet(), bea)
    return client_at_tablet(enforce_csrf_checks=True)


@pytest.fixture
def page_of_ann(strict, run, ann, bea):
    """Opened by Ann; since then Bea is at the tablet."""
    sign_in_strictly(strict, ann)
    page = strict.get(f"/appointments/{run.appointment.public_id}/checklist/")
    answer = strict.post("/lock/unlock/", {"person": bea.public_id, "pin": PIN, "csrfmiddlewaretoken": token_in(page)})
    assert (answer.url, strict.session["_auth_user_id"]) == ("/tablet/", str(bea.pk))
    return page


def test_a_form_of_the_page_before_saves_nothing_for_either(strict, page_of_ann, run):
    form = re.search(r'action="([^"]+)"[^>]*data-checklist', page_of_ann.content.decode()).group(1)
    response = strict.post(form, {"consent": "yes", "csrfmiddlewaretoken": token_in(page_of_ann)})
    assert (response.status_code, CHANGED in response.content.decode()) == (403, True)
    assert (ChecklistAnswer.objects.count(), AuditEvent.objects.latest("pk").action) == (0, "access.denied")


def test_an_answer_of_the_page_before_saves_nothing_for_either(strict, page_of_ann, run):
    before = AuditEvent.objects.count()
    address = re.search(r'hx-post="([^"]+consent/)"', page_of_ann.content.decode()).group(1)
    headers = {"HX-Request": "true", "X-CSRFToken": token_in(page_of_ann)}
    response = strict.post(address, {"consent": "yes"}, headers=headers)
    assert (response.status_code, response.content.decode(), response["X-Person-Changed"]) == (403, CHANGED, "1")
    assert (ChecklistAnswer.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_a_page_of_the_person_before_gets_no_news_either(at_tablet, ann, bea):
    """Else a fragment would bring it the token of the person who is there now."""
    poll = {"HX-Request": "true", "X-Person": ann.public_id}
    assert at_tablet.get("/tablet/", headers=poll).status_code == 200
    at_tablet.post("/lock/unlock/", {"person": bea.public_id, "pin": PIN})
    answer = at_tablet.get("/tablet/", headers=poll)
    assert (answer.status_code, answer.content.decode()) == (403, CHANGED)


def test_a_page_opened_anew_saves_under_the_person_who_is_there(strict, page_of_ann, run, bea):
    page = strict.get(f"/appointments/{run.appointment.public_id}/checklist/")
    address = re.search(r'hx-post="([^"]+consent/)"', page.content.decode()).group(1)
    headers = {"HX-Request": "true", "X-CSRFToken": token_in(page), "X-Person": bea.public_id}
    assert strict.post(address, {"consent": "yes"}, headers=headers).status_code == 200
    assert ChecklistAnswer.objects.get().answered_by == bea


def test_elsewhere_an_old_form_is_told_to_be_sent_again():
    page = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x@example.org"})
    assert (page.status_code, "Please send it again" in page.content.decode()) == (403, True)
