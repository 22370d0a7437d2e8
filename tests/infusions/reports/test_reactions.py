"""Where reactions gather: products, months, lots and rates, with those learned of after signing."""

import csv
import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.doses.models import DoseState
from infusions.doses.reaction_models import LateReaction, Reaction
from infusions.reports.reaction_picture import picture_of
from infusions.reports.reactions import AFTER, Line, band_of, is_hint, month_range, reaction_report
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.infusions.reports.test_clinical import MONDAY, make_infusion

pytestmark = pytest.mark.django_db
D = Decimal
YEAR = {"first": dt.date(2026, 1, 1), "last": dt.date(2026, 3, 31)}
PERIOD = "?from=2026-01-01&to=2026-03-31"


def react(record, grade, **fields):
    at, by = record.started_at + dt.timedelta(minutes=20), record.appointment.nurse.user
    values = {"kind": "headache", "onset_at": at, "action": "Slower", "recorded_at": at, "recorded_by": by}
    return Reaction.objects.create(record=record, grade=grade, **values | fields)


def react_late(record, grade):
    by, day = record.appointment.nurse.user, record.started_at.date()
    values = {"kind": "thrombosis", "onset_on": day, "action": "Hospital", "learned_from": "Letter"}
    return LateReaction.objects.create(
        record=record, grade=grade, recorded_at=record.started_at, recorded_by=by, **values
    )


@pytest.fixture
def alpha(db):
    return make_product(name="Alphaglob", concentration_mg_per_ml=D("100"))


def test_a_late_reaction_counts_with_its_infusion(site, alpha, scope_of):
    signed = make_infusion(site, alpha, state=DoseState.SIGNED)
    react_late(signed, 4)
    react(make_infusion(site, alpha), 1)
    make_infusion(site, alpha, state=DoseState.PREPARING)
    report = reaction_report(scope_of(site))
    line = Line("Alphaglob 10%", 2, (1, 0, 0, 1, 0), 1)
    assert (report.products, report.total) == ((line,), Line("All", 2, (1, 0, 0, 1, 0), 1))
    assert (line.per_100, line.grave, line.grave_per_100) == (D("100.0"), 1, D("50.0"))


def test_months_of_the_visit_are_those_of_the_trend_and_none_is_left_out(site, alpha, scope_of):
    react(make_infusion(site, alpha, day=dt.date(2026, 1, 12)), 2)
    make_infusion(site, alpha, day=dt.date(2026, 1, 13))
    react(make_infusion(site, alpha, day=MONDAY), 3)
    report = reaction_report(scope_of(site, **YEAR))
    assert report.months == ("2026-01", "2026-02", "2026-03")
    [(name, lines)] = report.trend
    assert (name, [(line.infusions, line.grades) for line in lines]) == (
        "Alphaglob 10%",
        [(2, (0, 1, 0, 0, 0)), (0, (0, 0, 0, 0, 0)), (1, (0, 0, 1, 0, 0))],
    )


def test_a_lot_counts_the_reactions_that_name_it_or_all_lots_of_the_dose(site, alpha, scope_of):
    record = make_infusion(site, alpha, lot="L1")
    record.vials.filter(pk=record.vials.first().pk).update(lot="L2")
    react(record, 1, lots=["L2"])
    react(record, 2, lots=None)
    make_infusion(site, alpha, lot="L1")
    make_infusion(site, alpha, lot="L3")  # no reaction: not listed
    lots = [(one.line.label, one.line.infusions, one.line.grades) for one in reaction_report(scope_of(site)).lots]
    assert lots == [("L2", 1, (1, 1, 0, 0, 0)), ("L1", 2, (0, 1, 0, 0, 0))]


@pytest.mark.parametrize(
    ("reactions", "infusions", "expected"),
    [
        (3, 9, True),  # 33 of 100 against the product's 10
        (3, 10, False),  # exactly three times
        (2, 2, False),  # too few to say anything
        (3, 0, False),
    ],
)
def test_a_lot_is_hinted_at_from_three_reactions_and_three_times_the_products_rate_on(reactions, infusions, expected):
    product = Line("Alphaglob 10%", 100, (10, 0, 0, 0, 0), 0)
    assert is_hint(Line("L1", infusions, (reactions, 0, 0, 0, 0), 0), product) is expected


@pytest.mark.parametrize(
    ("rate", "label"),
    [
        ("0.5", "up to 0.5 mg/kg/min"),
        ("0.51", "0.5 to 1 mg/kg/min"),
        ("2", "1 to 2 mg/kg/min"),
        ("8", "4 to 8 mg/kg/min"),
        ("8.01", "above 8 mg/kg/min"),
        (None, AFTER),
    ],
)
def test_bands_hold_their_upper_end(rate, label):
    assert band_of(D(rate) if rate else None) == label


