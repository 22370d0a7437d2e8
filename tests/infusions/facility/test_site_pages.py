import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Closure, OpeningHours, Site
from infusions.facility.site_forms import SiteForm
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_site
from tests.factories.scheduling import make_appointment, next_weekday

pytestmark = pytest.mark.django_db


def settings_of(site, **changes):
    """What the browser would post for the site as it is, with changes; None leaves a field out."""
    form = SiteForm(instance=site)
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in (values | changes).items() if value is not False}


def week(**changes):
    hours = {f"{side}_{day}": time for day in range(5) for side, time in (("opens", "08:00"), ("closes", "18:00"))}
    return hours | changes


def test_site_choose_switches_the_site_in_use(client_for, staff):
    other = make_site(name="Zebra Center")
    other.memberships.create(user=staff["nurse"])
    client = client_for("nurse")
    answer = client.post("/site/choose/", {"site": other.public_id, "next": "/roster/"})
    assert answer.headers["Location"] == "/roster/"
    assert "Zebra Center" in client.get("/roster/").content.decode()


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "word", ""])
def test_site_choose_never_leads_away(client_for, site, following):
    answer = client_for("nurse").post("/site/choose/", {"site": site.public_id, "next": following})
    assert answer.headers["Location"] == "/"


def test_site_choose_of_a_strange_site_is_not_found(client_for):
    strange = make_site()
    client = client_for("manager")
    assert [client.post("/site/choose/", {"site": public_id}).status_code for public_id in (strange.public_id, "")] == [
        404,
        404,
    ]
    assert client.get("/site/choose/").status_code == 405


def test_site_edit_saves_settings(client_for, site):
    posted = settings_of(site, preparation_minutes="45", reminder_days="1, 7 3", hold_temperature_c="37.8")
    answer = client_for("manager").post("/site/", posted)
    assert answer.headers["Location"] == "/site/"
    site.refresh_from_db()
    assert (site.preparation_minutes, site.reminder_days, str(site.hold_temperature_c)) == (45, [7, 3, 1], "37.8")
    assert AuditEvent.objects.get().detail["changed"] == ["hold_temperature_c", "preparation_minutes", "reminder_days"]


def test_site_edit_saves_what_makes_a_start_good(client_for, site):
    weights = {"weight_level": "0", "weight_chairs": "10", "weight_wishes": "1", "weight_due": "4"}
    client_for("manager").post("/site/", settings_of(site, **weights))
    site.refresh_from_db()
    assert {name: str(getattr(site, name)) for name in weights} == weights
    assert AuditEvent.objects.get().detail["changed"] == sorted(weights)


def test_site_edit_saves_which_mails_go_and_what_links_do(client_for, site):
    posted = {"sends_hydration_mail": False, "sends_after_care_mail": False, "sends_day_sheet": True}
    posted |= {"move_requests": "call_back", "cancel_cutoff_hours": "48"}
    client = client_for("manager")
    assert "Reminders and links" in client.get("/site/").content.decode()
    client.post("/site/", settings_of(site, **posted))
    site.refresh_from_db()
    assert {name: getattr(site, name) for name in posted} == posted | {"cancel_cutoff_hours": 48}
    assert AuditEvent.objects.get().detail["changed"] == sorted(posted)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("move_requests", "shout"),
        ("cancel_cutoff_hours", "169"),
        ("cancel_cutoff_hours", "-1"),
        ("name", ""),
        ("time_zone", "Mars/Olympus"),
        ("reminder_days", "3, x"),
        ("reminder_days", "0"),
        ("reminder_days", "1 2 3 4 5 6"),
        ("default_ratio", "7"),
        ("weight_level", "11"),
        ("weight_due", "-1"),
        ("hold_systolic_high", "80"),
        ("hold_pulse_high", "50"),
        ("country", "ZZ"),
        ("region", "QQ"),
        ("quiet_from", "25:00"),
        ("email", "nobody"),
    ],
)
def test_site_edit_keeps_the_input_and_says_what_is_wrong(client_for, site, field, typed):
    answer = client_for("manager").post("/site/", settings_of(site, preparation_minutes="77", **{field: typed}))
    assert (answer.status_code, set(answer.context["form"].errors)) == (200, {field})
    assert 'value="77"' in answer.content.decode()
    site.refresh_from_db()
    assert (site.preparation_minutes, AuditEvent.objects.count()) == (30, 0)


