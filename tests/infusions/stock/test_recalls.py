import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.formulary.models import Product
from infusions.stock.models import LotRecall, RecallContact, RecalledLot, StockItem, StockMovement
from infusions.stock.recall_queries import searched_lots
from infusions.stock.recall_rules import matched_problems, search_problems
from infusions.stock.recalls import close_recall, extend_recall, note_contact, open_recall
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.factories.patients import make_patient
from tests.factories.recalls import make_known_lots, make_recall, make_stock_item
from tests.infusions.orders.test_races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def product():
    return make_product()


def numbers(*items) -> list[tuple[int, int]]:
    return [StockItem.objects.values_list("on_hand", "quarantined").get(pk=item.pk) for item in items]


def written() -> tuple:
    models = (LotRecall, RecalledLot, StockMovement, RecallContact, AuditEvent)
    return tuple(model.objects.count() for model in models)


def test_open_recall_sets_the_lots_aside_at_every_site_and_leaves_the_others(product, pharmacist, site):
    here, there = make_site(), make_site()
    first = make_stock_item(here, product, lot="AB12", on_hand=5, quarantined=2)
    second = make_stock_item(there, product, lot="CD34", on_hand=3)
    others = [
        make_stock_item(here, product, lot="AB13"),
        make_stock_item(here, make_product(), lot="AB12"),
        make_stock_item(there, product, lot="AB12", on_hand=0),
    ]
    recall = open_recall(
        product=product, lots=["ab 12", "CD34", "AB12"], reason=" Reports ", reference="N-7", by=pharmacist
    )
    assert (recall.reason, recall.reference, recall.opened_by, recall.closed_at) == ("Reports", "N-7", pharmacist, None)
    assert [lot.lot for lot in recall.lots.all()] == ["AB12", "CD34"]
    assert numbers(first, second, *others) == [(0, 7), (0, 3), (5, 0), (5, 0), (0, 0)]
    rows = StockMovement.objects.order_by("item").values_list("item", "kind", "change", "quarantined_change", "by")
    assert list(rows) == [
        (first.pk, "quarantined", -5, 5, pharmacist.pk),
        (second.pk, "quarantined", -3, 3, pharmacist.pk),
    ]
    event = AuditEvent.objects.get()
    assert (event.action, event.target_id, event.actor_id) == ("recall.opened", recall.public_id, pharmacist.pk)
    assert event.detail == {
        "product": product.key,
        "lots": ["AB12", "CD34"],
        "vials": 8,
        "sites": sorted([here.public_id, there.public_id]),
    }


def test_open_recall_costs_the_same_for_many_items(product, pharmacist, site, django_assert_num_queries):
    for number in range(6):
        make_stock_item(site, product, lot="AB12" if number else "CD34", on_hand=number + 1, grams=number + 1)
    for lot in ("CD34", "AB12"):
        with django_assert_num_queries(11):
            open_recall(product=product, lots=[lot], reason="Reports", by=pharmacist)


@pytest.mark.parametrize(
    ("lots", "reason", "code"),
    [
        (["AB12"], "  ", "recall-reason-missing"),
        ([" "], "Reports", "lots-missing"),
        (["AB*"], "Reports", "lot-not-whole"),
        (["ZZ1", "CD34"], "Reports", "lot-recalled-already"),
    ],
)
def test_open_recall_refuses_and_writes_nothing(product, pharmacist, site, lots, reason, code):
    make_recall(product, ["CD34"])
    item = make_stock_item(site, product, lot="AB12")
    before = written()
    with pytest.raises(RuleViolation) as refused:
        open_recall(product=product, lots=lots, reason=reason, by=pharmacist)
    assert (refused.value.codes, written(), numbers(item)) == ({code}, before, [(5, 0)])


def test_open_recall_takes_lots_of_a_closed_recall_and_of_another_product(product, pharmacist):
    make_recall(product, ["AB12"], closed=True)
    make_recall(make_product(), ["AB12"])
    open_recall(product=product, lots=["AB12"], reason="Again", by=pharmacist)
    assert LotRecall.objects.filter(product=product, closed_at=None).count() == 1


def test_extend_recall_adds_only_what_is_new_and_sets_it_aside(product, pharmacist, site):
    recall = make_recall(product, ["AB12"])
    received_since = make_stock_item(site, product, lot="AB12")
    new = make_stock_item(site, product, lot="CD34", on_hand=4)
    extend_recall(recall=recall, lots=["ab12", "cd34"], by=pharmacist)
    assert [lot.lot for lot in recall.lots.all()] == ["AB12", "CD34"]
    assert numbers(received_since, new) == [(5, 0), (0, 4)]
    event = AuditEvent.objects.get()
    assert (event.action, event.detail["lots"], event.detail["vials"]) == ("recall.extended", ["CD34"], 4)


