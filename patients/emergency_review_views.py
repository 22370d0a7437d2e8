"""What managers see of emergency accesses: a count, the list, what was opened during each, and the review."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.audit.presenters import present
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from patients.emergency_forms import ReviewForm
from patients.emergency_queries import accesses_seen_by, opened_during
from patients.emergency_services import review_emergency_access
from patients.models import Patient

PAGE = 30
MOST_EVENTS = 300


@requires(Permission.REVIEW_EMERGENCY)
@require_safe
def emergency_list(request):
    """Those not yet reviewed first, then the newest."""
    seen = accesses_seen_by(request.user).select_related("patient", "user", "reviewed_by").prefetch_related("notices")
    only_open = "all" not in request.GET
    rows = seen.unreviewed() if only_open else seen
    page = Paginator(rows.order_by("-opened_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    name_ones_own(page, request.user)
    context = {"page": page, "only_open": only_open, "unreviewed": seen.unreviewed().count()}
    return render(request, "patients/emergency_list.html", context)


def name_ones_own(accesses, manager) -> None:
    """Of a patient of other sites a manager learns no name by reviewing what his own staff did; shown ones are
    recorded as opened."""
    accesses, now = list(accesses), clock.now()
    own = Patient.objects.visible_to(manager).filter(pk__in=[one.patient_id for one in accesses])
    named = own.in_bulk()
    for access in accesses:
        access.is_ones_own_patient = access.patient_id in named
        access.is_open_now = access.is_open(now)
        sent = sum(1 for notice in access.notices.all() if notice.was_sent)
        total = len(access.notices.all())
        access.told = {"sent": sent, "missed": total - sent, "total": total}
    audit.record_openings(named.values(), by=manager, what="emergency accesses")


@requires(Permission.REVIEW_EMERGENCY)
@require_safe
def emergency_count(request):
    """What the menu shows beside "Emergency access"; nothing where all are reviewed."""
    seen = accesses_seen_by(request.user).unreviewed().exclude(user=request.user)
    return render(request, "patients/_emergency_count.html", {"count": seen.count()})


@requires(Permission.REVIEW_EMERGENCY)
def emergency_detail(request, access_id):
    seen = accesses_seen_by(request.user).select_related("patient", "user", "reviewed_by", "extends")
    access = get_object_or_404(seen, public_id=access_id)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            review_emergency_access(access=access, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "The review is recorded.")
            return redirect("patients:emergency-list")
    name_ones_own([access], request.user)
    context = {
        "access": access,
        "patient": access.patient,
        "form": form,
        "events": [present(event) for event in opened_during(access)[:MOST_EVENTS]],
        "notices": access.notices.select_related("manager").order_by("pk"),
        "may_review": access.reviewed_at is None and access.user_id != request.user.pk,
    }
    return render(request, "patients/emergency_detail.html", context)
