"""One whole visit in a real Chromium, by four people at their own devices; every page passed is put to axe.

The site lies where it is now nine in the morning, so the visit can be booked for today whenever the test runs; the
clock of the server only ever jumps forward.
"""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core import mail
from playwright.sync_api import expect

from infusion_center.core import clock
from infusions.checklists.models import PreInfusionChecklist
from infusions.doses.models import DoseRecord
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from tests.factories.accounts import make_staff
from tests.factories.checklists import make_template
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.formulary import make_rate_schedule
from tests.journeys import steps

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ANSWERS = {code: value for code, value in (steps.ANSWERS | steps.IN_A_CHAIR).items() if code != "ride-home"}
SIGNS = {"Systolic": "122", "Diastolic": "74", "Pulse": "71", "Temperature": "36.6", "Oxygen saturation": "98"}


@pytest.fixture
def site(db):
    hour = dt.datetime.now(dt.UTC).hour
    behind = (hour - 9 + 12) % 24 - 12  # hours to go back to nine o'clock
    return make_site(time_zone=f"Etc/GMT{behind:+d}", weekdays=range(7), opens="06:00", closes="16:00")


@pytest.fixture
def colleague(site, nurse_user):
    """The second person; with her comes what a center needs to work today."""
    make_template()
    make_chair(site=site, name="Chair 1")
    today = clock.local_date(clock.now(), site.time_zone)
    make_shift(nurse=make_nurse(user=nurse_user, site=site), site=site, day=today, start="06:00", end="16:00")
    make_rate_schedule(steps=((Decimal("0.5"), 30), (Decimal("8"), None)))
    return make_staff(site=site, full_name="Second Nurse")


@pytest.fixture
def look(axe):
    """look(page): note what axe finds on the page as it is now."""
    found = {}

    def looked(page):
        if broken := axe(page):
            found[f"{page.title()} {page.viewport_size['width']}"] = broken

    yield looked
    assert found == {}


def test_a_whole_visit_by_four_people_in_a_browser(open_page, look, site, colleague, time_machine):
    time_machine.move_to(dt.datetime.now(dt.UTC))
    desk = open_page("scheduler")
    pharmacy = open_page("pharmacist")
    tablet = open_page("nurse", width=1024, height=768, has_touch=True)
    phone = open_page(width=390, height=844, has_touch=True, is_mobile=True)
    today = clock.local_date(clock.now(), site.time_zone)

    register(desk, look)
    weigh(tablet, look)
    draft(desk, look)
    sign_order(pharmacy, look)
    book(desk, look, today)
    confirm(phone, look)
    visit = Appointment.objects.get()
    assert visit.state == "confirmed"

    time_machine.move_to(visit.start - dt.timedelta(minutes=5))
    desk.reload()
    go(desk, "button", "Check in")
    expect(desk.get_by_text("is checked in")).to_be_visible()
    look(desk)
    check(tablet, look)
    assert PreInfusionChecklist.objects.get().status == "passed"

    prepare(tablet, look, colleague)
    time_machine.shift(30 * 60)
    infuse(tablet, look)
    time_machine.shift(55 * 60)
    finish(tablet, look)
    time_machine.shift(30 * 60)
    observe(tablet, look)
    sign_dose(tablet, look)

    record, visit, order = DoseRecord.objects.get(), Appointment.objects.get(), InfusionOrder.objects.get()
    assert (record.state, record.outcome, visit.state) == ("signed", "completed", "completed")
    assert (order.doses_given, order.last_dose_on) == (1, today)
    go(desk, "link", "Sample, Maria")
    look(desk)
    go(desk, "link", "Find a time")
    due = today + dt.timedelta(days=28)
    expect(desk.get_by_text(re.compile(rf"{due.day} {due:%b}")).first).to_be_visible()
    look(desk)


def go(page, role, name, *, within="main", **options):
    """Press what carries this name, with mouse or finger, and wait for the page that it leads to."""
    found = page.get_by_role(within).get_by_role(role, name=name, **options).first
    with page.expect_navigation():
        found.click() if page.viewport_size["width"] == 1280 else found.tap()


def register(desk, look):
    desk.goto("/")
    look(desk)
    go(desk, "link", "Patients", within="navigation")
    look(desk)
    go(desk, "link", "Register patient")
    look(desk)
    for label, text in {"Family name": "Sample", "Given name": "Maria", "MRN": "F1001"}.items():
        desk.get_by_label(label).fill(text)
    desk.get_by_label("Date of birth").fill("1980-03-12")
    desk.get_by_label("Sex").select_option("Female")
    desk.get_by_label("Email", exact=False).first.fill("maria@example.org")
    desk.get_by_role("group", name="Email allowed?").get_by_label("Yes").check()
    desk.get_by_label("ICD-10-CM").fill("D83.9")
    desk.get_by_label("Height").fill("168")
    go(desk, "button", "Register patient")
    expect(desk.get_by_text("is registered")).to_be_visible()
    look(desk)


def weigh(tablet, look):
    tablet.goto("/patients/")
    tablet.get_by_role("main").get_by_role("searchbox").fill("samp")
    tablet.locator("#_patient_results[data-text=samp]").wait_for()  # the address follows what is found
    go(tablet, "link", "Sample, Maria")
    go(tablet, "link", "Add weight")
    look(tablet)
    tablet.get_by_label("Weight").fill("70")
    go(tablet, "button", "Save weight")
    expect(tablet.get_by_text("Recorded:")).to_be_visible()


