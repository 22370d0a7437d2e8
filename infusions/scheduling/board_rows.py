"""Reads what the board shows as plain rows: visits, what the site offers, and the parts of records that still run.

One statement each, whatever the window and however much is booked in it. Rows instead of model objects, because a busy
day has hundreds of them. Part of the board's view, so it may read the features to the right of scheduling.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.db.models import CharField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from infusions.checklists.models import HoldStep, HoldStepKind, PreInfusionChecklist
from infusions.doses.course import NEEDED_SIGNS, Course
from infusions.doses.models import DoseRecord, DoseState, RateChange, VialUsed, VitalSigns
from infusions.doses.reaction_models import Reaction, ReactionKind, ReactionStep
from infusions.facility.models import Setting, Site
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

RUNNING = (DoseState.PREPARING, DoseState.INFUSING, DoseState.PAUSED, DoseState.OBSERVING)
VISIT_FIELDS = (
    *("pk", "public_id", "version", "state", "setting", "start", "end", "patient_id", "chair_id", "nurse_id"),
    *("ratio_place", "travel_minutes", "start_hands_minutes", "end_hands_minutes", "preparation_minutes"),
    *("observation_minutes", "arrived_at", "finished_at", "move_requested_at", "patient_message"),
    "nurse__visits_homes",
    *("patient__family_name", "patient__given_name", "patient__chosen_name", "patient__date_of_birth"),
    "patient__is_test",
    *("chair__name", "chair__public_id", "nurse__public_id", "nurse__user__full_name", "nurse__user__initials"),
    *("order__product_id", "dose_record__pk", "dose_record__state", "dose_record__product_id"),
    *("dose_record__started_at", "dose_record__ended_at"),
)
LIST_FIELDS = ("order__product__name", "order__product__concentration_mg_per_ml")


@dataclass(slots=True)
class VisitRow:
    """One visit with its names; has what `lanes.lanes_of` and `doses.queries.visit_now` ask for."""

    pk: int
    public_id: str
    version: int
    state: str
    setting: str
    start: dt.datetime
    end: dt.datetime
    patient_id: int
    chair_id: int | None
    nurse_id: int
    ratio_place: int
    travel_minutes: int
    start_hands_minutes: int
    end_hands_minutes: int
    preparation_minutes: int
    observation_minutes: int
    arrived_at: dt.datetime | None
    finished_at: dt.datetime | None
    move_requested_at: dt.datetime | None
    patient_message: str
    visits_homes: bool
    family_name: str
    given_name: str
    chosen_name: str
    date_of_birth: dt.date
    is_test: bool
    chair_name: str | None
    chair_public_id: str | None
    nurse_public_id: str
    nurse_name: str
    initials: str
    product_id: int | None
    record_pk: int | None
    record_state: str | None
    record_product_id: int | None
    record_started_at: dt.datetime | None
    record_ended_at: dt.datetime | None
    site: Site
    # For the list alone.
    product_name: str | None = None
    concentration: Decimal | None = None

    @property
    def patient(self) -> str:
        return f"{self.family_name}, {self.chosen_name or self.given_name}"

    @property
    def product(self) -> str:
        return f"{self.product_name} {(self.concentration / 10).normalize():f}%" if self.product_name else ""

    @property
    def is_home(self) -> bool:
        return self.setting == Setting.HOME

    @property
    def minutes(self) -> int:
        return int((self.end - self.start).total_seconds()) // 60


class Rate(NamedTuple):
    at: dt.datetime
    rate_ml_per_h: Decimal
    kind: str = ""


class Signs(NamedTuple):
    """Of the values only whether they were measured is asked."""

    at: dt.datetime
    phase: str
    temperature_c: str | None = None
    systolic: str | None = None
    diastolic: str | None = None
    pulse: str | None = None


class ReactionRow(NamedTuple):
    onset_at: dt.datetime
    kind: str
    grade: int

    def get_kind_display(self) -> str:
        return ReactionKind(self.kind).label


class ReactionStepRow(NamedTuple):
    at: dt.datetime
    kind: str


class Vial(NamedTuple):
    recorded_at: dt.datetime
    grams: Decimal


class Run(NamedTuple):
    started_at: dt.datetime
    status: str
    pk: int = 0
    recheck_at: dt.datetime | None = None  # the time to check again, where it did not pass


@dataclass(slots=True)
class RecordRow:
    """What `doses.course.Course` asks of a record; the volume of one that is over is nothing that the board shows."""

    appointment: VisitRow
    state: str
    product_id: int
    planned_volume_ml: Decimal
    volume_given_ml: Decimal | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    plan: dict

    @property
    def order(self) -> VisitRow:
        """The ordered product is all that is asked of it."""
        return self.appointment


@dataclass
class Parts:
    """The parts of one visit's record, and its latest checklist."""

    plan: dict = field(default_factory=dict)
    planned_volume_ml: Decimal = Decimal(0)
    rates: list[Rate] = field(default_factory=list)
    signs: list[Signs] = field(default_factory=list)
    reactions: list[ReactionRow] = field(default_factory=list)
    reaction_steps: list[ReactionStepRow] = field(default_factory=list)
    vials: list[Vial] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    rechecks: list[tuple[int, int, dt.datetime | None]] = field(default_factory=list)  # step, run, when

    @property
    def latest_run(self) -> Run | None:
        latest = max(self.runs, default=None)
        said = [(step, when) for step, run, when in self.rechecks if latest is not None and run == latest.pk]
        return latest._replace(recheck_at=max(said)[1]) if said else latest


