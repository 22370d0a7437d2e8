"""A nurse's visits in her own calendar: making and revoking its address, and the feed behind it."""

import hashlib

from allauth.core.internal.ratelimit import consume
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET, require_POST

from infusion_center.accounts.access import anonymous_allowed, proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Nurse
from infusions.facility.queries import current_site
from infusions.reminders import feed_services as services
from infusions.reminders.feed import DAYS_AHEAD, DAYS_BACK, calendar_of, feed_of, may_have_feed, open_feed
from infusions.reminders.wording import absolute

IN_ADDRESS = "calendar programs cannot sign in: the secret in the address is the authority"
# Each feed is fetched a few times an hour; calendar services fetch those of many people from one address of theirs.
RATES = {"ask": "120/m/ip", "read": "30/10m/key", "guess": "30/10m/ip"}
PAUSE_SECONDS = 10 * 60


@requires(Permission.INFUSE)
@require_GET
def calendar_page(request):
    return _page(request)


@requires(Permission.INFUSE)
@proof_required
@require_POST
def calendar_make(request):
    nurse = _nurse(request)
    if nurse is None:
        return redirect("reminders:calendar")
    try:
        secret = services.make_feed(nurse=nurse, by=request.user)
    except RuleViolation as refused:
        messages.error(request, str(refused))
        return redirect("reminders:calendar")
    # Shown in the answer itself: kept nowhere, and gone with this page.
    return _page(request, address=absolute(reverse("reminders:calendar-feed", args=[secret])))


@requires(Permission.INFUSE)
@require_POST
def calendar_revoke(request):
    nurse = _nurse(request)
    if nurse is not None:
        services.revoke_feed(nurse=nurse, by=request.user)
        messages.success(request, "The address no longer works.")
    return redirect("reminders:calendar")


@anonymous_allowed(reason=IN_ADDRESS)
@require_GET
def calendar_feed(request, secret):
    """Unknown, revoked and of somebody who left: the same answer, which tells nothing."""
    if not _may(request, "ask"):
        return _too_often()
    feed = open_feed(secret)
    if feed is None:
        return _plain("No such calendar.", status=404) if _may(request, "guess") else _too_often()
    if not _may(request, "read", key=feed.public_id):
        return _too_often()
    now = clock.now()
    services.note_reading(feed=feed, now=now)
    return _calendar(request, calendar_of(feed.nurse, now))


def _calendar(request, content: bytes) -> HttpResponse:
    """Only what changed is sent again."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="visits.ics"'
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=_keep_private(response))


def _page(request, address: str = "") -> HttpResponse:
    nurse = _nurse(request)
    feed = feed_of(nurse) if nurse is not None else None
    days = {"days_back": DAYS_BACK, "days_ahead": DAYS_AHEAD}
    context = {"nurse": nurse, "feed": feed, "address": address, "site": current_site(request), **days}
    return render(request, "infusions/reminders/calendar.html", context)


def _nurse(request) -> Nurse | None:
    nurse = Nurse.objects.select_related("user").filter(user=request.user).first()
    return nurse if nurse is not None and may_have_feed(nurse) else None


def _may(request, action: str, key: str = "") -> bool:
    """Counted in the cache, per feed and per address, as sign-in tries are."""
    return bool(consume(request, app="calendar", action=action, config=RATES, key=key, limit_get=True))


def _too_often() -> HttpResponse:
    response = _plain("Too many requests.", status=429)
    response.headers["Retry-After"] = str(PAUSE_SECONDS)
    return response


def _plain(text: str, *, status: int) -> HttpResponse:
    return _keep_private(HttpResponse(text, status=status, content_type="text/plain; charset=utf-8"))


def _keep_private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "private, no-cache"
    return response
