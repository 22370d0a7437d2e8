"""What mails say, and above all what they do not: every kind in every language, down to the calendar entry."""

import datetime as dt
import re
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar

from infusion_center.accounts.models import User
from infusions.facility.models import Setting
from infusions.formulary.catalog import load_catalog
from infusions.formulary.models import Product
from infusions.reminders import words
from infusions.reminders.delivery import build_mail
from infusions.reminders.invitation import calendar_entry
from infusions.reminders.models import Kind
from infusions.reminders.wording import template_of, write_message
from infusions.scheduling.states import State
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.guards.source import ROOT

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)
MAILED = [kind for kind in Kind if Path(f"{ROOT}/templates/reminders/en/{template_of(kind)}.txt").exists()]


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def visit(*, site_fields=None, day=dt.date(2026, 6, 18), setting=Setting.FACILITY, **patient_fields):
    site = make_site(
        **{
            "name": "Riverside Center",
            "address": "1 River Road, Exampleton",
            "phone": "555 0100",
            **(site_fields or {}),
        }
    )
    patient = make_patient(given_name="Maria", chosen_name="Mia", family_name="Sample", **patient_fields)
    return make_appointment(site=site, patient=patient, day=day, setting=setting)


def message_of(appointment, kind=Kind.CONFIRMATION):
    return write_message(make_reminder(appointment=appointment, kind=kind))


def sent_mail(appointment, kind=Kind.CONFIRMATION):
    """As it goes over the wire and is parsed at the other end."""
    mail = build_mail(make_reminder(appointment=appointment, kind=kind), NOON)
    return message_from_bytes(mail.message().as_bytes(), policy=policy.default)


def all_texts(mail) -> str:
    """Headers, bodies, calendar entry and file names; of addresses and signatures only what a human reads."""
    random_letters = ("List-Unsubscribe", "Message-ID")
    headers = "\n".join(f"{name}: {value}" for name, value in mail.items() if name not in random_letters)
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    names = [part.get_filename() or "" for part in mail.walk()]
    texts = "\n".join([headers, *parts, *names])
    for word in texts.split():
        # A signature is random letters: any word may occur in it.
        if any(path in word for path in ("/v/", "/m/", "/o/")):
            texts = texts.replace(word, urlsplit(word).path[:3])
    return texts


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("setting", Setting)
def test_no_mail_tells_of_drug_dose_diagnosis_or_speciality(language, setting):
    load_catalog()
    told = {kind: clinical_words(kind, visit_at(setting, language, kind)) for kind in MAILED}
    assert told == {kind: [] for kind in MAILED}


def visit_at(setting, language, kind):
    site = {"name": f"Exampleton Infusion Center {kind}", "address": "Infusion Suite 4", "email": "desk@example.org"}
    illness = {"diagnosis_code": "D83.9", "diagnosis_text": "CVID"}
    appointment = visit(site_fields=site, setting=setting, language=language, **illness)
    User.objects.filter(pk=appointment.nurse.user_id).update(full_name="Robin Example", email=f"r{kind}@example.org")
    appointment.nurse.refresh_from_db()
    return appointment


def clinical_words(kind, appointment) -> list[str]:
    """Every word of the message that tells what it is about."""
    Product.objects.filter(maker="Example Pharma").update(maker="Grifols")  # addresses of tests lie under example.org
    text = all_texts(sent_mail(appointment, kind)).replace(appointment.public_id, "")
    secrets = [
        appointment.order.product.name.casefold(),
        appointment.order.indication.name.casefold(),
        "d83",
        "cvid",
        "sample",
        "maria",
        appointment.patient.mrn.casefold(),
    ]
    return words.clinical_words(text) + [secret for secret in secrets if secret in text.casefold()]


