"""What comes in, moves and goes out of a site's stock, and that its numbers are the sums of its movements."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.stock.models import KnownLot, ProductCode, StockItem, StockMovement
from infusions.stock.queries import OnHand, on_hand, stock_items, stock_violations
from infusions.stock.services import (
    correct_count,
    discard_vials,
    move_to_room,
    quarantine_vials,
    receive_vials,
    register_code,
    release_vials,
)
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.factories.stock import gtin_of, make_code, make_recall, make_stock

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
TODAY = NOW.date()
EXPIRY = dt.date(2027, 10, 31)


@pytest.fixture(autouse=True)
def morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def numbers_are_sums():
    yield
    assert stock_violations() == []


@pytest.fixture
def cold():
    """Out of the refrigerator it keeps for thirty days."""
    return make_product(needs_warming=True, room_temperature_days=30)


@pytest.fixture
def item(site, cold, nurse_user):
    return make_stock(site=site, product=cold, count=5, by=nurse_user)


def numbers() -> list[tuple]:
    return list(StockItem.objects.order_by("pk").values_list("storage", "use_by", "on_hand", "quarantined"))


def moves(item) -> list[tuple]:
    rows = StockMovement.objects.filter(item=item).order_by("pk")
    return list(rows.values_list("kind", "change", "quarantined_change", "reason"))


def refused(service, **arguments) -> set[str]:
    """Codes of the refusal; nothing may have been written."""
    before = numbers(), StockMovement.objects.count(), AuditEvent.objects.count()
    with pytest.raises(RuleViolation) as violation:
        service(**arguments)
    assert (numbers(), StockMovement.objects.count(), AuditEvent.objects.count()) == before
    return violation.value.codes


def test_receive_vials_adds_to_the_item_of_the_same_lot(site, cold, nurse_user):
    vials = {"site": site, "product": cold, "grams": Decimal("10"), "expires_on": EXPIRY, "by": nurse_user}
    first = receive_vials(**vials, lot=" ab 1", count=4, source="Wholesaler")
    second = receive_vials(**vials, lot="AB1", count=2)
    assert (first, numbers()) == (second, [("refrigerated", EXPIRY, 6, 0)])
    assert moves(first) == [("received", 4, 0, "Wholesaler"), ("received", 2, 0, "")]
    assert list(KnownLot.objects.values_list("product", "lot")) == [(cold.pk, "AB1")]
    assert AuditEvent.objects.filter(action="stock.received", target_id=first.public_id).count() == 2


def test_what_needs_no_refrigerator_is_received_onto_the_shelf_until_its_expiry(site):
    make_stock(site=site, product=make_product(), count=1)
    assert numbers() == [("room", EXPIRY, 1, 0)]


def test_what_needs_one_and_is_received_without_counts_its_days_from_today(site, cold):
    make_stock(site=site, product=cold, count=1, storage="room")
    assert numbers() == [("room", TODAY + dt.timedelta(days=30), 1, 0)]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"grams": Decimal("3")}, "vial-size-unknown"),
        ({"lot": " "}, "vial-lot-missing"),
        ({"expires_on": None}, "vial-expiry-missing"),
        ({"expires_on": TODAY - dt.timedelta(days=1)}, "vial-expired"),
        ({"expires_on": dt.date(2062, 1, 1)}, "vial-expiry-implausible"),
        ({"count": 0}, "count-implausible"),
        ({"count": 1001}, "count-implausible"),
        ({"lot": "bad 1"}, "vial-lot-recalled"),
    ],
)
def test_receive_vials_refuses(site, cold, nurse_user, values, code):
    make_recall(cold, "BAD1", opened_at=NOW)
    vials = {"grams": Decimal("10"), "lot": "L1", "expires_on": EXPIRY, "count": 1} | values
    assert refused(receive_vials, site=site, product=cold, by=nurse_user, **vials) == {code}


def test_a_recall_that_was_closed_stops_nothing(site, cold, pharmacist):
    make_recall(cold, "L1", opened_at=NOW, closed_at=NOW, closed_by=pharmacist)
    assert make_stock(site=site, product=cold, lot="L1").on_hand == 5


def test_move_to_room_starts_the_days_that_the_label_allows(item, nurse_user):
    room = move_to_room(item=item, count=2, on=TODAY - dt.timedelta(days=1), by=nurse_user)
    assert numbers() == [("refrigerated", EXPIRY, 3, 0), ("room", dt.date(2026, 12, 22), 2, 0)]
    assert (moves(item)[1:], moves(room)) == ([("to_room", -2, 0, "")], [("from_fridge", 2, 0, "")])


@pytest.mark.parametrize(
    ("days", "expires_on", "use_by"),
    [(30, dt.date(2026, 12, 1), dt.date(2026, 12, 1)), (None, EXPIRY, EXPIRY)],
)
def test_the_room_never_gives_more_days_than_the_print(site, nurse_user, days, expires_on, use_by):
    product = make_product(needs_warming=True, room_temperature_days=days)
    item = make_stock(site=site, product=product, expires_on=expires_on)
    assert move_to_room(item=item, count=1, on=TODAY, by=nurse_user).use_by == use_by


def test_move_to_room_refuses(site, cold, item, nurse_user):
    room = move_to_room(item=item, count=1, on=TODAY, by=nurse_user)
    ask = {"count": 1, "on": TODAY, "by": nurse_user}
    assert refused(move_to_room, item=room, **ask) == {"already-at-room-temperature"}
    assert refused(move_to_room, item=item, **ask | {"count": 5}) == {"too-few-vials"}
    assert refused(move_to_room, item=item, **ask | {"on": TODAY + dt.timedelta(days=1)}) == {"day-in-future"}
    long_ago = TODAY - dt.timedelta(days=31)
    assert refused(move_to_room, item=item, **ask | {"on": long_ago}) == {"vial-room-temperature-over"}
    with time_machine.travel(dt.datetime(2027, 11, 2, tzinfo=dt.UTC)):
        assert refused(move_to_room, item=item, **ask | {"on": EXPIRY}) == {"vial-expired"}


def test_vials_are_set_aside_released_and_discarded(item, nurse_user):
    quarantine_vials(item=item, count=3, reason="Broken cold chain", by=nurse_user)
    release_vials(item=item, count=1, reason="Maker says fine", by=nurse_user)
    discard_vials(item=item, count=2, set_aside=True, reason="Thrown away", by=nurse_user)
    discard_vials(item=item, count=1, reason="Dropped", by=nurse_user)
    assert numbers() == [("refrigerated", EXPIRY, 2, 0)]
    assert moves(item)[1:] == [
        ("quarantined", -3, 3, "Broken cold chain"),
        ("released", 1, -1, "Maker says fine"),
        ("discarded", 0, -2, "Thrown away"),
        ("discarded", -1, 0, "Dropped"),
    ]


def test_acts_on_vials_that_are_not_there_or_without_a_reason_are_refused(item, nurse_user):
    ask = {"item": item, "count": 1, "reason": "Why", "by": nurse_user}
    assert refused(quarantine_vials, **ask | {"count": 6}) == {"too-few-vials"}
    assert refused(discard_vials, **ask | {"count": 6}) == {"too-few-vials"}
    assert refused(discard_vials, **ask, set_aside=True) == {"too-few-vials"}
    assert refused(release_vials, **ask) == {"too-few-vials"}
    for service in (quarantine_vials, discard_vials, release_vials):
        assert refused(service, **ask | {"reason": " "}) == {"reason-missing"}


def test_a_recalled_lot_is_not_released(cold, item, nurse_user):
    quarantine_vials(item=item, count=3, reason="Notice of the maker", by=nurse_user)
    make_recall(cold, item.lot, opened_at=NOW)
    ask = {"item": item, "count": 1, "reason": "Forgot why", "by": nurse_user}
    assert refused(release_vials, **ask) == {"vial-lot-recalled"}


def test_correct_count_sets_what_was_counted(item, nurse_user):
    correct_count(item=item, counted=3, seen=5, reason="Stocktaking", by=nurse_user)
    correct_count(item=item, counted=3, reason="Again", by=nurse_user)
    assert (numbers(), moves(item)[1:]) == (
        [("refrigerated", EXPIRY, 3, 0)],
        [("corrected", -2, 0, "Stocktaking")],
    )


def test_correct_count_refuses_when_vials_were_moved_meanwhile(item, nurse_user):
    ask = {"item": item, "counted": 4, "reason": "Stocktaking", "by": nurse_user}
    assert refused(correct_count, **ask, seen=6) == {"changed-meanwhile"}
    assert refused(correct_count, **ask | {"reason": ""}) == {"reason-missing"}


def test_register_code_says_what_a_gtin_stands_for(cold, pharmacist):
    gtin = gtin_of("0021234500001")
    code = register_code(gtin=gtin[1:], product=cold, grams=Decimal("10"), by=pharmacist)
    again = register_code(gtin=gtin, product=cold, grams=Decimal("10"), by=pharmacist)
    assert (again, code.gtin, code.product, code.grams, code.registered_by) == (code, gtin, cold, 10, pharmacist)
    assert AuditEvent.objects.filter(action="stock.code_registered").count() == 1


def test_register_code_refuses(cold, pharmacist):
    taken = make_code(cold, grams="10")
    wrong = f"{taken.gtin[:-1]}{(int(taken.gtin[-1]) + 1) % 10}"
    ask = {"product": cold, "grams": Decimal("10"), "by": pharmacist}
    assert refused(register_code, gtin=wrong, **ask) == {"code-unreadable"}
    assert refused(register_code, gtin=taken.gtin, **ask | {"grams": Decimal("20")}) == {"code-taken"}
    assert refused(register_code, gtin=gtin_of("0021234599999"), **ask | {"grams": Decimal("3")}) == {
        "vial-size-unknown"
    }
    assert list(ProductCode.objects.all()) == [taken]


def test_on_hand_counts_what_may_be_given_today_at_this_site(site, cold, nurse_user, django_assert_num_queries):
    make_stock(site=site, product=cold, grams="10", count=3)
    make_stock(site=site, product=cold, grams="10", lot="LOT2", count=2)
    make_stock(site=site, product=cold, grams="5", count=4)
    make_stock(site=make_site(), product=cold, count=9)
    make_stock(site=site, product=make_product(), count=9)
    make_stock(site=site, product=cold, lot="OVER", expires_on=TODAY, count=9)
    quarantine_vials(
        item=make_stock(site=site, product=cold, lot="ASIDE", count=9), count=9, reason="Why", by=nurse_user
    )
    make_stock(site=site, product=cold, lot="BAD", count=9)
    make_recall(cold, "BAD", opened_at=NOW)
    with django_assert_num_queries(1):
        found = on_hand(site, cold, TODAY + dt.timedelta(days=1))
    assert (found, found.vials, found.grams) == (OnHand({Decimal("5"): 4, Decimal("10"): 5}), 9, 70)


@pytest.mark.parametrize(
    ("state", "lots"),
    [
        ("", ["OVER", "SOON", "ASIDE", "USUAL"]),
        ("usable", ["SOON", "USUAL"]),
        ("soon", ["SOON"]),
        ("aside", ["ASIDE"]),
        ("over", ["OVER"]),
    ],
)
def test_the_list_of_a_site_by_state(site, cold, nurse_user, state, lots):
    on = TODAY + dt.timedelta(days=2)
    make_stock(site=site, product=cold, lot="OVER", expires_on=TODAY + dt.timedelta(days=1))
    make_stock(site=site, product=cold, lot="SOON", expires_on=on)
    aside = make_stock(site=site, product=cold, lot="ASIDE")
    quarantine_vials(item=aside, count=5, reason="Why", by=nurse_user)
    make_stock(site=site, product=cold, lot="USUAL")
    gone = make_stock(site=site, product=cold, lot="GONE")
    discard_vials(item=gone, count=5, reason="Why", by=nurse_user)
    found = stock_items(nurse_user, site, product=None, state=state, today=on)
    assert [item.lot for item in found] == lots


def test_the_invariant_finds_a_number_that_no_movement_made(item):
    StockItem.objects.filter(pk=item.pk).update(on_hand=7)
    assert len(stock_violations()) == 1
    StockItem.objects.filter(pk=item.pk).update(on_hand=5)
