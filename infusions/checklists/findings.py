"""What stood against a start and what was decided about it; a whole check as it is shown and printed afterwards."""

from dataclasses import dataclass

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity
from infusions.checklists import cards, rules
from infusions.checklists.models import ChecklistOverride, PreInfusionChecklist
from infusions.checklists.queries import RunState, run_state


@dataclass(frozen=True)
class Finding:
    """One problem, who let it pass, and whether anybody can. Pages put the form of who may decide beside it."""

    problem: Problem
    override: ChecklistOverride | None = None
    is_final: bool = False
    form: object = None

    @property
    def holds(self) -> bool:
        return self.problem.severity in (Severity.BLOCKER, Severity.APPROVAL) and self.override is None


def kept_problems(run: PreInfusionChecklist) -> list[Problem]:
    """The problems as they were when the run was closed."""
    return [Problem(**{**row, "severity": Severity(row["severity"])}) for row in run.problems]


def findings_of(state: RunState) -> list[Finding]:
    """Gravest first. Of an open run only what was answered speaks."""
    problems = kept_problems(state.run)
    if state.run.is_open:
        problems = [problem for problem in state.problems if problem.field in state.answers or not problem.field]
    overrides = {o.problem_code: o for o in state.run.overrides.select_related("overridden_by").order_by("id")}
    passed = rules.overridden_codes(overrides.values(), problems, state.answered_at)
    held = {problem.code for problem in rules.holding(problems)}
    return [
        Finding(
            problem=problem,
            override=overrides[problem.code] if problem.code in passed else None,
            is_final=problem.code in held and not rules.may_be_overridden(problem),
        )
        for problem in problems
    ]


def run_summary(run: PreInfusionChecklist) -> dict:
    """The context of `infusions/checklists/_run.html`, which any page or print may include."""
    state = run_state(run, clock.now())
    return {
        "run": run,
        "appointment": run.appointment,
        "site": run.appointment.site,
        "sections": cards.sections_of([card for card in cards.cards_of(state) if card.answer]),
        "findings": findings_of(state),
    }
