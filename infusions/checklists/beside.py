"""Lines beside a question that can be taken over by one tap, and who answered what where two people differ."""

import datetime as dt
from dataclasses import dataclass

from infusions.checklists.models import ChecklistAnswer, ChecklistItem, ItemKind, PatientReport
from infusions.checklists.patient_reports import GLASS_ML, INTAKE, Reported, reported_values, reports_of
from infusions.checklists.queries import RunState
from infusions.checklists.repeats import disagreement_of, repeatable_answers
from infusions.checklists.values import UnreadableAnswer, read_value, show_value


@dataclass(frozen=True)
class ReportLine:
    """What the patient reported. `is_answer`: it can be confirmed as it stands."""

    text: str
    day: str
    report: PatientReport
    is_answer: bool


@dataclass(frozen=True)
class AgainLine:
    """The answer of the check before, on the same day."""

    text: str
    answer: ChecklistAnswer


@dataclass(frozen=True)
class DisagreementLine:
    other: ChecklistAnswer
    latest: ChecklistAnswer
    other_text: str
    latest_text: str
    is_mine: bool  # the latest is the viewer's
    was_mine: bool  # the other one is


@dataclass(frozen=True)
class Beside:
    reports: dict[str, ReportLine]
    again: dict[str, AgainLine]
    disagreements: dict[str, DisagreementLine]


def lines_beside(state: RunState, viewer) -> Beside:
    """Read once for the whole page."""
    now, items = state.context.now, {item.code: item for item in state.items}
    reported = reported_values(reports_of(state.run.appointment))
    again = repeatable_answers(state.run, now) if state.run.is_open else {}
    return Beside(
        reports={code: report_line(items[code], one, now) for code, one in reported.items() if code in items},
        again={
            code: AgainLine(show_value(items[code], answer.value), answer)
            for code, answer in again.items()
            if code in items and code not in state.latest
        },
        disagreements=disagreements(state, viewer),
    )


def report_line(item: ChecklistItem, reported: Reported, now: dt.datetime) -> ReportLine:
    """`now` is the site's wall time."""
    try:
        value, is_answer = read_value(item, reported.value), True
    except UnreadableAnswer:
        value, is_answer = reported.value, False
    text = show_value(item, value)
    if item.code in INTAKE and is_answer:
        glasses = int(value) // GLASS_ML
        text = f"{int(value):,} {item.unit} ({glasses} glass{'' if glasses == 1 else 'es'})"
    elif not is_answer:
        text = "Yes: ask which" if item.kind == ItemKind.MULTI and value == "yes" else f"{value}: ask again"
    return ReportLine(text, day_word(reported.report.reported_at, now), reported.report, is_answer)


def day_word(instant: dt.datetime, now: dt.datetime) -> str:
    day = instant.astimezone(now.tzinfo).date()
    days = (now.date() - day).days
    return {0: "today", 1: "yesterday"}.get(days, f"{day.day} {day:%b}")


def disagreements(state: RunState, viewer) -> dict[str, DisagreementLine]:
    by_code: dict[str, list[ChecklistAnswer]] = {}
    for answer in state.history:
        by_code.setdefault(answer.item.code, []).append(answer)
    found = {code: disagreement_of(answers, viewer) for code, answers in by_code.items()}
    return {
        code: DisagreementLine(
            other=one.other,
            latest=one.latest,
            other_text=show_value(one.other.item, one.other.value),
            latest_text=show_value(one.latest.item, one.latest.value),
            is_mine=viewer is not None and one.latest.answered_by_id == viewer.pk,
            was_mine=viewer is not None and one.other.answered_by_id == viewer.pk,
        )
        for code, one in found.items()
        if one is not None
    }
