"""What allauth asks of us: nobody signs up, and who signs in, out or fails to is recorded.

These are the adapter's own hooks, so sign-in is audited without a signal.
"""

import logging

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import resolve_url

from infusion_center.accounts import lock_out, second_factor, services
from infusion_center.accounts.lock_session import note_place, note_rights, open_session
from infusion_center.accounts.models import QuickPin
from infusion_center.accounts.proof import count_sign_in
from infusion_center.accounts.tablet_services import forget_passwords, note_password
from infusion_center.audit.middleware import client_address
from infusion_center.core import clock

logger = logging.getLogger(__name__)


class StaffAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Email or password is not right. Try again, or reset your password below.",
        "too_many_login_attempts": f"Too many tries. Wait {settings.LOCK_OUT_MINUTES} minutes, or ask a manager to "
        "unlock you.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your current password.",
    }

    def is_open_for_signup(self, request):
        """Staff accounts are made by a manager."""
        return False

    def login(self, request, user):
        super().login(request, user)
        count_sign_in(request)
        note_rights(request.session, user)
        note_place(request.session, address=client_address(request), browser=request.headers.get("User-Agent", ""))
        now, tablet = clock.now(), request.shared_tablet
        open_session(request.session, tablet=tablet, password_at=now, now=now)
        if tablet is not None:
            note_password(tablet=tablet, user=user, now=now)
        services.record_sign_in(user=user)

    def get_login_redirect_url(self, request):
        """Who has no PIN yet is asked for one first at a shared tablet: without it she cannot come back quickly."""
        if request.shared_tablet is not None and not QuickPin.objects.filter(user=request.user).exists():
            return resolve_url("pin-set")
        return super().get_login_redirect_url(request)

    def logout(self, request):
        """Signing out is going home: at a shared tablet the PIN opens nothing until the next password."""
        if request.user.is_authenticated:
            if request.shared_tablet is not None:
                forget_passwords(user=request.user, tablet=request.shared_tablet)
            services.record_sign_out(user=request.user)
        super().logout(request)

    def authentication_failed(self, request, **credentials):
        services.record_failed_sign_in(email=credentials.get("email") or "")

    def pre_authenticate(self, request, **credentials):
        """Also where one signs or proves something by password: after too many failures nothing is looked at."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            lock_out.note_lock_out(request, email=credentials.get("email") or "")
            raise

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """Each change of password or second factor: into the trail, and to the person. No mail server, no mail."""
        second_factor.record_what_happened(notice=template_prefix, user=user)
        send = super().send_notification_mail

        def told():
            try:
                send(template_prefix, user, context, email)
            except OSError as error:
                logger.warning("Notice refused: %s", type(error).__name__)

        transaction.on_commit(told)  # no row stays locked while a mail server thinks

    def set_password(self, user, password):
        request = allauth_context.request
        here = request.session.session_key if request.user.pk == user.pk else ""
        services.set_password(user=user, password=password, here=here or "")
