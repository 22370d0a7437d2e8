"""A scanner that types like a keyboard, in a real Chromium: vial after vial without touching the screen."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from infusion_center.core import clock
from infusions.doses.models import DoseRecord, DoseState, VialUsed
from infusions.stock.models import StockItem
from tests.factories.doses import make_dose_record
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.factories.stock import make_code, make_recall, make_stock
from tests.infusions.doses.test_browser import faults, morning, nurse, open_page, path_of  # noqa: F401  fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def record(nurse):  # noqa: F811
    site = nurse.user.site_memberships.get().site
    site.tracks_stock = True
    site.save()
    visit = make_appointment(order=make_order(), nurse=nurse, site=site, start=clock.now(), state="arrived")
    return make_dose_record(visit, state=DoseState.PREPARING, by=nurse.user, with_vials=False)


def wedge(page, code: str, serial: str, lot: str = "LOT1") -> None:
    """Key by key, the separator as Ctrl and ], Enter at the end: as scanners are set up."""
    expiry = clock.now() + dt.timedelta(days=365)
    page.keyboard.type(f"01{code.gtin}17{expiry:%y%m%d}10{lot}")
    page.keyboard.press("Control+]")
    page.keyboard.type(f"21{serial}")
    page.keyboard.press("Enter")


def test_three_scans_in_a_row_add_three_vials_and_a_recalled_lot_is_refused_loudly(nurse, record, open_page):  # noqa: F811
    code, site = make_code(record.product, grams="10"), record.appointment.site
    expires_on = (clock.now() + dt.timedelta(days=365)).date()
    make_stock(site=site, product=record.product, count=5, expires_on=expires_on)
    page = open_page(path_of(record))
    expect(page.get_by_label("Scan a vial")).to_be_focused()
    for number in (1, 2, 3):  # the next is scanned before the answer to the last has come
        wedge(page, code, f"SN{number}")
    expect(page.get_by_text("30 g of 30 g.")).to_be_visible()
    expect(page.get_by_label("Scan a vial")).to_be_focused()
    assert list(VialUsed.objects.order_by("pk").values_list("serial", "lot", "stock_item")) == [
        (f"SN{number}", "LOT1", StockItem.objects.get().pk) for number in (1, 2, 3)
    ]
    make_recall(record.product, "BAD1", opened_at=clock.now())
    wedge(page, code, "SN4", lot="BAD1")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"Lot BAD1 of {record.product} is recalled: Particles found")
    expect(page.get_by_label("Scan a vial")).to_have_value("")
    assert VialUsed.objects.count() == 3
    assert faults(page) == []


def test_a_lost_connection_is_said_and_nothing_counts_as_added(nurse, record, open_page):  # noqa: F811
    code = make_code(record.product, grams="10")
    page = open_page(path_of(record))
    page.context.set_offline(True)
    wedge(page, code, "SN1")
    expect(page.get_by_text("Not saved: the vial was not added.")).to_be_visible()
    page.context.set_offline(False)
    wedge(page, code, "SN1")
    expect(page.get_by_text("10 g of 30 g.")).to_be_visible()
    assert (DoseRecord.objects.get().vials.count(), VialUsed.objects.count()) == (1, 1)


# A browser that reads codes, and a camera whose picture holds one.
CAMERA = """
  window.BarcodeDetector = class { detect() { return Promise.resolve([{rawValue: "%s"}]); } };
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 9, 9);
  window.picture = canvas.captureStream(5);
  Object.defineProperty(navigator, "mediaDevices", {value: {getUserMedia: () => Promise.resolve(window.picture)}});
"""


def test_the_camera_adds_the_first_code_that_it_reads_and_is_switched_off(nurse, record, open_page):  # noqa: F811
    code = make_code(record.product, grams="10")
    page = open_page(path_of(record))
    expect(page.get_by_role("button", name="Camera")).to_be_hidden()
    page.context.add_init_script(CAMERA % f"01{code.gtin}1728103110LOT1\\u001d21SN1")
    page.reload()
    page.get_by_role("button", name="Camera").tap()
    expect(page.get_by_text("10 g of 30 g.")).to_be_visible()
    assert VialUsed.objects.get().serial == "SN1"
    assert page.evaluate("window.picture.getTracks().map(track => track.readyState)") == ["ended"]
