"""The printed record: everything that an auditor asks for, on one page of Letter and of A4."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import DoseAmendment, DoseState, Phase
from infusions.doses.reaction_models import Reaction, ReactionStep
from infusions.facility.models import Nurse
from infusions.scheduling.states import State
from infusions.stock.models import StockItem, StockMovement
from tests.factories.checklists import make_passed_checklist
from tests.factories.doses import make_dose_record, make_vial, make_vital_signs
from tests.factories.facility import make_nurse
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import NOON, at

PAPERS = {"Letter": ("215.9mm", "279.4mm"), "A4": ("210mm", "297mm")}
STAMPS = {"recorded_at": at(100)}


@pytest.fixture
def nurse(nurse_user, site) -> Nurse:
    return make_nurse(user=nurse_user, site=site)


def make_typical(make_visit, nurse):
    """Five steps, four vials from two lots, twelve vital signs, one reaction with its treatment, one amendment."""
    visit = make_visit(order=make_order(authorization_number="AUTH-7"), nurse=nurse)
    make_passed_checklist(visit, now=NOON)
    visit.state = State.COMPLETED
    visit.save()
    record = make_dose_record(visit, state=DoseState.ENDED, by=nurse.user)
    by = {**STAMPS, "recorded_by": nurse.user}
    item = StockItem.objects.create(
        site=visit.site,
        product=record.product,
        grams=Decimal(5),
        lot="LOT2",
        expires_on="2027-10-31",
        use_by="2027-01-31",
    )
    StockMovement.objects.create(item=item, kind="received", change=5, reason="Wholesaler", at=at(-9000), by=nurse.user)
    for serial in ("S1", "S2"):
        out = dt.date(2026, 11, 22)
        make_vial(record, grams="5", lot="LOT2", serial=serial, stock_item=item, out_of_fridge_on=out)
    for minute in range(60, 150, 15):
        make_vital_signs(record, Phase.DURING, at(minute + 1), respiration=14)
    reaction = Reaction.objects.create(
        record=record, kind="headache", grade=1, onset_at=at(95), rate_ml_per_h=84, action="Slowed; Fluids",
        volume_ml=Decimal("40"), lots=["LOT1"], **by,
    )  # fmt: skip
    ReactionStep.objects.create(record=record, reaction=reaction, kind="resolved", at=at(120), **by)
    saline = {"name": "0.9% saline", "dose": Decimal(250), "unit": "mL", "route": "iv", "at": at(96)}
    MedicationGiven.objects.create(record=record, purpose="reaction", reaction=reaction, **saline, **by)
    record.second_checked = {"dose": "30 g (300 mL)", "rate": "21, 42 mL/h, never above 336 mL/h"}
    record.advice_at, record.advice_by = at(210), nurse.user
    record.save()
    DoseAmendment.objects.create(
        record=record, concerns="Notes", text="Called, well.", reason="Call", amended_at=at(900), amended_by=nurse.user
    )
    return record


def test_the_printed_record_holds_what_an_auditor_asks_for(make_visit, nurse, client_for):
    record = make_typical(make_visit, nurse)
    page = client_for("nurse").get(reverse("doses:dose-print", args=[record.appointment.public_id]))
    text = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())
    wanted = [
        "AUTH-7",
        "0 of 12 visits given",
        "Version 1: passed",
        "Cap: 8 mg/kg/min × 70 kg × 60 ÷ 100 mg/mL = 336 mL/h",
        "refrigerator; received 17-Nov-2026 (Wholesaler); out of the refrigerator 22-Nov-2026",
        "30 g (300 mL); 21, 42 mL/h, never above 336 mL/h",
        "0.9% saline 250 mL into the vein Headache",
        "Headache, grade 1 at 84 mL/h after 40 mL, lot LOT1. Slowed; Fluids",
        "11:00 over (",
        "on paper, 12:30",
        "Called, well. Reason: Call",
    ]
    assert [words for words in wanted if words not in text] == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_typical_dose_prints_on_one_page(make_visit, nurse, client_for, chromium, live_server):
    record = make_typical(make_visit, nurse)
    session = client_for("nurse").cookies["sessionid"].value
    context = chromium.new_context(base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(reverse("doses:dose-print", args=[record.appointment.public_id]))
    pages = {}
    for name, (width, height) in PAPERS.items():
        pdf = page.pdf(width=width, height=height)
        pages[name] = len(re.findall(rb"/Type\s*/Page\b", pdf))
    context.close()
    assert pages == {"Letter": 1, "A4": 1}
