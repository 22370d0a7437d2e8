"""The page on which a patient's wishes for booking are entered."""

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core.forms import FormMixin
from infusion_center.core.going_back import own_path
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import WEEKDAYS, ChairKind, Nurse
from infusions.scheduling.preference_services import preference_of, set_booking_preference, state_of
from patients.models import Patient


def _time(label, hint):
    widget = forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M")
    return forms.TimeField(label=label, required=False, widget=widget, help_text=hint)


class PreferenceForm(FormMixin, forms.Form):
    weekdays = forms.TypedMultipleChoiceField(
        label="Days",
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: any day.",
    )
    earliest = _time("Start not before", "By the clock of the site.")
    latest = _time("Start not after", "")
    nurse = forms.ModelChoiceField(
        Nurse.objects.none(), to_field_name="public_id", required=False, empty_label="No one in particular"
    )
    chair_kind = forms.ChoiceField(label="Kind of chair", choices=[("", "Any"), *ChairKind.choices], required=False)
    needs_chair_kind = forms.BooleanField(
        label="No other kind of chair will do",
        required=False,
        help_text="Then nothing else is searched, offered or booked. All other wishes only rank the starts.",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["nurse"].queryset = (
            Nurse.objects.visible_to(user).filter(is_active=True).select_related("user").order_by("user__full_name")
        )


@requires(Permission.BOOK_APPOINTMENT)
def preference_edit(request, patient_id):
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    preference = preference_of(patient)
    following = _following(request, patient)
    will_open(patient, by=request.user, patient=patient, what="booking preference")
    form = PreferenceForm(request.POST or None, user=request.user, initial=_initial(preference))
    if request.method == "POST" and form.is_valid():
        try:
            set_booking_preference(patient=patient, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"What {patient.name} prefers is saved.")
            return redirect(following)
    context = {"patient": patient, "form": form, "following": following}
    return render(request, "infusions/scheduling/preference_form.html", context)


def _initial(preference) -> dict:
    if preference is None:
        return {"seen": state_of(None)}
    names = ("weekdays", "earliest", "latest", "chair_kind", "needs_chair_kind")
    nurse = preference.nurse.public_id if preference.nurse else None
    return {name: getattr(preference, name) for name in names} | {"nurse": nurse, "seen": state_of(preference)}


def _following(request, patient) -> str:
    """Back to the search that it was opened from, else to the chart."""
    asked = request.GET.get("next", "")
    return own_path(request, asked) or patient.get_absolute_url()