def test_site_edit_asks_for_a_reason_before_it_moves_booked_visits(client_for, site):
    make_appointment(site=site)
    client = client_for("manager")
    page = client.post("/site/", settings_of(site, time_zone="America/Chicago")).content.decode()
    assert ("would start at another time by the clock" in page, '<textarea name="override_reason"' in page) == (
        True,
        True,
    )
    client.post("/site/", settings_of(site, time_zone="America/Chicago", override_reason="Entered wrongly"))
    site.refresh_from_db()
    assert site.time_zone == "America/Chicago"


def test_site_create_makes_a_site_and_puts_it_in_use(client_for, site):
    client = client_for("manager")
    answer = client.post("/site/new/", settings_of(site, name="Second Center"))
    assert answer.headers["Location"] == "/site/hours/"
    assert client.get("/site/").context["site"] == Site.objects.get(name="Second Center")


def test_site_create_refuses_a_taken_name(client_for, site):
    answer = client_for("manager").post("/site/new/", settings_of(site))
    assert (set(answer.context["form"].errors), Site.objects.count()) == ({"name"}, 1)


def test_hours_edit_saves_the_week(client_for, site):
    client = client_for("manager")
    assert 'name="opens_0" value="08:00"' in client.get("/site/hours/").content.decode()
    client.post("/site/hours/", week(opens_5="09:00", closes_5="12:30", opens_0="", closes_0=""))
    rows = OpeningHours.objects.filter(site=site).values_list("weekday", "closes")
    assert list(rows)[-1] == (5, dt.time(12, 30))
    assert rows.count() == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"opens_2": ""}, "opens_2"),
        ({"closes_2": ""}, "closes_2"),
        ({"closes_2": "07:00"}, "closes_2"),
        ({"opens_6": "x"}, "opens_6"),
    ],
)
def test_hours_edit_says_what_is_wrong(client_for, site, changes, field):
    answer = client_for("manager").post("/site/hours/", week(**changes))
    assert (set(answer.context["form"].errors), AuditEvent.objects.count()) == ({field}, 0)


def test_hours_edit_asks_for_a_reason_when_visits_lie_outside(client_for, site):
    make_appointment(site=site, at="13:30", minutes=270)
    shorter = week(**{f"closes_{day}": "17:00" for day in range(5)})
    page = client_for("manager").post("/site/hours/", shorter).content.decode()
    assert "1 booked visit would lie outside the new hours" in page
    assert AuditEvent.objects.count() == 0


def test_members_are_added_and_removed(client_for, site):
    person, client = make_staff(full_name="Pat Newcomer"), client_for("manager")
    client.post("/site/members/add/", {"user": person.pk})
    assert site.memberships.filter(user=person).exists()
    assert "Pat Newcomer" in client.get("/site/members/").content.decode()
    client.post(f"/site/members/{person.public_id}/remove/")
    assert not site.memberships.filter(user=person).exists()


def test_members_page_refuses_to_remove_oneself_and_strangers(client_for, site, manager):
    client = client_for("manager")
    client.post(f"/site/members/{manager.public_id}/remove/")
    assert site.memberships.filter(user=manager).exists()
    assert client.post(f"/site/members/{make_staff().public_id}/remove/").status_code == 404
    assert client.post("/site/members/add/", {"user": ""}).status_code == 200


