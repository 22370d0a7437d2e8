"""What would happen to each row of a sheet: looked at all together, so that thousands take seconds; writes nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from infusion_center.core.rules import Problem, Severity, sort_problems
from patients import rules
from patients.import_models import ImportRow, PatientImport, RowState
from patients.import_resource import Draft, PatientResource
from patients.models import Patient, SearchKey
from patients.search_keys import key_text
from patients.search_text import day_word

WORDS_AT_ONCE = 500
MOST_ALIKE = 50  # rows with one birthday or address that are compared: a column filled with one value has thousands
GRAVE = (Severity.BLOCKER, Severity.APPROVAL)


def resource_for(upload: PatientImport, now: dt.datetime, others_of: Callable | None = None) -> PatientResource:
    defaults = {"time_zone": upload.site.time_zone, "is_test": upload.is_test}
    return PatientResource(date_order=upload.date_order, defaults=defaults, now=now, others_of=others_of)


def check_rows(upload: PatientImport, rows: Sequence[ImportRow], now: dt.datetime) -> None:
    """Set state, problems and choice of each row; the caller saves them."""
    reader = resource_for(upload, now, others_of=lambda patient: ())
    drafts = [reader.check(row.values, row.line) for row in rows]
    readable = [(row, draft.unsaved()) for row, draft in zip(rows, drafts, strict=True) if not _blocked(draft)]
    near = others_in_database([patient for _, patient in readable])
    beside = others_in_sheet(readable)
    found = {row.line: draft.problems for row, draft in zip(rows, drafts, strict=True)}
    for row, patient in readable:
        others = [other for word in words_of(patient) for other in near.get(word, ())]
        found[row.line] += rules.duplicate_problems(patient, {other.pk: other for other in others}.values())
        found[row.line] += beside.get(row.line, [])
    seen = visible_ids(upload.by, [problem for problems in found.values() for problem in problems])
    for row in rows:
        show_problems(row, [hidden_unless(seen, problem) for problem in found[row.line]])


def show_problems(row: ImportRow, problems: Iterable[Problem]) -> None:
    """Only what keeps a row out, or asks for a look, is kept: a sheet would drown in warnings."""
    grave = sort_problems(problem for problem in problems if problem.severity in GRAVE)
    row.problems = [asdict(problem) for problem in grave]
    severities = {problem.severity for problem in grave}
    row.state = RowState.ERROR if Severity.BLOCKER in severities else RowState.ASK if severities else RowState.NEW
    row.is_chosen = row.state == RowState.NEW


def visible_ids(user, problems: Iterable[Problem]) -> set[str]:
    """Of the patients whom the problems name by their chart, those whom the person may see."""
    named = sorted({_named(problem) for problem in problems} - {""})
    visible = Patient.objects.visible_to(user)
    return {
        key for part in _parts(named) for key in visible.filter(public_id__in=part).values_list("public_id", flat=True)
    }


def hidden_unless(seen: Collection[str], problem: Problem) -> Problem:
    """Of another site's patient nothing is told but that there is one."""
    if not _named(problem) or _named(problem) in seen:
        return problem
    words = "Another site has this MRN." if problem.code == "mrn-taken" else "Another site has a patient like this one."
    return replace(problem, message=words, remedy="Ask there.", url="")


def _named(problem: Problem) -> str:
    return problem.url.rstrip("/").rpartition("/")[2]


def words_of(patient: Patient) -> set[str]:
    """The search keys that two records of one person would share; as queries.possible_duplicates looks them up."""
    words = {key_text(patient.mrn), key_text(patient.phone or ""), patient.email.casefold()[:80]}
    return (words | {day_word(patient.date_of_birth)}) - {""}


def others_in_database(patients: Iterable[Patient]) -> Mapping[str, list[Patient]]:
    """Search key -> registered patients who have it, for all the rows in few statements."""
    words = sorted(set().union(*map(words_of, patients)))
    owners: dict[str, set[int]] = defaultdict(set)
    for part in _parts(words):
        for word, patient_id in SearchKey.objects.filter(word__in=part).order_by().values_list("word", "patient_id"):
            owners[word].add(patient_id)
    known = {}
    for part in _parts(sorted(set().union(*owners.values()))):
        known |= Patient.objects.in_bulk(part)
    return {word: [known[pk] for pk in sorted(pks)] for word, pks in owners.items()}


def others_in_sheet(rows: Sequence[tuple[ImportRow, Patient]]) -> dict[int, list[Problem]]:
    """Line -> what speaks for its being the same person as another line. Both are told: nobody knows which is right."""
    groups: dict[str, list[tuple[ImportRow, Patient]]] = defaultdict(list)
    for row, patient in rows:
        for word in words_of(patient):
            groups[word].append((row, patient))
    found: dict[int, dict[int, Problem]] = defaultdict(dict)
    for group in groups.values():
        for row, patient in group if len(group) > 1 else ():
            for other_row, other in group[:MOST_ALIKE]:
                if other_row.line == row.line or other_row.line in found[row.line]:
                    continue
                for problem in rules.duplicate_problems(patient, [other]):
                    found[row.line][other_row.line] = in_sheet(problem, other_row.line)
    return {line: list(problems.values()) for line, problems in found.items()}


def in_sheet(problem: Problem, line: int) -> Problem:
    if problem.code == "mrn-taken":
        return replace(problem, message=f"Line {line} has the same MRN.", remedy="Keep one of them.", url="")
    return replace(problem, message=f"Line {line}: {problem.message}", remedy="Choose one of them.", url="")


def _blocked(draft: Draft) -> bool:
    return any(problem.severity == Severity.BLOCKER for problem in draft.problems)


def _parts(values: Sequence) -> Iterator[Sequence]:
    for at in range(0, len(values), WORDS_AT_ONCE):
        yield values[at : at + WORDS_AT_ONCE]
