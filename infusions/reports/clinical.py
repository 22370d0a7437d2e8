"""What was given, what was wasted and how it was borne, by product. Three queries, summed in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from infusions.doses.models import DoseRecord
from infusions.doses.reaction_models import Reaction
from infusions.formulary.models import Product
from infusions.reports.scope import Scope, share

GRADES = (1, 2, 3, 4, 5)
CENTI = Decimal("0.01")
MG_PER_G = 1000


@dataclass(frozen=True)
class ProductReport:
    """Infusions that were started. Volumes and grams are of those that ended; `reactions` by CTCAE grade, 1 to 5."""

    label: str
    infusions: int
    given_ml: Decimal
    given_g: Decimal
    waste_ml: Decimal
    reactions: tuple[int, ...]

    @property
    def reactions_total(self) -> int:
        return sum(self.reactions)

    @property
    def reactions_per_100(self) -> Decimal | None:
        return share(self.reactions_total, self.infusions)

    @property
    def waste_percent(self) -> Decimal | None:
        """Of what was drawn up: given and wasted."""
        return share(self.waste_ml, self.given_ml + self.waste_ml)


def product_reports(scope: Scope) -> list[ProductReport]:
    """Products of which an infusion was started, by name."""
    records = _started(scope)
    rows = list(
        records.values("product").annotate(
            infusions=Count("pk"), given_ml=Sum("volume_given_ml"), waste_ml=Sum("waste_ml")
        )
    )
    reactions = _reactions(records)
    products = Product.objects.in_bulk(row["product"] for row in rows)
    reports = [_report(products[row["product"]], row, reactions[row["product"]]) for row in rows]
    return sorted(reports, key=lambda report: report.label)


def total_of(reports: Iterable[ProductReport]) -> ProductReport:
    reports = list(reports)
    return ProductReport(
        label="All",
        infusions=sum(report.infusions for report in reports),
        given_ml=sum((report.given_ml for report in reports), Decimal(0)),
        given_g=sum((report.given_g for report in reports), Decimal(0)),
        waste_ml=sum((report.waste_ml for report in reports), Decimal(0)),
        reactions=tuple(sum(report.reactions[grade - 1] for report in reports) for grade in GRADES),
    )


def grams_in(volume_ml: Decimal, product: Product) -> Decimal:
    return (volume_ml * product.concentration_mg_per_ml / MG_PER_G).quantize(CENTI)


def _started(scope: Scope) -> QuerySet[DoseRecord]:
    return DoseRecord.objects.filter(appointment__in=scope.visits(), started_at__isnull=False).order_by()


def _reactions(records: QuerySet[DoseRecord]) -> dict[int, dict[int, int]]:
    """Product's row number -> grade -> reactions."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    rows = Reaction.objects.filter(record__in=records).order_by().values("record__product", "grade")
    for row in rows.annotate(reactions=Count("pk")):
        found[row["record__product"]][row["grade"]] = row["reactions"]
    return found


def _report(product: Product, row: dict, reactions: dict[int, int]) -> ProductReport:
    # SQLite sums decimals as floats, hence the rounding.
    given_ml = (row["given_ml"] or Decimal(0)).quantize(CENTI)
    return ProductReport(
        label=product.label,
        infusions=row["infusions"],
        given_ml=given_ml,
        given_g=grams_in(given_ml, product),
        waste_ml=(row["waste_ml"] or Decimal(0)).quantize(CENTI),
        reactions=tuple(reactions.get(grade, 0) for grade in GRADES),
    )
