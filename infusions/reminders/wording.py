"""What a message says: date, time and place in the patient's language, and the texts rendered from templates."""

import datetime as dt
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format

from infusion_center.core import clock
from infusions.reminders import links
from infusions.reminders.models import DAYS_BEFORE, Reminder
from infusions.reminders.words import is_neutral
from infusions.scheduling.models import Appointment, WaitlistOffer

DATE_FORMATS = {"en": "l, F j, Y", "es": r"l j \d\e F \d\e Y"}
TIME_FORMATS = {True: "H:i", False: "g:i A"}
AT_HOME = {"en": "At your home", "es": "En su domicilio"}
About = Appointment | WaitlistOffer
NEUTRAL_PLACES = {"en": "Your care center", "es": "Su centro de atención"}


@dataclass(frozen=True)
class When:
    """A visit's time as its reader's language writes it. Zone names are empty where only one zone can be meant."""

    day: str
    begins: str
    ends: str
    zone: str = ""
    there: str = ""  # the same moment on the patient's own clock, where that differs


@dataclass(frozen=True)
class Place:
    name: str
    address: str
    phone: str
    email: str


@dataclass(frozen=True)
class Message:
    subject: str
    text: str
    html: str


def write_message(reminder: Reminder) -> Message:
    """Subject, text and HTML of one ledger row. The first line of the text template is the subject."""
    return _rendered(reminder, message_context(reminder))


def preview_of(reminder: Reminder) -> Message:
    """As staff may read it: without the links, which would let them answer in the patient's place."""
    context = message_context(reminder)
    hidden = {name: "[…]" for name, value in context.items() if name.endswith("_url") and value}
    return _rendered(reminder, {**context, **hidden})


def _rendered(reminder: Reminder, context: dict) -> Message:
    template = f"reminders/{context['language']}/{template_of(reminder.kind)}"
    with translation.override(context["language"]):
        subject, _, text = render_to_string(f"{template}.txt", context).strip().partition("\n")
        html = render_to_string(f"{template}.html", {**context, "subject": subject})
    return Message(subject.strip(), re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n", html)


def template_of(kind: str) -> str:
    return "reminder" if kind in DAYS_BEFORE else kind


def message_context(reminder: Reminder) -> dict:
    if reminder.offer_id is not None:
        return offer_context(reminder.offer)
    appointment = reminder.appointment
    return {
        **visit_context(appointment),
        "visit_url": absolute(reverse("reminders:visit", args=[links.visit_token(appointment)])),
        "stop_url": stop_url(appointment),
    }


def offer_context(offer: WaitlistOffer) -> dict:
    """As of a visit, with until when to answer, and the visit that the offered time would replace."""
    language, instead_of = language_of(offer), offer.entry.instead_of
    return {
        **visit_context(offer),
        "until": _moment(offer.expires_at, offer, language),
        "replaces": when_of(instead_of, language) if instead_of else None,
        "offer_url": absolute(reverse("reminders:offer", args=[links.offer_token(offer)])),
        "stop_url": stop_url(offer),
    }


def visit_context(appointment: About) -> dict:
    """What mails and the patient's pages may know: chosen name, when, where, whom to call. Nothing clinical."""
    patient, language = appointment.patient, language_of(appointment)
    place = place_of(appointment, language)
    return {
        "language": language,
        "name": patient.chosen_name or patient.given_name,
        "when": when_of(appointment, language),
        "place": place,
        "where": AT_HOME[language] if appointment.is_home else place.name,
        # Whoever must drink little is not told to drink much; the care team told them how much.
        "advise_water": patient.fluid_restriction_ml_per_day is None,
    }


def language_of(appointment: About) -> str:
    language = appointment.patient.language
    return language if language in DATE_FORMATS else "en"


def stop_url(appointment: About) -> str:
    return absolute(reverse("reminders:stop", args=[links.stop_token(appointment)]))


def _moment(instant: dt.datetime, about: About, language: str) -> str:
    """Day and time by the wall clock where the patient lives, who is to answer there."""
    local = clock.to_local(instant, about.patient.time_zone)
    with translation.override(language):
        day, wall = (
            date_format(local, DATE_FORMATS[language]),
            date_format(local, TIME_FORMATS[about.site.uses_24h_clock]),
        )
    return f"{day}, {wall}"


def day_of(instant: dt.datetime, appointment: Appointment) -> str:
    """The day in the patient's language, by the wall clock of where the visit is."""
    language = language_of(appointment)
    zone = appointment.patient.time_zone if appointment.is_home else appointment.site.time_zone
    with translation.override(language):
        return date_format(clock.to_local(instant, zone), DATE_FORMATS[language])


def when_of(appointment: About, language: str) -> When:
    """By the wall clock of where the visit is: the site, or the patient's home."""
    site_zone, home_zone = appointment.site.time_zone, appointment.patient.time_zone
    zone = home_zone if appointment.is_home else site_zone
    begins, ends = (clock.to_local(instant, zone) for instant in (appointment.start, appointment.end))
    time_format = TIME_FORMATS[appointment.site.uses_24h_clock]
    with translation.override(language):
        when = When(
            day=date_format(begins, DATE_FORMATS[language]),
            begins=date_format(begins, time_format),
            ends=date_format(ends, time_format),
        )
        at_home = clock.to_local(appointment.start, home_zone)
        if at_home.utcoffset() == clock.to_local(appointment.start, site_zone).utcoffset():
            return when
        there = date_format(at_home, time_format)
        if at_home.date() != begins.date():
            there = f"{date_format(at_home, DATE_FORMATS[language])}, {there}"
    if appointment.is_home:
        return When(when.day, when.begins, when.ends, zone=zone_label(zone, language))
    label = zone_label(site_zone, language)
    return When(when.day, when.begins, when.ends, label, f"{there}, {zone_label(home_zone, language)}")


def zone_label(zone: str, language: str) -> str:
    """America/New_York -> New York time."""
    city = zone.rpartition("/")[2].replace("_", " ")
    return f"hora de {city}" if language == "es" else f"{city} time"


def place_of(appointment: About, language: str) -> Place:
    site = appointment.site
    address = "" if appointment.is_home or not is_neutral(site.address) else site.address
    return Place(place_name(site, language), address, site.phone, site.email)


def place_name(site, language: str) -> str:
    """What patients' mail calls the site: a name with clinical words in it stays inside the house."""
    return next((name for name in (site.mail_name, site.name) if name and is_neutral(name)), NEUTRAL_PLACES[language])


def mail_host() -> str:
    """The host in Message-ID and calendar UID: it must stay the same for as long as calendars keep entries."""
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"
