"""What would happen to each row of a sheet: looked at all together, so that thousands take seconds; writes nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from infusion_center.core.batches import in_parts
from infusion_center.core.rules import Problem, Severity, sort_problems
from patients import rules
from patients.import_models import ImportRow, PatientImport, RowState
from patients.import_resource import Draft, PatientResource
from patients.models import Patient, SearchKey
from patients.named_charts import hidden_unless, named_in, visible_ids
from patients.search_keys import key_text
from patients.search_text import day_word

WORDS_AT_ONCE = 500
MOST_ALIKE = 50  # rows with one birthday or address that are compared: a column filled with one value has thousands
GRAVE = (Severity.BLOCKER, Severity.APPROVAL)


@dataclass(frozen=True)
class Readable:
    """A row that can be read, with the patient it would make and the search keys of his that tell of one person."""

    row: ImportRow
    patient: Patient
    words: frozenset[str]

    @property
    def line(self) -> int:
        return self.row.line


def resource_for(upload: PatientImport, now: dt.datetime, others_of: Callable | None = None) -> PatientResource:
    defaults = {"time_zone": upload.site.time_zone, "is_test": upload.is_test}
    return PatientResource(date_order=upload.date_order, defaults=defaults, now=now, others_of=others_of)


def check_rows(upload: PatientImport, rows: Sequence[ImportRow], now: dt.datetime) -> int:
    """Set state, problems and choice of each row; the caller saves them. How many others were found at other sites."""
    reader = resource_for(upload, now, others_of=lambda patient: ())
    drafts = [reader.check(row.values, row.line) for row in rows]
    readable = [
        Readable(row, draft.unsaved, words_of(draft.unsaved))
        for row, draft in zip(rows, drafts, strict=True)
        if not _blocked(draft)
    ]
    near = others_in_database(readable)
    beside = others_in_sheet(readable)
    found = {row.line: draft.problems for row, draft in zip(rows, drafts, strict=True)}
    for one in readable:
        others = {other.pk: other for word in sorted(one.words) for other in near.get(word, ())}
        found[one.line] += rules.duplicate_problems(one.patient, others.values()) + beside.get(one.line, [])
    named = [problem.url for problems in found.values() for problem in problems if problem.url]
    seen = visible_ids(upload.by, named)
    for row in rows:
        show_problems(row, [hidden_unless(seen, problem) for problem in found[row.line]])
    return len({named_in(url) for url in named} - seen)


def show_problems(row: ImportRow, problems: Iterable[Problem]) -> None:
    """Only what keeps a row out, or asks for a look, is kept: a sheet would drown in warnings."""
    grave = sort_problems(problem for problem in problems if problem.severity in GRAVE)
    row.problems = [asdict(problem) for problem in grave]
    severities = {problem.severity for problem in grave}
    row.state = RowState.ERROR if Severity.BLOCKER in severities else RowState.ASK if severities else RowState.NEW
    row.is_chosen = row.state == RowState.NEW


def words_of(patient: Patient) -> frozenset[str]:
    """The search keys that two records of one person would share; as queries.possible_duplicates looks them up."""
    words = {key_text(patient.mrn), key_text(patient.phone or ""), patient.email.casefold()[:80]}
    return frozenset(words | {day_word(patient.date_of_birth)}) - {""}


def others_in_database(rows: Iterable[Readable]) -> Mapping[str, list[Patient]]:
    """Search key -> registered patients who have it, for all the rows in few statements."""
    words = sorted(set().union(*(one.words for one in rows)))
    owners: dict[str, set[int]] = defaultdict(set)
    for part in in_parts(words, WORDS_AT_ONCE):
        for word, patient_id in SearchKey.objects.filter(word__in=part).order_by().values_list("word", "patient_id"):
            owners[word].add(patient_id)
    known = {}
    for part in in_parts(sorted(set().union(*owners.values())), WORDS_AT_ONCE):
        known |= Patient.objects.in_bulk(part)
    return {word: [known[pk] for pk in sorted(pks)] for word, pks in owners.items()}


def others_in_sheet(rows: Sequence[Readable]) -> dict[int, list[Problem]]:
    """Line -> what speaks for its being the same person as another line. Both are told: nobody knows which is right."""
    groups: dict[str, list[Readable]] = defaultdict(list)
    for one in rows:
        for word in one.words:
            groups[word].append(one)
    found: dict[int, dict[int, Problem]] = defaultdict(dict)
    for group in groups.values():
        for one in group if len(group) > 1 else ():
            for other in group[:MOST_ALIKE]:
                if other.line == one.line or other.line in found[one.line]:
                    continue
                for problem in rules.duplicate_problems(one.patient, [other.patient]):
                    found[one.line][other.line] = in_sheet(problem, other.line)
    return {line: list(problems.values()) for line, problems in found.items()}


def in_sheet(problem: Problem, line: int) -> Problem:
    if problem.code == "mrn-taken":
        return replace(problem, message=f"Line {line} has the same MRN.", remedy="Keep one of them.", url="")
    return replace(problem, message=f"Line {line}: {problem.message}", remedy="Choose one of them.", url="")


def _blocked(draft: Draft) -> bool:
    return any(problem.severity == Severity.BLOCKER for problem in draft.problems)