def test_extend_recall_takes_no_more_lots_at_once_than_a_search(product, pharmacist):
    recall = make_recall(product, ["AB12"])
    before = written()
    with pytest.raises(RuleViolation) as refused:
        extend_recall(recall=recall, lots=[f"CD{number}" for number in range(201)], by=pharmacist)
    assert (refused.value.codes, written()) == ({"lots-too-many"}, before)


def test_extend_recall_refuses_known_lots_lots_of_another_recall_and_a_closed_recall(product, pharmacist):
    recall, closed = make_recall(product, ["AB12"]), make_recall(product, ["EF56"], closed=True)
    make_recall(product, ["CD34"])
    before, codes = written(), []
    for which, lots in ((recall, ["AB12"]), (recall, ["CD34"]), (closed, ["GH78"])):
        with pytest.raises(RuleViolation) as refused:
            extend_recall(recall=which, lots=lots, by=pharmacist)
        codes.append(refused.value.codes)
    assert codes == [{"lots-missing"}, {"lot-recalled-already"}, {"recall-closed"}]
    assert written() == before


def test_close_recall_keeps_who_and_why_and_leaves_the_vials_set_aside(product, pharmacist, site):
    item = make_stock_item(site, product, on_hand=0, quarantined=5)
    recall = close_recall(recall=make_recall(product), reason="All told", by=pharmacist)
    kept = LotRecall.objects.get(pk=recall.pk)
    assert (kept.closed_by, kept.close_reason, kept.closed_at is None) == (pharmacist, "All told", False)
    assert numbers(item) == [(0, 5)]
    assert AuditEvent.objects.get().action == "recall.closed"


def test_close_recall_refuses_without_a_reason_and_twice(product, pharmacist):
    recall, closed = make_recall(product), make_recall(product, closed=True)
    before, codes = written(), []
    for which, reason in ((recall, " "), (closed, "Again")):
        with pytest.raises(RuleViolation) as refused:
            close_recall(recall=which, reason=reason, by=pharmacist)
        codes.append(refused.value.codes)
    assert (codes, written()) == ([{"recall-reason-missing"}, {"recall-closed"}], before)


def test_note_contact_adds_a_line_for_the_patient_also_after_the_end(product, nurse_user):
    recall, patient = make_recall(product, closed=True), make_patient()
    note_contact(recall=recall, patient=patient, status="not_reached", by=nurse_user)
    note_contact(recall=recall, patient=patient, status="reached", note=" Feels well ", by=nurse_user)
    rows = RecallContact.objects.values_list("patient", "status", "note", "by")
    assert list(rows) == [
        (patient.pk, "reached", "Feels well", nurse_user.pk),
        (patient.pk, "not_reached", "", nurse_user.pk),
    ]
    events = AuditEvent.objects.values_list("action", "patient_id", "detail__status").order_by("pk")
    assert list(events) == [
        ("recall.contact_noted", patient.public_id, "not_reached"),
        ("recall.contact_noted", patient.public_id, "reached"),
    ]


def test_searched_lots_looks_for_parts_among_the_known_lots(product, django_assert_num_queries):
    make_known_lots(product, "AB1201", "AB1202", "XAB1203", "AB.1204", "CD34")
    make_known_lots(make_product(), "AB1299")
    with django_assert_num_queries(1):
        found = searched_lots(["CD34", "NEW1", "AB12*", "*9999"], product)
    assert (found.lots, found.unknown) == (["CD34", "NEW1", "AB1201", "AB1202"], ["NEW1", "*9999"])
    assert searched_lots(["*B120*"]).lots == ["AB1201", "AB1202", "XAB1203"]
    assert searched_lots(["AB*99"]).lots == ["AB1299"]


def test_searches_that_ask_too_much_or_nothing_are_refused():
    asked = [[], ["A*"], ["*AB*12*"], ["AB12", "AB1*"], [f"L{number}" for number in range(201)]]
    assert [[problem.code for problem in search_problems(lots)] for lots in asked] == [
        ["lots-missing"],
        ["lot-part-short"],
        ["lot-part-short"],
        [],
        ["lots-too-many"],
    ]
    assert [len(matched_problems([""] * number)) for number in (200, 201)] == [0, 1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_two_people_who_open_the_same_recall_open_one():
    product, site = make_product(), make_site()
    item = make_stock_item(site, product, lot="AB12")
    people = [make_staff(role="pharmacist") for _ in range(3)]
    answers = at_once(
        *(
            lambda by=by: open_recall(
                product=Product.objects.get(pk=product.pk), lots=["AB12", f"X{by.pk}"], reason="Reports", by=by
            )
            for by in people
        )
    )
    opened = LotRecall.objects.get()
    assert (answers.count(opened), answers.count({"lot-recalled-already"})) == (1, 2)
    assert (numbers(item), StockMovement.objects.count(), opened.lots.count()) == ([(0, 5)], 1, 2)
