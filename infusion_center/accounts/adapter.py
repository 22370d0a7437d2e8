"""What allauth asks of us: nobody signs up, and who signs in, out or fails to is recorded.

These are the adapter's own hooks, so sign-in is audited without a signal.
"""

from allauth.account.adapter import DefaultAccountAdapter

from infusion_center.accounts import services


class StaffAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Email or password is not right. Try again, or reset your password below.",
        "too_many_login_attempts": "Too many tries. Wait five minutes, or reset your password below.",
        "enter_current_password": "This is not your current password.",
    }

    def is_open_for_signup(self, request):
        """Staff accounts are made by a manager."""
        return False

    def login(self, request, user):
        super().login(request, user)
        services.record_sign_in(user=user)

    def logout(self, request):
        if request.user.is_authenticated:
            services.record_sign_out(user=request.user)
        super().logout(request)

    def authentication_failed(self, request, **credentials):
        services.record_failed_sign_in(email=credentials.get("email") or "")

    def set_password(self, user, password):
        services.set_password(user=user, password=password)
