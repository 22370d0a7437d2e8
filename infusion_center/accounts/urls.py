"""Sign-in pages of allauth, each with its access rule; sign-up pages are not mounted at all."""

from allauth.account import views as allauth
from django.urls import include, path, re_path

from infusion_center.accounts import session_views, views
from infusion_center.accounts.access import anonymous_allowed, signed_in

public = anonymous_allowed(reason="sign-in and password reset come before signing in")
personal = signed_in(reason="everybody manages his own password")

urlpatterns = [
    path("login/", public(allauth.login), name="account_login"),
    path("logout/", session_views.sign_out, name="account_logout"),
    path("inactive/", public(allauth.account_inactive), name="account_inactive"),
    path("reauthenticate/", personal(allauth.reauthenticate), name="account_reauthenticate"),
    path("reauthenticate/download/", views.proof_download, name="proof-download"),
    path("second-factor/", include("infusion_center.accounts.factor_urls")),
    path("sessions/", session_views.session_list, name="session-list"),
    path("sessions/others/end/", session_views.session_end_others, name="session-end-others"),
    path("sessions/<str:handle>/end/", session_views.session_end, name="session-end"),
    path("password/change/", personal(allauth.password_change), name="account_change_password"),
    path("password/reset/", public(allauth.password_reset), name="account_reset_password"),
    path("password/reset/done/", public(allauth.password_reset_done), name="account_reset_password_done"),
    # A pattern, as the key holds hyphens itself.
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        public(allauth.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        public(allauth.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
]
