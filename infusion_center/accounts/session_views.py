"""Where one is signed in, and ending it there; signing out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from allauth.account.views import logout as allauth_logout
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts import session_services as services
from infusion_center.accounts.access import proof_required, signed_in
from infusion_center.accounts.browsers import browser_name
from infusion_center.accounts.lock_session import PLACE, SEEN_AT, TABLET, password_time
from infusion_center.accounts.models import OpenSession, SharedTablet, User
from infusion_center.core import clock

own = signed_in(reason="everybody looks after his own sessions")


@dataclass(frozen=True)
class Place:
    """An open session as its person sees it; the key stays in the table."""

    handle: str
    is_here: bool
    browser: str
    address: str
    tablet: str
    since: dt.datetime | None
    seen: dt.datetime | None


def places_of(user: User, *, here: str) -> list[Place]:
    """The one in use first, then by when somebody was last there."""
    tablets = dict(SharedTablet.objects.values_list("public_id", "name"))
    rows = user.open_sessions.filter(expire_date__gt=clock.now())
    places = [_place(row, here, tablets) for row in rows]
    return sorted(places, key=lambda place: (not place.is_here, -(place.seen or place.since or NEVER).timestamp()))


NEVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def _place(row: OpenSession, here: str, tablets: dict[str, str]) -> Place:
    data = row.get_decoded()
    where, seen = data.get(PLACE, {}), data.get(SEEN_AT)
    return Place(
        handle=row.handle,
        is_here=row.session_key == here,
        browser=browser_name(where.get("browser", "")),
        address=where.get("address", ""),
        tablet=tablets.get(data.get(TABLET), ""),
        since=password_time(data),
        seen=seen and dt.datetime.fromtimestamp(seen, tz=dt.UTC),
    )


@own
@require_safe
def session_list(request):
    places = places_of(request.user, here=request.session.session_key)
    return render(request, "accounts/session_list.html", {"places": places})


@own
@require_POST
def session_end(request, handle):
    row = next((row for row in request.user.open_sessions.all() if row.handle == handle), None)
    if row is None or row.session_key == request.session.session_key:
        raise Http404
    services.end_session(session=row, by=request.user)
    messages.success(request, "Signed out there.")
    return redirect("session-list")


@own
@proof_required
@require_POST
def session_end_others(request):
    count = services.end_other_sessions(key=request.session.session_key, by=request.user)
    messages.success(request, f"Signed out at {count} other {'place' if count == 1 else 'places'}.")
    return redirect("session-list")


@own
def sign_out(request):
    """Browsers drop pages that they kept; neither storage, where the emergency card lies, nor the tablet's cookie."""
    response = allauth_logout(request)
    if request.method == "POST":
        response.headers["Clear-Site-Data"] = '"cache"'
    return response
