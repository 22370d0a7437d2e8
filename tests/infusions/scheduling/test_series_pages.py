import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusions.facility.models import Closure
from infusions.scheduling.models import Appointment, Series
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import signed_in
from tests.infusions.scheduling.series_support import TUESDAY, monthly_order, staffed_center
from tests.infusions.scheduling.support import errors, everything_written

pytestmark = pytest.mark.django_db
ASKED = "?count=3&first_on=2026-03-03&weekday=1&time=09:00"


@pytest.fixture
def center(db):
    return staffed_center()


@pytest.fixture
def desk(center):
    return signed_in(center.scheduler)


def page_url(order, name="series-plan", query=ASKED):
    return reverse(f"scheduling:{name}", args=[order.public_id]) + query


def fields(page) -> dict:
    """What the page's form would send."""
    sent = {"token": page.context["form"]["token"].value() or "", "override_reason": "", "line": []}
    for line, form in page.context["sheet"].rows:
        sent["line"].append(str(line.number))
        sent |= {form[name].html_name: form[name].value() or "" for name in ("day", "time", "was", "why")}
        if line.is_kept:
            sent[form["keep"].html_name] = "on"
    return sent


def shown(page):
    return [
        (line.number, f"{line.day:%d %b} {line.time:%H:%M}", line.can_be_booked, line.why)
        for line in page.context["plan"].lines
    ]


def take_all(center, day, wall="09:00", minutes=240):
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=center.at(wall, day), minutes=minutes)


def test_the_page_plans_the_series_and_books_all_of_it_by_one_press(center, desk):
    order = monthly_order()
    page = desk.get(page_url(order))
    assert shown(page) == [
        (1, "03 Mar 09:00", True, "Tuesday 09:00 as wished"),
        (2, "31 Mar 09:00", True, "Tuesday 09:00 as wished"),
        (3, "28 Apr 09:00", True, "Tuesday 09:00 as wished"),
    ]
    booked = desk.post(page_url(order, "series-book"), fields(page), follow=True)
    assert booked.redirect_chain == [(reverse("orders:order-detail", args=[order.public_id]), 302)]
    assert "3 visits of" in booked.content.decode()
    series = Series.objects.get()
    assert [visit.local_start for visit in series.appointments.order_by("start")] == [
        "2026-03-03T09:00",
        "2026-03-31T09:00",
        "2026-04-28T09:00",
    ]


def test_pressing_twice_books_once(center, desk):
    order = monthly_order()
    sent = fields(desk.get(page_url(order)))
    first, second = (desk.post(page_url(order, "series-book"), sent, follow=True) for _ in range(2))
    assert first.redirect_chain == second.redirect_chain
    assert Appointment.objects.count() == 3


def test_a_changed_line_is_checked_again_and_a_dropped_one_is_not_booked(center, desk):
    order = monthly_order()
    sent = fields(desk.get(page_url(order))) | {"line-2-day": "2026-04-01", "line-2-time": "17:00"}
    del sent["line-3-keep"]
    checked = desk.post(page_url(order), sent)
    assert shown(checked) == [
        (1, "03 Mar 09:00", True, "Tuesday 09:00 as wished"),
        (2, "01 Apr 17:00", False, ""),
        (3, "28 Apr 09:00", False, ""),
    ]
    lost = checked.context["plan"].lines[1]
    assert sorted(problem.code for problem in lost.problems) == ["no-shift", "outside-hours"]
    # An alternative takes the line's place by one press.
    taken = desk.post(page_url(order), fields(checked) | {"take": f"2|{lost.alternatives[0].isoformat()}"})
    assert shown(taken)[1] == (2, "31 Mar 14:00", True, "Tuesday 14:00 as chosen")
    desk.post(page_url(order, "series-book"), fields(taken))
    assert list(Appointment.objects.order_by("start").values_list("local_start", flat=True)) == [
        "2026-03-03T09:00",
        "2026-03-31T14:00",
    ]


