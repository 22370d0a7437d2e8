"""Scanning at the chair: a vial into the dose that is being prepared, or first asking what a code is."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib import messages
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.htmx import go_to, page_or_partial
from infusion_center.core.rules import Problem, RuleViolation
from infusions.doses import queries, services
from infusions.doses.act_views import back, told, visible_record
from infusions.doses.forms import VialForm
from infusions.doses.models import DoseState, VialUsed
from infusions.doses.scanning import doses_that_need, read_scan, refuse_other_product, vial_standing
from infusions.doses.screen_views import detail_context
from infusions.doses.vial_rules import not_in_stock
from infusions.doses.views import visible_visit
from infusions.facility.queries import current_site


@dataclass(frozen=True)
class Outcome:
    """What came of one scan: a vial added, or refused, or left to be settled by eye."""

    vial: VialUsed | None = None
    refused: list[Problem] = field(default_factory=list)
    by_eye: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


@requires(Permission.INFUSE)
@require_POST
def vial_scan(request, appointment_id):
    """Add the vial of a scanned code; what the code leaves open comes back in the form, to be settled by eye."""
    visit = visible_visit(request, appointment_id)
    record = visible_record(request, visit)
    try:
        reading = read_scan(request.POST.get("code", ""))
        refuse_other_product(record, reading)
        if reading.by_eye:
            return _prepared(request, visit, Outcome(by_eye=reading.by_eye), form=_form_by_eye(record, reading))
        vial = services.add_vial(record=record, by=request.user, **reading.vial())
    except RuleViolation as refused:
        if "already-started" in refused.codes:
            response = told(request, visit, refused)
            return go_to(request, response.url)
        return _prepared(request, visit, Outcome(refused=refused.problems))
    warnings = _warnings(visit, vial)
    if request.htmx:
        return _prepared(request, visit, Outcome(vial=vial, warnings=warnings))
    for problem in warnings:
        messages.warning(request, f"{problem.message} {problem.remedy}")
    return back(request, visit, f"Added: {described(vial)}.")


def _warnings(visit, vial) -> list[Problem]:
    return [not_in_stock(vial.lot, visit.site)] if visit.site.tracks_stock and vial.stock_item_id is None else []


def described(vial) -> str:
    serial = f", serial {vial.serial}" if vial.serial else ""
    grams = f"{vial.grams.normalize():f}"
    return f"{vial.product} {grams} g, lot {vial.lot}, expires {vial.expires_on:%d-%b-%Y}{serial}"


def _form_by_eye(record, reading) -> VialForm:
    """The usual form with what the code did say; the size only when the code is registered."""
    scanned = reading.scanned
    initial = {"lot": scanned.lot, "serial": scanned.serial, "count": 1}
    if scanned.expires_on:
        initial["expires_on"] = scanned.expires_on.isoformat()
    if reading.code is not None:
        initial["grams"] = f"{Decimal(reading.code.grams).normalize():f}"
    return VialForm(initial=initial, record=record)


def _prepared(request, visit, outcome, form=None):
    """The page, or only its changing part, as it is after the scan."""
    record = queries.record_of(visit)
    if record.state != DoseState.PREPARING:
        return go_to(request, "doses:dose-detail", visit.public_id)
    context = detail_context(visit, record, user=request.user, now=clock.now(), act="vial", form=form)
    context["outcome"] = outcome
    return page_or_partial(request, "infusions/doses/dose_detail.html", "infusions/doses/_prepared.html", context)


@requires(Permission.INFUSE)
@require_safe
def scan(request):
    """What is this vial, and which patient who is being prepared could get it? Looking changes nothing."""
    text, site, now = request.GET.get("code", ""), current_site(request), clock.now()
    context = {"site": site, "now": now, "code": text}
    if text and site is not None:
        try:
            reading = read_scan(text)
        except RuleViolation as refused:
            context["refused"] = refused.problems
        else:
            standing = vial_standing(reading, site, clock.local_date(now, site.time_zone))
            courses = doses_that_need(request.user, site, reading, now) if standing.may_be_given else []
            context |= {"reading": reading, "standing": standing, "courses": courses}
    return render(request, "infusions/doses/scan.html", context)
