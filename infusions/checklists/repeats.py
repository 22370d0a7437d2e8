"""In a second check of the same day: which answers of the first may be confirmed by one tap, and who disagreed."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infusion_center.core.rules import Severity
from infusions.checklists.models import ChecklistAnswer, ChecklistItem, PreInfusionChecklist, RunStatus

REPEAT_WITHIN = dt.timedelta(hours=4)
# Looked at or measured anew in every check: who the patient is and what is in hand, fluids, vital signs.
ASKED_ANEW = frozenset(
    {
        *("identity-name", "identity-birth-date", "order-matches"),
        *("intake-day-before", "intake-today", "urine-normal", "dehydration-signs"),
        *("temperature", "systolic", "diastolic", "pulse", "spo2", "respiration"),
    }
)
ASKED_ANEW_SECTIONS = frozenset({"identity", "hydration", "vital signs"})
LEFT_OPEN = "checklist-left-open"
HOLDS = frozenset({Severity.BLOCKER.value, Severity.APPROVAL.value})


def may_be_repeated(item: ChecklistItem, failed_codes: Iterable[str]) -> bool:
    """Not what can change within the hour, and not what failed: that is what the second check is for."""
    if item.code in ASKED_ANEW or item.section.strip().lower() in ASKED_ANEW_SECTIONS:
        return False
    return item.code not in failed_codes


def failed_codes_of(run: PreInfusionChecklist) -> set[str]:
    """Questions whose answers held the infusion when the run was closed."""
    return {problem["field"] for problem in run.problems if problem["severity"] in HOLDS}


def earlier_run_of(run: PreInfusionChecklist) -> PreInfusionChecklist | None:
    """The check of this visit that did not pass shortly before this one."""
    earlier = PreInfusionChecklist.objects.filter(appointment=run.appointment_id, started_at__lte=run.started_at)
    last = earlier.exclude(pk=run.pk).order_by("-started_at", "-id").first()
    if last is None or last.status != RunStatus.FAILED or last.template_id != run.template_id:
        return None
    # Left open over midnight: nobody looked at what its answers meant, so nothing of it is known to hold.
    return None if any(problem["code"] == LEFT_OPEN for problem in last.problems) else last


def repeatable_answers(run: PreInfusionChecklist, now: dt.datetime) -> dict[str, ChecklistAnswer]:
    """Item code -> the answer of the failed check before that a nurse may confirm in this one."""
    earlier = earlier_run_of(run)
    if earlier is None:
        return {}
    failed = failed_codes_of(earlier)
    rows = earlier.answers.filter(answered_at__gte=now - REPEAT_WITHIN).select_related("item", "answered_by")
    latest = {answer.item.code: answer for answer in rows.order_by("id")}
    return {code: answer for code, answer in latest.items() if may_be_repeated(answer.item, failed)}


@dataclass(frozen=True)
class Disagreement:
    """Two people answered one question differently; the latest counts, and each page says who said what."""

    other: ChecklistAnswer
    latest: ChecklistAnswer


def disagreement_of(answers: Sequence[ChecklistAnswer], viewer=None) -> Disagreement | None:
    """`answers` to one question, oldest first. The viewer's own earlier answer is named before anybody else's."""
    if not answers:
        return None
    latest, last_of = answers[-1], {answer.answered_by_id: answer for answer in answers}
    others = [answer for answer in last_of.values() if answer.value != latest.value]
    if not others:
        return None
    own = [answer for answer in others if viewer is not None and answer.answered_by_id == viewer.pk]
    return Disagreement(other=(own or sorted(others, key=lambda answer: answer.pk))[-1], latest=latest)
