"""What a session may do: desks left alone end theirs, and who must have a second factor sets one up first."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from infusion_center.accounts import lock_session as lock
from infusion_center.accounts import second_factor
from infusion_center.accounts.middleware import is_activity, is_whole_page
from infusion_center.accounts.proof import ask_for_proof, page_of
from infusion_center.accounts.services import record_session_ended
from infusion_center.core import clock
from infusion_center.core.htmx import go_to

DESK_WRITE_SECONDS = 60  # a desk's session is written at most this often, so it ends up to this much later
HAS_FACTOR = "has_factor"  # for which setting it was asked: a stricter one asks again
# What somebody without the second factor that the role needs can still reach, besides its pages and the emergency card.
OPEN_WITHOUT_FACTOR = {
    "account_logout",
    "account_reauthenticate",
    "emergency",
    "emergency-card",
    "emergency-worker",
    "tablet-here",
    "tablet-lock",
    "tablet-lock-now",
    "tablet-unlock",
    "tablet-other",
}
HERE = "tablet-here"
OPEN_WHILE_ENDING = {"account_logout", "emergency", "emergency-card", "emergency-worker"}


class DeskSessionMiddleware:
    """At a desk, idle and old sessions end by the server; shared tablets have their own lock (IdleLockMiddleware)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not request.user.is_authenticated or request.shared_tablet is not None:
            return None
        now, session = clock.now(), request.session
        if lock.password_is_old(session, now):  # also one that knows of none: it came by no door of ours
            return by_itself(request) or end_session(request, "twelve hours")
        if not settings.DESK_IDLE_MINUTES:
            return None
        idle = lock.idle_seconds(session, now) or 0
        if idle > settings.DESK_IDLE_MINUTES * 60 + DESK_WRITE_SECONDS:
            if request.resolver_match.view_name in OPEN_WHILE_ENDING:
                return None
            if asked := self.left_alone(request):
                return asked
        if is_activity(request):
            lock.note_activity(session, now, every=DESK_WRITE_SECONDS)
        return None

    def left_alone(self, request) -> HttpResponse | None:
        """Who was only slow in filling a form does not lose it: it goes on with the password. Anything else ends."""
        if answer := by_itself(request):
            return answer
        if request.method == "POST" and is_whole_page(request) and not request.FILES:
            return ask_for_proof(request)
        return end_session(request, "left alone")


def by_itself(request) -> HttpResponse | None:
    """Nothing for what a page asks by itself; but it does not take a half-filled form off the screen by ending."""
    if (request.method in ("GET", "HEAD") and not is_whole_page(request)) or request.resolver_match.view_name == HERE:
        return HttpResponse("Signed out, as nobody was here.", status=401, content_type="text/plain")
    return None


def end_session(request, why: str) -> HttpResponse:
    record_session_ended(by=request.user, why=why)
    following = page_of(request)
    logout(request)
    messages.info(request, "You were signed out. Sign in again to go on where you were.")
    return go_to(request, f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': following})}")


class SecondFactorMiddleware:
    """Whether somebody has what the role needs is asked once a session; other roles or another setting ask again."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        user, session = request.user, request.session
        if not user.is_authenticated:
            return None
        if lock.rights_changed(session, user):
            session.pop(HAS_FACTOR, None)
            session.cycle_key()
            lock.note_rights(session, user)
        required = second_factor.required_of()
        if not required or session.get(HAS_FACTOR) == required:
            return None
        if not second_factor.lacks_one(user):
            session[HAS_FACTOR] = required
            return None
        if is_open_without_factor(request.resolver_match.view_name):
            return None
        if is_whole_page(request):
            return redirect("mfa_index")
        # The frame of the set-up pages asks for its own fragments too: to send it on would load the page for ever.
        return HttpResponse(status=204 if request.method == "GET" else 403)


def is_open_without_factor(name: str) -> bool:
    return name in OPEN_WITHOUT_FACTOR or (name.startswith("mfa_") and name != "mfa_authenticate")
