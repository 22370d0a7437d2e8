"""Two webs, three workers, two beats, one broker, one mail server, one database: what one does, the others know.

One test, because starting nine processes is what it costs.
"""

import threading
import urllib.error
from contextlib import suppress

import pytest

from infusions.facility.models import Setting
from infusions.reminders.models import Reminder, ReminderState
from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.models import Appointment
from tests.factories.accounts import PASSWORD, make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment, next_weekday
from tests.infusions.reminders.conftest import wait_for
from tests.infusions.reminders.test_workers import at_once, message_ids
from tests.machines.fleet import Browser, wait_until_up

HOURS = ("08:00", "09:30", "11:00", "12:30")


class Ground:
    """One chair, so that two visits at one time cannot both fit; three weeks on, so that only confirmations are due."""

    def __init__(self):
        self.site = make_site()
        self.chair, self.nurse = make_chair(site=self.site), make_nurse(site=self.site)
        self.day = next_weekday(self.site, ahead=20)
        make_shift(nurse=self.nurse, site=self.site, day=self.day)
        self.orders = [make_order(infusion_minutes=30) for _ in range(6)]
        self.desks = [make_staff(role="scheduler", site=self.site) for _ in range(2)]

    def book(self, browser: Browser, web: str, order, time: str) -> tuple[int, str]:
        wish = {"day": self.day.isoformat(), "time": time, "setting": Setting.FACILITY, "token": f"{order.pk}-{time}"}
        return browser.post(f"{web}/orders/{order.public_id}/book/", **wish)


@pytest.fixture
def ground(transactional_db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # what the webs read
    return Ground()


def confirmed(count: int) -> bool:
    return Reminder.objects.filter(kind="confirmation", state=ReminderState.SENT).count() == count


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_several_machines_act_as_one(fleet, ground, inbox):
    for _ in range(9):
        make_appointment(day=next_weekday(ground.site, ahead=20))
    first, second = fleet.start_web("web-0"), fleet.start_web("web-1")
    fleet.start_workers(3)
    fleet.start_beats(2)
    wait_until_up(first, second)
    browsers = signed_in_at_one_and_known_at_the_other(ground, first, second)
    the_same_start_is_given_once(ground, browsers, (first, second))
    wait_for(lambda: confirmed(10), what="nine confirmations and that of the booked visit")

    fleet.kill("beat-0")
    a_web_dies_under_requests(fleet, ground, browsers[0], first, second)
    wait_for(lambda: confirmed(Appointment.objects.count()), what="the confirmations of what was booked since")
    assert inbox.ids == message_ids(state=ReminderState.SENT)
    assert fleet.dead == {"web-0", "beat-0"}
    assert (claim_violations(), shared_lanes()) == ([], [])


def signed_in_at_one_and_known_at_the_other(ground: Ground, first: str, second: str) -> list[Browser]:
    browsers = [Browser(), Browser()]
    for browser, desk, web, other in zip(browsers, ground.desks, (first, second), (second, first), strict=True):
        browser.sign_in(web, desk.email, PASSWORD)
        status, page = browser.get(f"{other}/patients/")
        assert (status, desk.full_name in page) == (200, True)
    return browsers


def the_same_start_is_given_once(ground: Ground, browsers: list[Browser], webs: tuple[str, str]) -> None:
    answers = []
    jobs = [
        lambda browser=browser, web=web, order=order: answers.append(ground.book(browser, web, order, "14:00"))
        for browser, web, order in zip(browsers, webs, ground.orders, strict=False)
    ]
    at_once(*jobs)
    assert Appointment.objects.filter(site=ground.site).count() == 1
    assert sum("is taken" in page for _, page in answers) == 1


def a_web_dies_under_requests(fleet, ground: Ground, browser: Browser, first: str, second: str) -> None:
    """Bookings go to the first until it is gone, then the same ones to the second: each is booked once, and wholly."""
    begun = threading.Event()

    def book_at_the_first():
        with suppress(OSError, urllib.error.URLError):
            for order, time in zip(ground.orders[2:], HOURS, strict=True):
                begun.set()
                ground.book(browser, first, order, time)

    desk = threading.Thread(target=book_at_the_first)
    desk.start()
    begun.wait(10)
    wait_for(lambda: Appointment.objects.filter(site=ground.site).count() > 1, what="the first of them")
    fleet.kill("web-0")
    desk.join(30)
    for order, time in zip(ground.orders[2:], HOURS, strict=True):
        ground.book(browser, second, order, time)
    assert Appointment.objects.filter(site=ground.site, order__in=ground.orders[2:]).count() == len(HOURS)
