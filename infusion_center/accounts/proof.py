"""Asks again for what only the person knows or holds, before acts that must be her own doing and not a passer-by's.

A sign-in counts too while it is fresh; a PIN at a shared tablet never does. What counts, and for how long, is allauth's
reauthentication: see ACCOUNT_REAUTHENTICATION_TIMEOUT.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY as METHODS
from allauth.account.forms import ReauthenticateForm
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate, reauthenticate_by_password
from allauth.core import ratelimit
from allauth.utils import get_form_class
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_htmx.http import HttpResponseClientRedirect

from infusion_center.core.htmx import is_htmx

FIELD = "proof-password"


def is_proven(request: HttpRequest) -> bool:
    return did_recently_reauthenticate(request)


def count_sign_in(request: HttpRequest) -> None:
    """Who has just signed in has just given the password, passkey or code: nobody asks again at once."""
    records = request.session.get(METHODS, [])
    request.session[METHODS] = [{**record, "reauthenticated": True} for record in records]


def ask_for_proof(request: HttpRequest, *, download: bool = False) -> HttpResponse | None:
    """The page that asks; None when a form was sent together with the right password, so that it may go on.

    What was typed is carried by the page that asks, and never kept on the server. Files cannot be carried.
    """
    if request.method != "POST" or request.FILES or is_htmx(request):
        return _to_the_page_that_asks(request, download)
    asked = FIELD in request.POST
    form_class = get_form_class(app_settings.FORMS, "reauthenticate", ReauthenticateForm)  # ours, by the settings
    form = form_class(request.POST if asked else None, user=request.user, prefix="proof")
    if asked and not ratelimit.consume(request, action="reauthenticate", user=request.user):
        return ratelimit.respond_429(request)
    if asked and form.is_valid():
        reauthenticate_by_password(request)
        request.POST = _without_password(request.POST)
        return None
    typed = _without_password(request.POST).lists()
    carried = [(name, value) for name, values in typed if not is_secret(name) for value in values]
    context = {"form": form, "carried": carried, "back": referring_page(request)}
    return render(request, "accounts/proof.html", context, status=403)


def _to_the_page_that_asks(request: HttpRequest, download: bool) -> HttpResponse:
    """And from there to the page that was asked for; for a fragment, to the page that it belongs to."""
    here = page_of(request)
    if download:
        here = f"{reverse('proof-download')}?{urlencode({'next': here, 'back': referring_page(request)})}"
    address = f"{reverse('account_reauthenticate')}?{urlencode({'next': here})}"
    return HttpResponseClientRedirect(address) if is_htmx(request) else HttpResponseRedirect(address)


def page_of(request: HttpRequest) -> str:
    """The page that a request was made from, to come back to."""
    if is_htmx(request):
        return request.htmx.current_url_abs_path or "/"
    return referring_page(request) if request.method == "POST" else request.get_full_path()


def referring_page(request: HttpRequest) -> str:
    """The page of ours that led here, without its host; the start when there is none."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"


def is_secret(name: str) -> bool:
    """Other passwords and PINs are typed anew rather than written into a page."""
    return "password" in name or name.startswith("pin")


def _without_password(posted: QueryDict) -> QueryDict:
    rest = posted.copy()
    rest.pop(FIELD, None)
    rest.pop("csrfmiddlewaretoken", None)
    return rest
