"""What the chairside pages show: one screen per state, worked out here so that templates only show and hide."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core.rules import Severity
from infusions.checklists.rules import gate_problems
from infusions.doses import finish_rules, forms, quick_forms, rules, running_rules
from infusions.doses.course import course_of
from infusions.doses.due import DueKind, all_due
from infusions.doses.finish_screen import besides_context, preset_initial
from infusions.doses.history import history
from infusions.doses.medication_forms import MedicationForm
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.planning import allowed_products
from infusions.doses.reaction_cards import reaction_cards
from infusions.doses.reaction_forms import ReactionForm
from infusions.doses.running import record_version
from infusions.doses.screen import Screen
from infusions.doses.second_check_rules import second_check_context
from infusions.doses.step_screen import rate_back, slower_rates
from infusions.doses.vial_plan import planned_left
from infusions.scheduling.models import Appointment

ACT_FORMS = {
    "vital-signs": forms.VitalSignsForm,
    "reaction": ReactionForm,
    "step": quick_forms.StepForm,
    "stay": quick_forms.StayForm,
    "rate": quick_forms.RateForm,
    "pause": quick_forms.PauseForm,
    "resume": quick_forms.ResumeForm,
    "medication": MedicationForm,
    "advice": forms.ConfirmForm,
    "end": quick_forms.EndForm,
    "observation": quick_forms.ObservationForm,
    "sign": forms.SignForm,
    "amend": forms.AmendForm,
    "vial": forms.VialForm,
    "second-check": forms.SecondCheckForm,
}
# Which acts a state allows, in the order of their buttons; the first is open when nothing else was asked for.
ACTS: dict[str, tuple[str, ...]] = {
    DoseState.PREPARING: ("vial", "second-check", "vital-signs", "medication"),
    DoseState.INFUSING: ("vital-signs", "step", "stay", "rate", "pause", "reaction", "medication", "end"),
    DoseState.PAUSED: ("resume", "vital-signs", "reaction", "medication", "end"),
    DoseState.OBSERVING: ("vital-signs", "medication", "advice", "reaction", "observation"),
    DoseState.ENDED: ("sign", "vital-signs", "medication", "advice", "reaction"),
    DoseState.SIGNED: ("amend",),
}

WIDE_ACTS = ("reaction", "medication")  # many tiles: below the plan, over the whole width
ACT_FACES = {
    "vital-signs": ("Vital signs", "heart-pulse"),
    "reaction": ("Reaction", "triangle-alert"),
    "step": ("Step up", "chevrons-up"),
    "stay": ("Stay", "circle-equal"),
    "rate": ("Slower", "gauge"),
    "pause": ("Pause", "circle-pause"),
    "resume": ("Resume", "circle-play"),
    "medication": ("Medication", "pill"),
    "advice": ("Advice", "file-heart"),
    "end": ("End or stop", "circle-stop"),
    "observation": ("End observation", "door-open"),
    "sign": ("Sign", "pen-line"),
    "amend": ("Amend", "file-pen-line"),
    "vial": ("Vials", "package-plus"),
    "second-check": ("Second check", "users-round"),
}


@dataclass(frozen=True)
class ActLink:
    """A button that opens an act's form."""

    name: str
    label: str
    icon: str
    is_open: bool


def screen_of(record: DoseRecord, *, by, now: dt.datetime) -> Screen:
    course = course_of(record)
    preparing = record.state == DoseState.PREPARING
    return Screen(
        course=course,
        now=now,
        due=all_due(course, now),
        problems=rules.start_problems(record, by=by, now=now) if preparing else [],
        hold=[*running_rules.recalled_now(course), *running_rules.hold_now(course, now)],
    )


