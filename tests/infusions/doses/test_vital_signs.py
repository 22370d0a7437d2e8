import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.core.rules import codes
from infusions.doses import running_rules as rules
from infusions.doses.course import course_of
from infusions.doses.finish_rules import sign_problems
from infusions.doses.models import DoseState, Phase, VitalSigns
from infusions.doses.services import end_infusion, end_observation, record_vital_signs, sign_dose
from infusions.scheduling.states import State
from tests.factories.doses import GOOD_SIGNS, make_dose_record
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import at
from tests.infusions.doses.test_running import refusal


@pytest.fixture
def running(make_visit):
    return make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))


def test_record_vital_signs_takes_the_phase_from_the_state(running, nurse_user):
    during = record_vital_signs(record=running, by=nurse_user, now=at(45), **GOOD_SIGNS)
    assert (during.phase, during.at, during.systolic) == (Phase.DURING, at(45), 122)
    end_infusion(record=running, stop_reason="Patient's wish", by=nurse_user, now=at(50))
    phases = [
        record_vital_signs(record=running, by=nurse_user, now=at(minute), **GOOD_SIGNS).phase for minute in (51, 80)
    ]
    assert phases == [Phase.END, Phase.OBSERVATION]


def test_what_was_left_out_at_the_end_can_be_measured_after_the_observation(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()), state=DoseState.OBSERVING)
    record.vital_signs.filter(phase=Phase.END).delete()
    first = {name: value for name, value in GOOD_SIGNS.items() if name != "temperature_c"}
    now = record.ended_at + dt.timedelta(minutes=1)
    record_vital_signs(record=record, by=nurse_user, now=now, **first)
    end_observation(record=record, reason="Patient's wish", by=nurse_user, now=now)
    assert [one.message for one in sign_problems(course_of(record)) if one.code == "vital-signs-end-missing"] == [
        "Vital signs at the end are missing: temperature."
    ]
    later = record_vital_signs(
        record=record, by=nurse_user, now=now + dt.timedelta(minutes=2), temperature_c=Decimal("36.8")
    )
    assert later.phase == Phase.END
    sign_dose(record=record, by=nurse_user, now=now + dt.timedelta(minutes=3))
    assert record.state == DoseState.SIGNED


@pytest.mark.parametrize(
    ("state", "phases"),
    [
        ("preparing", {"baseline"}),
        ("infusing", {"during", "end"}),
        ("paused", {"during", "end"}),
        ("observing", {"end", "observation"}),
        ("ended", {"end", "observation"}),
        ("signed", set()),
    ],
)
def test_vital_signs_belong_to_their_moment(make_visit, state, phases):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()), state=state)
    assert {phase for phase in Phase.values if not rules.phase_problems(record, phase)} == phases


def test_record_vital_signs_pressed_twice_is_kept_once(running, nurse_user):
    for minute in (45, 45.5):
        record_vital_signs(record=running, by=nurse_user, now=at(minute), **GOOD_SIGNS)
    assert VitalSigns.objects.filter(phase=Phase.DURING).count() == 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "vital-signs-empty"),
        ({"temperature_c": None, "pulse": None}, "vital-signs-empty"),
        ({"temperature_c": Decimal("366")}, "vital-sign-implausible"),
        ({"spo2_percent": 101}, "vital-sign-implausible"),
        ({"pulse": 7}, "vital-sign-implausible"),
        ({"systolic": 80, "diastolic": 120}, "pressure-swapped"),
    ],
)
def test_record_vital_signs_refuses_what_cannot_be(running, nurse_user, values, code):
    assert refusal(record_vital_signs, record=running, by=nurse_user, now=at(45), **values) == {code}
    assert not VitalSigns.objects.filter(phase=Phase.DURING).exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"temperature_c": Decimal("37.9")}, []),
        ({"temperature_c": Decimal("38.0")}, ["hold-temperature"]),
        ({"systolic": 90}, []),
        ({"systolic": 89}, ["hold-systolic"]),
        ({"systolic": 181}, ["hold-systolic"]),
        ({"pulse": 121, "spo2_percent": 93}, ["hold-pulse", "hold-spo2"]),
    ],
)
def test_hold_problems_by_the_limits_of_the_site(running, site, values, expected):
    signs = VitalSigns(**GOOD_SIGNS | values)
    site.refresh_from_db()
    assert codes(rules.hold_problems(signs, site)) == expected