def test_reactions_fall_into_the_band_of_the_rate_they_came_at(site, alpha, scope_of):
    record = make_infusion(site, alpha)  # 70 kg, 10 %: 84 mL/h are 2 mg/kg/min
    react(record, 1, rate_ml_per_h=84)
    react(record, 2, rate_ml_per_h=85)
    react(record, 3, rate_ml_per_h=None)
    bands = [(one.label, one.grades, one.percent) for one in reaction_report(scope_of(site)).bands if one.reactions]
    assert bands == [
        ("1 to 2 mg/kg/min", (1, 0, 0, 0, 0), D("33.3")),
        ("2 to 4 mg/kg/min", (0, 1, 0, 0, 0), D("33.3")),
        (AFTER, (0, 0, 1, 0, 0), D("33.3")),
    ]


def test_other_days_and_foreign_sites_are_left_out(site, alpha, scope_of):
    react(make_infusion(site, alpha, day=MONDAY - dt.timedelta(days=1)), 4)
    foreign = make_site()
    react(make_infusion(foreign, alpha), 5)
    report = reaction_report(scope_of(site, foreign))
    assert (report.total, report.products, report.lots) == (Line("All", 0, (0, 0, 0, 0, 0), 0), (), ())


def test_the_report_costs_the_same_for_one_and_for_many(site, alpha, scope_of):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            reaction_report(scope_of(site))
        return len(queries)

    react(make_infusion(site, alpha), 1)
    first = cost()
    for _ in range(3):
        record = make_infusion(site, make_product(), state=DoseState.SIGNED)
        react_late(record, 2)
    assert (first, cost()) == (6, 6)


def test_month_range_crosses_the_year():
    assert month_range({"2025-11", "2026-02"}) == ("2025-11", "2025-12", "2026-01", "2026-02")
    assert month_range([]) == ()


def test_columns_of_the_picture_share_a_scale_and_their_feet_are_the_grave_ones():
    lines = [Line("2026-01", 10, (3, 0, 1, 0, 0), 0), Line("2026-02", 0, (0, 0, 0, 0, 0), 0)]
    others = [Line("2026-01", 10, (2, 0, 0, 0, 0), 0), lines[1]]
    picture = picture_of([("Alphaglob 10%", lines), ("Beta", others)], ("2026-01", "2026-02"))
    heights = [[(one.height, one.grave_height, one.words) for one in row.columns] for row in picture.rows]
    assert heights == [[(56, 14, "40"), (0, 0, "")], [(28, 0, "20"), (0, 0, "")]]
    assert picture_of([], ()) is None


def test_the_page_draws_the_picture_and_flags_the_lot(client_for, site, alpha):
    for _ in range(3):
        react(make_infusion(site, alpha, lot="BAD1"), 3)
    for _ in range(7):
        make_infusion(site, alpha, lot="GOOD")
    page = client_for("pharmacist").get(reverse("reports:reactions") + PERIOD).content.decode()
    wanted = [
        'role="img"',
        "<title",
        "<desc",
        "2026-03: 3 reactions in 10 infusions, 3 grave",
        "look closer",
        "no proof",
    ]
    assert [word for word in wanted if word not in page] == []


def test_the_file_lists_each_reaction_and_the_download_is_recorded(client_for, site, alpha):
    record = make_infusion(site, alpha, state=DoseState.SIGNED, lot="L1")
    react_late(record, 4)
    react(
        make_infusion(site, alpha, lot="L2", is_test=True), 1, rate_ml_per_h=84, volume_ml=D("45.50"), action="=cmd()"
    )
    answer = client_for("manager").get(reverse("reports:reactions-csv") + PERIOD)
    rows = [row[5:] for row in csv.reader(line.decode() for line in answer.streaming_content)]
    assert rows[0][:4] == ["Lots", "Reaction", "CTCAE grade", "Began"]
    assert sorted(rows[1:]) == [
        ["L1", "Thrombosis", "4", "2026-03-16", "yes", "", "", "", "Hospital", ""],
        ["L2", "Headache", "1", "2026-03-16 09:50", "no", "84.00", "2.00", "45.50", "'=cmd()", "yes"],
    ]
    event = AuditEvent.objects.get(action="report.downloaded")
    assert (event.detail["what"], event.detail["rows"]) == ("the list of reactions", 2)
