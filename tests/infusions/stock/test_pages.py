"""The pages of a site's stock: who sees what, receiving by scan or typing, acts with count and reason, numbers."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from infusions.stock.models import ProductCode, StockItem
from infusions.stock.services import quarantine_vials
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.factories.stock import gtin_of, make_code, make_recall, make_stock, scan_of

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
EXPIRY = dt.date(2027, 10, 31)


@pytest.fixture(autouse=True)
def morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cold():
    return make_product(key="cold", needs_warming=True, room_temperature_days=30)


@pytest.fixture
def item(site, cold):
    return make_stock(site=site, product=cold, count=5)


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def numbers() -> list[tuple]:
    rows = StockItem.objects.order_by("pk")
    return list(rows.values_list("grams", "lot", "expires_on", "storage", "on_hand", "quarantined"))


def test_the_list_shows_this_site_with_what_ends_soon_and_what_is_recalled(
    client_for, site, cold, django_assert_max_num_queries
):
    make_stock(site=site, product=cold, lot="USUAL")
    make_stock(site=site, product=cold, lot="SOON1", expires_on=dt.date(2026, 12, 3))
    make_stock(site=site, product=cold, lot="BAD1")
    make_stock(site=make_site(), product=cold, lot="FOREIGN")
    make_recall(cold, "BAD1", opened_at=NOW)
    client = client_for("pharmacist")
    with django_assert_max_num_queries(10):
        page = client.get(reverse("stock:stock-list"))
    rows = [(row.item.lot, row.days_left, row.is_soon, row.is_recalled) for row in page.context["rows"]]
    assert rows == [("SOON1", 10, True, False), ("BAD1", 342, False, True), ("USUAL", 342, False, False)]
    assert "03-Dec-2026, 10 days left" in text_of(page)


def test_filters_of_the_list_stand_in_the_address(client_for, site, cold, item, nurse_user):
    other = make_stock(site=site, product=make_product(), lot="OTHER")
    quarantine_vials(item=item, count=1, reason="Damp", by=nurse_user)
    client, url = client_for("nurse"), reverse("stock:stock-list")

    def lots(**query):
        return [row.item.lot for row in client.get(url, query).context["rows"]]

    assert lots(product="cold") == ["LOT1"]
    assert lots(product=other.product.key) == ["OTHER"]
    assert lots(state="aside") == ["LOT1"]
    assert sorted(lots(state="nonsense", product="nothing")) == ["LOT1", "OTHER"]
    assert "No vials fit these filters" in text_of(client.get(url, {"state": "over"}))


def test_an_empty_stock_says_what_to_do_next(client_for, site):
    assert "Receive a delivery" in text_of(client_for("nurse").get(reverse("stock:stock-list")))
    assert "Nurses and pharmacists receive deliveries here" in text_of(
        client_for("manager").get(reverse("stock:stock-list"))
    )


def test_a_scan_fills_in_the_receipt_and_the_count_is_typed(client_for, site, cold):
    client, url = client_for("nurse"), reverse("stock:receive")
    page = client.get(url, {"code": scan_of(make_code(cold, grams="20"), lot="AB1")})
    form = page.context["form"]
    shown = {name: form[name].value() for name in ("vial", "lot", "expires_on")}
    assert shown == {"vial": "cold:20", "lot": "AB1", "expires_on": "2027-10-31"}
    client.post(url, shown | {"count": "12", "storage": "", "source": "Wholesaler"})
    assert numbers() == [(20, "AB1", EXPIRY, "refrigerated", 12, 0)]


def test_a_receipt_that_is_refused_says_why_and_keeps_what_was_typed(client_for, site, cold):
    sent = {"vial": "cold:20", "lot": "AB1", "expires_on": "10/2025", "count": "2", "storage": "", "source": ""}
    page = client_for("nurse").post(reverse("stock:receive"), sent)
    assert "The vial expired on 31-Oct-2025." in text_of(page)
    assert (page.context["form"]["lot"].value(), numbers()) == ("AB1", [])


def test_a_receipt_of_an_unknown_number_or_junk_says_so(client_for, site):
    client, url = client_for("nurse"), reverse("stock:receive")
    unknown = client.get(url, {"code": f"01{gtin_of('0021234500001')}10AB1"})
    assert f"The product number {gtin_of('0021234500001')} is not registered." in text_of(unknown)
    assert unknown.context["form"]["lot"].value() == "AB1"
    assert "This is not a code of a vial." in text_of(client.get(url, {"code": "junk"}))


@pytest.mark.parametrize(
    ("act", "sent", "after"),
    [
        ("set-aside", {"count": "2", "reason": "Damp"}, [(10, "LOT1", EXPIRY, "refrigerated", 3, 2)]),
        ("discard", {"count": "1", "reason": "Dropped"}, [(10, "LOT1", EXPIRY, "refrigerated", 4, 0)]),
        ("correct", {"count": "7", "seen": "5", "reason": "Counted"}, [(10, "LOT1", EXPIRY, "refrigerated", 7, 0)]),
        (
            "move",
            {"count": "2", "on": "2026-11-23"},
            [(10, "LOT1", EXPIRY, "refrigerated", 3, 0), (10, "LOT1", EXPIRY, "room", 2, 0)],
        ),
    ],
)
def test_an_act_changes_the_numbers_and_is_told_in_the_history(client_for, item, act, sent, after):
    client = client_for("nurse")
    page = client.post(reverse(f"stock:item-{act}", args=[item.public_id]), sent, follow=True)
    assert page.redirect_chain == [(reverse("stock:item-detail", args=[item.public_id]), 302)]
    assert numbers() == after
    assert [event.left for event in page.context["events"]] == [after[0][4], 5]


def test_vials_set_aside_are_released(client_for, item, nurse_user):
    quarantine_vials(item=item, count=2, reason="Damp", by=nurse_user)
    client_for("nurse").post(
        reverse("stock:item-release", args=[item.public_id]), {"count": "2", "reason": "Maker says fine"}
    )
    assert numbers() == [(10, "LOT1", EXPIRY, "refrigerated", 5, 0)]


def test_an_act_that_is_refused_shows_the_reason_at_its_field(client_for, item):
    page = client_for("nurse").post(
        reverse("stock:item-discard", args=[item.public_id]), {"count": "6", "reason": "Dropped"}
    )
    assert page.context["form"].errors == {"count": ["There are only 5 vials on hand. Count again."]}
    assert numbers() == [(10, "LOT1", EXPIRY, "refrigerated", 5, 0)]


def test_a_foreign_site_s_vials_are_not_found(client_for, cold):
    foreign = make_stock(site=make_site(), product=cold)
    client = client_for("nurse")
    names = ("detail", "move", "discard", "set-aside", "release", "correct")
    urls = [reverse(f"stock:item-{name}", args=[foreign.public_id]) for name in names]
    assert [client.get(url).status_code for url in urls] == [404] * 6


@pytest.mark.parametrize(
    ("role", "sees", "acts"), [("scheduler", 403, 403), ("manager", 200, 403), ("nurse", 200, 200)]
)
def test_roles_see_or_manage_the_stock(client_for, item, role, sees, acts):
    client = client_for(role)
    seen = ("stock-list", []), ("code-list", []), ("item-detail", [item.public_id])
    acted = ("receive", []), ("code-add", []), ("item-discard", [item.public_id])
    assert [client.get(reverse(f"stock:{name}", args=args)).status_code for name, args in seen] == [sees] * 3
    assert [client.get(reverse(f"stock:{name}", args=args)).status_code for name, args in acted] == [acts] * 3


def test_a_number_is_registered_from_a_whole_scan(client_for, site, cold):
    client, gtin = client_for("pharmacist"), gtin_of("0021234500001")
    sent = {"gtin": f"]d201{gtin}1727103110AB1", "vial": "cold:20"}
    page = client.post(reverse("stock:code-add"), sent, follow=True)
    assert list(ProductCode.objects.values_list("gtin", "product__key", "grams")) == [(gtin, "cold", 20)]
    assert gtin in page.content.decode()
    wrong = client.post(reverse("stock:code-add"), {"gtin": gtin[:-1] + "0", "vial": "cold:10"})
    assert "check digit" in str(wrong.context["form"].errors["gtin"])