def draft(desk, look):
    go(desk, "link", "New order")
    look(desk)
    desk.get_by_label("Indication").select_option(index=1)
    desk.get_by_label("Product").select_option(index=1)
    desk.get_by_label("Dose of the whole course").fill("400")
    desk.get_by_label("Prescriber").fill("Dr. Pat Example")
    expect(desk.get_by_text("336").first).to_be_visible()  # the plan, computed while typing
    look(desk)
    go(desk, "button", "Save draft")
    expect(desk.get_by_text("The draft is saved.")).to_be_visible()
    look(desk)


def sign_order(pharmacy, look):
    pharmacy.goto("/orders/")
    look(pharmacy)
    go(pharmacy, "link", re.compile("Sample, Maria|Testglobulin"))
    pharmacy.get_by_label("Dose, plan and problems are read").check()
    look(pharmacy)
    go(pharmacy, "button", "Sign order")
    expect(pharmacy.get_by_text("Signed for Dr. Pat Example.")).to_be_visible()
    look(pharmacy)


def book(desk, look, today):
    desk.reload()
    go(desk, "link", "Book visit")
    desk.get_by_label("From").fill(today.isoformat())
    desk.get_by_label("To", exact=True).fill(today.isoformat())
    go(desk, "button", "Search", exact=True)
    look(desk)
    go(desk, "button", "Book this start")
    expect(desk.get_by_text("is booked")).to_be_visible()
    look(desk)


def confirm(phone, look):
    [message] = steps.send_reminders()
    assert mail.outbox == [message]
    phone.goto(re.search(r"https?://[^/\s]+(/v/\S+)", message.body).group(1))
    look(phone)
    go(phone, "button", "Yes, I will come")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you, see you then")
    look(phone)


def check(tablet, look):
    tablet.goto("/tablet/")
    look(tablet)
    go(tablet, "link", re.compile("Sample, Maria"))
    look(tablet)
    go(tablet, "button", "Start check")
    look(tablet)
    run = PreInfusionChecklist.objects.get()
    answers = ANSWERS | {"creatinine-on": run.appointment.local_start[:10]}
    for item in run.template.items.filter(code__in=answers).order_by("position"):
        answer(tablet, item, answers[item.code])
    look(tablet)
    go(tablet, "button", "Finish check")
    expect(tablet.get_by_role("heading", name="Passed")).to_be_visible()
    look(tablet)


def answer(tablet, item, value):
    """Found by its question, answered by its words, waited for until it is kept."""
    question = tablet.get_by_role("group", name=item.text)
    if item.kind in ("yes_no", "choice", "multi"):
        labels = {"yes": "Yes", "no": "No"} | {value: label for value, label, *_ in item.choices}
        role = "checkbox" if item.kind == "multi" else "radio"
        question.get_by_role(role, name=labels[value[0] if isinstance(value, list) else value], exact=True).tap()
    else:
        question.get_by_label(item.text).fill(value)
        question.get_by_label(item.text).blur()
    expect(question.get_by_text("Saved")).to_be_visible()


def prepare(tablet, look, colleague):
    go(tablet, "link", "Go to infusion")
    go(tablet, "button", "Prepare the infusion")
    look(tablet)
    for grams in ("20 g", "10 g"):
        tablet.get_by_role("group", name="Vial size").get_by_role("radio", name=grams).tap()
        tablet.get_by_label("Lot").fill("lot 7")
        tablet.get_by_label("Expiry").fill(f"10/{clock.now().year + 1}")
        go(tablet, "button", "Add to the dose")
        expect(tablet.get_by_text("of lot LOT7 added")).to_be_visible()
    look(tablet)
    tablet.get_by_label("Second person's email").fill(colleague.email)
    tablet.get_by_label("Second person's password").fill(steps.PASSWORD)
    go(tablet, "button", "Sign the second check")
    look(tablet)
    go(tablet, "button", "Start at 21 mL/h")
    expect(tablet.get_by_text("The infusion runs.")).to_be_visible()
    look(tablet)


def take_signs(tablet):
    for label, text in SIGNS.items():
        tablet.get_by_label(label).fill(text)
    go(tablet, "button", "Save vital signs")
    expect(tablet.get_by_text("Vital signs saved.")).to_be_visible()


def infuse(tablet, look):
    tablet.goto(tablet.url.split("#")[0].split("?")[0])
    look(tablet)
    for label, text in SIGNS.items():
        tablet.get_by_label(label).fill(text)
    go(tablet, "button", "Save, and step up to 336 mL/h")
    expect(tablet.get_by_text("The pump runs at 336 mL/h.")).to_be_visible()


def finish(tablet, look):
    tablet.goto(tablet.url.split("#")[0].split("?")[0])
    look(tablet)
    go(tablet, "button", "End: the whole dose is in")
    expect(tablet.get_by_text("The infusion has ended.")).to_be_visible()
    look(tablet)
    take_signs(tablet)


def observe(tablet, look):
    tablet.goto(tablet.url.split("#")[0].split("?")[0])
    go(tablet, "link", "End observation")
    look(tablet)
    go(tablet, "button", "End observation")
    expect(tablet.get_by_text("The patient may go.")).to_be_visible()


def sign_dose(tablet, look):
    look(tablet)
    tablet.get_by_label("Your own password").fill(steps.PASSWORD)
    go(tablet, "button", "Sign as")
    expect(tablet.get_by_text("Signed.", exact=True)).to_be_visible()
    look(tablet)
    go(tablet, "link", "Dose record to print")
    expect(tablet.get_by_text("LOT7").first).to_be_visible()
    look(tablet)
