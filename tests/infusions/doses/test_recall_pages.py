import csv
import datetime as dt

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.doses.models import DoseState
from infusions.facility.models import SiteMembership
from infusions.scheduling.states import State
from infusions.stock.models import LotRecall, RecallContact, StockItem
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.recalls import make_known_lots, make_recall, make_stock_item
from tests.infusions.doses.conftest import NOON, at
from tests.infusions.doses.test_recall_queries import make_late_reaction, make_reaction

SEARCH = "/lots/"


@pytest.fixture
def order():
    patient = make_patient(mrn="MRN-77", given_name="Ada", family_name="Example", phone="+12125550123")
    return make_order(patient=patient, product=make_product(name="Alphaglob"))


@pytest.fixture
def dose(make_visit, order):
    """30 g of lot AB12 for Ada Example, this morning."""
    return make_dose_record(make_visit(order=order, state=State.COMPLETED), state=DoseState.ENDED, lot="AB12")


@pytest.fixture
def others(make_visit):
    """Two other patients who got the lot, of other products, in the days before."""
    days = (NOON - dt.timedelta(days=number) for number in (3, 4))
    visits = [make_visit(order=make_order(), start=day, state=State.COMPLETED) for day in days]
    return [make_dose_record(visit, state=DoseState.ENDED, lot="AB12") for visit in visits]


@pytest.fixture
def recall(order):
    return make_recall(order.product, ["AB12"])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def patients_of(response) -> list:
    return [row.patient for row in response.context["rows"]]


def note_url(recall, patient) -> str:
    return reverse("doses:contact-note", args=[recall.public_id, patient.public_id])


def actions() -> list[str]:
    return sorted(AuditEvent.objects.values_list("action", flat=True))


def test_lot_search_finds_every_patient_however_the_lot_is_typed(client_for, make_visit, dose):
    make_dose_record(make_visit(order=make_order(), start=at(600)), state=DoseState.SIGNED, lot="AB13")
    make_dose_record(make_visit(site=make_site(), order=make_order()), state=DoseState.SIGNED, lot="AB12")
    response = client_for("nurse").get(SEARCH, {"lot": " ab 12"})
    assert patients_of(response) == [dose.patient]
    assert "(212) 555-0123" in text_of(response)


def test_lot_search_of_pasted_text_leads_to_an_address_that_can_be_kept(client_for, dose, order):
    pasted = "Product\tLot\tExpires\r\nAlphaglob 20 g\tab 12\t2027-10-31\r\nAlphaglob 10 g\tZZ999\t2027-11-30"
    response = client_for("nurse").post(SEARCH, {"lot": pasted, "product": order.product.key})
    assert (response.status_code, response.url) == (302, f"/lots/?lot=AB12,ZZ999&product={order.product.key}")
    found = client_for("nurse").get(response.url)
    assert (patients_of(found), found.context["unknown"]) == ([dose.patient], ["ZZ999"])


def test_lot_search_by_a_part_of_a_lot(client_for, dose):
    make_known_lots(dose.product, "AB12", "XAB1")
    response = client_for("nurse").get(SEARCH, {"lot": "AB1*"})
    assert (response.context["answer"].lots, patients_of(response)) == (["AB12"], [dose.patient])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Enter a lot"),
        ("We are writing to you", "No lot number in this text."),
        ("A*", "too little to look for"),
        ("\n".join(f"LOT{number:022d}" for number in range(190)), "Too many lots for one search"),
    ],
)
def test_lot_search_says_what_is_wrong_and_records_no_search(client_for, text, says):
    response = client_for("nurse").post(SEARCH, {"lot": text})
    assert (response.status_code, says in text_of(response), AuditEvent.objects.count()) == (200, True, 0)


def test_lot_search_says_when_nothing_or_too_much_is_found_and_where_it_looked(client_for, site):
    make_known_lots(make_product(), *(f"AB12{number}" for number in range(201)))
    assert "201 lots match" in text_of(client_for("nurse").get(SEARCH, {"lot": "AB12*"}))
    page = text_of(client_for("nurse").get(SEARCH, {"lot": "NONE1"}))
    assert ("Nothing from these lots" in page, f"Searched: {site.name}." in page) == (True, True)


