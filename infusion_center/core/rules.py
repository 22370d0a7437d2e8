"""What rules answer with: typed problems, and the one exception that services refuse by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import models


class Severity(models.TextChoices):
    BLOCKER = "blocker", "Blocker"
    APPROVAL = "approval", "Needs approval"
    WARNING = "warning", "Warning"
    NOTE = "note", "Note"


@dataclass(frozen=True)
class Problem:
    """One thing that is or may be wrong: what, how grave, which form field, what to do about it and where."""

    code: str
    severity: Severity
    message: str
    field: str = ""
    remedy: str = ""
    url: str = ""


def blocker(code: str, message: str, **more: str) -> Problem:
    return Problem(code, Severity.BLOCKER, message, **more)


def needs_approval(code: str, message: str, **more: str) -> Problem:
    return Problem(code, Severity.APPROVAL, message, **more)


def warning(code: str, message: str, **more: str) -> Problem:
    return Problem(code, Severity.WARNING, message, **more)


def note(code: str, message: str, **more: str) -> Problem:
    return Problem(code, Severity.NOTE, message, **more)


class RuleViolation(Exception):
    """A service refused; nothing was written. `problems` says why, gravest first."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = sort_problems(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))

    @property
    def codes(self) -> set[str]:
        return {problem.code for problem in self.problems}


def sort_problems(problems: Iterable[Problem]) -> list[Problem]:
    gravity = list(Severity)
    return sorted(problems, key=lambda problem: gravity.index(problem.severity))


def codes(problems: Iterable[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def refuse_if_blocking(problems: Sequence[Problem], override_reason: str = "") -> None:
    """Blockers always refuse; what needs approval refuses unless somebody gave a reason to go on."""
    grave = [p for p in problems if p.severity == Severity.BLOCKER]
    if not override_reason.strip():
        grave += [p for p in problems if p.severity == Severity.APPROVAL]
    if grave:
        raise RuleViolation(grave)
