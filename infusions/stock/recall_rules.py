"""What is wrong with a recall before it is opened, widened or closed, and with a search for lots."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from infusion_center.core.rules import Problem, blocker
from infusions.stock.lot_text import ANY, is_part, pieces_of
from infusions.stock.models import LotRecall

MOST_LOTS = 200
SHORTEST_PART = 3


def search_problems(wanted: Sequence[str]) -> list[Problem]:
    """Asked before anything is looked up."""
    if not wanted:
        return [
            blocker("lots-missing", "No lot number in this text.", field="lot", remedy="One on each line is safest.")
        ]
    if len(wanted) > MOST_LOTS:
        return [blocker("lots-too-many", f"{len(wanted)} lots: search for {MOST_LOTS} at once.", field="lot")]
    short = [part for part in wanted if is_part(part) and len(max(pieces_of(part), key=len)) < SHORTEST_PART]
    if short:
        message = f"{', '.join(short)}: too little to look for."
        remedy = f"Write {SHORTEST_PART} letters or digits in a row beside the *."
        return [blocker("lot-part-short", message, field="lot", remedy=remedy)]
    return []


def matched_problems(lots: Sequence[str]) -> list[Problem]:
    """Asked when the parts of lots have been looked up."""
    if len(lots) <= MOST_LOTS:
        return []
    message = f"{len(lots)} lots match, more than {MOST_LOTS}."
    return [
        blocker("lots-match-too-many", message, field="lot", remedy="Write more of the lot, or choose the product.")
    ]


def open_problems(lots: Collection[str], *, reason: str, under_recall: Collection[str]) -> list[Problem]:
    """`under_recall`: which of the lots an open recall of the product names already."""
    problems = lot_problems(lots, under_recall=under_recall)
    if not reason.strip():
        problems.append(blocker("recall-reason-missing", "Say why these lots are recalled.", field="reason"))
    return problems


def extend_problems(recall: LotRecall, lots: Collection[str], *, under_recall: Collection[str]) -> list[Problem]:
    return [*closed_problems(recall), *lot_problems(lots, under_recall=under_recall)]


def lot_problems(lots: Collection[str], *, under_recall: Collection[str]) -> list[Problem]:
    problems = []
    if not lots:
        problems.append(blocker("lots-missing", "No lot number in this text.", field="lots"))
    if len(lots) > MOST_LOTS:
        problems.append(blocker("lots-too-many", f"{len(lots)} lots: add at most {MOST_LOTS} at once.", field="lots"))
    if parts := [lot for lot in lots if ANY in lot]:
        message = f"{', '.join(parts)}: a recall names whole lots."
        problems.append(blocker("lot-not-whole", message, field="lots", remedy="Search for the part first."))
    if under_recall:
        message = f"Under an open recall already: {', '.join(sorted(under_recall))}."
        remedy = "Leave these out, or add the others to that recall."
        problems.append(blocker("lot-recalled-already", message, field="lots", remedy=remedy))
    return problems


def close_problems(recall: LotRecall, *, reason: str) -> list[Problem]:
    problems = closed_problems(recall)
    if not reason.strip():
        problems.append(blocker("recall-reason-missing", "Say why the recall is over.", field="reason"))
    return problems


def closed_problems(recall: LotRecall) -> list[Problem]:
    if recall.closed_at is None:
        return []
    return [blocker("recall-closed", "This recall was closed meanwhile.", remedy="Open a new one if it goes on.")]