def test_lot_search_records_the_search_and_each_patient_shown(client_for, nurse_user, dose, others, site):
    client_for("nurse").get(SEARCH, {"lot": "AB12"})
    searched = AuditEvent.objects.get(action="recall.searched")
    assert searched.actor_id == nurse_user.pk
    assert searched.detail == {"lots": ["AB12"], "product": "", "sites": [site.public_id], "patients": 3}
    opened = AuditEvent.objects.filter(action="chart.opened").values_list("patient_id", "detail__what")
    assert set(opened) == {(one.patient.public_id, "doses of a lot") for one in [dose, *others]}


def test_pages_cost_the_same_for_one_patient_and_for_three(
    client_for, recall, dose, make_visit, django_assert_num_queries
):
    client, detail = client_for("pharmacist"), reverse("doses:recall-detail", args=[recall.public_id])
    costs = {"/lots/?lot=AB12": 21, detail: 21}
    for more in (0, 2):
        for number in range(more):
            start = NOON - dt.timedelta(days=number + 1)
            visit = make_visit(order=make_order(product=dose.product), start=start, state=State.COMPLETED)
            make_reaction(make_dose_record(visit, state=DoseState.ENDED, lot="AB12"))
        for url, cost in costs.items():
            with django_assert_num_queries(cost):
                assert len(patients_of(client.get(url))) == 1 + more


def test_csv_has_one_line_for_each_dose_and_disarms_formulas(client_for, dose, order, pharmacist, recall, site):
    make_reaction(dose)
    make_late_reaction(dose)
    RecallContact.objects.create(
        recall=recall, patient=order.patient, status="needs_visit", note="=HYPERLINK(1)", at=NOON, by=pharmacist
    )
    url = reverse("doses:recall-csv", args=[recall.public_id])
    response = client_for("pharmacist").get(url)
    lines = list(csv.DictReader(response.getvalue().decode("utf-8-sig").splitlines()))
    assert lines == [
        {
            "Patient MRN": "MRN-77",
            "Name": "Ada Example",
            "Born": "1980-03-12",
            "Phone": "(212) 555-0123",
            "Day": "2026-11-23",
            "Site": site.name,
            "Product": "Alphaglob 10%",
            "Lots": "AB12",
            "Grams of these lots": "30",
            "Other lots in the dose": "",
            "Reactions (CTCAE grade)": "Rash or itching (2); Hemolysis (3)",
            "Record": "To be signed",
            "Standing": "Told",
            "Latest contact": "Told, needs to be seen",
            "Contact on": "2026-11-23",
            "Contact by": pharmacist.full_name,
            "Note": "'=HYPERLINK(1)",
        }
    ]
    assert actions() == ["chart.opened", "recall.downloaded"]
    assert AuditEvent.objects.get(action="recall.downloaded").detail["rows"] == 1


def test_csv_of_a_search_says_nothing_of_contacts_and_without_a_search_is_the_page(client_for, dose, others):
    assert client_for("nurse").get("/lots/doses.csv")["Content-Type"].startswith("text/html")
    response = client_for("nurse").get("/lots/doses.csv?lot=AB12")
    lines = list(csv.reader(response.getvalue().decode("utf-8-sig").splitlines()))
    assert (len(lines), lines[0][-1], response["Cache-Control"]) == (4, "Record", "no-store")
    assert actions() == ["chart.opened"] * 3 + ["recall.downloaded"]


