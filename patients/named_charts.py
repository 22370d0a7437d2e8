"""Problems that name another patient by his chart: who may read that, and that it was read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from infusion_center.audit import services as audit
from infusion_center.core.batches import in_parts
from infusion_center.core.rules import Problem
from patients.models import Patient

AT_ONCE = 500


def named_in(url: str) -> str:
    """The public id of the chart at this address; other addresses end in no patient's id."""
    return url.rstrip("/").rpartition("/")[2]


def visible_ids(user, urls: Iterable[str]) -> set[str]:
    """Of the patients whose charts these are, those whom the person may see."""
    return {patient.public_id for patient in _visible(user, urls)}


def _visible(user, urls: Iterable[str]) -> list[Patient]:
    named = sorted({named_in(url) for url in urls} - {""})
    visible = Patient.objects.visible_to(user)
    return [patient for part in in_parts(named, AT_ONCE) for patient in visible.filter(public_id__in=part)]


def hidden_unless(seen: Collection[str], problem: Problem) -> Problem:
    """Of another site's patient nothing is told but that there is one."""
    if not named_in(problem.url) or named_in(problem.url) in seen:
        return problem
    words = "Another site has this MRN." if problem.code == "mrn-taken" else "Another site has a patient like this one."
    return replace(problem, message=words, remedy="Ask there.", url="")


def note_named(urls: Iterable[str], *, by) -> None:
    """Name, birthday and number stand on the page beside the way to the chart: that is an opening, too."""
    audit.record_openings(_visible(by, urls), by=by, what="possible duplicate")