def visit_rows(site: Site, start: dt.datetime, end: dt.datetime, *, with_products: bool = False) -> list[VisitRow]:
    """The visits of a site, which the caller may see, that start in [start, end); cancelled ones left out."""
    visits = Appointment.objects.filter(site=site, start__gte=start, start__lt=end).exclude(state=State.CANCELLED)
    fields = [*VISIT_FIELDS, *(LIST_FIELDS if with_products else ())]
    width = len(VISIT_FIELDS)
    rows = visits.order_by("start", "pk").values_list(*fields)
    return [VisitRow(*row[:width], site, *row[width:]) for row in rows]


def course_of(visit: VisitRow, parts: Parts) -> Course | None:
    if visit.record_state is None:
        return None
    record = RecordRow(
        visit,
        visit.record_state,
        visit.record_product_id,
        parts.planned_volume_ml,
        None,
        visit.record_started_at,
        visit.record_ended_at,
        parts.plan,
    )
    return Course(
        record,
        tuple(parts.vials),
        tuple(parts.rates),
        tuple(sorted(parts.signs, key=lambda signs: signs.at)),
        tuple(sorted(parts.reactions)),
        tuple(sorted(parts.reaction_steps)),
    )


def parts_by_visit(visits: Sequence[VisitRow]) -> dict[int, Parts]:
    """For each visit's row number: plan, rates, vials and vital signs of records that run, reactions, checklists.

    No statement where nobody has come yet.
    """
    of_record = {visit.record_pk: visit.pk for visit in visits if visit.record_pk}
    running = [visit.record_pk for visit in visits if visit.record_state in RUNNING]
    arrived = [visit.pk for visit in visits if visit.state == State.ARRIVED]
    found: dict[int, Parts] = defaultdict(Parts)
    if not of_record and not arrived:
        return found
    for kind, row, at, text, number in _parts(running, list(of_record), arrived):
        parts = found[row if kind in ("run", "recheck") else of_record[row]]
        match kind:
            case "rate":
                parts.rates.append(Rate(at, Decimal(number), text))
            case "signs":
                parts.signs.append(Signs(at, text, *(value or None for value in number.split(","))))
            case "vial":
                parts.vials.append(Vial(at, Decimal(number)))
            case "reaction":
                parts.reactions.append(ReactionRow(at, text, int(number)))
            case "reaction_step":
                parts.reaction_steps.append(ReactionStepRow(at, text))
            case "plan":
                parts.plan, parts.planned_volume_ml = json.loads(text), Decimal(number)
            case "run":
                parts.runs.append(Run(at, text, int(number)))
            case "recheck":
                parts.rechecks.append((int(number), int(text), at))
    for parts in found.values():
        parts.rates.sort(key=lambda rate: rate.at)
    return found


def _parts(running: list[int], records: list[int], arrived: list[int]):
    """Seven tables in one statement: kind, record or visit, instant, text, number. All have the types of the first."""
    nothing = Value("", CharField())

    def number(name: str) -> Cast:
        return Cast(name, CharField())

    def kind(word: str) -> Value:
        return Value(word, CharField())

    def of(model, rows: list[int], word: str, at: str, text, figure) -> QuerySet:
        return model.objects.filter(record_id__in=rows).values_list(kind(word), "record_id", at, text, figure)

    measured = [part for name in NEEDED_SIGNS for part in (Value(","), number(name))][1:]
    plans = DoseRecord.objects.filter(pk__in=running)
    runs = PreInfusionChecklist.objects.filter(appointment_id__in=arrived)
    says_when = Q(recheck_at__isnull=False) | Q(kind=HoldStepKind.SENT_HOME)
    steps = HoldStep.objects.filter(says_when, run__appointment_id__in=arrived)
    rows = [
        of(RateChange, running, "rate", "at", "kind", number("rate_ml_per_h")),
        of(VitalSigns, running, "signs", "at", "phase", Concat(*measured, output_field=CharField())),
        of(VialUsed, running, "vial", "recorded_at", nothing, number("grams")),
        of(Reaction, records, "reaction", "onset_at", "kind", number("grade")),
        of(ReactionStep, records, "reaction_step", "at", "kind", nothing),
        plans.values_list(kind("plan"), "pk", "updated_at", Cast("plan", TextField()), number("planned_volume_ml")),
        runs.values_list(kind("run"), "appointment_id", "started_at", "status", number("pk")),
        steps.values_list(kind("recheck"), "run__appointment_id", "recheck_at", number("run_id"), number("pk")),
    ]
    first, *others = (one.order_by() for one in rows)
    return first.union(*others, all=True)
