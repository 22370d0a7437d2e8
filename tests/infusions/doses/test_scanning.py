"""Vials by scan: what is added, what is refused and why, what is left to the eye."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from infusions.doses.models import DoseState, VialUsed
from infusions.doses.services import prepare_dose
from infusions.stock.models import KnownLot
from infusions.stock.queries import stock_violations
from infusions.stock.services import quarantine_vials
from tests.factories.doses import make_dose_record, make_vial
from tests.factories.facility import make_site
from tests.factories.formulary import make_product, make_rate_schedule
from tests.factories.orders import make_order
from tests.factories.stock import gtin_of, make_code, make_recall, make_stock, scan_of
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


def scan(client, record, text, **extra):
    return client.post(reverse("doses:vial-scan", args=[record.appointment.public_id]), {"code": text}, **extra)


def refused_codes(response) -> list[str]:
    """Why nothing was added; and that nothing was."""
    assert not VialUsed.objects.filter(recorded_at=NOON).exists()
    return [problem.code for problem in response.context["outcome"].refused]


def vials() -> list[tuple]:
    return list(VialUsed.objects.order_by("pk").values_list("product", "grams", "lot", "expires_on", "serial"))


# What a scan adds


def test_a_scan_adds_the_vial_and_says_which(client_for, record, code, nurse_user):
    response = scan(client_for("nurse"), record, scan_of(code, lot="ab1", serial="SN1"), headers={"HX-Request": "true"})
    assert vials() == [(record.product_id, 20, "AB1", EXPIRY, "SN1")]
    assert VialUsed.objects.get().recorded_by == nurse_user
    text = " ".join(response.content.decode().split())
    assert f"Added: {record.product} 20 g" in text
    assert "Lot AB1, expires 31-Oct-2027, serial SN1" in text
    assert "20 g of 30 g." in text
    assert "Still missing: 1 × 10 g." in text


def test_a_vial_too_many_says_so_at_once(client_for, record, code):
    client = client_for("nurse")
    for serial in ("A1", "A2"):
        page = scan(client, record, scan_of(code, serial=serial), follow=True)
    assert page.context["screen"].surplus.code == "vial-waste"
    page = scan(client, record, scan_of(code, serial="A3"), follow=True)
    assert "Remove a vial of 20 g or more." in page.text
    assert "The vials hold the dose." not in page.text


def test_without_a_script_the_scan_leads_back_to_the_page(client_for, record, code):
    response = scan(client_for("nurse"), record, scan_of(code, serial="SN1"), follow=True)
    address = reverse("doses:dose-detail", args=[record.appointment.public_id])
    assert response.redirect_chain == [(f"{address}#main", 302)]
    said = f"Added: {record.product} 20 g, lot LOT1, expires 31-Oct-2027, serial SN1."
    assert [str(message) for message in response.context["messages"]] == [said]


def test_the_first_scan_of_an_alternative_plans_anew(client_for, make_visit, nurse_user):
    ordered = make_rate_schedule()
    five = make_product(concentration_mg_per_ml=Decimal("50"), vial_sizes_g=("10",))
    make_rate_schedule(product=five, indication=ordered.indication)
    visit = make_visit(order=make_order(product=ordered.product, alternatives=[five]))
    record = prepare_dose(appointment=visit, by=nurse_user)
    scan(client_for("nurse"), record, scan_of(make_code(five)))
    record.refresh_from_db()
    assert (record.product, record.planned_volume_ml) == (five, 600)
    mixed = scan(client_for("nurse"), record, scan_of(make_code(ordered.product, grams="10")))
    assert ([p.code for p in mixed.context["outcome"].refused], len(vials())) == (["vial-other-product"], 1)


# What is refused, and why


def test_a_scan_of_junk_is_refused(client_for, record):
    assert refused_codes(scan(client_for("nurse"), record, "junk")) == ["code-unreadable"]
    assert refused_codes(scan(client_for("nurse"), record, "")) == ["code-unreadable"]


def test_a_scan_of_another_brand_or_strength_is_refused(client_for, record):
    other = make_product(name=record.product.name, concentration_mg_per_ml=Decimal("50"))
    response = scan(client_for("nurse"), record, scan_of(make_code(other)))
    assert refused_codes(response) == ["product-not-ordered"]
    assert f"The order does not name {other}." in response.content.decode()


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"expires": "261122"}, "vial-expired"),
        ({"expires": "390101"}, "vial-expiry-implausible"),
        ({"lot": "BAD1"}, "vial-lot-recalled"),
        ({"serial": "SN9"}, "vial-serial-used"),
        ({"lot": "ASIDE"}, "vial-quarantined"),
    ],
)
def test_a_scan_of_a_vial_that_must_not_be_given_is_refused(
    client_for, site, record, code, make_visit, nurse_user, what, expected
):
    make_recall(record.product, "BAD1", opened_at=NOON)
    elsewhere = make_visit(site=make_site(), order=make_order(product=record.product))
    earlier = make_dose_record(elsewhere, state=DoseState.PREPARING, with_vials=False)
    make_vial(earlier, serial="SN9", at=NOON - dt.timedelta(days=30))
    aside = make_stock(site=site, product=record.product, grams="20", lot="ASIDE", count=2)
    quarantine_vials(item=aside, count=2, reason="Damp", by=nurse_user)
    response = scan(client_for("nurse"), record, scan_of(code, **what))
    assert refused_codes(response) == [expected]
    assert 'role="alert"' in response.content.decode()


def test_the_same_serial_twice_in_one_dose_is_refused(client_for, record, code):
    client = client_for("nurse")
    scan(client, record, scan_of(code, serial="SN1"))
    again = scan(client, record, scan_of(code, serial="SN1"))
    assert "is on this dose already" in again.content.decode()
    assert len(vials()) == 1


def test_a_scan_after_the_start_leads_to_the_running_infusion(client_for, visit):
    running = make_dose_record(visit)
    before = vials()
    response = scan(client_for("nurse"), running, scan_of(make_code(running.product)))
    assert (response.status_code, vials()) == (302, before)


# What is left to the eye


def test_an_unknown_number_fills_the_form_and_leaves_the_size_to_the_eye(client_for, record):
    text = f"01{gtin_of('0021234500001')}1728100010AB1\x1d21SN1"
    response = scan(client_for("nurse"), record, text)
    form = response.context["forms"]["vial"]
    assert [problem.code for problem in response.context["outcome"].by_eye] == ["code-unknown"]
    assert [form[name].value() for name in ("lot", "expires_on", "serial", "grams")] == [
        "AB1", "2028-10-31", "SN1", None
    ]  # fmt: skip
    assert vials() == []


def test_a_bare_number_asks_for_lot_and_expiry(client_for, record, code):
    response = scan(client_for("nurse"), record, code.gtin)
    assert [problem.code for problem in response.context["outcome"].by_eye] == ["code-incomplete"]
    assert response.context["forms"]["vial"]["grams"].value() == "20"


def test_a_lot_that_may_hold_the_serial_is_not_guessed(client_for, record, code):
    text = f"01{code.gtin}1727103110AB121SN1"
    doubtful = scan(client_for("nurse"), record, text)
    assert [problem.code for problem in doubtful.context["outcome"].by_eye] == ["code-doubtful"]
    assert vials() == []
    KnownLot.objects.create(product=record.product, lot="AB121SN1")
    scan(client_for("nurse"), record, text)
    assert vials() == [(record.product_id, 20, "AB121SN1", EXPIRY, "")]


# The page that says what a code is


def test_the_scan_page_says_what_it_is_and_who_could_get_it(stocked, client_for, record, code):
    make_stock(site=stocked, product=record.product, grams="20", count=3)
    page = client_for("nurse").get(reverse("doses:scan"), {"code": scan_of(code)})
    text = " ".join(page.content.decode().split())
    assert f"{record.product} 20 g" in text
    assert "3 vials (room temperature, use by 31-Oct-2027)" in text
    assert [course.record for course in page.context["courses"]] == [record]
    assert vials() == []


def test_the_scan_page_offers_nobody_a_vial_that_must_not_be_given(client_for, record, code):
    make_recall(record.product, "LOT1", opened_at=NOON)
    page = client_for("nurse").get(reverse("doses:scan"), {"code": scan_of(code)})
    assert "Do not give this vial." in page.content.decode()
    assert page.context["courses"] == []


@pytest.mark.parametrize("text", ["junk", "x" * 1000, "]d2", "010000000000000010"])
def test_the_scan_page_says_that_a_code_is_unreadable(client_for, site, text):
    page = client_for("nurse").get(reverse("doses:scan"), {"code": text})
    assert (page.status_code, [p.code for p in page.context["refused"]]) == (200, ["code-unreadable"])


def test_the_scan_page_shows_what_an_unknown_number_says(client_for, site):
    page = client_for("nurse").get(reverse("doses:scan"), {"code": f"01{gtin_of('0021234500001')}10AB1"})
    assert f"{reverse('stock:code-add')}?gtin={gtin_of('0021234500001')}" in page.content.decode()


def test_a_vial_of_a_visit_at_a_foreign_site_is_not_found(client_for, make_visit, code):
    foreign = make_dose_record(make_visit(site=make_site()), state=DoseState.PREPARING, with_vials=False)
    assert scan(client_for("nurse"), foreign, scan_of(code)).status_code == 404
