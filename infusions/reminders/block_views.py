"""Addresses where mail is in vain, for staff: the list, and lifting a block with a reason."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit import services as audit
from infusion_center.core.rules import RuleViolation
from infusions.facility.pages import at_site
from infusions.reminders.blocks import blocks_of_patients, lift_block, patients_by_address
from infusions.reminders.forms import LiftForm
from patients.models import Patient

PAGE_SIZE = 50


@requires(Permission.VIEW_REMINDERS)
@at_site
@require_GET
def block_list(request, *, site):
    visible = Patient.objects.visible_to(request.user).filter(site_links__site=site)
    blocks = blocks_of_patients(among=visible).select_related("event")
    page = Paginator(blocks, PAGE_SIZE).get_page(request.GET.get("page"))
    patients = patients_by_address(page, among=visible)
    context = {
        "page": page,
        "rows": [(block, patients[block.address]) for block in page],
        "site": site,
        "may_lift": has_permission(request.user, Permission.RESEND_REMINDER),
    }
    return render(request, "infusions/reminders/block_list.html", context)


@requires(Permission.RESEND_REMINDER)
@at_site
@require_http_methods(["GET", "POST"])
def block_lift(request, block_id, *, site):
    visible = Patient.objects.visible_to(request.user)
    blocks = blocks_of_patients(among=visible).select_related("event__reminder")
    block = get_object_or_404(blocks, public_id=block_id)
    patients = patients_by_address([block], among=visible)[block.address]
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            lift_block(block=block, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"Mail goes to {block.address} again.")
            return redirect(patients[0] if len(patients) == 1 else "reminders:block-list")
    audit.record_openings(patients, by=request.user, what="the block of an address")
    context = {
        "blocked": block,
        "patients": patients,
        "patient": patients[0] if len(patients) == 1 else None,
        "site": site,
        "form": form,
    }
    return render(request, "infusions/reminders/block_lift.html", context)
