"""Forms of sign-in (allauth's, without placeholders) and of the staff pages."""

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from django import forms

from infusion_center.accounts.models import User
from infusion_center.accounts.roles import Role
from infusion_center.core.forms import FormMixin
from infusion_center.core.rules import Severity
from infusions.facility.models import Site


class PlainFieldsMixin(FormMixin):
    """Labels stand above the fields, so placeholders would only repeat them in too pale a colour."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(PlainFieldsMixin, allauth.LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs.update(autocomplete="username", autofocus=True)
        self.fields["password"].help_text = ""


class ChangePasswordForm(PlainFieldsMixin, allauth.ChangePasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].help_text = ""
        name_new_passwords(self)

    def clean_oldpassword(self):
        """Looked at like any other proof: counted, and kept in the trail. allauth would only compare."""
        if not get_adapter().reauthenticate(self.user, self.cleaned_data["oldpassword"]):
            raise get_adapter().validation_error("enter_current_password")
        return self.cleaned_data["oldpassword"]


class ReauthenticateForm(PlainFieldsMixin, allauth.ReauthenticateForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password"].label = "Your password"
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs["autofocus"] = True


class ResetPasswordForm(PlainFieldsMixin, allauth.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(PlainFieldsMixin, allauth.ResetPasswordKeyForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        name_new_passwords(self)


def name_new_passwords(form):
    form.fields["password1"].help_text = "At least 12 characters; three unrelated words are easy to keep in mind."
    form.fields["password2"].label = "New password again"


def reason_field():
    return forms.CharField(
        label="Reason",
        max_length=200,
        required=False,
        help_text="Only needed if booked visits would be left without a nurse; it is kept.",
    )


class StaffForm(FormMixin, forms.Form):
    """`manager` decides about roles, and about the sites that he works at himself."""

    full_name = forms.CharField(label="Name", max_length=150)
    email = forms.EmailField(label="Email", max_length=254, help_text="To sign in with, and for the first password.")
    initials = forms.CharField(
        label="Initials", max_length=4, required=False, help_text="Shown on the board; made from the name when empty."
    )
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one role: without one, nothing opens."},
    )
    sites = forms.ModelMultipleChoiceField(
        label="Works at",
        queryset=Site.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one site: the person sees only these."},
    )
    visits_homes = forms.BooleanField(
        label="Visits patients at home", required=False, help_text="For nurses: may be given home shifts."
    )
    override_reason = reason_field()

    def __init__(self, *args, manager: User, person: User | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sites"].queryset = Site.objects.visible_to(manager)
        self.fields["initials"].widget.attrs["class"] = "narrow"
        if person is not None:
            del self.fields["email"]
            self.helper.layout.fields.remove("email")
        self.helper.layout.fields.remove("override_reason")

    @property
    def asks_reason(self) -> bool:
        """A reason is asked for only once booked visits would lose their nurse."""
        return any(problem.severity == Severity.APPROVAL for problem in self.problems)


class DeactivateForm(FormMixin, forms.Form):
    override_reason = reason_field()


class StaffFilterForm(FormMixin, forms.Form):
    q = forms.CharField(label="Name or email", required=False)
    role = forms.ChoiceField(label="Role", required=False, choices=[("", "Any role"), *Role.choices])
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Active"), ("inactive", "Not active"), ("all", "All")]
    )
