"""What the reminders page shows at a glance."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.urls import reverse

from infusions.reminders.glance import DayVolume, Needs, needs_of, volume_of
from infusions.reminders.models import Kind, Reason, ReminderState
from infusions.reminders.volume_picture import Part, picture_of
from tests.factories.facility import make_site
from tests.factories.mail_events import make_block, make_mail_event
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 6, 1)


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)
    cache.clear()


@pytest.fixture
def visit(site):
    return make_appointment(site=site, day=VISIT_DAY)


def written(visit, **more):
    """Messages of some days ago: sent, came back, failed, skipped; one of last month, and one of another site."""
    sent = make_reminder(appointment=visit, state=ReminderState.SENT, due_at=NOON - 3 * DAY)
    back = make_reminder(appointment=visit, kind=Kind.DAYS_7, state=ReminderState.SENT, due_at=NOON - 2 * DAY)
    make_mail_event(reminder=sent, kind="delivered")
    make_mail_event(reminder=back, kind="bounced")
    failed = {"state": ReminderState.FAILED, "reason": Reason.GAVE_UP}
    make_reminder(appointment=visit, kind=Kind.DAYS_6, due_at=NOON - 2 * DAY, **failed)
    make_reminder(appointment=visit, kind=Kind.DAYS_5, due_at=NOON - 30 * DAY, **failed)
    make_reminder(appointment=visit, kind=Kind.DAYS_4, due_at=NOON - 13 * DAY, state=ReminderState.SKIPPED)
    make_reminder(appointment=visit, kind=Kind.DAYS_3, due_at=NOON + 13 * dt.timedelta(hours=1))  # tomorrow, 01:00
    make_reminder(appointment=visit, kind=Kind.DAYS_2, due_at=NOON + 5 * dt.timedelta(hours=1))
    make_reminder(appointment=make_appointment(site=make_site(), day=VISIT_DAY), due_at=NOON, **failed)


def test_needs_count_what_somebody_has_to_do(site, visit):
    assert needs_of(site, NOON).is_calm
    cache.clear()
    written(visit)
    make_block(make_appointment(site=site, day=TODAY + 5 * DAY).patient.email)
    assert needs_of(site, NOON) == Needs(failed=1, came_back=1, blocked=1, unreached=1)


def test_volume_counts_by_day_and_state_in_the_site_s_zone(site, visit):
    written(visit)
    days = volume_of(site, NOON)
    assert [day.day for day in days] == [TODAY - back * DAY for back in reversed(range(14))]
    assert [day for day in days if day.total] == [
        DayVolume(TODAY - 13 * DAY, skipped=1),
        DayVolume(TODAY - 3 * DAY, sent=1),
        DayVolume(TODAY - 2 * DAY, sent=1, failed=1),
        DayVolume(TODAY, waiting=1),
    ]


def test_the_picture_stacks_the_states_of_a_day():
    busy, quiet = picture_of([DayVolume(TODAY - DAY, sent=84, failed=1, skipped=83), DayVolume(TODAY)]).columns
    assert busy.parts == (Part("sent", 66, 42), Part("skipped", 25, 41), Part("failed", 22, 3))
    assert (busy.label, busy.words) == ("Sun 31", "168")
    assert busy.title == "Sun 31 May: 84 sent, 83 skipped, 1 failed"
    assert (quiet.label, quiet.words, quiet.parts, quiet.title) == ("Today", "", (), "Mon 1 Jun: no messages")


def test_the_page_leads_to_what_needs_somebody(client_for, site, visit):
    written(visit)
    page = client_for("scheduler").get(reverse("reminders:reminder-list")).content.decode()
    for url in ("?state=failed", "?state=came_back", "/reminders/blocked/", "/to-do/failed-reminders/"):
        assert url in page
    assert "/to-do/failed-reminders/" not in client_for("pharmacist").get("/reminders/").content.decode()
    back = client_for("scheduler").get("/reminders/?state=came_back")
    assert [(row.kind, row.is_back) for row in back.context["page"]] == [(Kind.DAYS_7, True)]
    assert (
        "Needs somebody"
        not in client_for("scheduler").post("/reminders/", {"q": "nobody"}, follow=True).content.decode()
    )


def test_the_glance_costs_the_same_for_many_messages(client_for, site, visit, django_assert_num_queries):
    client = client_for("scheduler")
    written(visit)
    with django_assert_num_queries(16):
        client.get("/reminders/")
    cache.clear()
    for back in range(10):
        written(make_appointment(site=site, day=VISIT_DAY + back * DAY))
    with django_assert_num_queries(16):
        client.get("/reminders/")
    with django_assert_num_queries(10):  # remembered
        client.get("/reminders/")
