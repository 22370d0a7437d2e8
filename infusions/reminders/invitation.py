"""The calendar entry of a visit (RFC 5545, 5546): the same UID for ever, a higher SEQUENCE with each move.

Times are instants in UTC, as in the ledger: right in every zone and season, with no VTIMEZONE that could be out of date
or that some calendar reads otherwise. Calendars show them by their reader's clock; whoever lives in another zone than
the site finds the site's own time, by name, in the description.
"""

import datetime as dt

from icalendar import Calendar, Event, vCalAddress, vText

from infusions.reminders.models import Kind, Reminder
from infusions.reminders.wording import AT_HOME, language_of, mail_host, place_of, when_of

FILE_NAME = "appointment.ics"
SUMMARIES = {"en": "Appointment", "es": "Cita"}


def method_of(reminder: Reminder) -> str:
    return "CANCEL" if reminder.kind == Kind.CANCELLED else "REQUEST"


def calendar_entry(reminder: Reminder, *, sender: str, now: dt.datetime) -> bytes:
    """`sender` is the bare address that the mail comes from."""
    appointment, method = reminder.appointment, method_of(reminder)
    language = language_of(appointment)
    place = place_of(appointment, language)
    where = AT_HOME[language] if appointment.is_home else ", ".join(filter(None, [place.name, place.address]))
    event = Event()
    event.add("uid", f"{appointment.public_id}@{mail_host()}")
    event.add("sequence", appointment.version - 1)
    event.add("dtstamp", now.astimezone(dt.UTC).replace(microsecond=0))
    event.add("dtstart", appointment.start.astimezone(dt.UTC))
    event.add("dtend", appointment.end.astimezone(dt.UTC))
    event.add("summary", SUMMARIES[language])
    event.add("location", where)
    if description := _times_by_name(appointment, language):
        event.add("description", description)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("organizer", _person(sender, place.name))
    attendee = _person(appointment.patient.email)
    attendee.params["rsvp"] = vText("FALSE")
    event.add("attendee", attendee, encode=0)
    calendar = Calendar()
    calendar.add("prodid", "-//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    return calendar.to_ical()


def _times_by_name(appointment, language: str) -> str:
    """Where two zones could be meant: the time at the site, and the same moment at the patient's."""
    when = when_of(appointment, language)
    if not when.zone:
        return ""
    lines = [when.day, f"{when.begins} ({when.zone})", when.there]
    return "\n".join(filter(None, lines))


def _person(address: str, name: str = "") -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    if name:
        person.params["cn"] = vText(name)
    return person
