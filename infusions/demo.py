"""Builds the demo center by calling the services, as people would have over the last weeks. Same seed, same data."""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.accounts.services import create_staff
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions import demo_people as people
from infusions.checklists.catalog import load_template
from infusions.demo_after_care import let_some_report
from infusions.demo_cover import leave_a_nurse_ill, leave_open_ends
from infusions.demo_mail import let_some_mail_come_back
from infusions.demo_stock import fill_cabinets, register_codes
from infusions.demo_visits import live_through
from infusions.demo_waitlist import let_some_wait
from infusions.facility import chair_services, roster_services
from infusions.facility import services as facility
from infusions.facility.models import Setting, Site
from infusions.formulary.catalog import load_catalog
from infusions.formulary.models import Indication, Product
from infusions.orders import services as orders
from infusions.orders.models import InfusionOrder
from infusions.scheduling.courses import book_visit_or_course
from infusions.scheduling.models import Appointment
from infusions.scheduling.slots import find_slots
from patients import services as patients
from patients.models import Condition, Patient, Risk

DEMO_PASSWORD = "maple-street-demo"  # nosec B105: of made-up people, told in the README
DEMO_LOGINS = {
    "scheduler": "scheduler@demo.example.org",
    "nurse": "nurse@demo.example.org",
    "home nurse": "homenurse@demo.example.org",
    "pharmacist": "pharmacist@demo.example.org",
    "manager": "manager@demo.example.org",
}
TIME_ZONE = "America/New_York"
WEEKS = 6
ROSTER_WEEKS = 54  # planned ahead, so that a year of visits can be booked
PATIENTS = 60
SIZES = {"small": PATIENTS}


@dataclass
class Demo:
    """What is being built, at hand for the steps."""

    today: dt.date
    dice: random.Random
    say: Callable[[str], None]
    site: Site | None = None
    staff: dict[str, User] = field(default_factory=dict)
    nurses: list[User] = field(default_factory=list)
    orders: list[InfusionOrder] = field(default_factory=list)
    vials_left: dict = field(default_factory=dict)  # by product, size and lot: how many no visit has taken yet

    @property
    def first_day(self) -> dt.date:
        return self.today - dt.timedelta(weeks=WEEKS)

    def at(self, day: dt.date, wall: str) -> dt.datetime:
        return clock.from_local(day, dt.time.fromisoformat(wall), TIME_ZONE)


@transaction.atomic
def build_demo(*, seed: int = 1, say: Callable[[str], None] = lambda line: None) -> Demo:
    """One site, 12 chairs, 5 nurses and 2 home nurses, 60 patients, six weeks behind and six ahead."""
    now = clock.now()
    demo = Demo(today=clock.local_date(now, TIME_ZONE), dice=random.Random(seed), say=say)  # nosec B311: made-up people, the same again by the same seed
    opened = demo.at(demo.first_day - dt.timedelta(days=60), "09:00")
    with clock.pretend(opened):
        make_center(demo)
        make_roster(demo)
    say("Center, staff and roster are there.")
    make_patients_and_orders(demo)
    say(f"{Patient.objects.count()} patients and {InfusionOrder.objects.count()} orders are there.")
    book_weeks(demo)
    say(f"{Appointment.objects.count()} visits are booked.")
    live_through(demo, now)
    fill_cabinets(demo, now)
    leave_open_ends(demo, now)
    leave_a_nurse_ill(demo, now)
    let_some_wait(demo, now)
    let_some_report(demo, now)
    let_some_mail_come_back(demo, now)
    return demo


def make_center(demo: Demo) -> None:
    """The manager opens the center: formulary, checklist, site, chairs, closures."""
    manager = create_staff(
        email=DEMO_LOGINS["manager"], full_name="Demo Manager", roles=["manager"], password=DEMO_PASSWORD, by=None
    )
    load_catalog()
    register_codes()
    load_template(by=manager)
    weekdays = {day: (dt.time(7), dt.time(20)) for day in range(5)}
    weekend = {day: (dt.time(8), dt.time(18)) for day in (5, 6)}
    demo.site = facility.create_site(
        by=manager,
        hours=weekdays | weekend,
        name=people.SITE_NAME,
        mail_name=people.SITE_MAIL_NAME,
        time_zone=TIME_ZONE,
        region="NY",
        address="1 Maple Street, Demoville, NY 10001",
        phone="+1 212 555 0100",
        email="center@demo.example.org",
        tracks_stock=True,
    )
    for name, kind in people.CHAIRS:
        chair_services.add_chair(site=demo.site, name=name, kind=kind, by=manager)
    demo.staff["manager"] = manager


