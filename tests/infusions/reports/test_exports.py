import csv
import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.csv_text import csv_lines
from infusions.doses.models import DoseState
from infusions.facility.models import SiteMembership
from infusions.reports.exports import download_visits
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.reports.test_clinical import make_reaction

pytestmark = pytest.mark.django_db
D = Decimal
HEADINGS = (
    "Visit,Site,Day,Start,End,Where,Chair,Nurse,Patient MRN,Product,State,Cancelled late,Why cancelled,"
    "Given g,Given mL,Wasted mL,Gravest reaction (CTCAE grade),Made up"
)
URL = "/reports/visits.csv?from=2026-03-16&to=2026-03-22"


@pytest.fixture
def cast(site):
    """What visits of one patient are made of: an order of Alphaglob, a chair and a nurse."""
    nurse = make_nurse(site=site)
    nurse.user.full_name = "Ada Example"
    nurse.user.save()
    product = make_product(name="Alphaglob", concentration_mg_per_ml=D("100"))
    order = make_order(patient=make_patient(mrn="MRN-77"), product=product)
    return {"site": site, "order": order, "nurse": nurse, "chair": make_chair(site=site, name="Chair 1")}


def visit(cast, day, **fields):
    return make_appointment(**cast, day=dt.date(2026, 3, day), **fields)


def lines_of(response) -> list[list[str]]:
    return list(csv.reader(response.getvalue().decode("utf-8-sig").splitlines()))


def test_visits_csv_has_one_line_per_visit_by_the_clock_of_the_site(client_for, cast):
    done = visit(cast, 16, state=State.COMPLETED)
    record = make_dose_record(done, state=DoseState.ENDED, volume_given_ml=D("295.50"), waste_ml=D("4.50"))
    for grade in (1, 3, 2):
        make_reaction(record, grade)
    that_morning = dt.datetime(2026, 3, 17, 12, tzinfo=dt.UTC)
    late = visit(cast, 17, at="13:15", state=State.CANCELLED, cancelled_at=that_morning, cancel_reason="By phone")
    ahead = visit(cast | {"chair": None}, 20, setting="home")
    visit(cast, 23)
    response = client_for("manager").get(URL)
    site, who = cast["site"].name, "Ada Example,MRN-77,Alphaglob 10%"
    expected = "\n".join(
        [
            HEADINGS,
            f"{done.public_id},{site},2026-03-16,09:00,13:00,In a chair,Chair 1,{who},Completed,,,29.55,295.50,4.50,3,",
            f"{late.public_id},{site},2026-03-17,13:15,17:15,In a chair,Chair 1,{who},Cancelled,yes,By phone,,,,,",
            f"{ahead.public_id},{site},2026-03-20,09:00,13:00,At home,,{who},Expected,,,,,,,",
        ]
    )
    text = response.getvalue().decode()
    assert list(csv.reader(text.removeprefix("\ufeff").splitlines())) == list(csv.reader(expected.splitlines()))
    assert text.startswith('\ufeff"Visit","Site"')
    assert response.streaming
    assert {name: response[name] for name in ("Content-Type", "Content-Disposition", "Cache-Control")} == {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": 'attachment; filename="visits-2026-03-16-to-2026-03-22.csv"',
        "Cache-Control": "no-store",
    }


def test_visits_csv_names_no_patient(client_for, cast):
    visit(cast, 16)
    patient = cast["order"].patient
    text = client_for("manager").get(URL).getvalue().decode()
    assert [name for name in (patient.family_name, patient.given_name) if name in text] == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_visits_csv_disarms_cells_that_a_spreadsheet_would_run(client_for, cast, start):
    visit(cast, 16, state=State.CANCELLED, cancel_reason=f"{start}HYPERLINK(1)")
    text = client_for("manager").get(URL).getvalue().decode()
    assert f"'{start}HYPERLINK(1)" in text
    assert f",{start}HYPERLINK" not in text
    assert f'"{start}HYPERLINK' not in text


def test_csv_lines_leave_harmless_cells_as_they_are():
    rows = [["a=b", "", "1-2", "Müller, Ada", 'said "no"', "'quoted"]]
    assert list(csv_lines(["One"], rows)) == [
        '\ufeff"One"\r\n',
        '"a=b","","1-2","Müller, Ada","said ""no""","\'quoted"\r\n',
    ]


def test_visits_csv_records_who_took_what(client_for, cast, manager):
    visit(cast, 16)
    visit(cast, 17)
    visit(cast, 23)
    client_for("manager").get(f"{URL}&site={cast['site'].public_id}")
    event = AuditEvent.objects.get(action="report.downloaded")
    site = cast["site"]
    assert (event.actor_id, event.target_type, event.target_id, event.site_id, event.detail) == (
        manager.pk,
        "site",
        site.public_id,
        site.public_id,
        {
            "what": "the list of visits",
            "sites": [site.public_id],
            "first_day": "2026-03-16",
            "last_day": "2026-03-22",
            "rows": 2,
        },
    )


def test_visits_csv_of_all_sites_holds_those_of_the_person_and_no_others(client_for, cast, manager):
    second, foreign = make_site(), make_site()
    SiteMembership.objects.create(site=second, user=manager)
    expected = {visit(cast, 16).public_id}
    expected.add(make_appointment(site=second, day=dt.date(2026, 3, 17)).public_id)
    make_appointment(site=foreign, day=dt.date(2026, 3, 17))
    lines = lines_of(client_for("manager").get(f"{URL}&site=all"))
    assert {line[0] for line in lines[1:]} == expected
    event = AuditEvent.objects.get(action="report.downloaded")
    assert (event.target_id, event.site_id, event.detail["rows"]) == (manager.public_id, "", 2)


def test_visits_csv_costs_the_same_for_any_number_of_visits(scope_of, cast, manager, django_assert_num_queries):
    for number, day in enumerate((16, 17, 18, 19)):
        visit(cast | {"order": make_order()}, day, state=State.CONFIRMED if number % 2 else State.EXPECTED)
        # Count, audit event with its savepoint, and the rows.
        with django_assert_num_queries(5):
            assert len(list(download_visits(scope=scope_of(cast["site"]), by=manager))) == number + 2


@pytest.mark.parametrize("query", ["from=2026-03-22&to=2026-03-16", "from=nonsense", "site=zzzzzzzzzzzzzz"])
def test_visits_csv_of_a_wrong_period_shows_the_errors_and_records_nothing(client_for, cast, query):
    response = client_for("manager").get(f"/reports/visits.csv?{query}")
    assert response["Content-Type"].startswith("text/html")
    assert "There is no report for this period" in response.content.decode()
    assert not AuditEvent.objects.exclude(action="access.denied").exists()


@pytest.mark.parametrize("role", ["scheduler", "nurse"])
def test_visits_csv_is_refused_to_roles_without_reports(client_for, cast, role):
    assert client_for(role).get(URL).status_code == 403
    assert not AuditEvent.objects.exclude(action="access.denied").exists()