def test_a_line_lost_meanwhile_books_nothing_and_comes_back_marked_with_everything_kept(center, desk):
    order = monthly_order()
    sent = fields(desk.get(page_url(order))) | {"line-3-time": "10:00"}
    take_all(center, TUESDAY + dt.timedelta(days=28))
    before = everything_written()
    lost = desk.post(page_url(order, "series-book"), sent)
    assert (everything_written(), Series.objects.count()) == (before, 0)
    assert lost.status_code == 200
    assert errors(lost) == [
        "Look at the lines that are marked: change or drop them, and book again. Everything else is kept."
    ]
    assert shown(lost) == [
        (1, "03 Mar 09:00", True, "Tuesday 09:00 as wished"),
        (2, "31 Mar 09:00", False, ""),
        (3, "28 Apr 10:00", True, "Tuesday 10:00 as chosen"),
    ]
    assert lost.context["plan"].lines[1].alternatives
    assert lost.context["form"]["token"].value() == sent["token"]


def test_the_marked_lines_are_left_out_by_one_press(center, desk):
    order = monthly_order(visits_authorized=2)
    page = desk.get(page_url(order))
    assert [line.can_be_booked for line in page.context["plan"].lines] == [True, True, False]
    page = desk.post(page_url(order), fields(page) | {"drop": "unplaced"})
    assert ([line.is_kept for line in page.context["plan"].lines], page.context["plan"].unplaced) == (
        [True, True, False],
        [],
    )
    desk.post(page_url(order, "series-book"), fields(page))
    assert Appointment.objects.count() == 2


def test_a_line_that_cannot_be_read_is_shown_as_typed(center, desk):
    order = monthly_order()
    sent = fields(desk.get(page_url(order))) | {"line-2-day": "soon", "line-2-time": ""}
    page = desk.post(page_url(order), sent)
    assert [problem.code for problem in page.context["plan"].lines[1].problems] == ["unreadable"]
    assert 'value="soon"' in page.content.decode()
    before = everything_written()
    desk.post(page_url(order, "series-book"), sent)
    assert everything_written() == before


def test_an_early_line_is_refused_to_the_desk_and_asks_a_nurse_for_a_reason(center, desk):
    order = monthly_order()
    sent = fields(desk.get(page_url(order))) | {"line-2-day": "2026-03-24"}
    page = desk.post(page_url(order), sent)
    assert not page.context["plan"].lines[1].can_be_booked
    nurse = signed_in(center.nurses[0].user)
    page = nurse.post(page_url(order), sent)
    assert (page.context["plan"].lines[1].can_be_booked, page.context["plan"].needs_reason) == (True, True)
    nurse.post(page_url(order, "series-book"), sent | {"override_reason": "Symptoms"})
    assert list(Appointment.objects.order_by("start").values_list("override_reason", flat=True)) == ["", "Symptoms", ""]


def test_a_fragment_is_answered_with_the_lines_alone(center, desk):
    order = monthly_order()
    sent = fields(desk.get(page_url(order)))
    page = desk.post(page_url(order), sent, headers={"HX-Request": "true"})
    assert page.content.decode().lstrip().startswith('<section id="_series_lines"')


def test_the_number_of_queries_depends_neither_on_the_visits_nor_on_those_that_give_way():
    center = staffed_center(days=200)
    order, desk = monthly_order(), signed_in(center.scheduler)

    def queries(count: int) -> int:
        url = page_url(order, query=f"?count={count}&first_on=2026-03-03&weekday=1&time=09:00")
        with CaptureQueriesContext(connection) as captured:
            page = desk.get(url)
        assert len(page.context["plan"].bookable) == count
        return len(captured)

    queries(1)  # what is kept for the process
    few, many = queries(2), queries(7)
    assert few == many <= 22
    more = []
    for closed in ([28], [84, 112, 168]):
        for number in closed:
            day = TUESDAY + dt.timedelta(days=number)
            Closure.objects.create(site=center.site, starts_on=day, ends_on=day, reason="Inventory")
        more.append(queries(7))
    assert more[0] == more[1] <= many + 6