def test_closure_list_shows_the_year(client_for, site):
    Closure.objects.create(site=site, starts_on=dt.date(2027, 5, 3), ends_on=dt.date(2027, 5, 4), reason="New floor")
    Closure.objects.create(
        site=make_site(), starts_on=dt.date(2027, 5, 3), ends_on=dt.date(2027, 5, 4), reason="Elsewhere"
    )
    client = client_for("nurse")
    assert "New floor" not in client.get("/closures/?year=2026").content.decode()
    page = client.get("/closures/?year=2027").content.decode()
    assert ("New floor" in page, "Elsewhere" in page, "Close days" in page) == (True, False, False)
    assert client.get("/closures/?year=99999").status_code == 200


def test_closure_is_added_and_removed(client_for, site):
    client, day = client_for("manager"), next_weekday(site)
    answer = client.post("/closures/new/", {"starts_on": day.isoformat(), "reason": "Training"})
    assert answer.headers["Location"] == "/closures/"
    closure = Closure.objects.get()
    assert (closure.starts_on, closure.ends_on) == (day, day)
    client.post(f"/closures/{closure.public_id}/remove/")
    assert Closure.objects.count() == 0


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({"starts_on": "", "reason": "Kept words"}, "starts_on"),
        ({"starts_on": "2027-05-03", "ends_on": "2027-05-02", "reason": "Kept words"}, "ends_on"),
        ({"starts_on": "2027-05-03", "reason": ""}, "reason"),
    ],
)
def test_closure_create_keeps_the_input(client_for, site, posted, field):
    answer = client_for("manager").post("/closures/new/", posted)
    assert (set(answer.context["form"].errors), Closure.objects.count()) == ({field}, 0)
    if posted["reason"]:
        assert "Kept words" in answer.content.decode()


def test_closure_over_booked_visits_leads_to_them(client_for, site):
    visit = make_appointment(site=site)
    day = visit.local_start[:10]
    answer = client_for("manager").post("/closures/new/", {"starts_on": day, "reason": "Burst pipe"})
    assert (answer.url, Closure.objects.get().reason) == (
        f"/cover/?site={site.public_id}&from={day}&to={day}",
        "Burst pipe",
    )


def test_holidays_are_offered_and_added(client_for, site):
    client = client_for("manager")
    assert "Thanksgiving Day" in client.get("/closures/holidays/?year=2027").content.decode()
    client.post("/closures/holidays/?year=2027", {"days": ["2027-11-25"]})
    assert list(site.closures.values_list("reason", "is_holiday")) == [("Thanksgiving Day", True)]
    assert client.post("/closures/holidays/?year=2027", {"days": ["2027-11-26"]}).status_code == 200
    assert site.closures.count() == 1


def test_holidays_of_an_unknown_country_lead_back(client_for, site):
    Site.objects.filter(pk=site.pk).update(country="ZZ")
    answer = client_for("manager").get("/closures/holidays/", follow=True)
    assert "No public holidays are known for ZZ" in answer.content.decode()


MANAGED = [
    "/site/",
    "/site/new/",
    "/site/hours/",
    "/site/members/",
    "/closures/new/",
    "/closures/holidays/",
    "/chairs/new/",
    "/nurses/",
    "/nurses/new/",
    "/roster/shifts/new/",
]


@pytest.mark.parametrize("path", MANAGED)
def test_managed_pages_open_for_the_manager_only(client_for, path):
    answers = {role: client_for(role).get(path).status_code for role in ("scheduler", "nurse", "pharmacist", "manager")}
    assert answers == {"scheduler": 403, "nurse": 403, "pharmacist": 403, "manager": 200}


@pytest.mark.parametrize("path", [*MANAGED, "/roster/", "/chairs/", "/closures/"])
def test_pages_tell_who_belongs_to_no_site(client, path):
    force_login(client, make_staff(role="manager"))
    answer = client.get(path)
    assert answer.status_code == 200
    assert ("You do not belong to a site yet" in answer.content.decode()) == (path != "/site/new/")
