"""Who was given vials of which lots, and who may still get them.

A fixed number of statements, whose cost follows the answer and not the millions of vials: by index from lot to vial,
from there to record and visit. Names, reactions and other lots are read for the patients of one page only.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet, Sum

from infusions.doses.models import DoseRecord, DoseState, VialUsed
from infusions.doses.reaction_models import LateReaction, Reaction
from infusions.facility.models import Site
from infusions.formulary.models import Product
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import ON_SITE, UPCOMING
from infusions.stock.models import LotRecall, StockItem
from patients.models import Patient

AHEAD = dt.timedelta(days=28)
MOST_VISITS_AHEAD = 200
RUNNING = frozenset({DoseState.INFUSING, DoseState.PAUSED})
CENTI = Decimal("0.01")
# As few as counting and sorting need: a lot may have thousands of doses, of which a page shows a hundred.
COLUMNS = (
    "record_id",
    "record__patient_id",
    "record__state",
    "record__started_at",
    "record__appointment_id",
    "record__appointment__site_id",
    "product_id",
    "lot",
)


@dataclass(slots=True)
class LotDose:
    """One infusion with vials of the lots: grams and vials of each such lot in it."""

    record_id: int
    patient_id: int
    state: str
    started_at: dt.datetime | None
    visit_pk: int
    site: Site
    product_id: int
    grams: dict[str, Decimal] = field(default_factory=dict)
    vials: int = 0

    @property
    def grams_total(self) -> Decimal:
        return sum(self.grams.values(), Decimal(0))


@dataclass(frozen=True)
class LotDoses:
    """The whole answer, light: doses given, the latest first; and records whose infusion was never started."""

    given: list[LotDose]
    prepared: list[LotDose]

    @property
    def running(self) -> list[LotDose]:
        return [dose for dose in self.given if dose.state in RUNNING]

    @property
    def patient_ids(self) -> list[int]:
        """Whoever was given any of it, the latest first: the risk is nearest."""
        return list(dict.fromkeys(dose.patient_id for dose in self.given))

    @property
    def grams(self) -> Decimal:
        return sum((dose.grams_total for dose in self.given), Decimal(0))

    @property
    def vials(self) -> int:
        return sum(dose.vials for dose in self.given)

    def by_patient(self, patient_ids: Collection[int]) -> dict[int, list[LotDose]]:
        wanted, found = set(patient_ids), defaultdict(list)
        for dose in self.given:
            if dose.patient_id in wanted:
                found[dose.patient_id].append(dose)
        return found


@dataclass(frozen=True)
class DoseParts:
    """Of some doses: public ids of the visits, and by record every lot, reactions, reactions learned of later."""

    visits: dict[int, str]
    lots: dict[int, list[str]]
    reactions: dict[int, list[Reaction]]
    late: dict[int, list[LateReaction]]


@dataclass(frozen=True)
class VisitAhead:
    """A visit whose patient may get the lot: `held` vials lie on hand there; None where the site keeps no stock."""

    visit: Appointment
    held: int | None


def doses_of_lots(lots: Collection[str], sites: Iterable[Site], product: Product | None = None) -> LotDoses:
    """Every dose at these sites with a vial of these lots. One statement."""
    by_pk = {site.pk: site for site in sites}
    vials = VialUsed.objects.filter(lot__in=lots, record__appointment__site__in=by_pk)
    if product is not None:
        vials = vials.filter(product=product)
    rows = vials.order_by().values_list(*COLUMNS).annotate(Sum("grams"), Count("pk"))
    found: dict[int, LotDose] = {}
    for record_id, *columns, site_id, product_id, lot, grams, count in rows:
        dose = found.get(record_id)
        if dose is None:
            dose = found[record_id] = LotDose(record_id, *columns, by_pk[site_id], product_id)
        # SQLite sums decimals as floats, hence the rounding.
        dose.grams[lot] = dose.grams.get(lot, Decimal(0)) + grams.quantize(CENTI)
        dose.vials += count
    given = [dose for dose in found.values() if dose.started_at is not None]
    given.sort(key=lambda dose: (dose.started_at, dose.record_id), reverse=True)
    return LotDoses(given, [dose for dose in found.values() if dose.state == DoseState.PREPARING])


def parts_of(doses: Collection[LotDose]) -> DoseParts:
    """Four statements."""
    records = [dose.record_id for dose in doses]
    visits = Appointment.objects.filter(pk__in=[dose.visit_pk for dose in doses]).order_by()
    lots: dict[int, list[str]] = defaultdict(list)
    pairs = VialUsed.objects.filter(record__in=records).order_by("lot").values_list("record_id", "lot").distinct()
    for record_id, lot in pairs:
        lots[record_id].append(lot)
    return DoseParts(
        visits=dict(visits.values_list("pk", "public_id")),
        lots=lots,
        reactions=_by_record(Reaction.objects, records),
        late=_by_record(LateReaction.objects, records),
    )


def _by_record(rows, records: Collection[int]) -> dict[int, list]:
    found: dict[int, list] = defaultdict(list)
    for row in rows.filter(record__in=records).order_by("-grade", "pk"):
        found[row.record_id].append(row)
    return found


def with_reaction(doses: LotDoses, lots: Collection[str]) -> int:
    """Doses that a reaction is recorded of, then or later. Two statements, which name the lots and not the doses."""
    found: set[int] = set()
    of_lots = VialUsed.objects.filter(lot__in=lots).order_by().values("record")
    for model in (Reaction, LateReaction):
        found.update(model.objects.filter(record__in=of_lots).order_by().values_list("record_id", flat=True))
    return sum(1 for dose in doses.given if dose.record_id in found)


def visits_ahead(
    doses: LotDoses, stock: Iterable[StockItem], sites: Iterable[Site], product_ids: Collection[int], now: dt.datetime
) -> list[VisitAhead]:
    """Visits of the next weeks, whose order names or allows one of the products, where vials of the lots may come from.

    That is a site with some on hand, or one that keeps no stock here and gave the lot before. Two statements.
    """
    held: dict[tuple[int, int], int | None] = {}  # by site and product
    for dose in [*doses.given, *doses.prepared]:
        if not dose.site.tracks_stock:
            held[dose.site.pk, dose.product_id] = None
    for item in stock:
        if item.on_hand:
            held[item.site_id, item.product_id] = (held.get((item.site_id, item.product_id)) or 0) + item.on_hand
    reachable = {site.pk for site in sites}
    places = [
        Q(site=site, order__in=_orders_of(product))
        for site, product in held
        if site in reachable and product in product_ids
    ]
    if not places:
        return []
    visits = Appointment.objects.upcoming(now).filter(reduce(or_, places), start__lt=now + AHEAD).with_people()
    rows = visits.prefetch_related("order__alternatives").order_by("start", "pk")[: MOST_VISITS_AHEAD + 1]
    return [VisitAhead(visit, _on_hand_for(visit, held)) for visit in rows]


def _orders_of(product_id: int) -> QuerySet[InfusionOrder]:
    """Those that name the product, or allow it instead."""
    orders = InfusionOrder.objects.filter(Q(product=product_id) | Q(alternatives=product_id))
    return orders.order_by().values("pk")


def _on_hand_for(visit: Appointment, held: Mapping[tuple[int, int], int | None]) -> int | None:
    """Vials at the visit's site of all products that its order names or allows; None where none are counted."""
    products = {visit.order.product_id, *(other.pk for other in visit.order.alternatives.all())}
    counted = [held.get((visit.site_id, product)) for product in products]
    return sum(filter(None, counted)) or None


