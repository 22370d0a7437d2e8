"""A whole treatment day in a chair: from a patient nobody knows to a signed record, and the next search."""

import datetime as dt
from decimal import Decimal

import pytest
from icalendar import Calendar

from infusion_center.audit.models import AuditEvent
from infusions.checklists.models import ChecklistAnswer, PreInfusionChecklist
from infusions.doses.models import DoseRecord, RateChange, VialUsed, VitalSigns
from infusions.orders.models import InfusionOrder, Signature
from infusions.reminders.models import Reminder
from infusions.reminders.words import stems_in
from infusions.scheduling.lanes import chair_lane
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.slots import find_slots
from patients.queries import current_weight, may_contact
from tests.journeys import steps
from tests.journeys.steps import VISIT_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(time_machine):
    return steps.open_center(time_machine)


def ledger():
    return [*Reminder.objects.order_by("due_at", "id").values_list("kind", "state")]


def test_a_facility_visit_from_registration_to_the_signed_dose_record(center):
    # Monday at the desk: registered, weighed, consented; ordered; signed.
    patient = steps.register_patient(center)
    assert (patient.name, current_weight(patient).kg, may_contact(patient, "email")) == (
        "Sample, Maria",
        Decimal("70.00"),
        True,
    )
    order = steps.draft_order(center, patient, is_first_dose="on")
    assert (order.status, order.actual_weight_kg, order.interval_days) == ("draft", Decimal("70.00"), 28)
    signing = steps.sign_order(center, patient)
    order.refresh_from_db()
    signature = Signature.objects.get()
    assert (order.status, signature.signed_by, signature.overridden) == ("signed", center.people["pharmacist"], [])
    assert "Signed for Dr. Pat Example." in signing.text

    # Booked for Monday next: 30 min before, 145 of infusion, 60 after a first dose, in whole quarters.
    visit = steps.book(center, patient)
    assert (visit.state, visit.chair, visit.nurse) == ("expected", center.chair, center.nurse)
    assert (visit.start, visit.end - visit.start) == (center.at("08:00"), dt.timedelta(hours=4))
    assert Claim.objects.filter(appointment=visit, lane=chair_lane(center.chair.pk)).count() == 16

    # The patient is told at once, and reminded three days and one day before.
    [confirmation] = steps.send_reminders()
    invitation = Calendar.from_ical(confirmation.attachments[0].get_payload(decode=True))
    assert (confirmation.to, stems_in(confirmation.body + confirmation.subject)) == (["maria@example.org"], [])
    assert [event.start for event in invitation.walk("VEVENT")] == [visit.start]
    assert ledger() == [("confirmation", "sent"), ("days_3", "owed"), ("days_1", "owed"), ("hydration", "owed")]
    center.go_to("09:00", VISIT_DAY - dt.timedelta(days=3))
    [reminder] = steps.send_reminders()

    # The link shows, and only the button confirms.
    page = steps.confirm_by_link(reminder)
    visit.refresh_from_db()
    assert (visit.state, visit.confirmed_at) == ("expected", None)
    page.press("Yes, I will come")
    visit.refresh_from_db()
    assert (visit.state, visit.confirmed_at) == ("confirmed", center.at("09:00", VISIT_DAY - dt.timedelta(days=3)))
    center.go_to("09:00", VISIT_DAY - dt.timedelta(days=1))
    assert len(steps.send_reminders()) == 1
    center.go_to("17:00", VISIT_DAY - dt.timedelta(days=1))
    assert "/before/" in steps.send_reminders()[0].body
    assert ledger() == [("confirmation", "sent"), ("days_3", "sent"), ("days_1", "sent"), ("hydration", "sent")]

    # The day: checked in, every question answered, passed.
    center.go_to("07:55")
    steps.check_in(center, visit)
    nurse = center.walk("nurse")
    steps.fill_checklist(nurse, visit, steps.ANSWERS | steps.IN_A_CHAIR)
    run = PreInfusionChecklist.objects.get()
    assert (run.status, run.problems, run.closed_by) == ("passed", [], center.nurse.user)
    assert ChecklistAnswer.objects.filter(run=run).count() == len(steps.ANSWERS | steps.IN_A_CHAIR)

    # Vials of the planned 30 g, a second person, the first drop.
    nurse.follow("Go to infusion").press("Prepare the infusion")
    steps.second_check(steps.add_vials(nurse), center.colleague)
    center.go_to("08:30")
    nurse.again().press("Start at 21 mL/h")
    record = DoseRecord.objects.get()
    visit.refresh_from_db()
    assert (record.state, record.second_check_by, visit.state) == ("infusing", center.colleague, "in_progress")
    assert [*VialUsed.objects.order_by("-grams").values_list("grams", "lot", "expires_on")] == [
        (Decimal(20), "LOT20", dt.date(2027, 10, 31)),
        (Decimal(10), "LOT10", dt.date(2027, 10, 31)),
    ]

    # Steps, end, an hour of observation after a first dose, signature.
    steps.infuse(center, nurse)
    steps.observe_and_sign(center, nurse, 60)
    record.refresh_from_db()
    visit.refresh_from_db()
    assert [*RateChange.objects.order_by("at").values_list("kind", "rate_ml_per_h")] == [
        *zip(["start", *["step"] * 4, "stop"], steps.grams("21", "42", "84", "168", "336", "0"), strict=True)
    ]
    assert (record.state, record.outcome, record.volume_given_ml, record.waste_ml) == ("signed", "completed", 300, 0)
    assert (record.signed_by, visit.state) == (center.nurse.user, "completed")
    assert [*VitalSigns.objects.order_by("at").values_list("phase", flat=True)] == [
        "baseline",
        *["during"] * 4,
        "end",
        "observation",
    ]

    # The record is printed; the order counts the dose, and the next search starts from it.
    nurse.again().follow("Dose record to print")
    assert all(words in nurse.text for words in ("LOT20", "LOT10", "336", "Went home well.", "Second Nurse"))
    order = InfusionOrder.objects.get()
    assert (order.doses_given, order.last_dose_on) == (1, VISIT_DAY)
    window = find_slots(order, setting="facility", site=center.site).window
    assert (window.due_on, window.first, window.last) == (
        VISIT_DAY + dt.timedelta(days=28),
        VISIT_DAY + dt.timedelta(days=24),
        VISIT_DAY + dt.timedelta(days=32),
    )
    search = center.walk("scheduler").open(patient.get_absolute_url()).follow("Find a time")
    assert search.page.context["search"].window == window
    assert steps.written_about(patient) == TRAIL
    assert Appointment.objects.count() == 1
    openers = AuditEvent.objects.about_patient(patient).filter(action="chart.opened").values_list("actor_id", flat=True)
    assert {*openers} == {center.people[role].pk for role in ("scheduler", "nurse", "pharmacist")}

    # The next morning she is asked how she is.
    center.go_to("10:00", VISIT_DAY + dt.timedelta(days=1))
    [question] = steps.send_reminders()
    assert (question.to, "/after/" in question.body, stems_in(question.body)) == (["maria@example.org"], True, [])


TRAIL = [
    *("patient.registered", "consent.recorded", "weight.recorded", "order.drafted", "order.signed"),
    *("appointment.booked", "reminder.sent", "appointment.confirmed", "reminder.sent", "appointment.checked_in"),
    *("checklist.started", "checklist.answered", "weight.recorded", "checklist.closed"),
    *("dose.prepared", "dose.vial_added", "dose.second_checked", "appointment.begun", "dose.started"),
    *["dose.vital_signs_recorded", "dose.rate_changed"] * 4,
    *("dose.ended", "dose.vital_signs_recorded", "appointment.finished", "dose.observation_ended"),
    *("order.dose_noted", "dose.signed", "dose.printed"),
]
