"""One line above the starts that were found: whether the site has the product."""

import datetime as dt
from decimal import Decimal

import pytest

from infusions.scheduling.product_on_hand import ProductOnHand, needed_g, product_on_hand
from infusions.stock.queries import OnHand
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.factories.stock import make_stock
from tests.infusions.scheduling.conftest import NOW
from tests.infusions.scheduling.support import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def stocked(center):
    center.site.tracks_stock = True
    center.site.save()
    return center


def line_of(page) -> str:
    text = " ".join(page.content.decode().split())
    return text.split('class="on-hand')[1].split("</p>")[0] if 'class="on-hand' in text else ""


def test_the_search_says_what_is_on_hand_and_what_is_needed(stocked, desk):
    order = make_order(infusion_minutes=180)
    make_stock(site=stocked.site, product=order.product, grams="10", count=4)
    line = line_of(desk.get(url("slot-list", order)))
    assert f"<b>4 vials, 40 g</b> of {order.product}, 30 g needed." in line
    assert "is-none" not in line and "ordered" not in line


def test_the_search_says_that_nothing_is_on_hand(stocked, desk):
    order = make_order(infusion_minutes=180)
    line = line_of(desk.get(url("slot-list", order)))
    assert f"Not on hand at {stocked.site}: {order.product}." in line
    assert "30 g needed: have it ordered." in line


def test_a_site_that_tracks_nothing_says_nothing(center, desk):
    order = make_order(infusion_minutes=180)
    make_stock(site=center.site, product=order.product)
    assert line_of(desk.get(url("slot-list", order))) == ""


def test_visits_of_the_next_days_are_counted_with_it(stocked, django_assert_num_queries):
    order = make_order()
    make_stock(site=stocked.site, product=order.product, grams="10", count=5)
    for days in (1, 6, 8):
        other = make_order(product=order.product)
        make_appointment(order=other, site=stocked.site, start=NOW + dt.timedelta(days=days))
    with django_assert_num_queries(2):
        found = product_on_hand(order, stocked.site, NOW)
    assert found == ProductOnHand(OnHand({Decimal("10"): 5}), needed_g=Decimal(30), promised_g=Decimal(56))
    assert (found.is_enough, found.is_none) == (False, False)


@pytest.mark.parametrize(("round_to_g", "grams"), [(Decimal(5), 30), (Decimal(10), 30), (None, 28)])
def test_the_grams_needed_are_rounded_as_the_order_says(round_to_g, grams):
    assert needed_g(make_order(round_to_g=round_to_g)) == grams