def visits_now(doses: LotDoses) -> list[tuple[Appointment, LotDose]]:
    """Visits where such vials run or stand prepared; after a cancelled visit nobody gets them. One statement."""
    by_visit = {dose.visit_pk: dose for dose in [*doses.running, *doses.prepared]}
    visits = Appointment.objects.filter(pk__in=by_visit, state__in=UPCOMING | ON_SITE).with_people()
    return [(visit, by_visit[visit.pk]) for visit in visits.order_by("start", "pk")]


def given_by_recall(recalls: Collection[LotRecall], sites: Iterable[Site]) -> dict[int, set[int]]:
    """Row number of each recall -> those of the patients at these sites who were given its lots. One statement."""
    lots_of = {recall.pk: {one.lot for one in recall.lots.all()} for recall in recalls}
    wanted = set().union(*lots_of.values())
    vials = VialUsed.objects.filter(
        lot__in=wanted,
        product__in={recall.product_id for recall in recalls},
        record__appointment__site__in=[site.pk for site in sites],
        record__started_at__isnull=False,
    )
    found: dict[int, set[int]] = {recall.pk: set() for recall in recalls}
    for product_id, lot, patient_id in vials.order_by().values_list("product_id", "lot", "record__patient").distinct():
        for recall in recalls:
            if recall.product_id == product_id and lot in lots_of[recall.pk]:
                found[recall.pk].add(patient_id)
    return found


def was_given(patient: Patient, recall: LotRecall, sites: Iterable[Site]) -> bool:
    """Whether one of these sites gave the patient any of the recalled lots."""
    records = DoseRecord.objects.filter(
        patient=patient, appointment__site__in=[site.pk for site in sites], started_at__isnull=False
    )
    lots = recall.lots.values("lot")
    return records.filter(vials__lot__in=lots, vials__product=recall.product_id).exists()
