"""Reads of recalls: which lots must not be given, which lots a search means, what of them is left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from infusions.facility.models import Site
from infusions.formulary.models import Product
from infusions.stock.lot_text import is_part, pattern_of, pieces_of
from infusions.stock.lots import written_lot
from infusions.stock.models import KnownLot, LotRecall, RecallContact, StockItem
from infusions.stock.queries import recalled_lots
from patients.models import Patient


@dataclass(frozen=True)
class SearchedLots:
    """Whole lots that a search means: as typed, and those that its parts match. `unknown`: never seen here."""

    lots: list[str]
    unknown: list[str]


def open_recall_of(product: Product, lots: Collection[str]) -> LotRecall | None:
    """The open recall that any of these lots of the product falls under, the latest if several. One statement."""
    return open_recalls([product], lots).first()


def open_recalls(products: Iterable[Product], lots: Collection[str]) -> QuerySet[LotRecall]:
    written = {written_lot(lot) for lot in lots}
    return LotRecall.objects.filter(product__in=products, closed_at=None, lots__lot__in=written).distinct()


def lots_under_recall(product: Product, lots: Collection[str]) -> list[str]:
    return sorted(set(recalled_lots(product, lots).values_list("lot", flat=True)))


def recalls_open_first() -> QuerySet[LotRecall]:
    closed_last = Case(When(closed_at=None, then=Value(0)), default=Value(1), output_field=IntegerField())
    recalls = LotRecall.objects.select_related("product", "opened_by", "closed_by").prefetch_related("lots")
    return recalls.order_by(closed_last, "-opened_at", "-pk")


def searched_lots(wanted: Sequence[str], product: Product | None = None) -> SearchedLots:
    """Parts are looked for among the known lots, some thousands, never among the vials. One statement."""
    exact, parts = [lot for lot in wanted if not is_part(lot)], [lot for lot in wanted if is_part(lot)]
    condition = Q(lot__in=exact)
    for part in parts:
        # What the database finds by the longest piece is more than the part means; the pattern decides.
        condition |= Q(lot__icontains=pieces_of(part)[0])
    known = KnownLot.objects.filter(condition).order_by()
    if product is not None:
        known = known.filter(product=product)
    found = sorted(set(known.values_list("lot", flat=True)))
    patterns = {part: pattern_of(part) for part in parts}
    matched = {part: [lot for lot in found if patterns[part].fullmatch(lot)] for part in parts}
    lots = dict.fromkeys(lot for one in wanted for lot in matched.get(one, [one]))
    unknown = [one for one in wanted if not matched.get(one, one in found)]
    return SearchedLots(list(lots), unknown)


def stock_of_lots(lots: Collection[str], sites: Iterable[Site], product: Product | None = None) -> list[StockItem]:
    """What is left at these sites, on hand or set aside."""
    items = StockItem.objects.filter(lot__in=lots, site__in=sites).exclude(on_hand=0, quarantined=0)
    if product is not None:
        items = items.filter(product=product)
    return list(
        items.select_related("site", "product").order_by("site__name", "product__name", "lot", "grams", "use_by")
    )


def stock_everywhere(lots: Collection[str], product: Product) -> tuple[int, int]:
    """What a recall of these lots would set aside: vials on hand, and at how many sites."""
    held = StockItem.objects.filter(product=product, lot__in=lots, on_hand__gt=0).order_by()
    rows = list(held.values_list("site_id", "on_hand"))
    return sum(vials for _, vials in rows), len({site_id for site_id, _ in rows})


def latest_by_recall(recalls: Iterable[LotRecall]) -> dict[int, dict[int, str]]:
    """Row number of the recall -> that of the patient -> status of the latest try. One statement."""
    found: dict[int, dict[int, str]] = {}
    contacts = RecallContact.objects.filter(recall__in=recalls).order_by("at", "pk")
    for recall_id, patient_id, status in contacts.values_list("recall_id", "patient_id", "status"):
        found.setdefault(recall_id, {})[patient_id] = status
    return found


def contacts_of(recall: LotRecall, patients: Iterable[Patient]) -> dict[int, list[RecallContact]]:
    """Patient's row number -> every try, latest first."""
    found: dict[int, list[RecallContact]] = {}
    contacts = RecallContact.objects.filter(recall=recall, patient__in=patients).select_related("by")
    for contact in contacts.order_by("-at", "-pk"):
        found.setdefault(contact.patient_id, []).append(contact)
    return found
