"""Whatever page shows a patient, the trail says who looked: every URL, asked as one who may, and its answer read."""

import datetime as dt
import inspect

import pytest
from django.db import transaction
from django.urls import reverse

from infusion_center.accounts.roles import ROLE_PERMISSIONS, Role
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.checks import access_rule
from infusion_center.core.searching import seal, typed
from infusions.scheduling.states import State
from infusions.scheduling.work_lists import LISTS
from patients.models import Patient
from tests.factories.orders import make_order
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry
from tests.guards.foreign import scene
from tests.guards.source import imports_of, modules
from tests.guards.test_access_rules import PATTERNS, arguments

pytestmark = [pytest.mark.django_db, pytest.mark.once]
# Events that speak of a list, by a number.
OF_MANY = {"list.opened", "report.downloaded", "patient.searched"}


@pytest.fixture
def known(site):
    """A working morning, an order to sign, somebody on the waitlist, a reminder, a visit to come and one cancelled."""
    found = scene(site)
    soon = clock.now() + dt.timedelta(hours=20)
    visit = make_appointment(site=site, start=soon)
    make_appointment(site=site, start=soon + dt.timedelta(hours=3), state=State.CANCELLED)
    draft = make_order(status="draft", patient=visit.patient)
    return found | {
        "order_id": draft.public_id,
        "entry_id": make_entry(site=site).public_id,
        "reminder_id": make_reminder(appointment=visit).public_id,
        "nurse_id": visit.nurse.public_id,
        "chair_id": visit.chair.public_id,
        "day": soon.date().isoformat(),
    }


def addresses(known) -> list[tuple[str, str]]:
    """(name, address), each URL once and once for each kind of object or list that it can be about."""
    found = [(name, reverse(name, kwargs=arguments(pattern, known))) for name, pattern in PATTERNS.items()]
    found += [(name, reverse(name, args=[known["waiting"]])) for name in ABOUT_WAITING]
    found += [("doses:my-patients", reverse("doses:my-patients") + "?all=1")]
    found += [("scheduling:work-list", reverse("scheduling:work-list", args=[one.slug])) for one in LISTS if one.rows]
    found += [("scheduling:board", f"{reverse('scheduling:board')}?view={view}") for view in ("list", "week", "nurses")]
    return found


ABOUT_WAITING = ("checklists:checklist-detail", "scheduling:appointment-detail", "scheduling:appointment-move")


def is_shown(patient: Patient, page: str) -> bool:
    return patient.mrn in page or patient.family_name in page


def searches(view) -> bool:
    """Whether the page finds by words that its address holds sealed: it calls core.searching.typed."""
    return f"{typed.__name__}(request" in inspect.getsource(inspect.unwrap(view))


def role_for(name: str) -> Role:
    rule = access_rule(PATTERNS[name])
    return next((role for role in Role if rule.permissions & ROLE_PERMISSIONS[role]), Role.NURSE)


class Walk:
    """One who may, asking page after page; and which of the answers showed a patient without a word in the trail."""

    def __init__(self, client_for):
        self.patients, self.client_for, self.clients, self.silent = list(Patient.objects.all()), client_for, {}, []

    def client_of(self, name: str):
        role = role_for(name)
        if role not in self.clients:
            self.clients[role] = self.client_for(role.value)
        return self.clients[role]

    def ask(self, name: str, send, address: str) -> None:
        last = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        answer = send(address)
        if answer.status_code != 200:
            return
        page = b"".join(answer).decode(errors="replace")
        shown = [patient.public_id for patient in self.patients if is_shown(patient, page)]
        events = AuditEvent.objects.filter(pk__gt=last)
        told = {event.patient_id for event in events} & set(shown) or {event.action for event in events} & OF_MANY
        if shown and not told:
            self.silent.append((name, len(shown), [event.action for event in events]))

    def was_told(self) -> None:
        assert not self.silent, "\n".join(map(str, self.silent))


def test_every_page_that_shows_a_patient_leaves_who_looked(client_for, known):
    walk = Walk(client_for)
    for name, address in addresses(known):
        walk.ask(name, walk.client_of(name).get, address)
    walk.was_told()


def test_every_search_that_shows_a_patient_leaves_who_looked(client_for, staff, known):
    walk = Walk(client_for)
    pages = [name for name, pattern in PATTERNS.items() if searches(pattern.callback)]
    assert set(pages) >= {"patients:patient-list", "reminders:reminder-list", "scheduling:walk-in"}
    for name in pages:
        words = seal(walk.patients[0].family_name, whose=staff[role_for(name).value].public_id)
        address = reverse(name, kwargs=arguments(PATTERNS[name], known))
        walk.ask(name, walk.client_of(name).get, f"{address}?s={words}")
    walk.was_told()


def test_every_form_that_comes_back_with_a_patient_leaves_who_looked(client_for, known):
    """Sent with nothing in it, and without its page before: most are refused, and some show all that the page shows."""
    walk = Walk(client_for)
    for name, address in addresses(known):
        with transaction.atomic():  # what one of them does is not there for the next
            walk.ask(name, client_for(role_for(name).value).post, address)
            transaction.set_rollback(True)
    walk.was_told()


def test_nobody_searches_past_the_one_way_that_records_it():
    found = {module for module in modules() if "patients.queries.search_patients" in imports_of(module)}
    assert found == {"patients.finding"}
