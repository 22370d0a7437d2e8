"""A lawful formulary for tests: by default a 10% product like Privigen, verified, for primary immunodeficiency."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import count

from infusions.formulary.models import Indication, Product, RateSchedule, RateStep, Regimen, VialSize

numbers = count(1)
SEEN = {"source": "S1", "status": "S"}
LADDER = (
    (Decimal("0.5"), 30),
    (Decimal("1"), 30),
    (Decimal("2"), 30),
    (Decimal("4"), 30),
    (Decimal("8"), None),
)


def make_product(*, vial_sizes_g: Iterable[str | Decimal] = ("5", "10", "20", "40"), **fields) -> Product:
    """A room-temperature liquid; say `needs_warming=True, warm_up_minutes=60` for one out of the refrigerator."""
    number = next(numbers)
    values = {
        "key": f"product-{number}",
        "name": f"Testglobulin {number}",
        "maker": "Example Pharma",
        "concentration_mg_per_ml": Decimal("100"),
        "excipients": ["l_proline"],
        "iga_ug_per_ml": Decimal("25"),
        "storage": "Room temperature up to 25 °C.",
        "needs_warming": False,
        "warm_up_minutes": 0,
        "sources": {"concentration_mg_per_ml": SEEN, "excipients": SEEN, "storage": SEEN},
    }
    product = Product.objects.create(**{**values, **fields})
    VialSize.objects.bulk_create(VialSize(product=product, grams=Decimal(grams)) for grams in vial_sizes_g)
    return product


def make_indication(*, code: str = "pi", **fields) -> Indication:
    """The indication with this code; made on first use, so that several schedules can share it."""
    values = {"name": f"Indication {code}", "regimen": Regimen.REPLACEMENT, "icd10_prefixes": []}
    if code == "pi":
        values |= {"name": "Primary humoral immunodeficiency", "icd10_prefixes": ["D83"]}
    return Indication.objects.get_or_create(code=code, defaults=values | fields)[0]


def make_rate_schedule(
    *,
    product: Product | None = None,
    indication: Indication | None = None,
    steps: Iterable[tuple[Decimal, int | None]] = LADDER,
    locked: bool = False,
    **fields,
) -> RateSchedule:
    """A verified schedule; `locked=True` makes its maximum rate unverified. Steps are (mg/kg/min, minutes)."""
    steps = tuple(steps)
    values = {
        "dose_min_mg_per_kg": Decimal("200"),
        "dose_max_mg_per_kg": Decimal("800"),
        "interval_min_days": 21,
        "interval_max_days": 28,
        "max_mg_per_kg_per_min": max(rate for rate, _ in steps),
        "sources": {"start": SEEN, "steps": SEEN, "maximum": {"source": "S1", "status": "U"} if locked else SEEN},
    }
    schedule = RateSchedule.objects.create(
        product=product or make_product(), indication=indication or make_indication(), **{**values, **fields}
    )
    RateStep.objects.bulk_create(
        RateStep(schedule=schedule, position=position, mg_per_kg_per_min=rate, minutes=minutes)
        for position, (rate, minutes) in enumerate(steps, start=1)
    )
    return schedule
