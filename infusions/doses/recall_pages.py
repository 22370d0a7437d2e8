"""What the pages of lots and recalls show: counts of the whole answer, and the patients of one page in full."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from infusion_center.accounts.models import User
from infusions.doses import recall_queries as doses
from infusions.doses.reaction_models import LateReaction, Reaction
from infusions.doses.recall_queries import LotDose, LotDoses, VisitAhead
from infusions.facility.models import Site
from infusions.formulary.models import Product
from infusions.scheduling.models import Appointment
from infusions.stock import recall_queries as stock
from infusions.stock.models import ContactStatus, LotRecall, RecallContact, StockItem
from patients.models import Patient

S = ContactStatus


@dataclass(frozen=True)
class Standing:
    """Where a patient stands with a recall. `statuses`: of the latest try, empty before any."""

    name: str
    word: str
    icon: str
    colour: str
    statuses: frozenset[str]


STANDINGS = {
    one.name: one
    for one in (
        Standing("to_call", "To call", "phone", "amber", frozenset({"", S.TO_CALL})),
        Standing("not_reached", "Not reached", "phone-missed", "red", frozenset({S.NOT_REACHED})),
        Standing("letter", "Letter sent", "mail", "blue", frozenset({S.LETTER})),
        Standing("told", "Told", "circle-check", "green", frozenset({S.REACHED, S.NEEDS_VISIT, S.DONE})),
    )
}


@dataclass(frozen=True)
class Answer:
    """All that is known of some lots at the sites of one person; `product` only if one was asked for."""

    lots: Sequence[str]
    product: Product | None
    sites: list[Site]
    doses: LotDoses
    stock: list[StockItem]
    products: list[Product]
    now: list[tuple[Appointment, LotDose]]
    ahead: list[VisitAhead]
    with_reaction: int

    @property
    def on_hand(self) -> int:
        return sum(item.on_hand for item in self.stock)

    @property
    def set_aside(self) -> int:
        return sum(item.quarantined for item in self.stock)

    @property
    def running(self) -> list[tuple[Appointment, LotDose]]:
        return [pair for pair in self.now if pair[1].state in doses.RUNNING]

    @property
    def prepared(self) -> list[tuple[Appointment, LotDose]]:
        return [pair for pair in self.now if pair[1].state not in doses.RUNNING]

    @property
    def sites_without_stock(self) -> list[Site]:
        return [site for site in self.sites if not site.tracks_stock]

    @property
    def is_empty(self) -> bool:
        return not (self.doses.given or self.prepared or self.stock)

    def seen_lots(self) -> set[str]:
        given = {lot for dose in [*self.doses.given, *self.doses.prepared] for lot in dose.grams}
        return given | {item.lot for item in self.stock}


@dataclass(frozen=True)
class DoseLine:
    dose: LotDose
    visit_id: str
    product: Product
    other_lots: list[str]
    reactions: list[Reaction]
    late: list[LateReaction]


@dataclass(frozen=True)
class PatientRow:
    patient: Patient
    lines: list[DoseLine]
    contacts: list[RecallContact]

    @property
    def standing(self) -> Standing:
        return STANDINGS[standing_of(self.latest.status if self.latest else "")]

    @property
    def latest(self) -> RecallContact | None:
        return self.contacts[0] if self.contacts else None


@dataclass(frozen=True)
class Progress:
    """How many of the patients stand where."""

    patients: int
    by_standing: dict[str, int]

    @property
    def told(self) -> int:
        return self.by_standing["told"]

    @property
    def lines(self) -> list[tuple[Standing, int]]:
        return [(STANDINGS[name], number) for name, number in self.by_standing.items()]

    @property
    def percent(self) -> int:
        return 100 * self.told // self.patients if self.patients else 100


def answer_for(lots: Sequence[str], product: Product | None, user: User, now: dt.datetime) -> Answer:
    """A fixed number of statements, whatever the answer holds."""
    sites = list(Site.objects.visible_to(user))
    found = doses.doses_of_lots(lots, sites, product)
    items = stock.stock_of_lots(lots, sites, product)
    ids = {dose.product_id for dose in [*found.given, *found.prepared]} | {item.product_id for item in items}
    products = [product] if product is not None else list(Product.objects.filter(pk__in=ids).order_by("name", "pk"))
    return Answer(
        lots=lots,
        product=product,
        sites=sites,
        doses=found,
        stock=items,
        products=products,
        now=doses.visits_now(found),
        ahead=doses.visits_ahead(found, items, sites, [one.pk for one in products], now),
        with_reaction=doses.with_reaction(found, lots),
    )


def rows_of(answer: Answer, patient_ids: Collection[int], recall: LotRecall | None = None) -> list[PatientRow]:
    """The patients in full, in the order of their row numbers given."""
    by_patient = answer.doses.by_patient(patient_ids)
    parts = doses.parts_of([dose for some in by_patient.values() for dose in some])
    patients = Patient.objects.in_bulk(patient_ids)
    products = {product.pk: product for product in answer.products}
    contacts = stock.contacts_of(recall, patients.values()) if recall is not None else {}

    def line(dose: LotDose) -> DoseLine:
        others = [lot for lot in parts.lots[dose.record_id] if lot not in dose.grams]
        key = dose.record_id
        product, visit_id = products[dose.product_id], parts.visits[dose.visit_pk]
        return DoseLine(dose, visit_id, product, others, parts.reactions[key], parts.late[key])

    return [
        PatientRow(patients[pk], [line(dose) for dose in by_patient[pk]], contacts.get(pk, [])) for pk in patient_ids
    ]


def standing_of(status: str) -> str:
    return next(one.name for one in STANDINGS.values() if status in one.statuses)


def standings(patient_ids: Iterable[int], recall: LotRecall) -> dict[int, str]:
    """One statement."""
    latest = stock.latest_by_recall([recall]).get(recall.pk, {})
    return {pk: standing_of(latest.get(pk, "")) for pk in patient_ids}


def progress_of(where: dict[int, str]) -> Progress:
    counts = dict.fromkeys(STANDINGS, 0)
    for standing in where.values():
        counts[standing] += 1
    return Progress(len(where), counts)


@dataclass(frozen=True)
class RecallLine:
    """One recall of the list; how far calling has come only while it is open."""

    recall: LotRecall
    progress: Progress | None


def recall_list(user: User, *, most: int = 50) -> list[RecallLine]:
    """Open ones first. A fixed number of statements."""
    recalls = list(stock.recalls_open_first()[:most])
    standing_open = [recall for recall in recalls if recall.closed_at is None]
    given = doses.given_by_recall(standing_open, Site.objects.visible_to(user))
    latest = stock.latest_by_recall(standing_open)
    lines = []
    for recall in recalls:
        progress = None
        if recall.closed_at is None:
            statuses = latest.get(recall.pk, {})
            progress = progress_of({pk: standing_of(statuses.get(pk, "")) for pk in given[recall.pk]})
        lines.append(RecallLine(recall, progress))
    return lines
