"""What a nurse's own calendar may know of her visits: when, and which chair; no patient, nothing clinical.

The address is a secret that calendar services fetch and keep, so the feed holds what may lie with strangers.
"""

import datetime as dt
import hashlib

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from icalendar import Calendar, Event

from infusion_center.accounts.roles import Permission, has_permission
from infusions.facility.models import Nurse
from infusions.reminders.wording import mail_host, neutral_name
from infusions.reminders.wording_models import CalendarFeed
from infusions.reminders.words import is_neutral
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

DAYS_BACK, DAYS_AHEAD = 30, 180
REFRESH = dt.timedelta(hours=1)
NOT_SHOWN = (State.CANCELLED, State.NO_SHOW)


def hash_of_secret(secret: str) -> str:
    """The secret is random and long, so a plain hash gives nothing away."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_feed(secret: str) -> CalendarFeed | None:
    """The feed behind the secret, while its nurse still works here."""
    feeds = CalendarFeed.objects.select_related("nurse__user").filter(revoked_at=None)
    feed = feeds.filter(secret_hash=hash_of_secret(secret)).first()
    return feed if feed is not None and may_have_feed(feed.nurse) else None


def may_have_feed(nurse: Nurse) -> bool:
    return nurse.is_active and has_permission(nurse.user, Permission.INFUSE)


def feed_of(nurse: Nurse) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(nurse=nurse, revoked_at=None).first()


def visits_of(nurse: Nurse, now: dt.datetime) -> QuerySet[Appointment]:
    """At sites that she still belongs to; in one query, however many."""
    visits = Appointment.objects.visible_to(nurse.user).filter(
        nurse=nurse,
        start__gte=now - dt.timedelta(days=DAYS_BACK),
        start__lt=now + dt.timedelta(days=DAYS_AHEAD),
    )
    return visits.exclude(state__in=NOT_SHOWN).select_related("site", "chair").order_by("start", "pk")


def calendar_of(nurse: Nurse, now: dt.datetime) -> bytes:
    """Nothing in it depends on when it is written, so that the same visits are the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Visits")
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for visit in visits_of(nurse, now):
        calendar.add_component(_event(visit))
    return calendar.to_ical()


def _event(visit: Appointment) -> Event:
    event = Event()
    event.add("uid", f"{_uid(visit)}@{mail_host()}")
    event.add("sequence", visit.version - 1)
    event.add("dtstamp", visit.updated_at.astimezone(dt.UTC).replace(microsecond=0))
    event.add("dtstart", visit.start.astimezone(dt.UTC))
    event.add("dtend", visit.end.astimezone(dt.UTC))
    event.add("summary", _summary(visit))
    if name := neutral_name(visit.site):
        event.add("location", name)
    event.add("status", "TENTATIVE" if visit.state == State.EXPECTED else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def _summary(visit: Appointment) -> str:
    if visit.is_home:
        return "Home visit"
    name = visit.chair.name if visit.chair is not None else ""
    if not name or not is_neutral(name):
        return "Visit"
    return f"Visit, chair {name}" if name.isdigit() else f"Visit, {name[:1].lower()}{name[1:]}"


def _uid(visit: Appointment) -> str:
    """Always the same for a visit, and not the one in her patient's calendar: the two cannot be laid side by side."""
    return salted_hmac("reminders.feed", visit.public_id, algorithm="sha256").hexdigest()[:32]
