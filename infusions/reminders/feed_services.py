"""Writes of calendar feeds: make, revoke, and note that one was read."""

import datetime as dt
import secrets

from django.db import IntegrityError, transaction
from django.db.models import Q

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker
from infusions.facility.models import Nurse
from infusions.reminders.feed import hash_of_secret, may_have_feed
from infusions.reminders.wording_models import CalendarFeed

SECRET_BYTES = 32
NOTED_EVERY = dt.timedelta(hours=1)


@transaction.atomic
def make_feed(*, nurse: Nurse, by, now: dt.datetime | None = None) -> str:
    """A new secret, which nobody can read again; an earlier address no longer works."""
    now = now or clock.now()
    if not may_have_feed(nurse):
        raise RuleViolation([blocker("no-visits-of-your-own", f"{nurse} no longer works as a nurse here.")])
    revoke_feed(nurse=nurse, by=by, now=now)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    try:
        with transaction.atomic():
            feed = CalendarFeed.objects.create(nurse=nurse, secret_hash=hash_of_secret(secret), created_at=now)
    except IntegrityError as error:
        raise RuleViolation([blocker("just-made", "An address was made at this moment in another window.")]) from error
    audit.record("calendar_feed.made", feed, by=by)
    return secret


@transaction.atomic
def revoke_feed(*, nurse: Nurse, by, now: dt.datetime | None = None) -> None:
    now = now or clock.now()
    for feed in CalendarFeed.objects.select_for_update().filter(nurse=nurse, revoked_at=None):
        feed.revoked_at, feed.revoked_by = now, by
        feed.save(update_fields=["revoked_at", "revoked_by"])
        audit.record("calendar_feed.revoked", feed, by=by)


@transaction.atomic
def note_reading(*, feed: CalendarFeed, now: dt.datetime) -> None:
    """At most once an hour: calendars ask again and again."""
    due = Q(last_read_at=None) | Q(last_read_at__lte=now - NOTED_EVERY)
    if CalendarFeed.objects.filter(due, pk=feed.pk).update(last_read_at=now):
        audit.record("calendar_feed.read", feed, by=None, actor="Whoever has the address")