def test_a_confirmation_names_day_time_place_and_ways_to_answer():
    message = message_of(visit())
    assert message.subject == "Your appointment on Thursday, June 18, 2026"
    assert message.text.splitlines()[:9] == [
        "Hello Mia,",
        "",
        "Your appointment is booked. A calendar entry is attached.",
        "",
        "  Thursday, June 18, 2026",
        "  09:00, planned until 13:00",
        "  Riverside Center",
        "  1 River Road, Exampleton",
        "",
    ]
    for wanted in ("http://127.0.0.1:8000/v/", "http://127.0.0.1:8000/m/", "555 0100"):
        assert wanted in message.text
        assert wanted in message.html


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (Kind.CONFIRMATION, "Su cita del jueves 18 de junio de 2026"),
        (Kind.DAYS_3, "Recordatorio: su cita del jueves 18 de junio de 2026"),
        (Kind.MOVED, "Nueva hora: su cita del jueves 18 de junio de 2026"),
        (Kind.CANCELLED, "Cancelada: su cita del jueves 18 de junio de 2026"),
    ],
)
def test_a_spanish_patient_is_written_to_in_spanish(kind, subject):
    message = message_of(visit(language="es"), kind)
    assert (message.subject, message.text.splitlines()[0]) == (subject, "Hola, Mia:")


@pytest.mark.parametrize(
    ("zone", "line"),
    [
        ("America/Toronto", "  09:00, planned until 13:00"),  # another name, the same clock
        ("America/Chicago", "  09:00 (New York time), planned until 13:00"),
    ],
)
def test_times_name_their_zone_where_the_patient_lives_in_another(zone, line):
    lines = message_of(visit(time_zone=zone)).text.splitlines()
    assert line in lines
    assert ("  That is 08:00, Chicago time" in lines) == (zone == "America/Chicago")


def test_zones_are_named_in_the_language_of_the_mail():
    lines = message_of(visit(language="es", time_zone="America/Los_Angeles")).text.splitlines()
    assert "  09:00 (hora de Nueva York), fin aproximado: 13:00" in lines
    assert "  Es decir: 06:00, hora de Los Ángeles" in lines


def test_until_when_an_offer_stands_names_the_zone_of_who_is_to_answer():
    zones = {"A": "America/New_York", "B": "America/Denver"}
    texts = [message_of(visit(site_fields={"name": n}, time_zone=zone), Kind.OFFER).text for n, zone in zones.items()]
    untils = [re.search("To take it or to decline, until (.*):", text)[1] for text in texts]
    assert untils == ["Thursday, June 18, 2026, 08:00", "Thursday, June 18, 2026, 06:00 (Denver time)"]


def test_the_line_shown_beside_the_subject_says_when_and_where_or_what_became_of_it():
    appointment = visit()
    lines = {kind: preheader(message_of(appointment, kind).html) for kind in (Kind.DAYS_3, Kind.CANCELLED)}
    assert lines == {
        Kind.DAYS_3: "09:00, Riverside Center",
        Kind.CANCELLED: "This appointment is cancelled. You do not need to come.",
    }


def preheader(html: str) -> str:
    return re.search(r'class="preheader"[^>]*>(.*?)</div>', html)[1]


def test_the_other_side_of_midnight_is_named_with_its_day():
    appointment = visit(site_fields={"time_zone": "Pacific/Auckland"}, time_zone="America/New_York")
    assert "  That is Wednesday, June 17, 2026, 17:00, New York time" in message_of(appointment).text.splitlines()


def test_twelve_hour_clocks_are_a_setting_of_the_site():
    text = message_of(visit(site_fields={"uses_24h_clock": False})).text
    assert "  9:00 AM, planned until 1:00 PM" in text.splitlines()


def test_a_home_visit_is_by_the_patients_clock_and_without_the_address():
    appointment = visit(setting=Setting.HOME, time_zone="America/Chicago")
    lines = message_of(appointment).text.splitlines()
    assert "  08:00 (Chicago time), planned until 12:00" in lines
    assert "  At your home" in lines
    assert "1 River Road" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "Riverside Center"}, "Riverside Center"),
        ({"name": "Riverside Infusion Center"}, "Your care center"),
        ({"name": "Riverside Infusion Center", "mail_name": "Riverside"}, "Riverside"),
        ({"name": "Riverside", "mail_name": "Riverside Oncology"}, "Riverside"),
    ],
)
def test_a_site_is_called_by_a_neutral_name(fields, name):
    assert sent_mail(visit(site_fields=fields))["From"] == f"{name} <appointments@localhost>"


