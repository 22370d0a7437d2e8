"""From the first mail to the last: what the patient does by a link comes back as mail; old links tell the truth."""

import datetime as dt
import re
from email import message_from_bytes, policy

import pytest
from django.core import mail
from django.test import Client
from django.utils.html import strip_tags
from icalendar import Calendar

from infusion_center.core import clock
from infusions.facility.models import Setting
from infusions.reminders.services import plan_reminders, send_due
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.due_orders import due_orders
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.infusions.reminders.public_scene import NOON, make_center, make_due_order, make_scene

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def newest_mail(now):
    """What one round of planning and sending brings, with its calendar entry."""
    before = len(mail.outbox)
    plan_reminders(now=now)
    send_due(now=now)
    (sent,) = mail.outbox[before:]
    parsed = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    (part,) = [part for part in parsed.walk() if part.get_content_type() == "text/calendar"]
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    event = calendar.walk("VEVENT")[0]
    return sent, (str(calendar["METHOD"]), int(event["SEQUENCE"]), event["DTSTART"].dt, str(event["UID"]))


def path_in(text: str, pattern: str) -> str:
    return re.search(rf"{pattern}", text)[0]


def heading(response) -> str:
    return strip_tags(re.search(r"<h1>.*?</h1>", response.text, re.DOTALL)[0])


def test_book_mail_move_mail_old_link_cancel_mail(time_machine):
    time_machine.move_to(NOON, tick=False)
    site, _, nurse = make_center()
    order = make_due_order(dt.date(2026, 5, 11), email="mia@example.org")
    start = clock.from_local(dt.date(2026, 6, 8), dt.time(9), site.time_zone)
    visit = book_appointment(order=order, start=start, setting=Setting.FACILITY, site=site, by=nurse.user)
    reader = Client(enforce_csrf_checks=True)

    booked, entry = newest_mail(NOON)
    uid = entry[3]
    assert entry == ("REQUEST", 0, start, uid)
    first_link = path_in(booked.body, r"/v/[^/\s]+/")

    move_page = path_in(reader.get(first_link).text, r"/v/[^/\s]+/move/")
    quarter = re.findall(r'name="start"[^>]*value="(\d+)"', reader.get(move_page).text)[-1]
    assert heading(reader.post(move_page, {"start": quarter}, follow=True)) == "Thank you, see you then"

    time_machine.move_to(NOON + 5 * MINUTE, tick=False)
    moved, entry = newest_mail(clock.now())
    new_start = clock.quarter_start(int(quarter))
    assert (entry, moved.subject.startswith("New time")) == (("REQUEST", 1, new_start, uid), True)
    assert heading(reader.get(first_link)) == "Your appointment has a new time"
    assert heading(reader.get(move_page, follow=True)) == "Your appointment has a new time"

    new_link = path_in(moved.body, r"/v/[^/\s]+/")
    cancel_page = path_in(reader.get(new_link).text, r"/v/[^/\s]+/cancel/")
    assert heading(reader.post(cancel_page, {"because": "travel"}, follow=True)) == "This appointment is cancelled"

    time_machine.move_to(NOON + 10 * MINUTE, tick=False)
    cancelled, entry = newest_mail(clock.now())
    assert (entry, cancelled.subject.startswith("Cancelled")) == (("CANCEL", 2, new_start, uid), True)
    assert {heading(reader.get(link)) for link in (first_link, new_link)} == {"This appointment is cancelled"}
    visit.refresh_from_db()
    assert (visit.state, Appointment.objects.count()) == (State.CANCELLED, 1)
    assert [one.order for one in due_orders(site, clock.now())] == [order]


TOO_SMALL_OR_WIDE = """() => [
  ...document.querySelectorAll("a.btn, button, summary, .half label, .foot-link"),
].filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44).map(one => "small: " + one.innerText)
 .concat(document.documentElement.scrollWidth > innerWidth ? ["wide"] : [])"""


@pytest.mark.django_db(transaction=True)
def test_a_thumb_gets_through_all_pages_in_both_languages_and_without_scripts(open_page, axe, time_machine):
    time_machine.move_to(NOON)
    page, found = open_page(width=390, height=844), {}
    for language in ("en", "es"):
        addresses = make_scene(language=language)[1]
        for name, address in addresses.items():
            page.goto(address)
            found[f"{name} {language}"] = [*axe(page), *page.evaluate(TOO_SMALL_OR_WIDE)]
    assert found == {name: [] for name in found}
    plain = open_page(width=390, height=844, java_script_enabled=False)
    plain.goto(addresses["move-visit"])
    plain.locator("[name=start]").nth(1).check()
    plain.get_by_role("button", name="Cambiar mi cita").click()
    assert plain.locator("h1").inner_text() == "Gracias, le esperamos"
    plain.get_by_role("link", name="No puedo ir").click()
    plain.locator("[name=because]").last.check()
    plain.get_by_role("button", name="Cancelar mi cita").click()
    assert plain.locator("h1").inner_text() == "Esta cita está cancelada"
