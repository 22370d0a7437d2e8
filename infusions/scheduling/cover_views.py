"""Uncovered visits: who is left without chair, nurse or open site, why, and what is proposed."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation
from infusions.doses.queries import visits_now
from infusions.facility.models import Site
from infusions.facility.pages import at_site
from infusions.scheduling.board_late import late_until
from infusions.scheduling.cover import Uncovered, left_alone, uncovered_visits
from infusions.scheduling.cover_forms import PlanForm, Span, span_of
from infusions.scheduling.cover_plans import CoverPlan, propose, propose_for_overrun
from infusions.scheduling.cover_services import Applied, apply_cover, shown_plan
from infusions.scheduling.views import fetch_visit
from infusions.scheduling.work_lists import lists_for

PAGE_SIZE = 40


def chosen_site(request, site: Site) -> Site:
    """The site named in the address, where the person belongs to it; else the one in use."""
    wanted = request.GET.get("site")
    return get_object_or_404(Site.objects.visible_to(request.user), public_id=wanted) if wanted else site


@requires(Permission.BOOK_APPOINTMENT)
@at_site
@require_safe
def cover_list(request, *, site):
    site = chosen_site(request, site)
    now = clock.now()
    span = span_of(request.GET, site)
    found = uncovered_visits(site, span.start, span.end, now=now)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"site": site, "span": span, "page": page, "days": by_day(page, site), "chips": chips(span, site, now)}
    context |= {
        "alone": left_alone(site, now),
        "slug": "uncovered",
        "work_lists": lists_for(request.user.permissions),
        "site_query": Span(site, None, None).query,
    }
    return render(request, "infusions/scheduling/cover_list.html", context)


@requires(Permission.BOOK_APPOINTMENT)
@at_site
@require_http_methods(["GET", "HEAD", "POST"])
def cover_plan(request, *, site):
    """What is proposed for the uncovered visits of the days; one press applies it, unless it no longer holds."""
    site, now = chosen_site(request, site), clock.now()
    span = span_of(request.GET, site)
    back = f"{reverse('scheduling:cover-list')}?{span.query}"
    refused = []
    if request.method == "POST":
        refused = apply_posted(request, site, reason="Uncovered", now=now)
        if not refused:
            return redirect(back)
    visits = [one.appointment for one in uncovered_visits(site, span.start, span.end, now=now)]
    plan = propose(site, visits, person=request.user, now=now)
    page = {"heading": "Proposal for uncovered visits", "number": len(visits), "asked": True}
    return show_plan(request, site, plan, back, refused, **page)


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(["GET", "HEAD", "POST"])
def cover_late(request, appointment_id):
    """The same for the later visits that are hit when this one, in progress, ends late."""
    late = fetch_visit(request, appointment_id)
    site, now = late.site, clock.now()
    will_open(late, by=request.user, patient=late.patient, what="visit")
    until = late_until(late, visits_now([late], now)[0].course, now)
    back = f"{reverse('scheduling:board')}?day={clock.local_date(late.start, site.time_zone)}"
    refused = []
    if request.method == "POST":
        refused = apply_posted(request, site, reason="Running late", now=now)
        if not refused:
            return redirect(back)
    if until is None and not refused:
        messages.info(request, f"The visit of {late.patient.name} is not running late.")
        return redirect("scheduling:appointment-detail", late.public_id)
    plan = propose_for_overrun(site, late, until or late.end, person=request.user, now=now)
    page = {"heading": "Running late", "late": late, "until": until, "asked": False}
    return show_plan(request, site, plan, back, refused, **page)


def apply_posted(request, site: Site, *, reason: str, now: dt.datetime) -> list[Problem]:
    """Apply what was ticked and picked; what stands against it, empty when it was done."""
    form = PlanForm(request.POST)
    try:
        done = apply_cover(site=site, by=request.user, reason=reason, now=now, **form.chosen())
    except RuleViolation as refused:
        return refused.problems
    messages.success(request, done_words(done))
    return []


def done_words(done: Applied) -> str:
    parts = [
        f"{len(visits)} visit{'' if len(visits) == 1 else 's'} {verb}"
        for visits, verb in ((done.reseated, "re-seated"), (done.moved, "moved to a new time"))
        if visits
    ]
    told = " Moved patients are told by mail, and are to confirm." if done.moved else ""
    return f"{' and '.join(parts)}.{told}"


def show_plan(request, site: Site, plan: CoverPlan, back: str, refused: list[Problem], **page):
    times = [(visit, plan.times.get(visit.pk, [])) for visit in plan.unseated]
    context = {"site": site, "plan": plan, "times": times, "shown": shown_plan(plan), "problems": refused, "back": back}
    return render(request, "infusions/scheduling/cover_plan.html", context | page)


def by_day(found: list[Uncovered], site: Site) -> list[tuple[dt.date, list[Uncovered]]]:
    """By the local day of the start; `found` comes by time."""
    groups = groupby(found, key=lambda one: clock.local_date(one.appointment.start, site.time_zone))
    return [(day, list(members)) for day, members in groups]


def chips(span: Span, site: Site, now: dt.datetime) -> list[tuple[str, str, bool]]:
    """Label, query and whether it is the one shown."""
    today = clock.local_date(now, site.time_zone)
    choices = [
        ("All ahead", Span(site, None, None)),
        ("Today", Span(site, today, today)),
        ("7 days", Span(site, today, today + dt.timedelta(days=6))),
    ]
    days = (span.first_day, span.last_day)
    return [(label, one.query, days == (one.first_day, one.last_day)) for label, one in choices]
