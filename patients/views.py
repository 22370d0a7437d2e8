"""Pages to find, register and amend patients."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.htmx import go_to, is_htmx, page_or_partial
from infusion_center.core.rules import RuleViolation
from infusion_center.core.searching import to_sealed, typed, with_sealed
from infusions.facility.pages import at_site
from infusions.scheduling.models import Appointment
from patients.finding import find_patients
from patients.forms import AmendmentForm
from patients.models import Patient
from patients.named_charts import note_named
from patients.queries import recently_opened
from patients.registration_forms import RegistrationForm
from patients.search_text import kinds_of, read_search
from patients.services import amend_patient, register_patient

SHOWN = 20


def opened_patient(request: HttpRequest, patient_id: str, *, what: str) -> Patient:
    """The patient of this page; that somebody saw him is recorded. 404 for one whom the person may not see."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    audit.will_open(patient, by=request.user, patient=patient, what=what)
    return patient


@requires(Permission.VIEW_PATIENT)
def patient_list(request):
    text = typed(request)
    if request.method == "POST" and not is_htmx(request):
        return to_sealed(request, text)
    visible = Patient.objects.visible_to(request.user)
    kinds = kinds_of(read_search(text, clock.now().date()))
    if kinds:
        # One more than is shown tells whether there are more.
        patients = find_patients(text, SHOWN + 1, by=request.user, among=visible)
    else:
        patients = recently_opened(request.user, visible)
    rows = patients[:SHOWN]
    add_next_visits(rows, request.user)
    context = {"text": text, "searched": bool(kinds), "patients": rows, "more": len(patients) > SHOWN}
    response = page_or_partial(request, "patients/patient_list.html", "patients/_patient_results.html", context)
    return with_sealed(response, request, text) if request.method == "POST" else response


def add_next_visits(patients: list[Patient], user) -> None:
    """Give each patient his `next_visit`, in one query for all."""
    visits = Appointment.objects.visible_to(user).filter(patient__in=patients).upcoming(clock.now())
    first = {}
    for visit in visits.select_related("site").order_by("start", "pk"):
        first.setdefault(visit.patient_id, visit)
    for patient in patients:
        patient.next_visit = first.get(patient.pk)


@requires(Permission.EDIT_PATIENT)
@at_site
def patient_create(request, *, site):
    form = RegistrationForm(
        request.POST or None,
        may_record=has_permission(request.user, Permission.RECORD_CLINICAL_DATA),
        may_test=has_permission(request.user, Permission.REGISTER_TEST_PATIENT),
        today=clock.local_date(clock.now(), site.time_zone),
        initial={"time_zone": site.time_zone},
    )
    if request.method == "POST" and form.is_valid():
        try:
            patient = register_patient(
                by=request.user,
                site=site,
                accepted=form.cleaned_data["accepted"],
                **form.values(),
                **form.first_facts(),
            )
        except RuleViolation as refused:
            form.show_problems(refused.problems)
            note_named([problem.url for problem in refused.problems], by=request.user)
        else:
            messages.success(request, f"{patient.name} is registered.")
            return go_to(request, patient)
    return render(request, "patients/patient_form.html", {"form": form})


@requires(Permission.EDIT_PATIENT)
def patient_edit(request, patient_id):
    patient = opened_patient(request, patient_id, what="edit")
    form = AmendmentForm(request.POST or None, patient=patient)
    if request.method == "POST" and form.is_valid():
        try:
            amend_patient(
                patient=patient,
                version=form.cleaned_data["version"],
                by=request.user,
                accepted=form.cleaned_data["accepted"],
                **form.values(),
            )
        except RuleViolation as refused:
            form.show_problems(refused.problems)
            note_named([problem.url for problem in refused.problems], by=request.user)
            if "stale-version" in refused.codes:
                patient.refresh_from_db()
                form.catch_up(patient)
        else:
            messages.success(request, "The changes are saved.")
            return go_to(request, patient)
    return render(request, "patients/patient_form.html", {"form": form, "patient": patient})
