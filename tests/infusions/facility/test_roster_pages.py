import datetime as dt

import pytest

from infusion_center.core import clock
from infusions.facility.models import Chair, ChairOutage, Nurse, Setting, Shift
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2027, 3, 8)


def shift_of(nurse, **changes):
    return {
        "nurse": nurse.pk,
        "days": ["2027-03-08"],
        "starts": "09:00",
        "ends": "17:00",
        "setting": "facility",
        "ratio": "3",
        **changes,
    }


def test_roster_week_shows_shifts_by_the_clock_of_the_site(client_for, site):
    make_shift(nurse=make_nurse(site=site), site=site, day=dt.date(2027, 3, 15), start="07:30", end="16:00")
    make_shift(
        nurse=make_nurse(site=site, visits_homes=True), site=site, day=dt.date(2027, 3, 16), setting=Setting.HOME
    )
    page = client_for("scheduler").get("/roster/?week=2027-03-17").content.decode()
    assert ("07:30–16:00" in page, "08:00–18:00" in page, "1 at home" in page) == (True, True, True)
    assert "/roster/shifts/" not in page


def test_roster_week_counts_visits_and_marks_days_without_a_nurse(client_for, site):
    visit = make_appointment(site=site)
    Shift.objects.all().delete()
    answer = client_for("manager").get(f"/roster/?week={visit.local_start[:10]}")
    day = next(day for day in answer.context["week"].days if day.day.isoformat() == visit.local_start[:10])
    assert (day.visits, day.nurses, day.lacks_nurse) == (1, 0, True)
    assert "no nurse" in answer.content.decode()


@pytest.mark.parametrize("week", ["", "x", "2027-13-01", "0001-01-01", "9999-12-31"])
def test_roster_week_survives_any_week(client_for, site, week):
    assert client_for("nurse").get(f"/roster/?week={week}").status_code == 200


def test_roster_week_costs_the_same_however_many_nurses(client_for, site, django_assert_max_num_queries):
    for _ in range(6):
        make_shift(nurse=make_nurse(site=site), site=site, day=MONDAY)
    client = client_for("manager")
    with django_assert_max_num_queries(12):
        client.get("/roster/?week=2027-03-08")


def test_shift_create_adds_the_days_that_were_ticked(client_for, site):
    nurse, client = make_nurse(site=site), client_for("manager")
    page = client.get(f"/roster/shifts/new/?day=2027-03-10&nurse={nurse.public_id}").content.decode()
    assert ('value="2027-03-10"' in page, f'value="{nurse.pk}" selected' in page) == (True, True)
    answer = client.post("/roster/shifts/new/?day=2027-03-10", shift_of(nurse, days=["2027-03-08", "2027-03-12"]))
    assert answer.headers["Location"] == "/roster/?week=2027-03-08"
    assert [(shift.starts_at, shift.ratio) for shift in nurse.shifts.all()] == [
        (clock.from_local(day, dt.time(9), site.time_zone), 3) for day in (MONDAY, dt.date(2027, 3, 12))
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"nurse": ""}, "nurse"),
        ({"days": []}, "days"),
        ({"days": ["2027-03-20"]}, "days"),
        ({"starts": "later"}, "starts"),
        ({"ratio": "9"}, "ratio"),
        ({"setting": "home"}, "setting"),
        ({"days": ["2027-03-14"], "starts": "02:30", "ends": "08:00"}, "starts"),
    ],
)
def test_shift_create_keeps_the_input_and_says_what_is_wrong(client_for, site, changes, field):
    posted = shift_of(make_nurse(site=site)) | {"ends": "16:59"} | changes
    answer = client_for("manager").post("/roster/shifts/new/?day=2027-03-08", posted)
    assert (set(answer.context["form"].errors), Shift.objects.count()) == ({field}, 0)
    assert posted["ends"] in answer.content.decode()


def test_shift_create_refuses_an_overlap_beside_the_nurse(client_for, site):
    nurse = make_nurse(site=site)
    make_shift(nurse=nurse, site=site, day=MONDAY)
    answer = client_for("manager").post("/roster/shifts/new/?day=2027-03-08", shift_of(nurse))
    assert (set(answer.context["form"].errors), Shift.objects.count()) == ({"nurse"}, 1)