def test_headers_say_who_it_is_from_and_how_to_stop_it():
    appointment = visit(site_fields={"email": "desk@example.org"})
    reminder = make_reminder(appointment=appointment)
    mail = build_mail(reminder, NOON)
    assert (mail.to, mail.reply_to) == ([appointment.patient.email], ["desk@example.org"])
    headers = mail.extra_headers
    assert headers["Message-ID"] == f"<{reminder.public_id}@127.0.0.1>"
    assert headers["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/m/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def event_of(appointment, kind=Kind.CONFIRMATION):
    entry = calendar_entry(make_reminder(appointment=appointment, kind=kind), sender="a@localhost", now=NOON)
    calendar = Calendar.from_ical(entry)
    return calendar, calendar.walk("VEVENT")[0]


def test_the_calendar_entry_invites_to_the_visit():
    appointment = visit()
    calendar, event = event_of(appointment)
    assert (str(calendar["METHOD"]), str(event["UID"]), event["SEQUENCE"], str(event["STATUS"])) == (
        "REQUEST",
        f"{appointment.public_id}@127.0.0.1",
        0,
        "CONFIRMED",
    )
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (appointment.start, appointment.end)
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == (
        "Appointment",
        "Riverside Center, 1 River Road, Exampleton",
    )


def test_a_move_and_a_cancellation_raise_the_sequence_of_the_same_entry():
    appointment = visit()
    uid = str(event_of(appointment)[1]["UID"])
    appointment.version = 2
    appointment.save()
    assert event_of(appointment, Kind.MOVED)[1]["SEQUENCE"] == 1
    appointment.version, appointment.state, appointment.cancelled_at = 3, State.CANCELLED, NOON
    appointment.save()
    calendar, event = event_of(appointment, Kind.CANCELLED)
    assert (str(calendar["METHOD"]), str(event["UID"]), event["SEQUENCE"], str(event["STATUS"])) == (
        "CANCEL",
        uid,
        2,
        "CANCELLED",
    )


@pytest.mark.parametrize(
    ("day", "start"),
    [
        (dt.date(2026, 3, 6), "2026-03-06T14:00:00+00:00"),
        (dt.date(2026, 3, 9), "2026-03-09T13:00:00+00:00"),
        (dt.date(2026, 10, 30), "2026-10-30T13:00:00+00:00"),
        (dt.date(2026, 11, 2), "2026-11-02T14:00:00+00:00"),
    ],
)
def test_nine_o_clock_stays_nine_o_clock_on_both_sides_of_the_clock_changes(day, start):
    appointment = visit(day=day)
    assert event_of(appointment)[1]["DTSTART"].dt.isoformat() == start
    assert "  09:00, planned until 13:00" in message_of(appointment, Kind.DAYS_1).text.splitlines()


def test_the_mail_is_text_and_html_with_one_calendar_file():
    mail = sent_mail(visit())
    shape = [(part.get_content_type(), part.get_filename()) for part in mail.walk() if not part.is_multipart()]
    assert shape == [("text/plain", None), ("text/html", None), ("text/calendar", "appointment.ics")]
    assert [part.get_param("method") for part in mail.walk() if part.get_content_type() == "text/calendar"] == [
        "REQUEST"
    ]


def test_in_the_dark_nothing_is_written_in_the_colors_of_daylight():
    html = message_of(visit()).html
    light, dark = html.split("prefers-color-scheme: dark", 1)
    daylight = ("#415060", "#095456", "#1c2733")
    assert [color for color in daylight if color in light] == list(daylight)
    assert [color for color in daylight if color in dark.split("</style>")[0]] == []


def test_a_break_in_the_name_of_a_place_adds_no_header_and_stops_no_mail():
    name = "Riverside\r\nBcc: x@example.org"
    mail = sent_mail(visit(site_fields={"mail_name": name}))
    assert (mail["From"].addresses[0].display_name, mail["Bcc"]) == ("Riverside Bcc: x@example.org", None)
