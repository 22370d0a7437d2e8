"""Reads of the formulary. Each costs a fixed number of queries, however many products there are."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django.db.models import Prefetch, QuerySet

from infusions.formulary import dosing
from infusions.formulary.models import Excipient, Indication, Product, RateSchedule, RateStep


def schedules_with_steps() -> QuerySet[RateSchedule]:
    return RateSchedule.objects.select_related("product", "indication", "signed_by").prefetch_related(
        Prefetch("steps", RateStep.objects.order_by("position")), "product__vial_sizes"
    )


def schedule_for(product: Product, indication: Indication) -> RateSchedule | None:
    """The schedule of exactly this product and strength for this indication; None where the formulary has none."""
    return schedules_with_steps().filter(product=product, indication=indication).first()


def usable_schedule(product: Product, indication: Indication) -> RateSchedule | None:
    """The schedule that may be given by; None also while it is locked for an unverified rate."""
    schedule = schedule_for(product, indication)
    return schedule if schedule is not None and schedule.is_verified else None


def dosing_steps(schedule: RateSchedule) -> tuple[dosing.RateStep, ...]:
    """The steps as dosing.plan_infusion takes them, none above the schedule's own maximum."""
    return tuple(
        dosing.RateStep(
            mg_per_kg_per_min=min(step.mg_per_kg_per_min, schedule.max_mg_per_kg_per_min), minutes=step.minutes
        )
        for step in sorted(schedule.steps.all(), key=lambda step: step.position)
    )


def vial_sizes_g(product: Product) -> tuple[Decimal, ...]:
    """Sizes in grams, smallest first, written as people write them: 2.5, 10."""
    return tuple(sorted(Decimal(f"{vial.grams.normalize():f}") for vial in product.vial_sizes.all()))


def products_for(indication: Indication, *, usable_only: bool = True) -> list[Product]:
    """Products on the market here with a schedule for the indication, by name; locked ones only when asked for."""
    schedules = schedules_with_steps().filter(indication=indication, product__is_available=True)
    found = [schedule.product for schedule in schedules if schedule.is_verified or not usable_only]
    return sorted(found, key=lambda product: (product.name, product.concentration_mg_per_ml))


def products_with_schedules() -> QuerySet[Product]:
    """Everything that the formulary pages show, in a fixed number of queries."""
    return Product.objects.select_related("signed_by", "changed_by").prefetch_related(
        "vial_sizes", Prefetch("schedules", schedules_with_steps().order_by("-indication__regimen", "indication__name"))
    )


def products_matching(
    *,
    q: str = "",
    indication: Indication | None = None,
    without: Collection[str] = (),
    state: str = "",
) -> list[Product]:
    """Products for the list page. The formulary is a few dozen rows, so it is read once and sifted here."""

    def fits(product: Product) -> bool:
        schedules = list(product.schedules.all())
        words = f"{product.label} {product.maker}".lower()
        return (
            all(word in words for word in q.lower().split())
            and (indication is None or any(schedule.indication_id == indication.pk for schedule in schedules))
            and not {*without, Excipient.UNKNOWN}.intersection(product.excipients if without else ())
            and (state != "usable" or any(schedule.is_verified for schedule in schedules))
            and (state != "locked" or any(not schedule.is_verified for schedule in schedules))
            and (state != "unsigned" or not (product.is_signed and all(schedule.is_signed for schedule in schedules)))
        )

    return [product for product in products_with_schedules() if fits(product)]


def schedule_blueprint(product: Product) -> tuple[RateSchedule, list[RateStep]]:
    """An unsaved schedule to start a new one from: the slowest of those the product has, or an empty ladder."""
    schedules = sorted(product.schedules.all(), key=lambda schedule: schedule.max_mg_per_kg_per_min)
    if not schedules:
        return RateSchedule(product=product, max_mg_per_kg_per_min=Decimal(0)), []
    like = schedules[0]
    blueprint = RateSchedule(
        product=product,
        max_mg_per_kg_per_min=like.max_mg_per_kg_per_min,
        at_risk_max_mg_per_kg_per_min=like.at_risk_max_mg_per_kg_per_min,
        master_unit=like.master_unit,
        days_max=5,
    )
    return blueprint, list(like.steps.all())
