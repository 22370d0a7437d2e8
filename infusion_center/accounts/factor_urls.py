"""allauth's pages of second factors, each with its access rule; recovery codes are shown once and not downloaded."""

from functools import wraps

from allauth.core.internal import ratelimit
from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path

from infusion_center.accounts import factor_views
from infusion_center.accounts.access import anonymous_allowed, proof_required, signed_in

public = anonymous_allowed(reason="the second step of signing in comes before being signed in")
personal = signed_in(reason="everybody manages his own second factors")


def proven(view):
    """allauth asks too, but would keep a form that came too late in the session, with the cookies it came with."""
    return personal(proof_required(view))


def limited(view):
    """Each challenge leaves a session behind, and it is asked for by GET: nobody asks for more than for sign-ins."""

    @wraps(view)
    def asked(request, *args, **kwargs):
        if not ratelimit.consume(request, app="allauth.account", action="login", limit_get=True):
            return ratelimit.respond_429(request)
        return view(request, *args, **kwargs)

    return asked


urlpatterns = [
    path("", personal(factor_views.FactorIndex.as_view()), name="mfa_index"),
    path("code/", public(base.authenticate), name="mfa_authenticate"),
    path("again/", personal(base.reauthenticate), name="mfa_reauthenticate"),
    path("app/add/", proven(totp.activate_totp), name="mfa_activate_totp"),
    path("app/remove/", proven(factor_views.one_after_the_other(totp.deactivate_totp)), name="mfa_deactivate_totp"),
    path("recovery-codes/", proven(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", proven(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("passkeys/", personal(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("passkeys/add/", proven(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("passkeys/again/", personal(webauthn.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("passkeys/sign-in/", public(limited(webauthn.login_webauthn)), name="mfa_login_webauthn"),
    path("passkeys/<int:pk>/remove/", factor_views.passkey_remove, name="mfa_remove_webauthn"),
    path("passkeys/<int:pk>/name/", proven(webauthn.edit_webauthn), name="mfa_edit_webauthn"),
]
