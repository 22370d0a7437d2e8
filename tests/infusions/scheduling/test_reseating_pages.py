"""The pages of re-seating: offered in the search, shown before it is done, names only for who may see them."""

from django.urls import reverse

from infusion_center.core import clock
from infusions.facility.models import Setting
from infusions.scheduling.models import Appointment
from infusions.scheduling.slots import find_slots
from tests.infusions.scheduling.conftest import DAY, signed_in
from tests.infusions.scheduling.reseating_center import all_is_sound, order_of_four_hours, plan_for
from tests.infusions.scheduling.support import everything_written, url


def room_url(center, order, start="10:00"):
    return f"{url('reseat-book', order)}?start={center.at(start):%Y-%m-%dT%H:%M:%S}%2B00:00&setting=facility"


def fields_of(response):
    shown, form = response.context["shown"], response.context["form"]
    return {
        "start": f"{shown.start:%Y-%m-%dT%H:%M:%S%z}",
        "plan": shown.key,
        **{name: form[name].value() for name in ("setting", "token", "version", "seen") if name in form.fields},
    }


def test_search_of_one_day_offers_every_start_that_fits_after_reseating(crossed):
    center, visits = crossed
    search = find_slots(
        order_of_four_hours(),
        setting=Setting.FACILITY,
        site=center.site,
        earliest=DAY,
        latest=DAY,
        limit=80,
        reseating=True,
    )
    told = {
        f"{clock.to_local(option.start, center.site.time_zone):%H:%M}": [c.appointment for c in option.changes]
        for option in search.options
    }
    after = sorted(start for start, changed in told.items() if changed)
    assert after == [f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in range(9 * 4 + 1, 12 * 4)]
    assert all(len(changed) == 1 and changed[0] in visits for start, changed in told.items() if start in after)


def test_the_list_leads_to_the_page_that_shows_who_changes_and_books(crossed):
    center, visits = crossed
    order, client = order_of_four_hours(), signed_in(center.scheduler)
    page = client.get(f"{url('slot-list', order)}?from={DAY}&to={DAY}")
    assert b"fits after re-seating" in page.content
    shown = client.get(room_url(center, order))
    (line,) = shown.context["shown"].changes
    assert line.visit in visits
    assert line.visit.patient.name.encode() in shown.content
    done = client.post(room_url(center, order), fields_of(shown))
    booked = Appointment.objects.get(order=order)
    assert done.url == reverse("scheduling:appointment-detail", args=[booked.public_id])
    assert booked.start == center.at("10:00")
    assert all_is_sound()


def test_a_plan_that_became_another_is_shown_again_and_nothing_is_booked(crossed):
    center, _ = crossed
    order, client = order_of_four_hours(), signed_in(center.scheduler)
    fields = fields_of(client.get(room_url(center, order)))
    pinned = plan_for(center, order).changes[0].appointment
    client.post(url("appointment-pin", pinned), {"pinned": "1"})
    before = everything_written()
    again = client.post(room_url(center, order), fields)
    assert again.status_code == 200
    assert everything_written() == before
    assert [problem.code for problem in again.context["problems"]] == ["plan-changed"]
    assert [line.visit for line in again.context["shown"].changes] != [pinned]
    client.post(room_url(center, order), fields_of(again))
    assert Appointment.objects.filter(order=order).count() == 1


def test_a_pointed_start_says_that_it_fits_after_reseating(crossed):
    center, _ = crossed
    order = order_of_four_hours()
    page = signed_in(center.scheduler).get(f"{url('slot-why', order)}?day={DAY}&time=10:00")
    assert len(page.context["why"].reseating.visible) == 1
    assert b"It fits if 1 other visit gets another chair or nurse" in page.content


def test_a_visit_moves_to_a_start_at_which_another_makes_room(crossed):
    center, visits = crossed
    client = signed_in(center.scheduler)
    address = f"{url('reseat-move', visits[1])}?start={center.at('11:00'):%Y-%m-%dT%H:%M:%S}%2B00:00"
    page = client.get(address)
    assert page.context["shown"].fits  # its own chair is free earlier: nobody has to make room
    assert b"It fits as it is" in page.content


def test_pinning_is_shown_on_the_visit(crossed):
    center, (first, _) = crossed
    client = signed_in(center.scheduler)
    page = client.post(url("appointment-pin", first), {"pinned": "1"}, follow=True)
    assert b"Keeps its chair and nurse when others are re-seated" in page.content
    page = client.post(url("appointment-pin", first), {"pinned": "0"}, follow=True)
    assert b"Keeps its chair" not in page.content


def test_a_visit_put_on_a_taken_chair_of_the_board_may_ask_others_to_make_room(crossed):
    center, (first, _) = crossed
    client = signed_in(center.scheduler)
    quarter = clock.quarter_of(center.at("10:00"))
    preview = client.get(f"{url('move-preview', first)}?quarter={quarter}&chair={center.chairs[1].public_id}")
    assert preview.context["preview"].makes_room == 1
    link = f"{url('reseat-move', first)}?{preview.context['preview'].wished}"
    page = client.get(link)
    (line,) = page.context["shown"].changes
    fields = fields_of(page) | {"chair": center.chairs[1].public_id}
    assert client.post(link, fields).url == url("appointment-detail", first)
    first.refresh_from_db()
    assert (first.start, first.chair, first.version) == (center.at("10:00"), center.chairs[1], 2)
    line.visit.refresh_from_db()
    assert (line.visit.chair, line.visit.version) == (center.chairs[0], 1)
    assert all_is_sound()
