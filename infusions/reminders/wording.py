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
from infusions.reminders.about import DaySheet
from infusions.reminders.day_sheets import visits_of
from infusions.reminders.emergency_numbers import emergency_number
from infusions.reminders.models import DAYS_BEFORE, Kind, Reminder
from infusions.reminders.own_words import OwnWords, filled, own_words_of
from infusions.reminders.words import is_neutral
from infusions.scheduling.models import Appointment, WaitlistOffer
from infusions.scheduling.states import State

DATE_FORMATS = {"en": "l, F j, Y", "es": r"l j \d\e F \d\e Y"}
TIME_FORMATS = {True: "H:i", False: "g:i A"}
AT_HOME = {"en": "At your home", "es": "En su domicilio"}
About = Appointment | WaitlistOffer
# Their mails ask how the patient is: the page opens two days before.
ASKS_BEFORE = frozenset({Kind.DAYS_1, Kind.HYDRATION})
# Cities that give zones their names, where Spanish writes them otherwise.
SPANISH_CITIES = {
    "New York": "Nueva York",
    "Los Angeles": "Los Ángeles",
    "Mexico City": "Ciudad de México",
    "Havana": "La Habana",
    "Panama": "Panamá",
    "Bogota": "Bogotá",
    "London": "Londres",
}
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
    context = message_context(reminder)
    return render_message(reminder.kind, context, own_words_of(reminder.site, reminder.kind, context["language"]))


def preview_of(reminder: Reminder) -> Message:
    """As staff may read it: without the links, which would let them answer in the patient's place."""
    context = without_links(message_context(reminder))
    return render_message(reminder.kind, context, own_words_of(reminder.site, reminder.kind, context["language"]))


def without_links(context: dict) -> dict:
    """A link that the mail does not have stays missing."""
    return {name: "[…]" if name.endswith("_url") and value else value for name, value in context.items()}


def render_message(kind: str, context: dict, words: OwnWords) -> Message:
    """`words`: the site's own, which stand instead of or besides those of the templates."""
    template = f"reminders/{context['language']}/{template_of(kind)}"
    if words:
        context = {**context, "own": filled(words, context)}
    with translation.override(context["language"]):
        subject, _, text = render_to_string(f"{template}.txt", context).strip().partition("\n")
        html = render_to_string(f"{template}.html", {**context, "subject": subject.strip()})
    return Message(subject.strip(), re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n", html)


def template_of(kind: str) -> str:
    return "reminder" if kind in DAYS_BEFORE else kind


def message_context(reminder: Reminder) -> dict:
    if reminder.offer_id is not None:
        return offer_context(reminder.offer)
    if reminder.nurse_id is not None:
        return day_sheet_context(reminder.about)
    appointment, kind = reminder.appointment, Kind(reminder.kind)
    return {
        **visit_context(appointment),
        "visit_url": visit_page(appointment, "visit", links.Purpose.VISIT),
        "before_url": visit_page(appointment, "before-visit", links.Purpose.BEFORE) if kind in ASKS_BEFORE else "",
        "emergency": emergency_number(appointment.site.country),
        "after_url": visit_page(appointment, "after-visit", links.Purpose.AFTER) if kind == Kind.AFTER_CARE else "",
        "stop_url": stop_url(appointment),
    }


def offer_context(offer: WaitlistOffer) -> dict:
    """As of a visit, with until when to answer, and the visit that the offered time would replace."""
    language, instead_of = language_of(offer), offer.entry.instead_of
    return {
        **visit_context(offer),
        "until": moment_of(offer.expires_at, offer),
        "replaces": when_of(instead_of, language) if instead_of else None,
        "offer_url": absolute(reverse("reminders:offer", args=[links.offer_token(offer)])),
        "stop_url": stop_url(offer),
    }


def day_sheet_context(sheet: DaySheet) -> dict:
    """Numbers and hours of a nurse's day, by the site's clock; nobody is named."""
    visits, language = list(visits_of(sheet)), language_of(sheet)
    at_home = sum(visit.is_home for visit in visits)
    return {
        "language": language,
        "name": sheet.nurse.user.full_name.split()[0],
        # Nobody calls the front desk about a day sheet.
        "place": Place(place_name(sheet.site, language), "", "", reach_of(sheet.site)[2]),
        "day": date_format(sheet.day, DATE_FORMATS[language]),
        "visits": len(visits),
        "begins": _wall(visits[0].start, sheet.site) if visits else "",
        "ends": _wall(max(visit.end for visit in visits), sheet.site) if visits else "",
        "in_chair": len(visits) - at_home,
        "at_home": at_home,
        "unconfirmed": sum(visit.state == State.EXPECTED for visit in visits),
        "board": absolute(f"{reverse('scheduling:board')}?day={sheet.day.isoformat()}"),
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
        "is_home": appointment.is_home,  # then nobody has to come
        # Whoever must drink little is not told to drink much; the care team told them how much.
        "advise_water": patient.fluid_restriction_ml_per_day is None,
    }


def language_of(about: About | DaySheet) -> str:
    """Staff work in English."""
    language = about.patient.language if about.patient is not None else "en"
    return language if language in DATE_FORMATS else "en"


def visit_page(appointment: Appointment, name: str, purpose: links.Purpose) -> str:
    return absolute(reverse(f"reminders:{name}", args=[links.visit_token(appointment, purpose)]))


def stop_url(appointment: About) -> str:
    return absolute(reverse("reminders:stop", args=[links.stop_token(appointment)]))


def moment_of(instant: dt.datetime, about: About) -> str:
    """Day and time by the wall clock where the patient lives, who is to answer or call from there."""
    language = language_of(about)
    local = clock.to_local(instant, about.patient.time_zone)
    with translation.override(language):
        day, wall = (
            date_format(local, DATE_FORMATS[language]),
            date_format(local, TIME_FORMATS[about.site.uses_24h_clock]),
        )
    if local.utcoffset() == clock.to_local(instant, about.site.time_zone).utcoffset():
        return f"{day}, {wall}"
    return f"{day}, {wall} ({zone_label(about.patient.time_zone, language)})"


def _wall(instant: dt.datetime, site) -> str:
    return date_format(clock.to_local(instant, site.time_zone), TIME_FORMATS[site.uses_24h_clock])


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
    return f"hora de {SPANISH_CITIES.get(city, city)}" if language == "es" else f"{city} time"


def place_of(appointment: About | DaySheet, language: str) -> Place:
    site = appointment.site
    address, phone, email = reach_of(site)
    return Place(place_name(site, language), "" if appointment.is_home else address, phone, email)


def reach_of(site) -> tuple[str, str, str]:
    """Address, phone and email; each empty where it holds a clinical word, as it may from before they were refused."""
    address, phone = (text if is_neutral(text) else "" for text in (site.address, site.phone))
    return address, phone, site.email if is_neutral(site.email, run_together=True) else ""


def place_name(site, language: str) -> str:
    """What patients' mail calls the site: a name with clinical words in it stays inside the house."""
    return neutral_name(site) or NEUTRAL_PLACES[language]


def neutral_name(site) -> str:
    """In one line: it stands in the sender's name, and no mail goes with a break in there."""
    names = (" ".join(name.split()) for name in (site.mail_name, site.name))
    return next((name for name in names if name and is_neutral(name)), "")


def mail_host() -> str:
    """The host in Message-ID and calendar UID: it must stay the same for as long as calendars keep entries."""
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"
