"""Locking a shared tablet, and coming back or taking over by PIN. With lock.js the same as an overlay on the page."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_GET, require_POST, require_safe

from infusion_center.accounts import kept_services, services
from infusion_center.accounts import lock_session as lock
from infusion_center.accounts.access import anonymous_allowed, signed_in
from infusion_center.accounts.kept_fields import entry_in
from infusion_center.accounts.middleware import PERSON_CHANGED, is_whole_page, person_changed
from infusion_center.accounts.queries import people_at
from infusion_center.accounts.roles import Permission
from infusion_center.accounts.tablet_services import record_lock, unlock_by_pin
from infusion_center.audit.middleware import client_address
from infusion_center.core import clock
from infusion_center.core.going_back import own_path
from infusion_center.core.rules import RuleViolation

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
at_the_tablet = anonymous_allowed(reason="the tablet proves itself by its cookie, the person by a PIN or a password")
own_session = signed_in(reason="everybody locks his own session and gets his own typing back")


@at_the_tablet
@require_safe
def tablet_lock(request):
    """Who was here today, and the pad. Also how somebody takes over who finds the sign-in page."""
    if request.shared_tablet is None:
        return redirect("home")
    return lock_page(request, following=request.GET.get("next", ""))


def lock_page(request, *, following="", chosen="", problems=(), status=200):
    """The pad; for the overlay only the pad."""
    user = request.user if request.user.is_authenticated else None
    people = people_at(request.shared_tablet, clock.now(), first=user)
    context = {
        "tablet": request.shared_tablet,
        "people": people,
        "chosen": chosen or next((row.user.public_id for row in people), ""),
        "next": following,
        "problems": problems,
    }
    overlay = "X-Overlay" in request.headers
    return render(request, "accounts/_lock.html" if overlay else "accounts/lock.html", context, status=status)


@own_session
@require_POST
def tablet_lock_now(request):
    """Lock, and keep for this person what was typed and not sent: also when the tablet locked a moment before."""
    if request.shared_tablet is None:
        raise Http404
    if not lock.is_locked(request.session):
        request.session[lock.LOCKED] = True
        record_lock(
            tablet=request.shared_tablet, by=request.user, why="left alone" if "idle" in request.POST else "one tap"
        )
    address, fields = entry_in(request.POST)
    if fields:
        path = address.partition("?")[0]
        kept_services.keep_entry(user=request.user, path=path, fields=fields, now=clock.now())
    if "X-Overlay" in request.headers:
        return lock_page(request)
    query = urlencode({"next": safe_next(request) or ""})
    return HttpResponseRedirect(f"{reverse('tablet-lock')}?{query}")


@at_the_tablet
@require_POST
def tablet_unlock(request):
    """The right PIN of somebody who gave the password here today. Another person gets a session of her own."""
    tablet, now = request.shared_tablet, clock.now()
    if tablet is None:
        raise Http404
    previous = request.user if request.user.is_authenticated else None
    chosen = request.POST.get("person", "")
    row = next((row for row in people_at(tablet, now) if row.user.public_id == chosen), None)
    if row is None:
        return lock_page(request, following=safe_next(request), problems=["Choose who you are."], status=422)
    try:
        password_at = unlock_by_pin(
            tablet=tablet, user=row.user, pin=request.POST.get("pin", ""), previous=previous, now=now
        )
    except RuleViolation as refused:
        texts = [f"{problem.message} {problem.remedy}".strip() for problem in refused.problems]
        return lock_page(request, following=safe_next(request), chosen=chosen, problems=texts, status=422)
    same = previous is not None and previous.pk == row.user_id
    if not same:
        switch_person(request, row.user)
    lock.open_session(request.session, tablet=tablet, password_at=password_at, now=now)
    return let_in(request, same)


def switch_person(request, user):
    """A new session and a new CSRF token: pages of the person before can send nothing. The tablet's site stays."""
    stays = {key: request.session[key] for key in settings.STAYS_AT_TABLET if key in request.session}
    list(messages.get_messages(request))  # what was to be said to the person before is not for this one
    login(request, user, backend=BACKEND)
    request.session.update(stays)
    lock.note_rights(request.session, user)
    lock.note_place(request.session, address=client_address(request), browser=request.headers.get("User-Agent", ""))


def let_in(request, same):
    """Back to where the same person was; another person begins at her patients."""
    if "X-Overlay" in request.headers and same:
        path = request.POST.get("address", "").partition("?")[0]
        kept_services.drop_entry(user=request.user, path=path)  # it still stands on the page
        return JsonResponse({"same": True})
    following = (same and safe_next(request)) or begin_at(request.user)
    if "X-Overlay" in request.headers:
        return JsonResponse({"same": False, "next": following})
    return HttpResponseRedirect(following)


def begin_at(user) -> str:
    chairside = {Permission.FILL_CHECKLIST, Permission.VIEW_DOSE} & user.permissions
    return reverse("doses:my-patients") if chairside else resolve_url(settings.LOGIN_REDIRECT_URL)


def safe_next(request) -> str:
    return own_path(request, request.POST.get("next", ""))


@at_the_tablet
@require_POST
def tablet_other(request):
    """Somebody whose PIN does not do: to the full sign-in. Who was here before may still come back by PIN."""
    if request.user.is_authenticated:
        services.record_sign_out(user=request.user)
        logout(request)
    return redirect(settings.LOGIN_URL)


@own_session
@require_POST
def tablet_here(request):
    """Somebody touched the page: the middleware has noted it."""
    return HttpResponse(status=204)


@own_session
@require_GET
def kept_entry(request):
    """What this person had typed at this page before the tablet locked."""
    entry = kept_services.entry_of(request.user, request.GET.get("path", ""), clock.now())
    if entry is None:
        raise Http404
    return JsonResponse(entry.fields)


@own_session
@require_POST
def kept_drop(request):
    kept_services.drop_entry(user=request.user, path=request.POST.get("path", ""))
    return HttpResponse(status=204)


def csrf_failure(request, reason=""):
    """A page of another session: at a shared tablet that of the person before."""
    at_tablet = getattr(request, "shared_tablet", None) is not None
    if at_tablet and not is_whole_page(request):
        return person_changed()
    referer = request.headers.get("Referer", "")
    known = url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure())
    context = {"changed": PERSON_CHANGED if at_tablet else "", "again": referer if known else "/"}
    return render(request, "403_csrf.html", context, status=403)
