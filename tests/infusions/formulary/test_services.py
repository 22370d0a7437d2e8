from decimal import Decimal as D

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.formulary.queries import dosing_steps, usable_schedule, vial_sizes_g
from infusions.formulary.services import add_schedule, amend_product, amend_schedule, sign_product, sign_schedule
from tests.factories.formulary import LADDER, make_indication, make_product, make_rate_schedule

pytestmark = pytest.mark.django_db
LABEL = "Label of 2 March 2026"


def events():
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def usable(schedule):
    return usable_schedule(schedule.product, schedule.indication) is not None


def test_signing_unlocks_a_schedule_and_says_who_against_what(pharmacist):
    schedule = make_rate_schedule(locked=True)
    at = clock.now()
    signed = sign_schedule(schedule=schedule, checked_against=LABEL, by=pharmacist, now=at)
    assert (signed.signed_by, signed.signed_at, usable(schedule)) == (pharmacist, at, True)
    assert signed.sources["sign_off"] == {"source": LABEL, "status": "S"}
    assert events() == ["rateschedule.signed"]


def test_signing_refuses_what_changed_since_it_was_read(pharmacist):
    schedule = make_rate_schedule(locked=True)
    seen_at = schedule.updated_at
    amend_schedule(schedule=schedule, changes={}, steps=[(D("0.5"), None)], source=LABEL, by=pharmacist)
    with pytest.raises(RuleViolation) as refused:
        sign_schedule(schedule=schedule, checked_against=LABEL, by=pharmacist, seen_at=seen_at)
    assert refused.value.codes == {"changed-meanwhile"}
    assert (usable(schedule), events()) == (False, ["rateschedule.amended"])


@pytest.mark.parametrize(("label", "code"), [("  ", "label-missing"), (LABEL, "already-signed")])
def test_signing_refuses_without_a_label_and_twice(pharmacist, label, code):
    schedule = make_rate_schedule(locked=True)
    if code == "already-signed":
        sign_schedule(schedule=schedule, checked_against=LABEL, by=pharmacist)
    before = events()
    with pytest.raises(RuleViolation) as refused:
        sign_schedule(schedule=schedule, checked_against=label, by=pharmacist)
    assert (refused.value.codes, events()) == ({code}, before)


def test_signing_refuses_a_schedule_that_cannot_run(pharmacist):
    schedule = make_rate_schedule(locked=True, max_mg_per_kg_per_min=D("4"))  # its steps go to 8
    with pytest.raises(RuleViolation) as refused:
        sign_schedule(schedule=schedule, checked_against=LABEL, by=pharmacist)
    assert (refused.value.codes, usable(schedule), events()) == ({"step-above-maximum"}, False, [])


def test_amending_rates_locks_the_schedule_until_it_is_signed(pharmacist):
    schedule = make_rate_schedule()
    sign_schedule(schedule=schedule, checked_against=LABEL, by=pharmacist)
    slower = [(D("0.5"), 30), (D("1"), 30), (D("4"), None)]
    changes = {"max_mg_per_kg_per_min": D("4"), "dose_max_mg_per_kg": schedule.dose_max_mg_per_kg}
    amended = amend_schedule(schedule=schedule, changes=changes, steps=slower, source="New label", by=pharmacist)

    unverified = {"source": "New label", "status": "U", "note": f"entered by {pharmacist.full_name}"}
    assert {name: fact for name, fact in amended.sources.items() if fact["status"] == "U"} == {
        "maximum": unverified,
        "steps": unverified,
    }
    assert (amended.is_signed, amended.changed_by, usable(schedule)) == (False, pharmacist, False)
    assert [step.mg_per_kg_per_min for step in dosing_steps(amended)] == [D("0.5"), D("1"), D("4")]
    assert AuditEvent.objects.order_by("id").last().detail == {
        "source": "New label",
        "changes": {
            "max_mg_per_kg_per_min": ["8", "4"],
            "steps": ["0.5 x 30 min, 1 x 30 min, 2 x 30 min, 4 x 30 min, 8", "0.5 x 30 min, 1 x 30 min, 4"],
        },
    }
    sign_schedule(schedule=schedule, checked_against=LABEL, by=pharmacist)
    assert usable(schedule)


