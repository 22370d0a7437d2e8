"""Who may come in vain: the visit was cancelled, and no mail or call has told him so."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.reminders.delivery_models import CancellationCall
from infusions.reminders.models import Kind, Reason, ReminderState
from infusions.reminders.services import plan_reminders, send_due
from infusions.reminders.untold import note_told_by_phone, untold_cancellations
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.patient_answers import Because, cancel_by_patient
from infusions.scheduling.states import State
from infusions.scheduling.work_lists import counts_of, unreached_rows
from infusions.scheduling.work_rows import unreached_row
from tests.factories.accounts import make_staff
from tests.factories.mail_events import make_block, make_mail_event
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SOON, LATER, FAR = dt.date(2026, 6, 2), dt.date(2026, 6, 9), dt.date(2026, 6, 16)
SENT, SKIPPED, FAILED, OWED = ReminderState.SENT, ReminderState.SKIPPED, ReminderState.FAILED, ReminderState.OWED
BACK = "came back"


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def message(visit, kind, state, *more) -> None:
    reasons = [word for word in more if word in Reason]
    reason = reasons[0] if reasons else Reason.GAVE_UP if state == FAILED else ""
    numbers = {"tries": 2 if "tried" in more else 1, "resend_no": int("again" in more)}
    row = make_reminder(appointment=visit, kind=kind, state=state, reason=reason, **numbers)
    if BACK in more:
        make_mail_event(reminder=row, kind="bounced")


def cancelled(site, told, *about_it, day=LATER, phone="+12125550123", **fields):
    """A visit that staff cancelled. `told`: of the message before; `about_it`: of those about the cancelling."""
    visit = make_appointment(site=site, patient=make_patient(phone=phone), day=day)
    if told:
        message(visit, *told)
    values = {"state": State.CANCELLED, "cancelled_at": NOON, "cancel_reason": "Nurse ill", "version": 2, **fields}
    for name, value in values.items():
        setattr(visit, name, value)
    visit.save()
    for each in about_it:
        message(visit, Kind.CANCELLED, *each)
    return visit


def shown(site) -> list[tuple]:
    rows = [unreached_row(*found) for found in unreached_rows(site, NOON)]
    return [(row.why, [act.label for act in row.acts if act.url], row.is_urgent) for row in rows]


TOLD = (Kind.CONFIRMATION, SENT)
LISTED = {
    "failed": (TOLD, (FAILED,)),
    "no consent": (TOLD, (SKIPPED, Reason.NO_CONSENT)),
    "no address": (TOLD, (SKIPPED, Reason.NO_ADDRESS)),
    "no decent hour": (TOLD, (SKIPPED, Reason.NO_DECENT_HOUR)),
    "address blocked": (TOLD, (SKIPPED, Reason.BOUNCED)),
    "mail unwanted": (TOLD, (SKIPPED, Reason.COMPLAINED)),
    "came back": (TOLD, (SENT, BACK)),
    "sent again in vain": (TOLD, (FAILED,), (SENT, BACK, "again")),
    "told by a day reminder": ((Kind.DAYS_7, SENT), (FAILED,)),
    "perhaps told": ((Kind.CONFIRMATION, FAILED, "tried"), (FAILED,)),
    "told, or called when it came back": ((Kind.CONFIRMATION, SENT, BACK), (FAILED,)),
}
NOT_LISTED = {
    "told of the cancelling": (TOLD, (SENT,)),
    "told when sent again": (TOLD, (FAILED,), (SENT, "again")),
    "about to be told": (TOLD, (OWED,)),
    "about to be told again": (TOLD, (FAILED,), (OWED, "again")),
    "no message planned yet": (TOLD,),
    "never told of the visit": (None, (SKIPPED, Reason.NEVER_TOLD)),
    "the mail about the visit never left": ((Kind.CONFIRMATION, FAILED), (FAILED,)),
    "record closed": (TOLD, (SKIPPED, Reason.INACTIVE)),
}
OUTSIDE = {
    "over": {"day": dt.date(2026, 5, 29)},
    "far ahead": {"day": FAR},
    "not cancelled": {"state": State.CONFIRMED, "cancelled_at": None},
    "by the patient": {"cancel_reason": "By the patient: ill."},
    "sent home again": {"arrived_at": NOON},
}


def test_listed_is_who_knows_of_the_visit_and_not_of_its_cancelling(site):
    visits = {name: cancelled(site, *messages) for name, messages in (LISTED | NOT_LISTED).items()}
    visits |= {name: cancelled(site, TOLD, (FAILED,), **fields) for name, fields in OUTSIDE.items()}
    visits["another site's"] = cancelled(make_appointment().site, TOLD, (FAILED,))
    found = set(untold_cancellations(site, NOON))
    assert {name for name, visit in visits.items() if visit in found} == set(LISTED)
    assert counts_of(site, NOON, fresh=True)["failed-reminders"] == len(LISTED)


def test_a_row_says_why_with_the_number_and_is_urgent_two_days_before(site):
    cancelled(site, TOLD, (SKIPPED, Reason.NO_DECENT_HOUR), day=SOON)
    make_reminder(appointment=make_appointment(site=site, day=dt.date(2026, 6, 4)), state=FAILED, reason=Reason.GAVE_UP)
    cancelled(site, TOLD, (SENT, BACK), phone="")
    cancelling = "Cancelled, and the patient may not know: call"
    no_number = "No telephone number either: write, or ask who knows the patient"
    assert shown(site) == [
        (
            (cancelling, "Cancelled: No hour outside the quiet hours before the visit: call the patient"),
            ["Told by phone", "(212) 555-0123"],
            True,
        ),
        (("Confirmation: Given up after too many tries", no_number), ["Confirmed", "Send again"], False),
        ((cancelling, "Cancelled: it came back", no_number), ["Told by phone"], False),
    ]


@pytest.mark.parametrize("by_patient", [False, True])
def test_cancelled_by_the_services_and_the_address_blocked(site, by_patient):
    visit = make_appointment(site=site, patient=make_patient(phone="+12125550123"), day=LATER)
    plan_reminders()
    send_due()
    make_block(visit.patient.email)
    if by_patient:
        cancel_by_patient(appointment=visit, because=Because.ILL, version=visit.version)
    else:
        cancel_appointment(appointment=visit, reason="Nurse ill", by=make_staff())
    plan_reminders()
    send_due()
    assert len(shown(site)) == (0 if by_patient else 1)


def test_told_by_phone_settles_it_once_and_stands_on_the_page_of_the_visit(client_for, site):
    visit = cancelled(site, TOLD, (FAILED,))
    client, listing = client_for("scheduler"), reverse("scheduling:work-list", args=["failed-reminders"])
    address, page = (reverse(f"scheduling:appointment-{name}", args=[visit.public_id]) for name in ("told", "detail"))
    dials = 'href="tel:+12125550123"'
    assert (address in (text := client.get(listing).content.decode()), dials in text) == (True, True)
    [problem] = client.get(page).context["problems"]
    assert (problem.code, problem.remedy) == ("not-told", "Call (212) 555-0123.")
    for _ in range(2):
        answer = client.post(address, {"next": listing})
        assert (answer.status_code, answer.url) == (302, listing)
    text = client.get(listing).content.decode()
    assert (f"{visit.patient.name} knows that the visit is cancelled." in text, address in text) == (True, False)
    events = AuditEvent.objects.filter(action="appointment.told_cancelled").values_list("target_id", "patient_id")
    assert (CancellationCall.objects.count(), list(events)) == (1, [(visit.public_id, visit.patient.public_id)])
    after = client.get(page)
    by = CancellationCall.objects.get().called_by.full_name
    lines = [(line.text, line.who) for line in after.context["correspondence"]]
    assert (("Told by phone: cancelled", by) in lines, after.context["problems"]) == (True, [])


def test_only_of_a_cancelled_visit_and_never_changed(site):
    with pytest.raises(RuleViolation) as refused:
        note_told_by_phone(appointment=make_appointment(site=site, day=LATER), by=make_staff())
    assert [problem.code for problem in refused.value.problems] == ["not-cancelled"]
    call = note_told_by_phone(appointment=cancelled(site, TOLD, (FAILED,)), by=make_staff())
    for statement in (
        "UPDATE infusions_cancellationcall SET called_at = called_at",
        "DELETE FROM infusions_cancellationcall",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert CancellationCall.objects.get() == call
