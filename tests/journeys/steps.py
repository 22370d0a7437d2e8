"""What people do on the way of one visit, each through the pages they would use. Wall times are those of New York."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from django.core import mail
from django.test import Client
from django.urls import reverse

from infusion_center.accounts.models import User
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.checklists.models import PreInfusionChecklist
from infusions.checklists.services import answer_items, close_checklist, start_checklist
from infusions.facility.models import Chair, Nurse, Setting, Site
from infusions.formulary.models import RateSchedule
from infusions.orders.models import InfusionOrder
from infusions.reminders.services import plan_reminders, send_due
from infusions.scheduling.models import Appointment
from patients.models import Patient
from tests.factories.accounts import force_login, make_staff
from tests.factories.checklists import GOOD_NUMBERS, make_template
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.formulary import make_rate_schedule
from tests.journeys.reader import Walker

PASSWORD = "correct horse battery"
MONDAY = dt.date(2026, 6, 1)
VISIT_DAY = dt.date(2026, 6, 8)
ANSWERS = {
    **GOOD_NUMBERS,
    **dict.fromkeys(["identity-name", "identity-birth-date", "order-matches", "urine-normal"], "yes"),
    **dict.fromkeys(["room-temperature", "vials-inspected", "iv-access", "consent"], "yes"),
    **dict.fromkeys(["infection", "live-vaccine", "pregnancy-estrogen"], "no"),
    **{code: ["none"] for code in ("dehydration-signs", "changes", "new-drugs")},
    "weight": "70.4",
    "premedication": "not-ordered",
    "creatinine-on": VISIT_DAY.isoformat(),
}
IN_A_CHAIR = {"emergency-set": "yes", "ride-home": "yes"}
AT_HOME = {"emergency-kit-home": "yes"}


@dataclass
class Center:
    """One site with one chair; a nurse on shift at the site, one on the road, and a colleague for second checks."""

    site: Site
    chair: Chair
    nurse: Nurse
    road_nurse: Nurse
    colleague: User
    schedule: RateSchedule
    people: dict[str, User]
    traveller: object  # moves the clock

    def walk(self, role: str) -> Walker:
        """Somebody of that role, freshly signed in."""
        client = Client()
        force_login(client, self.people[role])
        return Walker(client)

    def go_to(self, wall: str, day: dt.date = VISIT_DAY) -> None:
        self.traveller.move_to(self.at(wall, day), tick=False)

    def at(self, wall: str, day: dt.date = VISIT_DAY) -> dt.datetime:
        return clock.from_local(day, dt.time.fromisoformat(wall), self.site.time_zone)

    def wait(self, minutes: int) -> None:
        self.traveller.shift(minutes * 60)


def open_center(traveller) -> Center:
    """Monday 1 June, 08:00; both nurses are on shift on every weekday of that and the next week."""
    traveller.move_to(dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC), tick=False)
    site = make_site(name="Riverside Center", phone="555 0100", address="1 River Road")
    make_template()
    nurse, road = make_nurse(site=site), make_nurse(site=site, visits_homes=True)
    for day in (MONDAY + dt.timedelta(days=number) for number in (*range(5), *range(7, 12))):
        make_shift(nurse=nurse, site=site, day=day)
        make_shift(nurse=road, site=site, day=day, setting=Setting.HOME)
    people = {role: make_staff(role=role, site=site) for role in ("scheduler", "pharmacist", "manager")}
    return Center(
        site=site,
        chair=make_chair(site=site),
        nurse=nurse,
        road_nurse=road,
        colleague=make_staff(site=site, full_name="Second Nurse"),
        schedule=make_rate_schedule(),
        people=people | {"nurse": nurse.user, "road nurse": road.user},
        traveller=traveller,
    )


def register_patient(center: Center, **fields) -> Patient:
    """The desk registers and asks for consent; a nurse weighs 70 kg."""
    desk = center.walk("scheduler").open(reverse("patients:patient-list")).follow("Register patient")
    typed = {"family_name": "Sample", "given_name": "Maria", "mrn": "F1001", "date_of_birth": "1980-03-12"}
    typed |= {"sex": "F", "email": "maria@example.org", "height_cm": "168", "diagnosis_code": "D83.9"}
    desk.press("Register patient", typed | fields)
    desk.follow("Record consent").press("Save answer", {"channel": "email", "consents": "yes"})
    patient = Patient.objects.get()
    chart = center.walk("nurse").open(patient.get_absolute_url())
    chart.follow("Add weight").press("Save weight", {"kg": "70"})
    return patient


def draft_order(center: Center, patient: Patient, **fields) -> InfusionOrder:
    """400 mg/kg of the product, every 28 ± 4 days, drafted at the desk."""
    form = center.walk("scheduler").open(patient.get_absolute_url()).follow("New order")
    typed = {"indication": str(center.schedule.indication_id), "product": str(center.schedule.product_id)}
    form.press("Save draft", typed | {"dose_mg_per_kg": "400", "prescriber_name": "Dr. Pat Example"} | fields)
    return InfusionOrder.objects.get()


def sign_order(center: Center, patient: Patient) -> Walker:
    """The pharmacist finds the draft on the chart."""
    chart = center.walk("pharmacist").open(patient.get_absolute_url())
    return chart.follow(f"of {clock.now():%d-%b-%Y}").press("Sign order", {"read": "on"})


def book(center: Center, patient: Patient, *, setting=Setting.FACILITY, day: dt.date = VISIT_DAY) -> Appointment:
    """The best start of the day, found from the chart."""
    search = center.walk("scheduler").open(patient.get_absolute_url()).follow("Find a time")
    search.press("Search", {"setting": setting, "from": day.isoformat(), "to": day.isoformat()})
    search.press("Book this start")
    return Appointment.objects.get()


def send_reminders() -> list:
    """What the worker's next sweep sends."""
    before = len(mail.outbox)
    plan_reminders()
    send_due()
    return mail.outbox[before:]