def test_shift_remove_asks_and_removes(client_for, site):
    shift, client = make_shift(nurse=make_nurse(site=site), site=site, day=MONDAY), client_for("manager")
    url = f"/roster/shifts/{shift.public_id}/remove/"
    assert "08:00" in client.get(url).content.decode()
    assert client.post(url).headers["Location"] == "/roster/?week=2027-03-08"
    assert Shift.objects.count() == 0


def test_shift_remove_under_booked_visits_takes_a_reason(client_for, site):
    shift = make_appointment(site=site).nurse.shifts.get()
    client, url = client_for("manager"), f"/roster/shifts/{shift.public_id}/remove/"
    page = client.get(url).content.decode()
    assert ("1 booked visit would be left without a nurse" in page, '<textarea name="override_reason"' in page) == (
        True,
        True,
    )
    assert client.post(url).status_code == 200
    assert Shift.objects.count() == 1
    client.post(url, {"override_reason": "Ill"})
    assert Shift.objects.count() == 0


def test_week_copy_says_what_it_did(client_for, site):
    make_shift(nurse=make_nurse(site=site), site=site, day=MONDAY)
    client = client_for("manager")
    page = client.post("/roster/copy/", {"week": "2027-03-15"}, follow=True).content.decode()
    assert ("1 shift copied" in page, Shift.objects.count()) == (True, 2)
    assert "1 left out" in client.post("/roster/copy/", {"week": "2027-03-15"}, follow=True).content.decode()
    assert "has no shifts" in client.post("/roster/copy/", {"week": "2028-03-15"}, follow=True).content.decode()


def test_nurse_is_added_and_changed(client_for, site):
    user, client = make_staff(full_name="Pat Newnurse"), client_for("manager")
    client.post("/nurses/new/", {"user": user.pk, "visits_homes": "on"})
    nurse = Nurse.objects.get(user=user)
    assert (nurse.visits_homes, site.memberships.filter(user=user).exists()) == (True, True)
    assert "Pat Newnurse" in client.get("/nurses/").content.decode()
    client.post(f"/nurses/{nurse.public_id}/edit/", {"is_active": "on"})
    nurse.refresh_from_db()
    assert (nurse.visits_homes, nurse.is_active) == (False, True)


def test_nurse_with_booked_visits_leaves_only_with_a_reason(client_for, site):
    nurse, client = make_appointment(site=site).nurse, client_for("manager")
    page = client.post(f"/nurses/{nurse.public_id}/edit/", {}).content.decode()
    nurse.refresh_from_db()
    assert ("would be left without a nurse" in page, nurse.is_active) == (True, True)
    client.post(f"/nurses/{nurse.public_id}/edit/", {"override_reason": "Left the center"})
    nurse.refresh_from_db()
    assert not nurse.is_active


def test_chair_list_tells_who_may_change_what(client_for, site):
    make_chair(site=site, name="Window")
    make_chair(site=make_site(), name="Elsewhere")
    pages = {role: client_for(role).get("/chairs/").content.decode() for role in ("scheduler", "manager")}
    assert {role: ("Window" in page, "Elsewhere" in page, "/take-out/" in page) for role, page in pages.items()} == {
        "scheduler": (True, False, False),
        "manager": (True, False, True),
    }


def test_chair_is_added_changed_moved_retired_and_brought_back(client_for, site):
    client = client_for("manager")
    for name in ("Window", "Door"):
        client.post("/chairs/new/", {"name": name, "kind": "recliner"})
    window, door = Chair.objects.order_by("position")
    client.post(f"/chairs/{door.public_id}/edit/", {"name": "Garden", "kind": "bed"})
    client.post(f"/chairs/{door.public_id}/move/", {"to": "up"})
    assert list(Chair.objects.order_by("position").values_list("name", "kind")) == [
        ("Garden", "bed"),
        ("Window", "recliner"),
    ]
    client.post(f"/chairs/{window.public_id}/retire/")
    window.refresh_from_db()
    assert not window.is_active
    client.post(f"/chairs/{window.public_id}/reinstate/")
    window.refresh_from_db()
    assert window.is_active


