"""Where reactions gather: by product, month, lot and rate at the onset, those learned of later included. Six queries.

A reaction counts with its infusion: on the day of the visit, at its site. Grades by CTCAE.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet
from django.db.models.functions import Substr

from infusions.doses.models import DoseRecord, VialUsed
from infusions.doses.reaction_models import LateReaction, Reaction
from infusions.formulary.models import Product
from infusions.reports.scope import Scope, share

GRADES = (1, 2, 3, 4, 5)
# Upper ends in mg/kg/min: the rates that labels name (fact sheet 1b).
BANDS = tuple(map(Decimal, ("0.5", "1", "2", "4", "8")))
AFTER = "After the infusion, or learned of later"
# Ours, and no proof of anything: chance alone makes some lots look bad.
HINT_REACTIONS, HINT_TIMES = 3, 3
MONTH = "month"


@dataclass(frozen=True)
class ReactionRow:
    """One reaction as counted; `rate` in mg/kg/min, None after the infusion and when learned of later."""

    record: int
    product: int
    month: str
    grade: int
    rate: Decimal | None
    lots: tuple[str, ...]
    is_late: bool


@dataclass(frozen=True)
class Line:
    """A line of a table: infusions, reactions by grade 1 to 5, how many of them were learned of later."""

    label: str
    infusions: int
    grades: tuple[int, ...]
    late: int

    @property
    def reactions(self) -> int:
        return sum(self.grades)

    @property
    def grave(self) -> int:
        return sum(self.grades[2:])

    @property
    def per_100(self) -> Decimal | None:
        return share(self.reactions, self.infusions)

    @property
    def grave_per_100(self) -> Decimal | None:
        return share(self.grave, self.infusions)


@dataclass(frozen=True)
class LotLine:
    product: str
    line: Line
    is_hint: bool


@dataclass(frozen=True)
class BandLine:
    label: str
    grades: tuple[int, ...]
    percent: Decimal | None

    @property
    def reactions(self) -> int:
        return sum(self.grades)


@dataclass(frozen=True)
class ReactionReport:
    """`months` as 2026-03; `trend`: a product's name and its line of each month, products with most reactions first."""

    products: tuple[Line, ...]
    total: Line
    lots: tuple[LotLine, ...]
    bands: tuple[BandLine, ...]
    months: tuple[str, ...]
    trend: tuple[tuple[str, tuple[Line, ...]], ...]


def reaction_report(scope: Scope) -> ReactionReport:
    records = DoseRecord.objects.filter(appointment__in=scope.visits(), started_at__isnull=False).order_by()
    # The promised wall time begins with the local day, whatever the zone of the site.
    by_month = records.annotate(month=Substr("appointment__local_start", 1, 7)).values("product", MONTH)
    infusions = {(row["product"], row[MONTH]): row["count"] for row in by_month.annotate(count=Count("pk"))}
    rows = reaction_rows(records)
    labels = {pk: str(one) for pk, one in Product.objects.in_bulk({product for product, _ in infusions}).items()}
    months = month_range(month for _, month in infusions)
    products = product_lines(infusions, rows, labels)
    return ReactionReport(
        products=tuple(sorted(products.values(), key=lambda line: line.label)),
        total=line_of("All", sum(infusions.values()), rows),
        lots=lot_lines(records, rows, products),
        bands=band_lines(rows),
        months=months,
        trend=trend_lines(infusions, rows, products, months),
    )


def reaction_rows(records: QuerySet[DoseRecord]) -> list[ReactionRow]:
    """At the chair and learned of later; a reaction without lots of its own has those of its dose."""
    record = ("record", "record__product", "record__appointment__local_start", "grade")
    pump = ("rate_ml_per_h", "record__weight_kg", "record__product__concentration_mg_per_ml", "lots")
    chair = Reaction.objects.filter(record__in=records).order_by("onset_at", "pk").values_list(*record, *pump)
    late = LateReaction.objects.filter(record__in=records).order_by("recorded_at", "pk").values_list(*record)
    found = [(*row, False) for row in chair] + [(*row, None, None, None, None, True) for row in late]
    dose_lots = lots_by_record({row[0] for row in found})
    return [
        ReactionRow(
            record=pk,
            product=product,
            month=local_start[:7],
            grade=grade,
            rate=rate_mg(rate, weight, concentration) if rate else None,
            lots=tuple(lots or dose_lots[pk]),
            is_late=is_late,
        )
        for pk, product, local_start, grade, rate, weight, concentration, lots, is_late in found
    ]


