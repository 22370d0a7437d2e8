"""Forms of second factors: allauth's, in our words, with wrong codes kept in the trail."""

from allauth.core import context
from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import ValidationError

from infusion_center.accounts.forms import PlainFieldsMixin
from infusion_center.accounts.lock_out import note_lock_out
from infusion_center.accounts.services import record_wrong_code

CODE = {"autocomplete": "one-time-code", "autofocus": True, "class": "narrow", "spellcheck": "false"}


class CodeMixin(PlainFieldsMixin):
    hint = "The six digits that your authenticator app shows now, or one of your recovery codes."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].help_text = self.hint
        self.fields["code"].max_length = 20
        self.fields["code"].widget.attrs.update(CODE)

    def clean_code(self):
        try:
            return super().clean_code()
        except ValidationError as refused:
            if refused.code == "too_many_login_attempts":
                note_lock_out(context.request, email=self.user.email)
            raise

    def _emit_authentication_failed(self, authenticator):
        record_wrong_code(user=self.user)


class AuthenticateForm(CodeMixin, base.AuthenticateForm):
    pass


class ReauthenticateCodeForm(CodeMixin, base.ReauthenticateForm):
    pass


class ActivateTOTPForm(CodeMixin, totp.ActivateTOTPForm):
    hint = "The six digits that the app shows now, so that we know it works."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class AddPasskeyForm(PlainFieldsMixin, webauthn.AddWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name"
        self.fields["name"].max_length = 60
        self.fields["name"].help_text = "To tell your keys apart: the key ring, the laptop."
        if "passwordless" in self.fields:
            self.fields["passwordless"].label = "Sign in with it alone"
            self.fields["passwordless"].initial = True
            self.fields["passwordless"].help_text = "Without a password. The device then asks for a finger or its PIN."


class EditPasskeyForm(PlainFieldsMixin, webauthn.EditWebAuthnForm):
    name = forms.CharField(label="Name", max_length=60)
