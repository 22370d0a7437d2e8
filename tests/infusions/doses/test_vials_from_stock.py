"""Days out of the refrigerator, recalls, and vials taken from the stock of the site and given back."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from infusion_center.core.rules import RuleViolation
from infusions.doses.models import DoseState, VialUsed
from infusions.doses.services import add_vial, remove_vial, start_infusion
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.stock.models import KnownLot, StockItem, StockMovement
from infusions.stock.queries import stock_violations
from infusions.stock.services import move_to_room
from tests.factories.doses import make_dose_record
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.factories.stock import make_code, make_recall, make_stock, scan_of
from tests.infusions.doses.conftest import NOON

TODAY = dt.date(2026, 11, 23)
EXPIRY = dt.date(2027, 10, 31)


@pytest.fixture(autouse=True)
def numbers_are_sums(db):
    yield
    assert stock_violations() == []


@pytest.fixture
def record(visit):
    """30 g of a 10% product: a vial of 20 g and one of 10 g."""
    return make_dose_record(visit, state=DoseState.PREPARING, with_vials=False)


@pytest.fixture
def code(record):
    return make_code(record.product, grams="20")


def add(record, by, **values):
    vial = {"grams": Decimal("10"), "lot": "LOT1", "expires_on": EXPIRY} | values
    return add_vial(record=record, by=by, **vial)


def vials() -> list[tuple]:
    return list(VialUsed.objects.order_by("pk").values_list("product", "grams", "lot", "expires_on", "serial"))


# Room temperature


def test_too_long_at_room_temperature_is_refused(cold_visit, nurse_user):
    record = make_dose_record(cold_visit, state=DoseState.PREPARING, with_vials=False)
    with pytest.raises(RuleViolation) as refused:
        add(record, nurse_user, out_of_fridge_on=TODAY - dt.timedelta(days=31))
    assert (refused.value.codes, vials()) == ({"vial-room-temperature-over"}, [])
    vial = add(record, nurse_user, out_of_fridge_on=TODAY - dt.timedelta(days=30))
    assert vial.out_of_fridge_on == TODAY - dt.timedelta(days=30)


def test_the_stock_knows_how_long_a_lot_was_out(cold_visit, nurse_user, morning):
    record = make_dose_record(cold_visit, state=DoseState.PREPARING, with_vials=False)
    item = make_stock(site=cold_visit.site, product=record.product, count=2)
    move_to_room(item=item, count=2, on=TODAY - dt.timedelta(days=29), by=nurse_user)
    morning.shift(dt.timedelta(days=2))
    with pytest.raises(RuleViolation) as refused:
        add(record, nurse_user)
    assert (refused.value.codes, vials()) == ({"vial-room-temperature-over"}, [])


def test_a_vial_left_out_is_refused_at_the_start(cold_visit, nurse_user, colleague):
    record = make_dose_record(cold_visit, state=DoseState.PREPARING, checked_by=colleague)
    record.vials.update(out_of_fridge_on=TODAY - dt.timedelta(days=31))
    with pytest.raises(RuleViolation) as refused:
        start_infusion(record=record, by=nurse_user)
    assert refused.value.codes == {"vial-room-temperature-over"}


def test_a_lot_recalled_since_is_refused_at_the_start(visit, nurse_user, colleague, pharmacist):
    record = make_dose_record(visit, state=DoseState.PREPARING, checked_by=colleague)
    recall = make_recall(record.product, "LOT1", opened_at=NOON)
    with pytest.raises(RuleViolation) as refused:
        start_infusion(record=record, by=nurse_user)
    assert refused.value.codes == {"vial-lot-recalled"}
    recall.closed_at, recall.closed_by = NOON, pharmacist
    recall.save()
    assert start_infusion(record=record, by=nurse_user).state == DoseState.INFUSING


def test_the_recall_of_another_product_with_the_same_lot_stops_nothing(record, nurse_user):
    make_recall(make_product(), "LOT1", opened_at=NOON)
    assert add(record, nurse_user).lot == "LOT1"


# Stock


def test_vials_are_taken_from_the_room_first_and_what_ends_first(stocked, cold_visit, nurse_user):
    record = make_dose_record(cold_visit, state=DoseState.PREPARING, with_vials=False)
    cold = make_stock(site=stocked, product=record.product, count=3)
    later = move_to_room(item=cold, count=1, on=TODAY, by=nurse_user)
    sooner = move_to_room(item=cold, count=1, on=TODAY - dt.timedelta(days=10), by=nurse_user)
    added = [add(record, nurse_user) for _ in range(4)]
    assert [vial.stock_item for vial in added] == [sooner, later, cold, None]
    assert [vial.out_of_fridge_on for vial in added] == [TODAY - dt.timedelta(days=10), TODAY, TODAY, None]
    assert list(StockMovement.objects.filter(kind="used").order_by("pk").values_list("item", "change", "vial_id")) == [
        (item.pk, -1, vial.public_id) for item, vial in zip((sooner, later, cold), added, strict=False)
    ]


def test_a_vial_that_is_not_in_stock_is_recorded_with_a_warning(stocked, client_for, record, code):
    make_stock(site=stocked, product=record.product, grams="20", expires_on=dt.date(2027, 9, 30))
    response = client_for("nurse").post(
        reverse("doses:vial-scan", args=[record.appointment.public_id]),
        {"code": scan_of(code)},
        headers={"HX-Request": "true"},
    )
    assert [problem.code for problem in response.context["outcome"].warnings] == ["vial-not-in-stock"]
    assert "vial-not-in-stock" in [problem.code for problem in response.context["screen"].problems]
    assert (VialUsed.objects.get().stock_item, StockItem.objects.get().on_hand) == (None, 5)


def test_a_vial_removed_before_the_start_goes_back(stocked, record, nurse_user):
    item = make_stock(site=stocked, product=record.product, count=1)
    remove_vial(vial=add(record, nurse_user), by=nurse_user)
    item.refresh_from_db()
    assert (item.on_hand, list(item.movements.values_list("kind", flat=True))) == (
        1, ["taken_back", "used", "received"]
    )  # fmt: skip


def test_a_vial_of_a_lot_recalled_meanwhile_goes_back_set_aside(stocked, record, nurse_user):
    item = make_stock(site=stocked, product=record.product, count=1)
    vial = add(record, nurse_user)
    make_recall(record.product, "LOT1", opened_at=NOON)
    remove_vial(vial=vial, by=nurse_user)
    item.refresh_from_db()
    assert (item.on_hand, item.quarantined) == (0, 1)


def test_a_site_that_tracks_nothing_keeps_its_numbers(site, record, nurse_user):
    item = make_stock(site=site, product=record.product)
    vial = add(record, nurse_user)
    item.refresh_from_db()
    assert (vial.stock_item, item.on_hand, KnownLot.objects.count()) == (None, 5, 1)


@pytest.mark.parametrize(
    ("state", "days", "told"),
    [(State.ARRIVED, 0, False), (State.ARRIVED, -1, True), (State.CANCELLED, 0, True), (State.EXPECTED, 0, True)],
)
def test_vials_taken_for_a_dose_that_did_not_begin_are_told_with_the_stock(
    record, stocked, nurse_user, client_for, state, days, told
):
    """They are not on hand, and nothing goes back unseen."""
    make_stock(site=stocked, product=record.product, grams="10", count=3)
    add(record, nurse_user, lot=StockItem.objects.get().lot, expires_on=StockItem.objects.get().expires_on)
    start = NOON + dt.timedelta(days=days)
    Appointment.objects.filter(pk=record.appointment_id).update(state=state, start=start, cancelled_at=NOON)
    page = client_for("nurse").get(reverse("stock:stock-list"))
    assert [one.pk for one in page.context["left_prepared"]] == ([record.pk] if told else [])
    assert ("Taken for infusions that did not begin" in page.content.decode()) is told


def test_a_serial_that_stands_prepared_elsewhere_says_so(record, make_visit, nurse_user):
    order = make_order(product=record.product)
    other = make_dose_record(make_visit(order=order), state=DoseState.PREPARING, with_vials=False)
    add(record, nurse_user, serial="S1")
    with pytest.raises(RuleViolation) as refused:
        add(other, nurse_user, serial="S1")
    [problem] = refused.value.problems
    assert (problem.code, "stands prepared for another dose" in problem.message) == ("vial-serial-used", True)
    assert VialUsed.objects.count() == 1
