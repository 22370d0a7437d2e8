"""The chart: what is asked about a patient a hundred times a day, answered at a glance in a fixed number of queries."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

from django.db.models import Max, Prefetch, prefetch_related_objects
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.rules import Problem, note, sort_problems, warning
from infusions.doses.models import DoseRecord
from infusions.doses.reaction_models import LateReaction, Reaction
from infusions.orders import rules as order_rules
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.orders.queries import active_order, order_plan
from infusions.reminders.after_care_sheet import told_by
from infusions.reminders.blocks import block_problems
from infusions.scheduling.models import Appointment
from infusions.scheduling.reading import visits_to_read
from infusions.scheduling.states import ON_SITE, UPCOMING, State
from infusions.templatetags.infusion_tags import wall_moment
from patients import rules
from patients.models import Allergy, Channel, ContactPreference, Patient, RiskFactor, Weight
from patients.queries import contact_decisions
from patients.reading import permissions_here, read_patient

WEIGHTS_SHOWN = 12
VISITS_SHOWN = 5
REPORTS_SHOWN = 3
SEVERE_GRADE = 3
GRAPH_WIDTH, GRAPH_HEIGHT, GRAPH_EDGE = 240, 48, 4

WHERE_TO_SOLVE = {
    "weight-missing": (Permission.RECORD_CLINICAL_DATA, "patients:weight-create"),
    "weight-stale": (Permission.RECORD_CLINICAL_DATA, "patients:weight-create"),
    "no-allergies-recorded": (Permission.RECORD_CLINICAL_DATA, "patients:allergy-create"),
    "email-consent-missing": (Permission.EDIT_PATIENT, "patients:consent-create"),
    "phone-consent-missing": (Permission.EDIT_PATIENT, "patients:consent-create"),
    "no-way-to-remind": (Permission.EDIT_PATIENT, "patients:patient-edit"),
}


@requires(Permission.VIEW_PATIENT)
@require_safe
def patient_detail(request, patient_id):
    patient = read_patient(request, patient_id, what="chart")
    load_facts(patient)
    now = clock.now()
    today = clock.local_date(now, patient.time_zone)
    order = active_order(patient)
    decisions = contact_decisions(patient)
    visits = visits_to_read(request, patient).with_people()
    weights = list(patient.weights.all())[:WEIGHTS_SHOWN]
    permissions = permissions_here(request)
    may_see_doses = Permission.VIEW_DOSE in permissions
    context = {
        "patient": patient,
        "order": order,
        "draft": draft_order(patient),
        "due": order_rules.dose_window(order) if order else None,
        "plan": order_plan(order) if order else None,
        "problems": with_links(
            sort_problems(
                chart_problems(patient, weights, decisions, order, today)
                + last_dose_problems(patient)
                + block_problems(patient, may_lift=Permission.RESEND_REMINDER in permissions)
            ),
            patient,
            permissions,
        ),
        "next_visit": next_visit(visits, now),
        "last_visits": last_visits(visits, now),
        "weights": weights,
        "graph": weight_graph(weights),
        "contact": [contact_line(channel, decisions, patient) for channel in Channel],
        "reactions": last_reactions(patient) if may_see_doses else [],
        "after_care": told_by(visits, most=REPORTS_SHOWN) if may_see_doses else [],
    }
    return render(request, "patients/patient_detail.html", context)


def load_facts(patient: Patient) -> None:
    """The facts of banner and panels, each by one query."""
    prefetch_related_objects(
        [patient],
        Prefetch("weights", Weight.objects.current().order_by("-measured_on", "-recorded_at", "-pk")),
        Prefetch("allergies", Allergy.objects.current().select_related("recorded_by")),
        Prefetch("risk_factors", RiskFactor.objects.current().select_related("recorded_by")),
    )


def chart_problems(
    patient: Patient,
    weights: Sequence[Weight],
    decisions: dict[str, ContactPreference],
    order: InfusionOrder | None,
    today: dt.date,
) -> list[Problem]:
    """All that a person who opens the chart should know first, gravest first."""
    latest, previous = ([rules.Weighing.of(weight) for weight in weights[:2]] + [None, None])[:2]
    answers = {channel: decision.consents for channel, decision in decisions.items()}
    problems = rules.weight_age_problems(latest, today)
    if order:
        problems += order_rules.validity_problems(order, today)
    elif latest:
        problems += rules.weight_change_problems(latest, previous)
    problems += rules.consent_problems(answers, email=patient.email, phone=str(patient.phone))
    if not patient.is_active:
        problems.append(warning("patient-inactive", "This patient is not active: no visits are booked."))
    if not patient.allergies.all():
        problems.append(
            note("no-allergies-recorded", "No allergies or intolerances are on record.", remedy="Ask and add them.")
        )
    return sort_problems(problems)


def next_visit(visits, now: dt.datetime) -> Appointment | None:
    """Also one that is under way or overdue today: whoever asks about the next visit means that one."""
    return visits.filter(state__in=UPCOMING | ON_SITE, end__gte=now).order_by("start", "pk").first()


def last_dose_problems(patient: Patient) -> list[Problem]:
    """A severe reaction (CTCAE grade 3 or more) at the last dose holds the next one until a clinician has decided."""
    given = DoseRecord.objects.filter(patient=patient, started_at__isnull=False)
    worst = {"worst": Max("reactions__grade"), "late": Max("late_reactions__grade")}
    last = given.annotate(**worst).order_by("-started_at", "-pk").first()
    if last is None or max(last.worst or 0, last.late or 0) < SEVERE_GRADE:
        return []
    if (last.worst or 0) >= SEVERE_GRADE:
        message = f"There was a reaction of grade {last.worst} at the last infusion."
    else:
        message = f"A reaction of grade {last.late} after the last infusion was learned of later."
    return [warning("severe-reaction", message, remedy="A clinician decides before the next dose.")]


def with_links(problems: Sequence[Problem], patient: Patient, permissions: Collection[Permission]) -> list[Problem]:
    """Each problem with the page that solves it, where this person may open that page."""
    linked = []
    for problem in problems:
        permission, page = WHERE_TO_SOLVE.get(problem.code, (None, ""))
        if permission in permissions:
            problem = replace(problem, url=reverse(page, args=[patient.public_id]))
        linked.append(problem)
    return linked


def draft_order(patient: Patient) -> InfusionOrder | None:
    drafts = InfusionOrder.objects.filter(patient=patient, status=OrderStatus.DRAFT)
    return drafts.select_related("product").order_by("-created_at", "-pk").first()


def last_visits(visits, now: dt.datetime) -> list[Appointment]:
    past = visits.filter(start__lt=now).exclude(state__in=[State.CANCELLED, *ON_SITE])
    return list(past.select_related("dose_record").order_by("-start", "-pk")[:VISITS_SHOWN])


def last_reactions(patient: Patient) -> list[Reaction | LateReaction]:
    """At the chair and learned of later, latest first, each with its moment or day in words as `when`."""
    related = ("record__product", "record__appointment__site")
    found = []
    for model, began in ((Reaction, "onset_at"), (LateReaction, "onset_on")):
        rows = model.objects.filter(record__patient=patient).select_related(*related)
        found += rows.order_by(f"-{began}", "-pk")[:VISITS_SHOWN]
    for one in found:
        site = one.record.appointment.site
        one.when = wall_moment(one.onset_at, site) if is_moment(one) else f"{one.onset_on:%d-%b-%Y}"
    return sorted(found, key=began_on, reverse=True)[:VISITS_SHOWN]


def is_moment(reaction: Reaction | LateReaction) -> bool:
    return isinstance(reaction, Reaction)


def began_on(reaction: Reaction | LateReaction) -> tuple[dt.date, dt.datetime]:
    site = reaction.record.appointment.site
    day = clock.local_date(reaction.onset_at, site.time_zone) if is_moment(reaction) else reaction.onset_on
    return day, reaction.recorded_at


def contact_line(channel: Channel, decisions: dict[str, ContactPreference], patient: Patient) -> dict:
    address = patient.email if channel == Channel.EMAIL else patient.phone
    return {"channel": channel, "address": address, "decision": decisions.get(channel)}


def weight_graph(weights: Sequence[Weight]) -> dict | None:
    """Points of a small line, oldest at the left; time runs evenly, the line fills the height."""
    if len(weights) < 3:
        return None
    oldest, newest = weights[-1].measured_on, weights[0].measured_on
    low, high = (bound(weight.kg for weight in weights) for bound in (min, max))
    days, span = (newest - oldest).days or 1, (high - low) or Decimal(1)
    points = [
        (
            GRAPH_EDGE + (GRAPH_WIDTH - 2 * GRAPH_EDGE) * (weight.measured_on - oldest).days / days,
            GRAPH_EDGE + (GRAPH_HEIGHT - 2 * GRAPH_EDGE) * float((high - weight.kg) / span),
        )
        for weight in reversed(weights)
    ]
    return {
        "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        "last_x": f"{points[-1][0]:.1f}",
        "last_y": f"{points[-1][1]:.1f}",
        "width": GRAPH_WIDTH,
        "height": GRAPH_HEIGHT,
        "low": low,
        "high": high,
    }
