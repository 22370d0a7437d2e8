"""What came out of a check, for the page: its problems, who let which one pass, what to do next."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity
from infusions.checklists import cards, rules
from infusions.checklists.forms import OverrideForm
from infusions.checklists.models import ChecklistOverride, PreInfusionChecklist
from infusions.checklists.queries import RunState, run_state

# Problems that fluids may settle: drink or infuse, wait, look again.
DRY = frozenset({"dehydration-signs-hold", "intake-day-before-low", "urine-normal"})
RECHECK_MINUTES = 60


@dataclass(frozen=True)
class Finding:
    """One problem and what was decided about it. `form` is there for those who may decide."""

    problem: Problem
    override: ChecklistOverride | None = None
    form: OverrideForm | None = None
    is_final: bool = False

    @property
    def holds(self) -> bool:
        return self.problem.severity in (Severity.BLOCKER, Severity.APPROVAL) and self.override is None


def kept_problems(run: PreInfusionChecklist) -> list[Problem]:
    """The problems as they were when the run was closed."""
    return [Problem(**{**row, "severity": Severity(row["severity"])}) for row in run.problems]


def findings_of(state: RunState, *, may_decide: bool, refused: OverrideForm | None = None) -> list[Finding]:
    problems = state.problems if state.run.is_open else kept_problems(state.run)
    if state.run.is_open:
        problems = [problem for problem in problems if problem.field in state.answers or not problem.field]
    overrides = {o.problem_code: o for o in state.run.overrides.select_related("overridden_by").order_by("id")}
    passed = rules.overridden_codes(overrides.values(), problems, state.answered_at)
    return [finding(problem, overrides if problem.code in passed else {}, may_decide, refused) for problem in problems]


def finding(problem: Problem, overrides: dict, may_decide: bool, refused: OverrideForm | None) -> Finding:
    override = overrides.get(problem.code)
    grave = problem.severity in (Severity.BLOCKER, Severity.APPROVAL)
    final = grave and not rules.may_be_overridden(problem)
    form = None
    if may_decide and grave and not final and override is None:
        concerned = refused is not None and refused.data.get("code") == problem.code
        form = refused if concerned else OverrideForm(initial={"code": problem.code}, auto_id=f"{problem.code}_%s")
    return Finding(problem, override, form, final)


def outcome_context(request, run: PreInfusionChecklist, refused: OverrideForm | None = None) -> dict:
    state = run_state(run, clock.now())
    may_decide = has_permission(request.user, Permission.OVERRIDE_CHECKLIST) and not run.lets_pass
    findings = findings_of(state, may_decide=may_decide, refused=refused)
    return {
        "run": run,
        "appointment": run.appointment,
        "site": run.appointment.site,
        "findings": findings,
        "holding": [f for f in findings if f.holds],
        "progress": cards.progress_of(state),
        "recheck_at": recheck_at(run, [f.problem for f in findings if f.holds]),
        "may_fill": has_permission(request.user, Permission.FILL_CHECKLIST),
    }


def recheck_at(run: PreInfusionChecklist, problems: Iterable[Problem]) -> dt.datetime | None:
    """When to look again after fluids; only where fluids may settle it."""
    if run.closed_at is None or not any(problem.code in DRY for problem in problems):
        return None
    return run.closed_at + dt.timedelta(minutes=RECHECK_MINUTES)
