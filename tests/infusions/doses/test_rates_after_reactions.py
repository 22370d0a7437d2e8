"""Where reactions, pauses and a cap that fell meanwhile meet: no way round leads to a faster rate than the rules allow.

The factory starts at minute 30: 21, 42, 84, 168, 336 mL/h; at risk the cap is 138.6 mL/h.
"""

from decimal import Decimal

import pytest
from django.urls import reverse

from infusion_center.core.rules import RuleViolation
from infusions.doses import running_rules
from infusions.doses.course import course_of
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.reaction_cards import reaction_cards
from infusions.doses.services import (
    change_rate,
    pause_infusion,
    record_reaction,
    resume_infusion,
    slow_for_reaction,
    stay_at_rate,
)
from infusions.scheduling.states import State
from patients.services import record_risk
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.facility import make_nurse
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import at


@pytest.fixture
def record(make_visit):
    return make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))


def fresh(record):
    return course_of(DoseRecord.objects.get(pk=record.pk))


def react(record, by, grade, now, **more):
    return record_reaction(record=record, kind="headache", grade=grade, action="Watched", by=by, now=now, **more)


def refusal(service, **arguments) -> set[str]:
    with pytest.raises(RuleViolation) as refused:
        service(**arguments)
    return refused.value.codes


def rates_of(record) -> list[tuple]:
    return list(record.rates.order_by("at", "pk").values_list("kind", "rate_ml_per_h"))


def test_slowing_goes_below_a_cap_that_fell_meanwhile(record, nurse_user):
    make_rate(record, "step", at(60), 336, step=5)
    reaction = react(record, nurse_user, 1, at(61))
    record_risk(patient=record.patient, code="thrombosis_history", by=nurse_user)
    slow_for_reaction(reaction=reaction, by=nurse_user, now=at(62))
    assert rates_of(record)[-1] == ("change", Decimal("138.6"))
    assert reaction.steps.get().note == "to 138.6 mL/h"


@pytest.mark.parametrize(("came_at", "half"), [("25.1", "12.5"), ("25.5", "12.7"), ("84", "42")])
def test_half_of_the_rate_is_never_rounded_up(record, nurse_user, came_at, half):
    make_rate(record, "change", at(60), came_at)
    react(record, nurse_user, 2, at(61))
    assert running_rules.resume_rate_ml_per_h(fresh(record)) == Decimal(half)


def test_of_two_reactions_in_one_pause_the_one_at_the_lower_rate_counts(record, nurse_user):
    make_rate(record, "step", at(60), 42, step=2)
    react(record, nurse_user, 2, at(70), onset_at=at(50))  # at 21 mL/h
    react(record, nurse_user, 2, at(71), onset_at=at(65))  # at 42 mL/h
    assert running_rules.resume_rate_ml_per_h(fresh(record)) == Decimal("10.5")


def test_a_pause_is_no_way_back_to_the_rate_of_a_reaction(record, nurse_user):
    make_rate(record, "step", at(60), 42, step=2)
    react(record, nurse_user, 1, at(65))
    pause_infusion(record=record, by=nurse_user, now=at(66))
    before = rates_of(record)
    resume = {"record": record, "rate_ml_per_h": Decimal(42), "by": nurse_user, "now": at(70)}
    assert (refusal(resume_infusion, **resume), rates_of(record)) == ({"rate-after-reaction"}, before)
    resume_infusion(**resume | {"rate_ml_per_h": Decimal(21)})
    assert rates_of(record)[-1] == ("resume", 21)


def test_nobody_stays_at_a_rate_above_a_cap_that_fell_meanwhile(record, nurse_user):
    make_rate(record, "step", at(60), 168, step=4)
    record_risk(patient=record.patient, code="thrombosis_history", by=nurse_user)
    before = rates_of(record)
    stay = {"record": record, "reason": "Headache", "by": nurse_user}
    assert (refusal(stay_at_rate, now=at(61), **stay), rates_of(record)) == ({"rate-above-cap"}, before)
    change_rate(record=record, rate_ml_per_h=Decimal(84), by=nurse_user, now=at(62))
    stay_at_rate(now=at(63), **stay)
    assert rates_of(record)[-1] == ("hold", 84)


