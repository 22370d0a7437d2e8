"""What the answers of a pre-infusion check mean: what is missing, what stops the start, what may be let pass."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity, blocker, sort_problems
from infusions.checklists.consequences import item_problems
from infusions.checklists.context import CheckContext
from infusions.checklists.models import ChecklistItem, ChecklistOverride, PreInfusionChecklist, RunStatus
from infusions.checklists.values import Value

Answers = Mapping[str, Value]

# Nobody may let these pass: the wrong patient, the wrong or an unsigned order, a dose set on another weight (the rules
# of orders ask for a new one), a product unfit for use, no line to give it by, a home without the means to treat
# anaphylaxis.
NEVER_OVERRIDDEN = frozenset(
    {
        "identity-name",
        "identity-birth-date",
        "order-matches",
        "order-not-signed",
        "weight-change",
        "room-temperature",
        "vials-inspected",
        "iv-access",
        "emergency-kit-home",
    }
)


def is_asked(item: ChecklistItem, answers: Answers, context: CheckContext) -> bool:
    """Whether the item belongs to this visit: by setting, by first dose, by the answer it depends on."""
    if (item.home_only and not context.is_home) or (item.facility_only and context.is_home):
        return False
    if item.first_dose_only and not context.is_first_dose:
        return False
    if not item.asked_if:
        return True
    answer = answers.get(item.asked_if)
    given = answer if isinstance(answer, list) else [answer]
    return answer is not None and (not item.asked_if_value or item.asked_if_value in given)


def asked_items(items: Iterable[ChecklistItem], answers: Answers, context: CheckContext) -> list[ChecklistItem]:
    return [item for item in items if is_asked(item, answers, context)]


def missing_items(items: Iterable[ChecklistItem], answers: Answers, context: CheckContext) -> list[ChecklistItem]:
    """Required items of this visit without an answer, in the order in which they are asked."""
    return [item for item in asked_items(items, answers, context) if item.is_required and item.code not in answers]


def missing_problems(items: Iterable[ChecklistItem], answers: Answers, context: CheckContext) -> list[Problem]:
    return [
        blocker("unanswered", f"Not answered: {item.text}", field=item.code)
        for item in missing_items(items, answers, context)
    ]


def answer_problems(items: Sequence[ChecklistItem], answers: Answers, context: CheckContext) -> list[Problem]:
    """Everything that stands against the start by these answers, gravest first. `field` is the code of the item."""
    problems = [] if context.order_signed else [order_not_signed()]
    for item in asked_items(items, answers, context):
        problems += item_problems(item, answers, context)
    return sort_problems(problems)


def order_not_signed() -> Problem:
    return blocker("order-not-signed", "The order is not signed.", remedy="Have the order signed before anything else.")


def holding(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop the infusion unless somebody with the right decides otherwise."""
    return [problem for problem in problems if problem.severity in (Severity.BLOCKER, Severity.APPROVAL)]


def may_be_overridden(problem: Problem) -> bool:
    return problem.code not in NEVER_OVERRIDDEN


def overridden_codes(
    overrides: Iterable[ChecklistOverride], problems: Iterable[Problem], answered_at: Mapping[str, dt.datetime]
) -> set[str]:
    """Codes let pass. A decision on an earlier answer is void once the item was answered anew."""
    fields = {problem.code: problem.field for problem in problems}
    return {
        override.problem_code
        for override in overrides
        if override.problem_code in fields
        and override.problem_code not in NEVER_OVERRIDDEN
        and (
            fields[override.problem_code] not in answered_at
            or override.overridden_at >= answered_at[fields[override.problem_code]]
        )
    }


def override_problems(problem: Problem | None, code: str, reason: str) -> list[Problem]:
    """Why this override cannot be given: no such problem, nothing to decide, never, or no reason."""
    if problem is None:
        return [blocker("nothing-to-override", f"Nothing called “{code[:60]}” stands against the start.")]
    if problem.severity not in (Severity.BLOCKER, Severity.APPROVAL):
        return [blocker("nothing-to-override", "This does not stop the infusion; there is nothing to decide.")]
    if not may_be_overridden(problem):
        return [blocker("never-overridden", f"{problem.message} This can never be overridden.", remedy=problem.remedy)]
    if not reason.strip():
        return [blocker("reason-missing", "Give the reason; it is kept for ever.", field="reason")]
    return []


def gate_problems(appointment, now: dt.datetime) -> list[Problem]:
    """Whether the check lets the infusion start: the latest run of the site's today must have been passed.

    Source: design of the clinic, "an in-date passed checklist (or a named override)" before anything starts.
    """
    first, following = clock.day_bounds(clock.local_date(now, appointment.site.time_zone), appointment.site.time_zone)
    runs = PreInfusionChecklist.objects.filter(appointment=appointment, started_at__gte=first, started_at__lt=following)
    latest = runs.order_by("-started_at", "-id").first()
    if latest is None:
        return [missing_check("No check has been done today.")]
    if latest.is_open:
        return [missing_check("The check of today is not finished.")]
    if latest.status == RunStatus.FAILED:
        return [
            blocker(
                "checklist-failed",
                "The pre-infusion check did not pass.",
                remedy="Do what it says, then check again; or ask somebody who may override.",
            )
        ]
    return [] if first <= latest.closed_at < following else [missing_check("The check was not finished today.")]


def missing_check(message: str) -> Problem:
    return blocker("checklist-missing", message, remedy="Do the pre-infusion check.")
