"""Reads for the pre-infusion check: the run in hand, its latest answers, what the rules must know, earlier answers."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import Max, Sum

from infusion_center.core import clock
from infusion_center.core.rules import Problem
from infusions.checklists import clinical, rules
from infusions.checklists.caps import Caps, caps_of
from infusions.checklists.context import CheckContext, Limits
from infusions.checklists.models import (
    ChecklistAnswer,
    ChecklistItem,
    HoldStep,
    HoldStepKind,
    PreInfusionChecklist,
    RunStatus,
)
from infusions.checklists.values import Value
from infusions.orders.models import OrderStatus
from infusions.scheduling.models import Appointment
from patients.models import Weight
from patients.queries import is_at_risk

ADULT_YEARS = 18
LAST_WEIGHT_DAYS = 45


@dataclass(frozen=True)
class RunState:
    """One run with all that its rules and pages need, read once."""

    run: PreInfusionChecklist
    items: list[ChecklistItem]
    history: list[ChecklistAnswer]
    context: CheckContext

    @cached_property
    def latest(self) -> dict[str, ChecklistAnswer]:
        return {answer.item.code: answer for answer in self.history}

    @cached_property
    def answers(self) -> dict[str, Value]:
        return {code: answer.value for code, answer in self.latest.items()}

    @property
    def answered_at(self) -> dict[str, dt.datetime]:
        return {code: answer.answered_at for code, answer in self.latest.items()}

    @cached_property
    def problems(self) -> list[Problem]:
        """What stands against the start by the answers so far."""
        return rules.answer_problems(self.items, self.answers, self.context)

    @property
    def undecided(self) -> list[Problem]:
        """Problems that stop the infusion and that nobody let pass."""
        holding = rules.holding(self.problems)
        passed = rules.overridden_codes(self.run.overrides.all(), holding, self.answered_at)
        return [problem for problem in holding if problem.code not in passed]

    @property
    def last_answer_id(self) -> int:
        return self.history[-1].pk if self.history else 0

    @cached_property
    def caps(self) -> Caps | None:
        return caps_of(self.run.appointment.order)

    @property
    def at_risk_now(self) -> bool:
        """Known before, or by these answers: closing the check records it, and the lower cap holds."""
        return self.context.at_risk or bool(clinical.risks_of_answers(self.answers))


def latest_answers(run: PreInfusionChecklist) -> dict[str, ChecklistAnswer]:
    """Item code -> the answer that counts, which is the one written last."""
    return {answer.item.code: answer for answer in answers_in_order(run)}


def answers_in_order(run: PreInfusionChecklist) -> list[ChecklistAnswer]:
    return list(run.answers.select_related("item", "answered_by", "report").order_by("id"))


def run_state(run: PreInfusionChecklist, now: dt.datetime) -> RunState:
    """For a closed run `now` stands still at its closing."""
    at = run.closed_at or now
    return RunState(
        run=run,
        items=list(run.template.items.order_by("position")),
        history=answers_in_order(run),
        context=context_of(run.appointment, at, before=run),
    )


def current_run(appointment: Appointment) -> PreInfusionChecklist | None:
    """The run in hand: the latest of the visit, open or closed."""
    runs = PreInfusionChecklist.objects.filter(appointment=appointment)
    return runs.select_related("template", "started_by", "closed_by").order_by("-started_at", "-id").first()


def nothing_new(user, run_id: str, seen: int) -> bool:
    """Whether the run is open still and holds no answer after the one that the page shows. One statement.

    Answers of a run are written under its lock, so a later one always has a higher number.
    """
    runs = PreInfusionChecklist.objects.visible_to(user).filter(public_id=run_id, status=RunStatus.OPEN)
    row = runs.order_by().annotate(last=Max("answers__pk")).values_list("last", flat=True)[:1]
    return any((last or 0) <= seen for last in row)


def context_of(appointment: Appointment, now: dt.datetime, before: PreInfusionChecklist | None = None) -> CheckContext:
    """What the rules must know beside the answers. `before`: the run that is judged, left out of its own past."""
    site, order, patient = appointment.site, appointment.order, appointment.patient
    local_now = clock.to_local(now, site.time_zone)
    creatinine, creatinine_on = last_creatinine(appointment, before)
    return CheckContext(
        now=local_now,
        limits=Limits(
            temperature_c=Decimal(site.hold_temperature_c),
            systolic_low=site.hold_systolic_low,
            systolic_high=site.hold_systolic_high,
            pulse_low=site.hold_pulse_low,
            pulse_high=site.hold_pulse_high,
            spo2_percent=site.hold_spo2_percent,
        ),
        order_weight_kg=order.actual_weight_kg,
        order_signed=order.status == OrderStatus.SIGNED,
        is_home=appointment.is_home,
        is_first_dose=order.is_first_dose and order.doses_given == 0,
        is_adult=patient.age_on(local_now.date()) >= ADULT_YEARS,
        at_risk=order.at_risk or is_at_risk(patient, local_now.date()),
        interval_days=order.interval_days,
        premedication=order.premedication,
        hydration_target_ml=site.hydration_target_ml,
        fluid_restriction_ml=patient.fluid_restriction_ml_per_day,
        fluids_given_ml=fluids_given_ml(appointment, before),
        last_weight_kg=last_weight_kg(patient, local_now.date()),
        last_creatinine=creatinine,
        last_creatinine_on=creatinine_on,
    )


def fluids_given_ml(appointment: Appointment, before: PreInfusionChecklist | None) -> int:
    """What was noted as given after the earlier checks of this visit."""
    steps = HoldStep.objects.filter(run__appointment=appointment, kind=HoldStepKind.FLUIDS)
    if before is not None:
        steps = steps.filter(run__started_at__lt=before.started_at)
    return steps.aggregate(total=Sum("amount_ml"))["total"] or 0


def last_weight_kg(patient, today: dt.date) -> Decimal | None:
    """The weight before today, if it is recent enough to speak of fluid rather than of food."""
    recent = Weight.objects.current().filter(
        patient=patient, measured_on__lt=today, measured_on__gte=today - dt.timedelta(days=LAST_WEIGHT_DAYS)
    )
    return recent.order_by("-measured_on", "-recorded_at").values_list("kg", flat=True).first()


def earlier_answers(appointment: Appointment, before: PreInfusionChecklist | None) -> dict[str, ChecklistAnswer]:
    """Item code -> answer of the patient's last closed run before this one, at this visit or an earlier one."""
    runs = PreInfusionChecklist.objects.exclude(status=RunStatus.OPEN).filter(appointment__patient=appointment.patient)
    if before is not None:
        runs = runs.exclude(pk=before.pk).filter(started_at__lte=before.started_at)
    last = runs.order_by("-started_at", "-id").first()
    return latest_answers(last) if last else {}


def last_creatinine(
    appointment: Appointment, before: PreInfusionChecklist | None
) -> tuple[Decimal | None, dt.date | None]:
    """The last creatinine of an earlier visit, and the day it was measured on where that was noted."""
    rows = ChecklistAnswer.objects.filter(
        run__appointment__patient=appointment.patient, item__code__in=["creatinine", "creatinine-on"]
    ).exclude(run__appointment=appointment)
    if before is not None:
        rows = rows.filter(run__started_at__lt=before.started_at)
    newest = rows.filter(item__code="creatinine").order_by("-id").first()
    if newest is None:
        return None, None
    dates = rows.filter(run_id=newest.run_id, item__code="creatinine-on")
    day = dates.order_by("-id").values_list("value", flat=True).first()
    return Decimal(str(newest.value)), dt.date.fromisoformat(day) if day else None