def test_amending_only_the_steps_locks_too(pharmacist):
    schedule = make_rate_schedule()
    amend_schedule(schedule=schedule, changes={}, steps=[*LADDER[:1], LADDER[-1]], source=LABEL, by=pharmacist)
    assert not usable(schedule)


@pytest.mark.parametrize(
    ("changes", "steps", "source", "code"),
    [
        ({}, LADDER, LABEL, "nothing-changed"),
        ({"days_max": 2}, LADDER, " ", "source-missing"),
        ({}, (), LABEL, "no-steps"),
        ({}, (*LADDER[:-1], (D("8"), 30)), LABEL, "step-minutes"),
        ({}, ((D("1"), None), (D("2"), None)), LABEL, "step-minutes"),
        ({}, ((D("2"), 30), (D("1"), None)), LABEL, "steps-not-rising"),
        ({}, ((D("1"), 30), (D("9"), None)), LABEL, "step-above-maximum"),
        ({"at_risk_max_mg_per_kg_per_min": D("9")}, LADDER, LABEL, "at-risk-above-maximum"),
    ],
)
def test_amending_refuses_what_cannot_be_run_and_writes_nothing(pharmacist, changes, steps, source, code):
    schedule = make_rate_schedule()
    with pytest.raises(RuleViolation) as refused:
        amend_schedule(schedule=schedule, changes=changes, steps=steps, source=source, by=pharmacist)
    assert refused.value.codes == {code}
    schedule.refresh_from_db()
    assert (schedule.changed_at, len(dosing_steps(schedule)), events()) == (None, 5, [])


def test_amending_a_product_replaces_vials_and_takes_the_signature(pharmacist):
    product = make_product()
    sign_product(product=product, checked_against=LABEL, by=pharmacist)
    amended = amend_product(
        product=product, changes={"storage": "2-8 °C", "warm_up_minutes": 60, "needs_warming": True},
        vial_sizes_g=[D("5"), D("2.5")], source="Carton", by=pharmacist,
    )  # fmt: skip
    assert (amended.is_signed, amended.storage, vial_sizes_g(amended)) == (False, "2-8 °C", (D("2.5"), D("5")))
    assert amended.sources["storage"]["source"] == amended.sources["vial_sizes_g"]["source"] == "Carton"
    assert events() == ["product.signed", "product.amended"]


def test_amending_a_product_refuses_to_leave_it_without_vials(pharmacist):
    product = make_product()
    with pytest.raises(RuleViolation) as refused:
        amend_product(product=product, changes={}, vial_sizes_g=[], source="Carton", by=pharmacist)
    assert (refused.value.codes, len(vial_sizes_g(product)), events()) == ({"vials-missing"}, 4, [])


NEW = {
    "dose_min_mg_per_kg": D("1000"),
    "dose_max_mg_per_kg": D("2000"),
    "days_max": 5,
    "max_mg_per_kg_per_min": D("8"),
    "at_risk_max_mg_per_kg_per_min": None,
}


def test_rates_added_for_another_indication_are_locked_until_signed(pharmacist):
    product, gbs = make_product(), make_indication(code="gbs")
    added = add_schedule(product=product, indication=gbs, changes=NEW, steps=LADDER, source="Guideline", by=pharmacist)
    assert (added.changed_by, usable(added), len(dosing_steps(added))) == (pharmacist, False, 5)
    assert {name for name, fact in added.sources.items() if fact["status"] == "U"} == {
        "dose_mg_per_kg", "days", "maximum", "start", "steps",
    }  # fmt: skip
    sign_schedule(schedule=added, checked_against=LABEL, by=pharmacist)
    assert (usable(added), events()) == (True, ["rateschedule.added", "rateschedule.signed"])


def test_adding_refuses_a_second_schedule_for_the_same_indication(pharmacist):
    have = make_rate_schedule()
    with pytest.raises(RuleViolation) as refused:
        add_schedule(
            product=have.product, indication=have.indication, changes=NEW, steps=LADDER, source=LABEL, by=pharmacist
        )
    assert (refused.value.codes, have.product.schedules.count(), events()) == ({"schedule-exists"}, 1, [])
