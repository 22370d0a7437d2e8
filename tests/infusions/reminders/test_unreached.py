"""Who has to be called because no mail reaches him."""

import datetime as dt

import pytest

from infusions.reminders.models import Kind, Reason, ReminderState
from infusions.reminders.services import plan_reminders, send_due
from infusions.reminders.unreached import unreached_visits, why_unreached
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.scheduling.work_lists import unreached_rows
from infusions.scheduling.work_rows import unreached_row
from patients.models import ContactPreference, Patient
from tests.factories.mail_events import make_block, make_mail_event
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, moved

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def visit(site):
    return make_appointment(site=site, patient=make_patient(phone="+12125550123"), day=dt.date(2026, 6, 9))


def listed(site) -> list[str]:
    return [why_unreached(visit, reminder) for visit, reminder in unreached_rows(site, NOON)]


def acts(site) -> list[str]:
    [(visit, reminder)] = unreached_rows(site, NOON)
    return [act.label for act in unreached_row(visit, reminder).acts if act.url]


def test_a_blocked_address_is_on_the_list_before_any_message_was_skipped(site, visit):
    make_reminder(appointment=visit, state=ReminderState.SENT)
    assert listed(site) == []
    make_block(visit.patient.email)
    assert (listed(site), acts(site)) == (
        ["Mail to the address on file comes back"],
        ["Confirmed", "(212) 555-0123", "Correct address"],
    )
    Patient.objects.filter(pk=visit.patient_id).update(email="corrected@example.org")
    assert listed(site) == []
    make_block("corrected@example.org", cause="complained")
    assert (listed(site), acts(site)[2:]) == (["Reported our mail as unwanted"], ["Wants mail again"])


def test_who_cannot_be_mailed_at_all_is_on_the_list_from_two_weeks_before(site, visit):
    ContactPreference.objects.all().delete()
    assert (listed(site), acts(site)[2:]) == (["Was not asked about mail"], ["Record consent"])
    make_appointment(site=site, patient=make_patient(consents=False), day=dt.date(2026, 6, 10))
    make_appointment(site=site, patient=make_patient(email=""), day=dt.date(2026, 6, 11))
    make_appointment(site=site, patient=make_patient(email=""), day=dt.date(2026, 6, 16))
    assert listed(site) == ["Was not asked about mail", "Does not want mail", "No email address on file"]


def test_a_message_that_came_back_counts_until_a_later_one_arrives(site, visit):
    sent = make_reminder(appointment=visit, state=ReminderState.SENT)
    make_mail_event(reminder=sent, kind="deferred")
    assert listed(site) == []
    make_mail_event(reminder=sent, kind="bounced")  # for a while only: the address is not blocked
    assert (listed(site), acts(site)[2:]) == (["Confirmation: it came back"], ["Send again"])
    later = make_reminder(
        appointment=visit, kind=Kind.DAYS_3, state=ReminderState.SENT, settled_at=NOON + dt.timedelta(minutes=1)
    )
    assert listed(site) == []
    make_mail_event(reminder=later, kind="bounced")
    assert listed(site) == ["3 days before: it came back"]


def test_messages_after_a_visit_do_not_count(site, visit):
    make_reminder(appointment=visit, kind=Kind.AFTER_CARE, state=ReminderState.FAILED, reason=Reason.GAVE_UP)
    make_reminder(appointment=visit, kind=Kind.ADVICE, state=ReminderState.SKIPPED, reason=Reason.BOUNCED)
    assert listed(site) == []


def test_who_has_confirmed_is_not_on_the_list_unless_the_visit_moved_since(site, visit):
    make_block(visit.patient.email)
    Appointment.objects.filter(pk=visit.pk).update(state=State.CONFIRMED, confirmed_at=NOON)
    assert listed(site) == []
    moved(visit, days=1)  # expected again, as every move leaves it
    assert listed(site) == ["Mail to the address on file comes back"]


def test_nobody_who_cannot_be_mailed_is_skipped_in_silence(site, visit):
    Patient.objects.filter(pk=visit.patient_id).update(email="", phone="")
    plan_reminders()
    send_due()
    assert visit.reminders.filter(state=ReminderState.SKIPPED, reason=Reason.NO_ADDRESS).exists()
    [(found, reminder)] = unreached_rows(site, NOON)
    assert (found, unreached_row(found, reminder).why) == (
        visit,
        ("No email address on file", "No telephone number either: write, or ask who knows the patient"),
    )
    assert unreached_visits(site, NOON + 9 * DAY).count() == 0
