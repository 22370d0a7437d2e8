"""Keeps pages out of the browser's memory, and shared tablets locked while nobody is at them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string

from infusion_center.accounts import lock_session as lock
from infusion_center.accounts.queries import tablet_with_key
from infusion_center.accounts.tablet_services import record_lock
from infusion_center.core import clock

COOKIE = "__Host-tablet" if settings.SESSION_COOKIE_SECURE else "tablet"
LOCKED_STATUS = 423
# What a locked tablet still answers: its own requests, the way out, and what to do in an emergency.
OPEN_WHILE_LOCKED = {
    "tablet-lock",
    "tablet-lock-now",
    "tablet-unlock",
    "tablet-other",
    "account_logout",
    "emergency",
    "emergency-card",
    "emergency-worker",
}
PERSON_CHANGED = "The person at this tablet changed since this page was opened. Nothing was saved."


class NoStoreMiddleware:
    """Pages for signed-in people are never kept by the browser or a proxy: a shared tablet's back button shows none."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class IdleLockMiddleware:
    """At a shared tablet: locks what is left alone, and lets nothing be done by a locked session or an older page.

    What counts as somebody being there: every act and every whole page. Requests that a page makes by itself do not,
    whoever wrote them; hands that only read, scroll or type are reported by lock.js.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.shared_tablet = tablet_with_key(request.COOKIES.get(COOKIE, ""))
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not request.user.is_authenticated:
            return None
        tablet, session, now = request.shared_tablet, request.session, clock.now()
        if lock.has_left_its_tablet(session, tablet):
            logout(request)
            return redirect_to_login("/", reverse(settings.LOGIN_URL))
        if tablet is None:
            return None
        if request.headers.get("X-Person", request.user.public_id) != request.user.public_id:
            return person_changed()
        if not lock.is_locked(session) and (why := reason_to_lock(request, now)):
            session[lock.LOCKED] = True
            record_lock(tablet=tablet, by=request.user, why=why)
        if lock.is_locked(session):
            return None if request.resolver_match.view_name in OPEN_WHILE_LOCKED else refused(request)
        if is_activity(request):
            lock.note_activity(session, now)
        return None


def reason_to_lock(request, now) -> str:
    if lock.password_is_old(request.session, now):
        return "password is old"
    idle = lock.idle_seconds(request.session, now)
    if idle is None:
        return "left alone"
    if idle <= lock.SHORTEST_MINUTES * 60:  # whatever the site says: no need to ask for it
        return ""
    return "left alone" if idle > lock_minutes(request) * 60 + lock.LATE_SECONDS else ""


def lock_minutes(request) -> int:
    """The site's minutes; this layer knows no sites, so the settings name who does."""
    return import_string(settings.LOCK_MINUTES_OF)(request)


def is_activity(request) -> bool:
    return request.method not in ("GET", "HEAD") or is_whole_page(request)


def is_whole_page(request) -> bool:
    """Somebody opened a page: neither htmx nor a script of ours asked. Browsers say so in Sec-Fetch-Mode."""
    by_script = "HX-Request" in request.headers or "X-Overlay" in request.headers
    return not by_script and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def refused(request) -> HttpResponse:
    if request.method in ("GET", "HEAD") and is_whole_page(request):
        query = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('tablet-lock')}?{query}")
    if is_whole_page(request):
        return render(request, "accounts/locked.html", status=LOCKED_STATUS)
    return HttpResponse("The tablet is locked. Nothing was saved.", status=LOCKED_STATUS, content_type="text/plain")


def person_changed() -> HttpResponse:
    """For pages' own requests; lock.js loads the page anew when it sees the header."""
    response = HttpResponse(PERSON_CHANGED, status=403, content_type="text/plain; charset=utf-8")
    response.headers["X-Person-Changed"] = "1"
    return response