@pytest.mark.parametrize("name", ["", "Taken"])
def test_chair_create_says_what_is_wrong(client_for, site, name):
    make_chair(site=site, name="Taken")
    answer = client_for("manager").post("/chairs/new/", {"name": name, "kind": "bed"})
    assert (answer.status_code, bool(answer.context["form"].errors), Chair.objects.count()) == (200, True, 1)


def test_chair_is_taken_out_by_the_wall_clock_and_put_back(client_for, site):
    chair, client = make_chair(site=site, name="Window"), client_for("manager")
    posted = {"starts_on": "2027-03-15", "starts": "09:00", "ends_on": "2027-03-15", "ends": "12:00", "reason": "Pump"}
    client.post(f"/chairs/{chair.public_id}/take-out/", posted)
    outage = ChairOutage.objects.get()
    assert (outage.starts_at, outage.ends_at) == tuple(
        dt.datetime(2027, 3, 15, hour, tzinfo=dt.UTC) for hour in (13, 16)
    )
    assert "Will be out" in client.get("/chairs/").content.decode()
    client.post(f"/outages/{outage.public_id}/end/")
    assert ChairOutage.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts_on": "2027-03-14", "starts": "02:30"}, "starts"),
        ({"ends_on": "2027-03-16"}, "ends"),
        ({"ends": "10:00"}, "ends_on"),
        ({"reason": ""}, "reason"),
        ({"ends_on": "2027-03-15", "ends": "09:00"}, "ends"),
    ],
)
def test_chair_take_out_keeps_the_input_and_says_what_is_wrong(client_for, site, changes, field):
    posted = {"starts_on": "2027-03-15", "starts": "09:00", "reason": "Kept words", **changes}
    answer = client_for("manager").post(f"/chairs/{make_chair(site=site).public_id}/take-out/", posted)
    assert (set(answer.context["form"].errors), ChairOutage.objects.count()) == ({field}, 0)
    if posted["reason"]:
        assert "Kept words" in answer.content.decode()


def test_rows_of_other_sites_are_not_found(client_for, site):
    elsewhere = make_site()
    chair, nurse = make_chair(site=elsewhere), make_nurse(site=elsewhere)
    outage = ChairOutage.objects.create(chair=chair, starts_at=clock.now(), reason="Pump")
    shift = make_shift(nurse=nurse, site=elsewhere, day=MONDAY)
    closure = elsewhere.closures.create(starts_on=MONDAY, ends_on=MONDAY, reason="Floor")
    client = client_for("manager")
    paths = [
        *(f"/chairs/{chair.public_id}/{act}/" for act in ("edit", "move", "take-out", "retire", "reinstate")),
        f"/outages/{outage.public_id}/end/",
        f"/roster/shifts/{shift.public_id}/remove/",
        f"/closures/{closure.public_id}/remove/",
        f"/nurses/{nurse.public_id}/edit/",
        "/chairs/nosuchchair22x/edit/",
    ]
    assert {path: client.post(path, {"name": "Mine"}).status_code for path in paths} == dict.fromkeys(paths, 404)
    assert (ChairOutage.objects.count(), Shift.objects.count(), elsewhere.closures.count()) == (1, 1, 1)


def test_changing_pages_refuse_the_wrong_method_and_role(client_for, site):
    chair, shift = make_chair(site=site), make_shift(nurse=make_nurse(site=site), site=site, day=MONDAY)
    posts = [f"/chairs/{chair.public_id}/move/", f"/chairs/{chair.public_id}/reinstate/", "/roster/copy/"]
    manager = client_for("manager")
    assert [manager.get(path).status_code for path in posts] == [405] * 3
    forbidden = [*posts, f"/chairs/{chair.public_id}/retire/", f"/roster/shifts/{shift.public_id}/remove/"]
    assert [client_for("scheduler").post(path).status_code for path in forbidden] == [403] * 5
    assert Shift.objects.count() == 1