def test_a_value_outside_the_limits_holds_until_that_value_is_measured_again(record, nurse_user):
    make_vital_signs(record, "during", at(60), systolic=85)
    make_vital_signs(record, "during", at(62), **dict.fromkeys(("temperature_c", "systolic", "diastolic")))
    codes = [problem.code for problem in running_rules.hold_now(fresh(record), at(63))]
    make_vital_signs(record, "during", at(64))
    assert (codes, running_rules.hold_now(fresh(record), at(65))) == (["hold-systolic"], [])


def test_the_same_reaction_pressed_twice_within_a_minute_is_one(record, nurse_user):
    first = react(record, nurse_user, 1, at(60))
    assert react(record, nurse_user, 1, at(60.5), onset_at=at(60.4)) == first
    assert react(record, nurse_user, 2, at(60.6)) != first
    assert [one.grade for one in record.reactions.order_by("grade")] == [1, 2]


def test_a_second_press_of_a_grave_reaction_is_one_too(record, nurse_user):
    first = react(record, nurse_user, 3, at(60))
    assert react(record, nurse_user, 3, at(60.5)) == first
    assert (record.reactions.count(), [kind for kind, _ in rates_of(record)]) == (1, ["start", "stop"])


def test_the_page_offers_to_resume_within_the_cap_of_now(record, site, nurse_user, client_for, morning):
    make_rate(record, "step", at(60), 168, step=4)
    pause_infusion(record=record, by=nurse_user, now=at(61))
    record_risk(patient=record.patient, code="thrombosis_history", by=nurse_user)
    make_nurse(user=nurse_user, site=site)
    morning.move_to(at(62))
    page = client_for("nurse").get(reverse("doses:dose-detail", args=[record.appointment.public_id]))
    assert page.context["forms"]["resume"].initial["rate_ml_per_h"] == "138.6"


def test_treatment_is_recorded_from_the_card_with_its_reaction_chosen(record, site, nurse_user, client_for, morning):
    reaction = react(record, nurse_user, 2, at(60))
    morning.move_to(at(61))
    client = client_for("nurse")
    detail = reverse("doses:dose-detail", args=[record.appointment.public_id])
    link = f"{detail}?do=medication&reaction={reaction.public_id}"
    assert link.replace("&", "&amp;") in client.get(detail).content.decode()
    page = client.get(link)
    form = page.context["forms"]["medication"]
    assert (page.status_code, page.context["act"]) == (200, "medication")
    assert (form["reaction"].value(), form["purpose"].value()) == (reaction.public_id, "reaction")
    assert f"preset=0&amp;reaction={reaction.public_id}" in page.content.decode()


def test_another_doses_reaction_is_not_chosen(record, make_visit, nurse_user, client_for, morning):
    other = make_dose_record(make_visit(state=State.IN_PROGRESS), state=DoseState.INFUSING)
    strange = react(other, nurse_user, 2, at(60))
    morning.move_to(at(61))
    detail = reverse("doses:dose-detail", args=[record.appointment.public_id])
    form = (
        client_for("nurse").get(f"{detail}?do=medication&reaction={strange.public_id}").context["forms"]["medication"]
    )
    assert form["reaction"].value() is None


def test_a_card_slows_to_the_cap_where_the_tolerated_rate_is_above_it(record, nurse_user):
    make_rate(record, "step", at(60), 336, step=5)
    react(record, nurse_user, 1, at(61))
    record_risk(patient=record.patient, code="thrombosis_history", by=nurse_user)
    [card] = reaction_cards(fresh(record), Decimal("138.6"))
    assert card.slow_to == Decimal("138.6")
