"""A treatment day at the patient's home: a nurse alone, with the kit in her bag, and her way there and back."""

import datetime as dt

import pytest

from infusions.checklists.models import PreInfusionChecklist
from infusions.doses.models import DoseRecord
from infusions.facility.models import Setting
from infusions.orders.models import InfusionOrder
from infusions.reminders.models import Reminder
from infusions.scheduling.lanes import hands_lane
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.slots import find_slots
from tests.journeys import steps
from tests.journeys.steps import VISIT_DAY

pytestmark = pytest.mark.django_db
ADDRESS = {"address_line": "2 Sample Lane", "city": "Exampleton", "postal_code": "10001"}


def test_a_home_visit_from_registration_to_the_signed_dose_record(time_machine):
    center = steps.open_center(time_machine)
    patient = steps.register_patient(center, **ADDRESS)
    steps.draft_order(center, patient, home_allowed="on")
    steps.sign_order(center, patient)

    # The nurse is taken for the way there and back too, with both hands.
    visit = steps.book(center, patient, setting=Setting.HOME)
    assert (visit.setting, visit.chair, visit.nurse) == (Setting.HOME, None, center.road_nurse)
    assert (visit.start, visit.travel_minutes, visit.end - visit.start) == (
        center.at("09:00"),
        30,
        dt.timedelta(hours=3, minutes=30),
    )
    held = Claim.objects.filter(appointment=visit, lane=hands_lane(center.road_nurse.pk)).count()
    assert held == 4 * 4.5

    # The mail asks whether the patient is at home; the answer is his.
    [confirmation] = steps.send_reminders()
    assert "at your home" in " ".join(confirmation.body.split()).lower()
    steps.confirm_by_link(confirmation).press("Yes, I will be at home")
    visit.refresh_from_db()
    assert (visit.state, visit.confirmed_at) == ("confirmed", center.at("08:00", steps.MONDAY))

    # The nurse checks in at the door; at home the kit is asked for, and neither set nor ride.
    center.go_to("08:58")
    steps.check_in(center, visit, role="road nurse")
    nurse = center.walk("road nurse")
    steps.fill_checklist(nurse, visit, steps.ANSWERS | steps.AT_HOME)
    assert (PreInfusionChecklist.objects.get().status, "Passed" in nurse.text) == ("passed", True)

    # Alone, she reads everything out to herself once more.
    nurse.follow("Go to infusion").press("Prepare the infusion")
    steps.add_vials(nurse).press("I am alone and have checked it again")
    center.go_to("09:30")
    nurse.again().press("Start at 21 mL/h")
    steps.infuse(center, nurse)
    steps.observe_and_sign(center, nurse, 30)

    record, visit, order = DoseRecord.objects.get(), Appointment.objects.get(), InfusionOrder.objects.get()
    assert (record.state, record.outcome, record.second_check_by) == ("signed", "completed", center.road_nurse.user)
    assert (visit.state, order.doses_given, order.last_dose_on) == ("completed", 1, VISIT_DAY)
    assert [*Reminder.objects.filter(state="sent").values_list("kind", flat=True)] == ["confirmation"]
    assert "at home" in nurse.again().follow("Dose record to print").text

    # The next search, too, is for the home, four weeks on.
    search = find_slots(order, setting=Setting.HOME, site=center.site)
    assert search.window.due_on == VISIT_DAY + dt.timedelta(days=28)
    again = center.walk("scheduler").open(patient.get_absolute_url()).follow("Find a time")
    assert again.page.context["setting"] == Setting.HOME
