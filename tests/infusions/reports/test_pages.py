import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from infusions.doses.models import DoseState
from infusions.facility.models import ChairOutage, Closure, SiteMembership
from infusions.scheduling.states import State
from tests.factories.accounts import force_login
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.reports.test_clinical import make_infusion

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2026, 3, 16)
WEEK = "?from=2026-03-16&to=2026-03-22"


def period_of(page) -> tuple:
    scope = page.context["scope"]
    return scope.first_day, scope.last_day, [site.name for site in scope.sites]


def errors_of(page) -> dict:
    return {name: list(errors) for name, errors in page.context["form"].errors.items()}


def test_overview_shows_the_last_28_days_of_the_site_in_use(client_for, site):
    page = client_for("manager").get("/reports/")
    assert (page.status_code, period_of(page)) == (200, (dt.date(2026, 2, 19), dt.date(2026, 3, 18), [site.name]))
    assert 'value="2026-02-19"' in page.content.decode()


def test_overview_ends_with_the_local_day_of_the_site(staff, manager):
    far = make_site(name="A far one", time_zone="Pacific/Auckland")  # first by name; already Thursday there
    SiteMembership.objects.create(site=far, user=manager)
    client = Client()
    force_login(client, manager)
    assert period_of(client.get("/reports/"))[1:] == (dt.date(2026, 3, 19), ["A far one"])


def test_overview_shows_every_table(client_for, site):
    order = make_order()
    make_appointment(site=site, order=order, day=MONDAY, state=State.NO_SHOW)
    make_infusion(
        site, make_product(name="Alphaglob"), grades=(2,), volume_given_ml=Decimal("300"), waste_ml=Decimal("12.5")
    )
    page = client_for("manager").get(f"/reports/{WEEK}")
    text = page.content.decode()
    shown = [f'id="_{name}"' in text for name in ("figures", "visits", "chairs", "nurses", "reactions", "products")]
    assert shown == [True] * 6
    wanted = ["50.0%", "Alphaglob 10%", "100.0", "12.5 mL", "30 g", 'width="50.0"']
    assert [word for word in wanted if word not in text] == []
    assert f"/reports/visits.csv?from=2026-03-16&amp;to=2026-03-22&amp;site={site.public_id}" in text


def test_overview_is_empty_for_a_site_that_the_person_does_not_belong_to(client_for, site):
    foreign = make_site()
    make_appointment(site=foreign, day=MONDAY)
    page = client_for("manager").get(f"/reports/{WEEK}")
    assert page.context["visits"].total == 0
    assert "No visits on these days" in page.content.decode()
    assert "/reports/visits.csv" not in page.content.decode()
    page = client_for("manager").get(f"/reports/{WEEK}&site={foreign.public_id}")
    assert (errors_of(page), "scope" in page.context) == ({"site": ["Choose one of your sites."]}, False)
    assert foreign.name not in page.content.decode()


def test_overview_sums_all_sites_of_the_person(client_for, site, manager):
    second = make_site()
    SiteMembership.objects.create(site=second, user=manager)
    for place in (site, second, make_site()):
        make_appointment(site=place, day=MONDAY)
    page = client_for("manager").get(f"/reports/{WEEK}&site=all")
    assert (page.context["visits"].total, len(page.context["scope"].sites)) == (2, 2)


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("from=2026-03-22&to=2026-03-16", {"last_day": ["The last day lies before the first."]}),
        ("from=2025-03-16&to=2026-03-17", {"last_day": ["Choose at most 366 days at once."]}),
        ("from=", {"first_day": ["Choose a day."]}),
        ("from=31.02.2026", {"first_day": ["This is not a day, such as 2026-11-23."]}),
        ("from=0001-01-01&to=0001-01-02", {name: ["Choose a day from 2000 on."] for name in ("first_day", "last_day")}),
        ("from=9999-12-31&to=9999-12-31", {name: ["Choose a day before 2100."] for name in ("first_day", "last_day")}),
    ],
)
def test_overview_says_at_the_field_what_is_wrong_and_shows_no_report(client_for, query, errors):
    page = client_for("manager").get(f"/reports/?{query}")
    assert (page.status_code, errors_of(page), "scope" in page.context) == (200, errors, False)


def test_overview_keeps_what_was_typed(client_for):
    page = client_for("manager").get("/reports/?from=31.02.2026&to=2026-03-17").content.decode()
    assert 'value="31.02.2026"' in page
    assert 'value="2026-03-17"' in page


def test_overview_of_366_days_is_allowed(client_for):
    page = client_for("manager").get("/reports/?from=2024-01-01&to=2024-12-31")
    assert errors_of(page) == {}


def test_overview_tells_who_belongs_to_no_site(manager):
    SiteMembership.objects.all().delete()
    client = Client()
    force_login(client, manager)
    for address in ("/reports/", "/reports/visits.csv"):
        assert "You do not belong to a site yet" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("manager", 200), ("pharmacist", 200), ("scheduler", 403), ("nurse", 403)]
)
def test_overview_is_for_roles_that_read_reports(client_for, role, status):
    assert client_for(role).get("/reports/").status_code == status


def test_overview_takes_no_post(client_for):
    assert client_for("manager").post("/reports/").status_code == 405


def test_overview_costs_the_same_for_any_number_of_rows(client_for, site, manager):
    client = client_for("manager")
    client.get("/reports/")

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(f"/reports/{WEEK}&site=all").context["visits"].total
        return len(queries)

    second = make_site()
    SiteMembership.objects.create(site=second, user=manager)
    make_infusion(site, make_product(), grades=(1,))
    first = cost()
    for place in (site, second):
        for number in range(3):
            day = MONDAY + dt.timedelta(days=number)
            chair = make_chair(site=place)
            at = dt.datetime(2026, 3, 16, 14, tzinfo=dt.UTC)
            ChairOutage.objects.create(chair=chair, starts_at=at, ends_at=at + dt.timedelta(hours=1), reason="Pump")
            Closure.objects.create(site=place, starts_on=day, ends_on=day, reason=f"Floor {number}")
            make_shift(nurse=make_nurse(site=place), site=place, day=day)
            make_infusion(place, make_product(), day=day, grades=(1, 2), state=DoseState.OBSERVING)
    assert cost() == first
