"""A mail as a site's patients would get it, about a visit that nobody has: for whoever words it."""

import datetime as dt
from functools import cache

from django.template.loader import TemplateDoesNotExist, get_template

from infusion_center.core import clock
from infusions.facility.models import Setting, Site
from infusions.reminders.models import Kind, Reminder
from infusions.reminders.own_words import WORDED, OwnWords
from infusions.reminders.wording import Message, message_context, render_message, template_of, without_links
from infusions.scheduling.models import Appointment, WaitlistEntry, WaitlistOffer
from patients.models import Patient

DAYS_AHEAD = 14
NAMES = {"en": ("Robin", "Sample"), "es": ("Alma", "Ejemplo")}


def example_mail(*, site: Site, kind: str, language: str, words: OwnWords, now: dt.datetime) -> Message:
    context = message_context(example_reminder(site=site, kind=kind, language=language, now=now))
    return render_message(kind, without_links(context), words)


def example_reminder(*, site: Site, kind: str, language: str, now: dt.datetime) -> Reminder:
    """Rows that are never saved; their links open nothing."""
    given, family = NAMES[language]
    patient = Patient(given_name=given, family_name=family, language=language, time_zone=site.time_zone)
    day = clock.local_date(now, site.time_zone) + dt.timedelta(days=DAYS_AHEAD)
    start = clock.from_local(day, dt.time(9), site.time_zone)
    when = {"start": start, "end": start + dt.timedelta(hours=4)}
    if kind == Kind.OFFER:
        entry = WaitlistEntry(site=site, patient=patient, setting=Setting.FACILITY)
        offer = WaitlistOffer(pk=0, entry=entry, expires_at=now + dt.timedelta(hours=4), **when)
        return Reminder(kind=kind, offer=offer, due_at=now)
    visit = Appointment(site=site, patient=patient, setting=Setting.FACILITY, **when)
    return Reminder(kind=kind, appointment=visit, due_at=now)


@cache
def worded_mails() -> tuple[Kind, ...]:
    """The kinds of mail that are shipped in every language, in the order in which a patient gets them."""
    return tuple(kind for kind in WORDED if all(_is_shipped(kind, language) for language in NAMES))


def _is_shipped(kind: str, language: str) -> bool:
    try:
        get_template(f"reminders/{language}/{template_of(kind)}.txt")
    except TemplateDoesNotExist:
        return False
    return True
