"""What a manager does about a colleague's sign-in: unlock, end sessions, reset the second factor."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from infusion_center.accounts import lock_out, second_factor, session_services
from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.invitations import tell_factors_reset
from infusion_center.accounts.models import User
from infusion_center.accounts.queries import staff_of
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation


def sign_in_facts(person: User) -> dict:
    return {
        "locked_out": lock_out.is_locked_out(person),
        "sessions": person.open_sessions.filter(expire_date__gt=clock.now()).count(),
        "factors": second_factor.factors_of(person).count(),
        "needs_factor": second_factor.must_have(person),
    }


@requires(Permission.MANAGE_STAFF)
@proof_required
@require_POST
def staff_unlock(request, person_id):
    person = get_object_or_404(staff_of(request.user), public_id=person_id)
    lock_out.lift_lock_out(request, user=person, by=request.user)
    messages.success(request, f"{person.full_name} can try again at once.")
    return redirect("staff:staff-detail", person.public_id)


@requires(Permission.MANAGE_STAFF)
@proof_required
@require_POST
def staff_end_sessions(request, person_id):
    person = get_object_or_404(staff_of(request.user), public_id=person_id)
    session_services.end_sessions_of(user=person, by=request.user)
    messages.success(request, f"{person.full_name} was signed out everywhere.")
    return redirect("staff:staff-detail", person.public_id)


@requires(Permission.MANAGE_STAFF)
@proof_required
def staff_reset_factors(request, person_id):
    person = get_object_or_404(staff_of(request.user), public_id=person_id)
    if request.method == "POST":
        try:
            second_factor.reset_factors(user=person, by=request.user)
        except RuleViolation as refused:
            messages.error(request, " ".join(p.message for p in refused.problems))
        else:
            told = tell_factors_reset(request, person)
            messages.success(request, f"{person.full_name} sets up a new second factor at the next sign-in.")
            if not told:
                messages.error(request, f"The mail to {person.email} could not be sent. Tell the person yourself.")
        return redirect("staff:staff-detail", person.public_id)
    return render(request, "accounts/staff_reset_factors.html", {"person": person})