def test_a_recall_is_opened_from_a_search_after_saying_what_will_happen(client_for, dose, order, site):
    make_stock_item(site, order.product, lot="AB12", on_hand=4)
    make_stock_item(make_site(), order.product, lot="AB12", on_hand=3)
    client = client_for("pharmacist")
    assert "Open a recall of these lots" in text_of(client.get(SEARCH, {"lot": "AB12"}))
    page = client.get("/recalls/open/", {"lot": "AB12"})
    assert "7 vials at 2 sites are set aside" in text_of(page)
    assert "1 patient of your sites is listed to be called" in text_of(page)
    assert not LotRecall.objects.exists()
    form = page.context["form"]
    data = {"lots": form["lots"].value(), "product": form["product"].value(), "reason": "Reports"}
    response = client.post("/recalls/open/", data, follow=True)
    recall = LotRecall.objects.get()
    assert (recall.product, [lot.lot for lot in recall.lots.all()]) == (order.product, ["AB12"])
    assert StockItem.objects.filter(on_hand__gt=0).count() == 0
    assert patients_of(response) == [order.patient]
    again = client.post("/recalls/open/", data)
    assert "Under an open recall already: AB12." in text_of(again)
    assert "A recall is open" in text_of(client.get(SEARCH, {"lot": "AB12"}))


@pytest.mark.parametrize("name", ["recall-open", "recall-extend", "recall-close"])
def test_a_nurse_sees_a_recall_but_does_not_open_widen_or_close_one(client_for, recall, name):
    client = client_for("nurse")
    page = client.get(reverse("doses:recall-detail", args=[recall.public_id]))
    assert (page.status_code, "Close the recall" in text_of(page)) == (200, False)
    url = reverse(f"doses:{name}", args=[] if name == "recall-open" else [recall.public_id])
    assert client.post(url, {"lots": "ZZ99", "lot": "ZZ99", "reason": "No"}).status_code == 403
    assert LotRecall.objects.get().closed_at is None


def test_the_calls_are_noted_one_by_one_and_counted(client_for, recall, dose, make_visit, nurse_user):
    visit = make_visit(order=make_order(product=dose.product), start=NOON - dt.timedelta(days=3), state=State.COMPLETED)
    second = make_dose_record(visit, state=DoseState.ENDED, lot="AB12")
    client, page = client_for("nurse"), reverse("doses:recall-detail", args=[recall.public_id])
    assert "0 of 2 told" in text_of(client.get(page))
    response = client.post(note_url(recall, dose.patient), {"status": "reached", "note": "Feels well"}, follow=True)
    assert response.redirect_chain == [(f"{page}?", 302)]
    assert ("1 of 2 told" in text_of(response), "Feels well" in text_of(response)) == (True, True)
    url, htmx = note_url(recall, second.patient) + "?show=to_call", {"HX-Request": "true"}
    fragment = client.post(url, {"status": "not_reached"}, headers=htmx)
    assert (patients_of(fragment), "<html" in fragment.content.decode()) == ([], False)
    lists = {
        show: patients_of(client.get(page, {"show": show})) for show in ("to_call", "not_reached", "told", "letter")
    }
    assert lists == {"to_call": [], "not_reached": [second.patient], "told": [dose.patient], "letter": []}
    by = RecallContact.objects.values_list("patient", "status", "by").order_by("pk")
    assert list(by) == [
        (dose.patient_id, "reached", nurse_user.pk),
        (second.patient_id, "not_reached", nurse_user.pk),
    ]


def test_nothing_is_noted_of_a_patient_who_did_not_get_it_here_nor_without_a_known_status(client_for, recall, dose):
    client = client_for("nurse")
    assert client.post(note_url(recall, make_patient()), {"status": "reached"}).status_code == 404
    response = client.post(note_url(recall, dose.patient), {"status": "nonsense"}, follow=True)
    assert "Nothing was noted" in text_of(response)
    assert not RecallContact.objects.exists()


def test_the_scheduler_does_not_see_recalls(client_for, recall, dose):
    client = client_for("scheduler")
    urls = [SEARCH, "/lots/doses.csv", reverse("doses:recall-detail", args=[recall.public_id])]
    assert [client.get(url).status_code for url in urls] == [403, 403, 403]
    assert client.post(note_url(recall, dose.patient), {"status": "reached"}).status_code == 403


