"""Whatever page shows a patient, the trail says who looked: every URL, asked as one who may, and its answer read."""

import datetime as dt

import pytest
from django.urls import reverse

from infusion_center.accounts.roles import ROLE_PERMISSIONS, Role
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.checks import access_rule
from infusions.scheduling.states import State
from infusions.scheduling.work_lists import LISTS
from patients.models import Patient
from tests.factories.orders import make_order
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry
from tests.guards.foreign import scene
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


def test_every_page_that_shows_a_patient_leaves_who_looked(client_for, known):
    patients, clients, silent = list(Patient.objects.all()), {}, []
    for name, address in addresses(known):
        rule = access_rule(PATTERNS[name])
        role = next((role for role in Role if rule.permissions & ROLE_PERMISSIONS[role]), Role.NURSE)
        client = clients.setdefault(role, client_for(role.value))
        last = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        answer = client.get(address)
        if answer.status_code != 200:
            continue
        page = b"".join(answer).decode(errors="replace")
        shown = [patient.public_id for patient in patients if is_shown(patient, page)]
        events = AuditEvent.objects.filter(pk__gt=last)
        told = {event.patient_id for event in events} & set(shown) or {event.action for event in events} & OF_MANY
        if shown and not told:
            silent.append((name, len(shown), [event.action for event in events]))
    assert not silent, "\n".join(map(str, silent))