def make_roster(demo: Demo) -> None:
    """Staff, and twelve-hour shifts: each nurse works most days, so that every day has three or more."""
    manager = demo.staff["manager"]
    days = [demo.first_day + dt.timedelta(days=n) for n in range((WEEKS + ROSTER_WEEKS) * 7)]
    for number, (name, role, email, visits_homes) in enumerate(people.STAFF):
        if role == "manager":
            continue
        # Only the demo logins can sign in; hashing passwords is slow on purpose.
        password = DEMO_PASSWORD if name.startswith("Demo") else None
        user = create_staff(email=email, full_name=name, roles=[role], password=password, by=manager)
        facility.add_member(site=demo.site, user=user, by=manager)
        demo.staff.setdefault(role, user)
        if visits_homes is None:
            continue
        demo.nurses.append(user)
        nurse = roster_services.add_nurse(user=user, visits_homes=visits_homes, by=manager)
        # The nurses of the demo logins work every day: whoever tries them finds patients.
        worked = [day for day in days if name.startswith("Demo") or (day.toordinal() + number) % 3]
        for hours, chosen in split_by_hours(worked):
            roster_services.add_shifts(
                nurse=nurse,
                site=demo.site,
                days=chosen,
                starts=hours[0],
                ends=hours[1],
                by=manager,
                setting=Setting.HOME if visits_homes else Setting.FACILITY,
            )


def split_by_hours(days: list[dt.date]) -> list[tuple[tuple[dt.time, dt.time], list[dt.date]]]:
    week = [day for day in days if day.weekday() < 5]
    weekend = [day for day in days if day.weekday() >= 5]
    return [((dt.time(7), dt.time(20)), week), ((dt.time(8), dt.time(18)), weekend)]


def make_patients_and_orders(demo: Demo) -> None:
    """Patients join over the months; most have a signed order, one an unsigned, one that ends soon."""
    for number in range(1, PATIENTS + 1):
        with clock.pretend(demo.at(demo.first_day - dt.timedelta(days=demo.dice.randint(10, 50)), "10:00")):
            patient = make_patient(demo, number)
            if number != PATIENTS:  # the last one has just been registered
                demo.orders.append(make_order(demo, number, patient))


def make_patient(demo: Demo, number: int) -> Patient:
    dice = demo.dice
    sex = dice.choice("FM")
    given, family = dice.choice(people.GIVEN_NAMES[sex].split()), people.FAMILY_NAMES[number % len(people.FAMILY_NAMES)]
    if number == 17:
        given, family = people.LONG_NAME
    course = people.COURSES[number % len(people.COURSES)]
    born = demo.today - dt.timedelta(days=dice.randint(19 * 365, 84 * 365))
    patient = patients.register_patient(
        by=demo.staff["scheduler"],
        site=demo.site,
        mrn=f"DEMO{number:04d}",
        given_name=given,
        family_name=family,
        date_of_birth=born,
        sex=sex,
        height_cm=Decimal(dice.randint(152, 192)),
        blood_group=dice.choice(["O", "A", "B", "AB"]),
        diagnosis_code=course.diagnosis_code,
        diagnosis_text=course.diagnosis,
        email=f"{given}.{family}{number}@patients.example.org".lower(),
        phone=f"+1212555{100 + number:04d}",
        address_line=f"{dice.randint(1, 99)} {dice.choice(people.STREETS)}",
        city="Demoville",
        region="NY",
        postal_code="10001",
        language="es" if number % 12 == 0 else "en",
        time_zone="America/Chicago" if number % 15 == 0 else TIME_ZONE,
        preferences=dice.choice(["", "", "Mornings", "Same nurse if possible", "Tuesdays", "Window seat"]),
        is_test=True,
    )
    nurse = demo.staff["nurse"]
    weighed_on = clock.local_date(clock.now(), TIME_ZONE)
    patients.record_weight(patient=patient, kg=Decimal(dice.randint(480, 1020)) / 10, measured_on=weighed_on, by=nurse)
    patients.set_contact_consent(patient=patient, channel="email", consents=number % 20 != 0, by=nurse)
    if number % 9 == 0:
        patients.record_allergy(patient=patient, code=dice.choice([Condition.LATEX, Condition.DIABETES]), by=nurse)
    if number == 20:
        patients.record_allergy(patient=patient, code=Condition.HEREDITARY_FRUCTOSE_INTOLERANCE, by=nurse)
    for risk in dice.sample([Risk.CARDIOVASCULAR, Risk.DIABETES, Risk.CENTRAL_LINE], k=number % 7 == 0):
        patients.record_risk(patient=patient, code=risk, by=nurse)
    return patient


