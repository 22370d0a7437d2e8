"""The own PIN, and the list of shared tablets: enroll this device, revoke any."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts import tablet_services as services
from infusion_center.accounts.access import proof_required, requires, signed_in
from infusion_center.accounts.lock_session import open_session, password_time
from infusion_center.accounts.middleware import COOKIE
from infusion_center.accounts.models import QuickPin
from infusion_center.accounts.queries import tablets_of
from infusion_center.accounts.reauthentication import person_with_password
from infusion_center.accounts.roles import Permission
from infusion_center.accounts.tablet_forms import PinForm, TabletForm
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation

# Browsers keep no cookie longer than 400 days; a new one is set each time the tablet is enrolled anew.
COOKIE_SECONDS = 400 * 24 * 60 * 60


@signed_in(reason="everybody sets his own PIN")
def pin_set(request):
    form = PinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed, user = form.cleaned_data, request.user
        try:
            person_with_password(request, email=user.email, password=typed["password"], purpose="setting a PIN")
            services.set_pin(user=user, pin=typed["pin"], by=user, now=clock.now())
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "Your PIN is set. It works at shared tablets where you gave your password today.")
            return redirect("home")
    has_pin = QuickPin.objects.filter(user=request.user).exists()
    return render(request, "accounts/pin_set.html", {"form": form, "has_pin": has_pin})


@requires(Permission.ENROLL_TABLET)
@proof_required
def tablet_enroll(request):
    """This device becomes a shared tablet: its cookie is the only place that holds the key."""
    form = TabletForm(request.POST or None)
    if request.method == "POST" and request.shared_tablet is None and form.is_valid():
        now, given = clock.now(), password_time(request.session)
        tablet, key = services.enroll_tablet(name=form.cleaned_data["name"], by=request.user, password_at=given)
        if given is not None:
            open_session(request.session, tablet=tablet, password_at=given, now=now)
        messages.success(request, f"This device is now the shared tablet {tablet}.")
        has_pin = QuickPin.objects.filter(user=request.user).exists()
        response = redirect("home" if has_pin else "pin-set")
        response.set_cookie(
            COOKIE, key, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
        return response
    return render(request, "accounts/tablet_enroll.html", {"form": form, "tablet": request.shared_tablet})


@requires(Permission.MANAGE_STAFF, Permission.MANAGE_FACILITY)
@require_safe
def tablet_list(request):
    tablets = tablets_of(request.user).select_related("enrolled_by", "revoked_by")
    context = {
        "tablets": tablets.filter(revoked_at=None),
        "revoked": tablets.exclude(revoked_at=None).order_by("-revoked_at")[:50],
        "here": request.shared_tablet,
    }
    return render(request, "accounts/tablet_list.html", context)


@requires(Permission.MANAGE_STAFF, Permission.MANAGE_FACILITY)
@require_POST
def tablet_revoke(request, tablet_id):
    tablet = get_object_or_404(tablets_of(request.user), public_id=tablet_id, revoked_at=None)
    services.revoke_tablet(tablet=tablet, by=request.user, now=clock.now())
    messages.success(request, f"{tablet} is no longer a shared tablet.")
    return redirect("tablet-list")