# Moving and cancelling with what follows


@pytest.fixture
def visits(center):
    order = monthly_order()
    page = signed_in(center.scheduler).get(page_url(order))
    signed_in(center.scheduler).post(page_url(order, "series-book"), fields(page))
    return list(order.appointments.order_by("start"))


def move_url(visit, name="series-move", query="?day=2026-04-02&time=10:30"):
    return reverse(f"scheduling:{name}", args=[visit.public_id]) + query


def move_fields(page) -> dict:
    versions = [f"{one.public_id}:{one.version}" for line in page.context["lines"] for one in line]
    return fields(page) | {"version": versions} if page.context["sheet"] else {}


def local_starts():
    return list(Appointment.objects.order_by("start").values_list("local_start", flat=True))


def test_a_visit_moves_with_what_follows_after_a_look_at_the_dates(desk, visits):
    assert [len(line) for line in desk.get(move_url(visits[1], query="")).context["lines"]] == [1, 1]
    page = desk.get(move_url(visits[1]))
    assert shown(page) == [
        (1, "02 Apr 10:30", True, "Thursday 10:30 as chosen"),
        (2, "30 Apr 10:30", True, "Thursday 10:30 as chosen"),
    ]
    desk.post(move_url(visits[1], "series-move-apply"), move_fields(page))
    assert local_starts() == ["2026-03-03T09:00", "2026-04-02T10:30", "2026-04-30T10:30"]


def test_a_line_that_is_not_ticked_stays_where_it_is(desk, visits):
    sent = move_fields(desk.get(move_url(visits[1])))
    del sent["line-2-keep"]
    desk.post(move_url(visits[1], "series-move-apply"), sent)
    assert local_starts() == ["2026-03-03T09:00", "2026-04-02T10:30", "2026-04-28T09:00"]
    assert list(Appointment.objects.order_by("start").values_list("version", flat=True)) == [1, 2, 1]


def test_a_tail_that_does_not_fit_or_was_changed_is_shown_and_not_moved(center, desk, visits):
    sent = move_fields(desk.get(move_url(visits[1])))
    take_all(center, TUESDAY + dt.timedelta(days=58), "08:00", minutes=600)
    before = everything_written()
    page = desk.post(move_url(visits[1], "series-move-apply"), sent)
    assert everything_written() == before
    assert [line.can_be_booked for line in page.context["plan"].lines] == [True, False]
    Appointment.objects.filter(pk=visits[2].pk).update(version=5)
    sent = move_fields(desk.get(move_url(visits[1]))) | {"version": [f"{visits[1].public_id}:1"]}
    sent |= {"line-2-day": "2026-05-01"}
    assert "changed meanwhile" in errors(desk.post(move_url(visits[1], "series-move-apply"), sent))[0]
    assert local_starts()[:3] == ["2026-03-03T09:00", "2026-03-31T09:00", "2026-04-28T09:00"]


@pytest.mark.parametrize(("scope", "states"), [("one", "ECE"), ("rest", "ECC")])
def test_one_visit_or_the_rest_is_cancelled(desk, visits, scope, states):
    url = reverse("scheduling:series-cancel", args=[visits[1].public_id])
    assert [one.pk for one in desk.get(url).context["tail"]] == [visits[1].pk, visits[2].pk]
    assert errors(desk.post(url, {"version": 1, "scope": scope, "reason": ""})) == ["This field is required."]
    desk.post(url, {"version": 1, "scope": scope, "reason": "Moved away"})
    found = Appointment.objects.order_by("start").values_list("state", flat=True)
    assert "".join(state[0].upper() for state in found) == states


def test_the_page_of_a_visit_names_its_place_in_the_series(desk, visits):
    page = desk.get(reverse("scheduling:appointment-detail", args=[visits[1].public_id])).content.decode()
    assert "Visit 2 of 3" in page
    assert all(reverse("scheduling:appointment-detail", args=[one.public_id]) in page for one in visits)