def make_order(demo: Demo, number: int, patient: Patient) -> InfusionOrder:
    course = people.COURSES[number % len(people.COURSES)]
    weight = patient.weights.current().first()
    today = clock.local_date(clock.now(), TIME_ZONE)
    order = orders.draft_order(
        patient=patient,
        by=demo.staff["nurse"],
        indication=Indication.objects.get(code=course.indication),
        product=Product.objects.get(key=course.product),
        prescriber_name=demo.dice.choice(["Dr. Example Prescriber", "Dr. Sample Hematologist"]),
        dose_mg_per_kg=course.mg_per_kg,
        days=course.days,
        round_to_g=Decimal(5),
        actual_weight_kg=weight.kg,
        weight_measured_on=weight.measured_on,
        interval_days=course.interval_days,
        tolerance_days=4,
        premedication=demo.dice.choice(people.PREMEDICATIONS),
        starts_on=today,
        valid_until=demo.today + dt.timedelta(days=20 if number == 5 else 300),
        visits_authorized=13,
        authorization_number=f"AUTH-{number:05d}",
        is_first_dose=number % 10 == 3,
        home_allowed=number % 5 == 0,
    )
    if number % 29 == 0:  # waits for its signature
        return order
    reason = "Prescriber accepts the plan as computed." if number % 2 or course.days > 1 else ""
    try:
        return orders.sign_order(order=order, by=demo.staff["pharmacist"], override_reason=reason)
    except RuleViolation as refused:
        if all(problem.severity == "approval" for problem in refused.problems):
            return orders.sign_order(order=order, by=demo.staff["pharmacist"], override_reason="Prescriber accepts.")
        return order


def book_weeks(demo: Demo) -> None:
    """Each signed order from its first visit on, every interval, from about six weeks behind to six ahead."""
    last_day = demo.today + dt.timedelta(weeks=WEEKS)
    for number, order in enumerate(demo.orders):
        if order.status != "signed":
            continue
        setting = Setting.HOME if order.home_allowed else Setting.FACILITY
        # Every third patient's rhythm falls on today, and every sixth's on tomorrow: the board has something to show.
        ahead = 0 if number % 3 == 0 else 1 if number % 6 == 1 else demo.dice.randint(2, order.interval_days - 1)
        weeks_back = dt.timedelta(days=order.interval_days * (WEEKS * 7 // order.interval_days))
        day = demo.today + dt.timedelta(days=ahead) - weeks_back
        while day <= last_day:
            book_visit(demo, order, day, setting)
            day += dt.timedelta(days=order.interval_days)


def book_visit(demo: Demo, order: InfusionOrder, day: dt.date, setting: str) -> Appointment | None:
    """Book on the day, or soon after it where it is full, as a scheduler would have three weeks before."""
    booked_at = demo.at(min(day - dt.timedelta(days=21), demo.today - dt.timedelta(days=1)), "11:00")
    with clock.pretend(booked_at):
        for latest in (day, day + dt.timedelta(days=3)):
            found = find_slots(order, setting=setting, site=demo.site, earliest=day, latest=latest, limit=40)
            for option in demo.dice.sample(found.options, k=min(3, len(found.options))):
                try:
                    # A course finds chair and nurse for each of its days.
                    seat = {"chair": option.chair, "nurse": option.nurse} if order.days == 1 else {}
                    return book_visit_or_course(
                        order=order,
                        start=option.start,
                        setting=setting,
                        site=demo.site,
                        **seat,
                        by=demo.staff["scheduler"],
                        override_reason="Booked ahead of the first dose.",
                    )
                except RuleViolation:
                    continue
    return None
