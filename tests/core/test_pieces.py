"""Recurring pieces: badges, problems by severity, the patient banner."""

import datetime as dt
from types import SimpleNamespace

import pytest
from django.template import Context, Template

from infusion_center.core import clock
from infusion_center.core.rules import blocker, needs_approval, note, warning
from infusions.pieces import FACES, face_of, grouped_by_severity
from infusions.scheduling.states import State
from infusions.templatetags.infusion_tags import wall_day
from patients.models import Allergy, RiskFactor
from tests.factories.accounts import make_staff
from tests.factories.patients import make_patient


def test_every_state_of_a_visit_has_a_face():
    assert [state.value for state in State if state.value not in FACES] == []


def test_a_state_without_a_face_keeps_its_word():
    assert face_of("half_done").word == "Half done"


def test_problems_are_grouped_gravest_first():
    low, high, middle = note("n", "N"), blocker("b", "B"), warning("w", "W")
    assert [(face.name, members) for face, members in grouped_by_severity([low, middle, high])] == [
        ("blocker", [high]),
        ("warning", [middle]),
        ("note", [low]),
    ]


def test_problems_kept_as_json_are_grouped_too():
    kept = {"code": "a", "severity": "approval", "message": "A"}
    assert [members for _, members in grouped_by_severity([kept])] == [[kept]]


def test_problems_panel_shows_remedy_as_link():
    problem = needs_approval("dose", "Too much.", remedy="Split it.", url="/split/")
    html = Template('{% include "components/_problems.html" %}').render(Context({"problems": [problem]}))
    assert '<a class="inline-link" href="/split/">Split it.</a>' in html


@pytest.mark.django_db
def test_patient_banner_tells_identity_and_alerts_in_one_query(django_assert_num_queries):
    patient = make_patient(family_name="Example", given_name="Ann", date_of_birth=dt.date(1961, 3, 12), kg="70.50")
    by = make_staff()
    Allergy.objects.create(patient=patient, code="latex", recorded_at=clock.now(), recorded_by=by)
    RiskFactor.objects.create(patient=patient, code="diabetes", recorded_at=clock.now(), recorded_by=by)
    RiskFactor.objects.create(
        patient=patient, code="sepsis", recorded_at=clock.now(), recorded_by=by, retracted_at=clock.now()
    )
    with django_assert_num_queries(1):
        html = Template("{% patient_banner patient %}").render(Context({"patient": patient}))
    shown = ["Example, Ann", "12-Mar-1961", "Female", patient.mrn, "70.5 kg", "Latex allergy", "Diabetes", "Sepsis"]
    assert [word for word in shown if word in html] == shown[:-1]


@pytest.mark.parametrize(
    ("site", "told"), [(SimpleNamespace(time_zone="America/New_York"), "26 Nov 2026"), (None, "27 Nov 2026")]
)
def test_a_day_is_told_by_the_clock_of_the_site(site, told):
    assert wall_day(dt.datetime(2026, 11, 27, 4, 30, tzinfo=dt.UTC), site) == told
