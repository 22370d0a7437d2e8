"""What the pages of an import show of its rows: names, words for problems, a date that may be read in two ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from infusion_center.core.rules import Severity
from patients import import_cells as cells
from patients.import_columns import BY_NAME, COLUMNS
from patients.import_models import ImportRow, PatientImport, RowState
from patients.models import Patient

HEADINGS = {column.fills: column.heading for column in reversed(COLUMNS)}
# Fields of rules that are called otherwise here.
HEADINGS |= {"kg": "Weight", "decided_on": "Asked on", "text": "Other allergy"}
FACES = {RowState.NEW: "check", RowState.ASK: "hand", RowState.ERROR: "octagon-alert", RowState.DONE: "check-check"}


@dataclass(frozen=True)
class ShownProblem:
    where: str
    message: str
    url: str
    is_error: bool


@dataclass(frozen=True)
class ShownRow:
    row: ImportRow
    name: str
    icon: str
    problems: list[ShownProblem]

    @property
    def can_be_chosen(self) -> bool:
        return self.row.state in (RowState.NEW, RowState.ASK)


@dataclass(frozen=True)
class Filter:
    name: str
    label: str
    count: int
    is_on: bool


def shown_rows(rows: Iterable[ImportRow]) -> list[ShownRow]:
    return [
        ShownRow(row, name_of(row.values), FACES[RowState(row.state)], [_problem(p) for p in row.problems])
        for row in rows
    ]


def named_by(rows: Iterable[ImportRow]) -> list[str]:
    """Where the charts are that the problems of these rows name."""
    return [problem["url"] for row in rows for problem in row.problems if problem["url"]]


def name_of(values: Mapping[str, str]) -> str:
    given = values.get("chosen_name") or values.get("given_name", "")
    return ", ".join(filter(None, [values.get("family_name", ""), given]))


def _problem(kept: Mapping[str, str]) -> ShownProblem:
    words = " ".join(filter(None, [kept["message"], "" if kept["url"] else kept["remedy"]]))
    return ShownProblem(HEADINGS.get(kept["field"], ""), words, kept["url"], kept["severity"] == Severity.BLOCKER)


def filters_of(counts: Mapping[str, int], state: str) -> list[Filter]:
    all_rows = Filter("all", "All", counts["all"], state not in RowState.values)
    states = (RowState.NEW, RowState.ASK, RowState.ERROR)
    return [all_rows, *(Filter(one.value, one.label, counts[one], state == one) for one in states)]


def registered_patients(rows: Iterable[ImportRow], user) -> list[tuple[int, Patient]]:
    """Line and patient of each row that was registered, as far as the person may see him."""
    rows = list(rows)
    visible = Patient.objects.visible_to(user).filter(public_id__in=[row.patient_id for row in rows])
    found = {patient.public_id: patient for patient in visible}
    return [(row.line, found[row.patient_id]) for row in rows if row.patient_id in found]


def refused_lines(upload: PatientImport, names: list[str]) -> Iterator[list[str]]:
    for row in upload.rows.exclude(state=RowState.DONE):
        why = "; ".join(": ".join(filter(None, [p.where, p.message])) for p in map(_problem, row.problems))
        yield [*(row.values.get(name, "") for name in names), str(row.line), why or "Not ticked"]


@dataclass(frozen=True)
class DateQuestion:
    """One date of the sheet, read in both ways."""

    line: int
    heading: str
    text: str
    month_first: str
    day_first: str

    @classmethod
    def of(cls, upload: PatientImport) -> DateQuestion | None:
        for row in upload.rows.all():
            for name, text in row.values.items():
                pair = cells.slashed_parts(text) if BY_NAME[name].is_date else None
                if pair and pair[0] != pair[1] and max(pair) <= 12:
                    both = [
                        f"{cells.read_date(text, order):%d-%b-%Y}" for order in (cells.MONTH_FIRST, cells.DAY_FIRST)
                    ]
                    return cls(row.line, BY_NAME[name].heading, text, *both)
        return None
