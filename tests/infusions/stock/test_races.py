"""Two tablets at once take no vial twice, and add no serial twice."""

import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.core import clock
from infusions.doses.models import DoseRecord, DoseState, VialUsed
from infusions.doses.services import add_vial
from infusions.stock.models import KnownLot, StockItem
from infusions.stock.queries import stock_violations
from infusions.stock.recalls import open_recall
from infusions.stock.services import know_lot, move_to_room, receive_vials, use_vial
from tests.factories.accounts import make_staff
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.factories.stock import make_stock
from tests.infusions.orders.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def in_a_year() -> dt.date:
    return clock.now().date() + dt.timedelta(days=365)


def test_the_last_vials_are_taken_once_while_others_move_to_the_room():
    site, product = make_site(), make_product(needs_warming=True, room_temperature_days=30)
    item = make_stock(site=site, product=product, count=2, expires_on=in_a_year())
    by, now = make_staff(site=site), clock.now()
    today = clock.local_date(now, site.time_zone)
    vial = {"site": site, "product": product, "grams": Decimal(10), "lot": "LOT1", "expires_on": in_a_year()}

    def take():
        taken = use_vial(**vial, vial_id="v", by=by, now=now)
        return taken and taken.storage

    def move():
        return move_to_room(item=StockItem.objects.get(pk=item.pk), count=1, on=today, by=by).storage

    answers = at_once(take, take, move, take)
    left = sum(StockItem.objects.values_list("on_hand", flat=True))
    taken = len([answer for answer in (answers[0], answers[1], answers[3]) if answer])
    assert (left + taken, stock_violations()) == (2, [])
    assert answers[2] in ("room", {"too-few-vials"})


def test_vials_that_come_in_while_their_lot_is_recalled_are_refused_or_set_aside():
    site, product = make_site(), make_product()
    by = make_staff(site=site)
    vials = {"site": site, "product": product, "grams": Decimal(10), "lot": "LOT1", "expires_on": in_a_year()}

    def receive():
        return receive_vials(**vials, count=3, by=by).on_hand

    def recall():
        return open_recall(product=product, lots=["LOT1"], reason="Notice", by=by).lots.count()

    received, opened = at_once(receive, recall)
    aside = list(StockItem.objects.values_list("on_hand", "quarantined"))
    assert (opened, (received, aside)) in [(1, (3, [(0, 3)])), (1, ({"vial-lot-recalled"}, []))]
    assert stock_violations() == []


def test_a_serial_is_added_to_one_of_two_doses():
    site, order = make_site(), make_order()
    records = [
        make_dose_record(
            make_appointment(order=make_order(product=order.product), site=site, state="arrived"),
            state=DoseState.PREPARING,
            with_vials=False,
        )
        for _ in range(2)
    ]
    vial = {"grams": Decimal(10), "lot": "LOT1", "serial": "SN1", "expires_on": in_a_year()}
    answers = at_once(
        *(
            lambda record=record: add_vial(
                record=DoseRecord.objects.get(pk=record.pk), by=record.appointment.nurse.user, **vial
            )
            for record in records
        )
    )
    assert (VialUsed.objects.count(), answers.count({"vial-serial-used"})) == (1, 1)


def test_two_receipts_of_one_lot_are_one_item_and_one_known_lot():
    site, product, by = make_site(), make_product(), make_staff()
    vials = {"product": product, "grams": Decimal(10), "lot": "L", "expires_on": in_a_year(), "count": 2, "by": by}
    at_once(*(lambda: receive_vials(site=site, **vials) for _ in range(3)), lambda: know_lot(product=product, lot="L"))
    assert (StockItem.objects.get().on_hand, KnownLot.objects.count(), stock_violations()) == (6, 1, [])
