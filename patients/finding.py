"""The search as people use it: whoever finds patients by words leaves that he searched, in the same step."""

from collections.abc import Iterable

from django.db.models import QuerySet

from infusion_center.audit import services as audit
from infusion_center.core import clock
from patients.models import Patient
from patients.queries import search_patients
from patients.search_text import kinds_of, read_search


def find_patients(text: str, limit: int, *, by, among: QuerySet) -> list[Patient]:
    """As search_patients; nothing is recorded of words in which there is nothing to look for."""
    kinds = kinds_of(read_search(text, clock.now().date()))
    found = search_patients(text, limit, among=among)
    if kinds:
        note_search(by=by, kinds=kinds, count=len(found))
    return found


def note_search(*, by, kinds: Iterable[str], count: int) -> None:
    """Record that somebody searched: for what kind of thing and how many were found, never the words."""
    audit.record("patient.searched", by, by=by, kinds=sorted(kinds), count=count)