def lots_by_record(records: Iterable[int]) -> dict[int, list[str]]:
    lots: dict[int, list[str]] = defaultdict(list)
    vials = VialUsed.objects.filter(record__in=records).order_by("lot").values_list("record", "lot").distinct()
    for record, lot in vials:
        lots[record].append(lot)
    return lots


def rate_mg(rate_ml_per_h: Decimal, weight_kg: Decimal, concentration_mg_per_ml: Decimal) -> Decimal:
    """mg/kg/min as labels write it. Source: fact sheet, arithmetic used everywhere."""
    return (rate_ml_per_h * concentration_mg_per_ml / 60 / weight_kg).quantize(Decimal("0.01"))


def line_of(label: str, infusions: int, rows: Iterable[ReactionRow]) -> Line:
    rows = list(rows)
    return Line(label, infusions, by_grade(rows), sum(row.is_late for row in rows))


def by_grade(rows: Iterable[ReactionRow]) -> tuple[int, ...]:
    found = Counter(row.grade for row in rows)
    return tuple(found[grade] for grade in GRADES)


def product_lines(infusions: dict, rows: Sequence[ReactionRow], labels: dict[int, str]) -> dict[int, Line]:
    given: Counter[int] = Counter()
    for (product, _), count in infusions.items():
        given[product] += count
    return {
        product: line_of(labels[product], count, (row for row in rows if row.product == product))
        for product, count in given.items()
    }


def trend_lines(infusions: dict, rows: Sequence[ReactionRow], products: dict[int, Line], months: Sequence[str]):
    found: dict[tuple[int, str], list[ReactionRow]] = defaultdict(list)
    for row in rows:
        found[row.product, row.month].append(row)
    order = sorted(products, key=lambda key: (-products[key].reactions, products[key].label))
    return tuple(
        (
            products[key].label,
            tuple(line_of(month, infusions.get((key, month), 0), found[key, month]) for month in months),
        )
        for key in order
    )


def month_range(months: Iterable[str]) -> tuple[str, ...]:
    """From the first to the last month of an infusion, none left out."""
    numbers = [int(month[:4]) * 12 + int(month[5:]) - 1 for month in months]
    return tuple(f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(min(numbers), max(numbers) + 1)) if numbers else ()


def lot_lines(
    records: QuerySet[DoseRecord], rows: Sequence[ReactionRow], products: dict[int, Line]
) -> tuple[LotLine, ...]:
    """Lots with a reaction, the highest rate first."""
    by_lot: dict[tuple[int, str], list[ReactionRow]] = defaultdict(list)
    for row in rows:
        for lot in row.lots:
            by_lot[row.product, lot].append(row)
    vials = VialUsed.objects.filter(record__in=records).order_by().values("record__product", "lot")
    given = {
        (one["record__product"], one["lot"]): one["count"]
        for one in vials.annotate(count=Count("record", distinct=True))
    }
    lines = []
    for (product, lot), found in by_lot.items():
        line = line_of(lot, given.get((product, lot), 0), found)
        lines.append(LotLine(products[product].label, line, is_hint(line, products[product])))
    return tuple(sorted(lines, key=lambda one: (-(one.line.per_100 or 0), one.product, one.line.label)))


def is_hint(lot: Line, product: Line) -> bool:
    """At least three reactions, and more than three times as many per infusion as the product has."""
    often = lot.reactions * product.infusions > HINT_TIMES * product.reactions * lot.infusions
    return lot.reactions >= HINT_REACTIONS and lot.infusions > 0 and often


def band_lines(rows: Sequence[ReactionRow]) -> tuple[BandLine, ...]:
    found: dict[str, list[ReactionRow]] = {label: [] for label in band_labels()}
    for row in rows:
        found[band_of(row.rate)].append(row)
    return tuple(BandLine(label, by_grade(some), share(len(some), len(rows))) for label, some in found.items())


def band_labels() -> list[str]:
    lows = ("", *map(str, BANDS))
    between = [f"{low} to {high}" if low else f"up to {high}" for low, high in zip(lows, BANDS, strict=False)]
    return [*(f"{words} mg/kg/min" for words in between), f"above {BANDS[-1]} mg/kg/min", AFTER]


def band_of(rate: Decimal | None) -> str:
    labels = band_labels()
    if rate is None:
        return AFTER
    return next((label for label, high in zip(labels, BANDS, strict=False) if rate <= high), labels[len(BANDS)])
