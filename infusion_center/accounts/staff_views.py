"""Staff pages for managers: who works here, in which roles and at which sites."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from infusion_center.accounts import staffing
from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.forms import DeactivateForm, StaffFilterForm, StaffForm
from infusion_center.accounts.invitations import send_invitation
from infusion_center.accounts.models import User
from infusion_center.accounts.queries import role_history, staff_list, staff_of
from infusion_center.accounts.roles import Permission
from infusion_center.accounts.staff_sign_in_views import sign_in_facts
from infusion_center.core.rules import RuleViolation


@requires(Permission.MANAGE_STAFF)
def staff_index(request):
    form = StaffFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    people = staff_list(
        request.user, text=wanted.get("q", ""), role=wanted.get("role", ""), state=wanted.get("state", "")
    )
    page = Paginator(people, 50).get_page(request.GET.get("page"))
    return render(request, "accounts/staff_list.html", {"form": form, "page": page})


@requires(Permission.MANAGE_STAFF)
@proof_required
def staff_create(request):
    form = StaffForm(request.POST or None, manager=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            person = staffing.save_staff(form, by=request.user)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            _tell_about_invitation(request, person)
            return redirect("staff:staff-list")
    return render(request, "accounts/staff_create.html", {"form": form})


@requires(Permission.MANAGE_STAFF)
@proof_required
def staff_detail(request, person_id):
    person = get_object_or_404(staff_of(request.user), public_id=person_id)
    form = StaffForm(request.POST or None, manager=request.user, person=person, initial=_initial(person))
    if request.method == "POST" and form.is_valid():
        try:
            staffing.save_staff(form, by=request.user, person=person)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"{person.full_name} was saved.")
            return redirect("staff:staff-list")
    context = {"form": form, "person": person, "history": role_history(person), "sign_in": sign_in_facts(person)}
    return render(request, "accounts/staff_detail.html", context)


@requires(Permission.MANAGE_STAFF)
@proof_required
def staff_deactivate(request, person_id):
    person = get_object_or_404(staff_of(request.user), public_id=person_id, is_active=True)
    form = DeactivateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            staffing.switch_off(person, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"{person.full_name} can no longer sign in.")
            return redirect("staff:staff-list")
    # The reason is asked for only once something stands against it.
    context = {"person": person, "form": form if form.errors else None}
    return render(request, "accounts/staff_deactivate.html", context)


@requires(Permission.MANAGE_STAFF)
@proof_required
@require_POST
def staff_reactivate(request, person_id):
    person = get_object_or_404(staff_of(request.user), public_id=person_id, is_active=False)
    staffing.switch_on(person, by=request.user)
    messages.success(request, f"{person.full_name} can sign in again.")
    return redirect("staff:staff-detail", person.public_id)


@requires(Permission.MANAGE_STAFF)
@proof_required
@require_POST
def staff_invite(request, person_id):
    person = get_object_or_404(staff_of(request.user), public_id=person_id, is_active=True)
    _tell_about_invitation(request, person)
    return redirect("staff:staff-detail", person.public_id)


def _initial(person: User) -> dict:
    nurse = getattr(person, "nurse", None)
    return {
        "full_name": person.full_name,
        "initials": person.initials,
        "roles": sorted(person.roles),
        "sites": [membership.site_id for membership in person.site_memberships.all()],
        "visits_homes": bool(nurse and nurse.visits_homes),
    }


def _tell_about_invitation(request, person: User) -> None:
    if send_invitation(request, person):
        messages.success(request, f"{person.full_name} was sent a mail to set a password.")
    else:
        messages.error(request, f"The mail to {person.email} could not be sent. Open the person to send it again.")