def detail_context(
    visit: Appointment, record: DoseRecord | None, *, user, now: dt.datetime, act: str = "", form=None, preset: str = ""
) -> dict:
    context = {
        "visit": visit,
        "patient": visit.patient,
        "site": visit.site,
        "now": now,
        "may_infuse": has_permission(user, Permission.INFUSE),
        "may_amend": has_permission(user, Permission.AMEND_DOSE),
    }
    if record is None:
        return context | {"gate": gate_problems(visit, now) + rules.prepare_problems(visit)}
    record.appointment = visit
    screen = screen_of(record, by=user, now=now)
    bound = {act.replace("-", "_"): form} if form is not None else {}
    act = _chosen_act(screen, act)
    return context | {
        "record": record,
        "screen": screen,
        "course": screen.course,
        "act": act,
        "wide_acts": WIDE_ACTS,
        "seen": record_version(record),
        "forms": {name.replace("-", "_"): form_for(name, screen, preset) for name in open_acts(screen)} | bound,
        "links": [ActLink(name, *ACT_FACES[name], name == act) for name in open_acts(screen)],
        "reaction_cards": reaction_cards(screen.course),
        "events": history(screen.course),
        **second_check_context(screen.course, user),
        **besides_context(screen.course),
        "rate_back": rate_back(screen.course),
        "slower_rates": slower_rates(screen.course),
        "resume_needs_reason": _needs_reason(screen),
        "sign_problems": finish_rules.sign_problems(screen.course) if record.state == DoseState.ENDED else [],
        "observation_is_short": record.state == DoseState.OBSERVING
        and bool(finish_rules.observation_problems(record, now)),
        "products": allowed_products(record.order) if not screen.course.vials else [],
    }


def _needs_reason(screen: Screen) -> bool:
    """Whether resuming is let pass only with a reason: after grade 2, or when the order was held meanwhile."""
    if screen.course.state != DoseState.PAUSED:
        return False
    rate = running_rules.resume_rate_ml_per_h(screen.course)
    found = running_rules.resume_problems(screen.course, rate, screen.now)
    return any(one.severity == Severity.APPROVAL for one in found)


def open_acts(screen: Screen) -> list[str]:
    """Those of the state, without a step where none is to come."""
    hidden = () if screen.course.next_step else ("step", "stay")
    return [name for name in ACTS[screen.course.state] if name not in hidden]


def _chosen_act(screen: Screen, act: str) -> str:
    """The act asked for, if the state allows it; else what is due."""
    allowed = open_acts(screen)
    if act in allowed:
        return act
    first = next((due for due in screen.due if due.kind not in (DueKind.CALL, DueKind.LOOK_AGAIN)), None)
    if screen.course.state == DoseState.INFUSING:
        signs_due = first is not None and first.kind == DueKind.VITAL_SIGNS and first.is_due
        if screen.is_ready_to_end:
            return "end"
        if screen.step_is_due:
            return "step"
        return "vital-signs" if signs_due else ""
    if screen.course.state == DoseState.OBSERVING:
        return "observation" if first is not None and first.kind == DueKind.OBSERVATION_END else "vital-signs"
    return "" if screen.course.state == DoseState.SIGNED else allowed[0]


def form_for(act: str, screen: Screen, preset: str = ""):
    """An empty form with what is known already: the last lot, the rate to resume at, the tile that was tapped."""
    course, initial = screen.course, {"seen": record_version(screen.course.record)}
    if act == "vial":
        initial |= _vial_initial(screen)
    elif act == "resume" and course.rates:
        initial["rate_ml_per_h"] = _plain(running_rules.resume_rate_ml_per_h(course))
    elif act == "step":
        initial["rate_ml_per_h"] = _plain(course.next_step.step.rate_ml_per_h)
    elif act == "medication":
        initial |= preset_initial(course, preset)
    elif act == "rate":
        initial["rate_ml_per_h"] = _plain(course.rate_ml_per_h)
    return ACT_FORMS[act](initial=initial, record=course.record)


def _vial_initial(screen: Screen) -> dict:
    """The next vial of the plan; lot and expiry as on the vial before."""
    planned = planned_left(screen.course)
    initial = {"grams": next((size for size, count in planned.items() if count > 0), None), "count": 1}
    if screen.course.vials:
        last = screen.course.vials[-1]
        initial |= {"lot": last.lot, "expires_on": last.expires_on.isoformat()}
    return initial


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