def test_lots_are_added_and_the_recall_is_closed(client_for, recall, dose):
    client = client_for("manager")
    extend, close = (reverse(f"doses:recall-{name}", args=[recall.public_id]) for name in ("extend", "close"))
    client.post(extend, {"lots": "Lot: cd 34\nAB12"})
    assert [lot.lot for lot in recall.lots.all()] == ["AB12", "CD34"]
    assert "whole lots" in text_of(client.post(extend, {"lots": "EF5*"}))
    assert "0 of 1 patients of your sites are told" in text_of(client.get(close))
    client.post(close, {"reason": "Withdrawn by the maker"})
    assert LotRecall.objects.get().close_reason == "Withdrawn by the maker"
    assert "closed meanwhile" in text_of(client.post(close, {"reason": "Again"}))
    assert "Closed" in text_of(client.get(SEARCH))


def test_the_list_shows_open_recalls_first_with_how_many_are_told(client_for, recall, dose, pharmacist):
    make_recall(make_product(), ["ZZ1"], closed=True, opened_at=NOON + dt.timedelta(hours=1))
    RecallContact.objects.create(recall=recall, patient=dose.patient, status="reached", at=NOON, by=pharmacist)
    response = client_for("nurse").get(SEARCH)
    lines = [(one.recall.pk == recall.pk, one.progress and one.progress.told) for one in response.context["recalls"]]
    assert lines == [(True, 1), (False, None)]
    assert "1 of 1 told" in text_of(response)


def test_an_infusion_that_runs_now_stands_above_everything(client_for, make_visit, order, recall):
    visit = make_visit(order=order, state=State.IN_PROGRESS, start=at(-60))
    make_dose_record(visit, state=DoseState.INFUSING, lot="AB12")
    page = text_of(client_for("nurse").get(reverse("doses:recall-detail", args=[recall.public_id])))
    assert "<b>1 infusion runs now</b> with such vials: tell the nurse." in page
    assert f"Example, Ada, {visit.chair.name}, {visit.nurse}" in page


def test_fifty_patients_stand_on_a_page_and_all_on_one_when_asked(client_for, dose, others, monkeypatch):
    monkeypatch.setattr("infusions.doses.lot_views.PAGE", 2)
    client = client_for("nurse")
    shown = [len(patients_of(client.get(f"/lots/?lot=AB12{more}"))) for more in ("", "&page=2", "&all=1")]
    assert shown == [2, 1, 3]


def test_somebody_of_both_sites_sees_the_doses_of_both(client_for, dose, make_visit, nurse_user):
    there = make_site(time_zone="America/Los_Angeles")
    SiteMembership.objects.create(site=there, user=nurse_user)
    visit = make_visit(site=there, order=make_order(), start=at(-600), state=State.COMPLETED)
    other = make_dose_record(visit, state=DoseState.ENDED, lot="AB12")
    assert patients_of(client_for("nurse").get(SEARCH, {"lot": "AB12"})) == [dose.patient, other.patient]


@pytest.mark.parametrize("junk", ["AB1,\x00,*12", "9" * 5000, "\u202e' OR 1=1 --", "ﬃ💉" * 30])
def test_pages_stand_whatever_is_sent(client_for, recall, dose, junk):
    client, detail = client_for("pharmacist"), reverse("doses:recall-detail", args=[recall.public_id])
    everything = dict.fromkeys(("lot", "lots", "product", "show", "page", "all", "reason", "status", "note"), junk)
    asked = [SEARCH, "/lots/doses.csv", "/recalls/open/", detail, f"{detail}close/"]
    sent = [SEARCH, "/recalls/open/", f"{detail}extend/", note_url(recall, dose.patient)]
    found = [
        client.get(url, {"lot": "AB12", **given}).status_code for url in asked for given in (everything, {"page": junk})
    ]
    found += [
        client.post(url, given).status_code for url in sent for given in (everything, {"lot": junk, "lots": junk})
    ]
    assert [status for status in found if status >= 500] == []
    assert LotRecall.objects.count() == 1