def confirm_by_link(message) -> Walker:
    """The patient opens the link of the mail on his own device."""
    link = re.search(r"https?://[^/\s]+(/v/\S+)", message.body).group(1)
    return Walker(Client(enforce_csrf_checks=True)).open(link)


def check_in(center: Center, visit: Appointment, role: str = "scheduler") -> Walker:
    return center.walk(role).open(reverse("scheduling:appointment-detail", args=[visit.public_id])).press("Check in")


def fill_checklist(nurse: Walker, visit: Appointment, answers: dict) -> Walker:
    """From the visit's page: each answer is kept as it is tapped, then the check is finished."""
    nurse.open(reverse("scheduling:appointment-detail", args=[visit.public_id])).follow("Checklist")
    nurse.press("Start check")
    for code, value in answers.items():
        nurse.answer(code, value)
    return nurse.again().press("Finish check")


def answered_checklist(center: Center, visit: Appointment, answers: dict) -> PreInfusionChecklist:
    """The same without its pages, for journeys that begin behind it."""
    by = center.people["nurse"]
    run = start_checklist(appointment=visit, by=by)
    items = {item.code: item for item in run.template.items.all()}
    answer_items(run=run, values={items[code]: value for code, value in answers.items()}, by=by)
    return close_checklist(run=run, by=by)


def add_vials(nurse: Walker, *, expires_on: str = "10/2027") -> Walker:
    for grams in ("20", "10"):
        nurse.press("Add to the dose", {"grams": grams, "count": "1", "lot": f"lot {grams}", "expires_on": expires_on})
    return nurse


def second_check(nurse: Walker, person: User) -> Walker:
    return nurse.press("Sign the second check", {"email": person.email, "password": PASSWORD})


SIGNS = {"systolic": "122", "diastolic": "74", "pulse": "71", "temperature_c": "36.6", "spo2_percent": "98"}


def vital_signs(nurse: Walker, **changed) -> Walker:
    """Through the form that is open on the page, or behind its button."""
    if not nurse.offers("Save vital signs"):
        nurse.follow("Vital signs")
    return nurse.press("Save vital signs", SIGNS | changed)


def infuse(center: Center, nurse: Walker) -> None:
    """Every step of the plan on time, vital signs before each, to the end of the dose and of the observation."""
    for minutes, rate in ((30, 42), (30, 84), (30, 168), (30, 336)):
        center.wait(minutes)
        nurse.again().press(f"step up to {rate} mL/h", SIGNS)
    center.wait(26)
    nurse.again().follow("End or stop").press("End: the whole dose is in")
    vital_signs(nurse)


def observe_and_sign(center: Center, nurse: Walker, minutes: int) -> None:
    center.wait(minutes)
    vital_signs(nurse.again()).follow("End observation").press("End observation")
    nurse.press("Sign as", {"password": PASSWORD, "notes": "Went home well."})


def written_about(patient: Patient) -> list[str]:
    """What the trail keeps of the patient, in order, openings of the chart left out; the same several times as one."""
    events = AuditEvent.objects.about_patient(patient).exclude(action="chart.opened").order_by("at", "id")
    actions = list(events.values_list("action", flat=True))
    return [action for place, action in enumerate(actions) if place == 0 or actions[place - 1] != action]


def grams(*numbers: str) -> list[Decimal]:
    return [Decimal(number) for number in numbers]
