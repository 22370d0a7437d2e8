"""What the mails of the last day, of the evening before, of the day after and of the day sheet say and link to."""

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest

from infusion_center.accounts.models import User
from infusions.facility.models import Setting
from infusions.reminders import links
from infusions.reminders.models import Kind
from infusions.reminders.wording import preview_of, write_message
from infusions.scheduling.states import State
from tests.factories.facility import make_nurse
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON
from tests.infusions.reminders.test_mails import message_of, sent_mail, visit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.DAY_SHEET])
def test_whoever_must_drink_little_is_never_told_to_drink_much(language, kind):
    much = ("plenty", "mucha agua", "bastante agua", "Juice", "El jugo")
    message = message_of(visit(language=language, fluid_restriction_ml_per_day=1500), kind)
    assert [word for word in much if word in message.text + message.html] == []


@pytest.mark.parametrize(
    ("kind", "restricted_to", "advice"),
    [
        (Kind.DAYS_1, None, "Please drink plenty of water the day before"),
        (Kind.DAYS_1, 1500, "Please drink as your care team told you."),
        (Kind.HYDRATION, None, "Drink plenty of water, in the evening and in the morning, unless"),
        (Kind.HYDRATION, 1500, "Drink as your care team told you."),
    ],
)
def test_the_advice_on_drinking_follows_the_fluid_restriction(kind, restricted_to, advice):
    message = message_of(visit(fluid_restriction_ml_per_day=restricted_to), kind)
    assert advice in message.text
    assert advice in message.html


@pytest.mark.parametrize(
    ("kind", "at_center", "at_home"),
    [
        (Kind.HYDRATION, "before you come", "before the visit"),
        (Kind.CANCELLED, "You do not need to come.", "Nobody will come to you."),
    ],
)
def test_who_is_visited_at_home_is_not_told_to_come(kind, at_center, at_home):
    for setting, words in ((Setting.FACILITY, at_center), (Setting.HOME, at_home)):
        message = message_of(visit(setting=setting, site_fields={"name": setting.label}), kind)
        assert (words in message.text, words in message.html) == (True, True)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("kind", "pages"),
    [
        (Kind.DAYS_3, ["visit"]),
        (Kind.DAYS_1, ["visit", "before"]),
        (Kind.HYDRATION, ["before", "visit"]),
        (Kind.AFTER_CARE, ["after"]),
    ],
)
def test_the_links_of_a_mail_open_what_they_are_for(kind, pages, language):
    """Each link in text and HTML is the signed page of its own purpose, and the preview for staff holds none."""
    appointment = visit(language=language)
    reminder = make_reminder(appointment=appointment, kind=kind)
    message, preview = write_message(reminder), preview_of(reminder)
    for text in (message.text, message.html):
        assert [page_behind(link, appointment) for link in re.findall(r"https?://[^\s\"<]+/v/[^\s\"<]+", text)] == pages
    assert "/v/" not in preview.text + preview.html


def page_behind(link: str, appointment) -> str:
    token, page = re.fullmatch(r"/v/([^/]+)/(\w*)/?", urlsplit(link).path).groups()
    purpose = links.Purpose(page or "visit")
    assert links.read_visit_token(token, purpose).appointment == appointment
    return purpose.value


@pytest.mark.parametrize(
    ("language", "country", "help_at_once"),
    [
        ("en", "US", "Call 911 at once"),
        ("es", "US", "Llame al 911 de inmediato"),
        ("en", "GB", "Call 999 at once"),
        ("en", "NZ", "Call your emergency number at once"),
        ("es", "NZ", "Llame al número de emergencias de inmediato"),
    ],
)
def test_the_mail_of_the_day_after_says_when_to_call_for_help(language, country, help_at_once):
    mail = sent_mail(visit(language=language, site_fields={"country": country}), Kind.AFTER_CARE)
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert (help_at_once in text, help_at_once in html, list(mail.iter_attachments())) == (True, True, [])


def test_a_day_sheet_tells_a_nurse_numbers_and_hours_and_names_nobody():
    first = visit(site_fields={"phone": "555 0100"})
    more = {"site": first.site, "nurse": first.nurse, "day": dt.date(2026, 6, 18)}
    make_appointment(at="13:30", state=State.CONFIRMED, **more)
    make_appointment(at="08:00", minutes=60, state=State.CANCELLED, **more)
    make_appointment(at="15:00", nurse=make_nurse(site=first.site), site=first.site, day=dt.date(2026, 6, 18))
    make_appointment(**more | {"day": dt.date(2026, 6, 19)})
    User.objects.filter(pk=first.nurse.user_id).update(full_name="Robin Example")
    first.nurse.refresh_from_db()
    mail = sent_mail(first, Kind.DAY_SHEET)
    assert (mail["Subject"], mail["To"], mail["List-Unsubscribe"], list(mail.iter_attachments())) == (
        "Your visits on Thursday, June 18, 2026",
        first.nurse.user.email,
        None,
        [],
    )
    assert mail.get_body(("plain",)).get_content().splitlines() == [
        "Hello Robin,",
        "",
        "You have 2 visits on Thursday, June 18, 2026.",
        "",
        "  First start: 09:00",
        "  Last end: 17:30",
        "  In a chair: 2",
        "  At home: 0",
        "  Not confirmed yet: 1",
        "",
        "Who, and what has changed since, is on the board (sign in):",
        "http://127.0.0.1:8000/board/?day=2026-06-18",
        "",
        "Riverside Center",
        "",
        "-- ",
        "Automatic message.",
    ]
    assert "http://127.0.0.1:8000/board/?day=2026-06-18" in mail.get_body(("html",)).get_content()
