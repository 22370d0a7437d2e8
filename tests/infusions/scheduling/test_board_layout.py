import datetime as dt

from infusion_center.core import clock
from infusions.scheduling.board_layout import Bar, axis_for, painted, rows_of

NEW_YORK = "America/New_York"
DAY = dt.date(2026, 3, 3)


def at(wall: str, day: dt.date = DAY) -> dt.datetime:
    return clock.from_local(day, dt.time.fromisoformat(wall), NEW_YORK)


def described(cells) -> list[tuple]:
    return [(cell.kind, cell.span, cell.card) for cell in cells]


def test_a_row_is_cut_at_visits_and_closing():
    axis = axis_for([(at("08:00"), at("11:00"))], [], NEW_YORK, fallback=(at("08:00"), at("18:00")))
    ground = painted(axis, [("free", [(at("08:00"), at("10:30"))])])
    (row,) = rows_of(axis, [Bar(at("08:30"), at("09:45"), "Ash")], ground)
    assert described(row) == [
        ("free", 2, None),
        ("visit", 5, "Ash"),
        ("free", 3, None),
        ("closed", 2, None),
    ]


def test_a_chair_out_of_service_is_marked():
    spans = [(at("08:00"), at("10:00"))]
    axis = axis_for(spans, [], NEW_YORK, fallback=spans[0])
    (row,) = rows_of(axis, [], painted(axis, [("out", [(at("08:30"), at("09:30"))]), ("free", spans)]))
    assert described(row) == [("free", 2, None), ("out", 4, None), ("free", 2, None)]


def test_a_visit_that_overruns_shows_it_as_far_as_the_next_one():
    spans = [(at("08:00"), at("12:00"))]
    axis = axis_for(spans, [], NEW_YORK, fallback=spans[0])
    late = Bar(at("08:00"), at("09:00"), "Ash", at("10:10"))
    ground = painted(axis, [("free", spans)])
    assert described(rows_of(axis, [late], ground)[0]) == [("visit", 4, "Ash"), ("late", 5, "Ash"), ("free", 7, None)]
    (row,) = rows_of(axis, [late, Bar(at("09:30"), at("12:00"), "Elm")], ground)
    assert described(row) == [("visit", 4, "Ash"), ("late", 2, "Ash"), ("visit", 10, "Elm")]


def test_overlapping_visits_get_rows_of_their_own():
    spans = [(at("08:00"), at("10:00"))]
    axis = axis_for(spans, [], NEW_YORK, fallback=spans[0])
    bars = [Bar(at("08:00"), at("10:00"), "Ash"), Bar(at("09:00"), at("10:00"), "Elm")]
    assert [described(row) for row in rows_of(axis, bars, painted(axis, [("free", spans)]))] == [
        [("visit", 8, "Ash")],
        [("free", 4, None), ("visit", 4, "Elm")],
    ]


def test_the_axis_widens_to_whole_hours_around_visits_outside_opening_hours():
    axis = axis_for([(at("08:00"), at("10:00"))], [Bar(at("07:15"), at("10:15"), None)], NEW_YORK, (at("08:00"),) * 2)
    assert [(hour.label, hour.span) for hour in axis.hours(uses_24h_clock=True)] == [
        ("07", 4),
        ("08", 4),
        ("09", 4),
        ("10", 4),
    ]
    assert [hour.label for hour in axis.hours(uses_24h_clock=False)] == ["7 AM", "8 AM", "9 AM", "10 AM"]


def test_the_day_clocks_go_forward_has_no_hour_two():
    day = dt.date(2026, 3, 8)
    spans = [clock.day_bounds(day, NEW_YORK)]
    axis = axis_for(spans, [], NEW_YORK, fallback=spans[0])
    labels = [hour.label for hour in axis.hours(uses_24h_clock=True)]
    assert labels == ["00", "01", *[f"{hour:02d}" for hour in range(3, 24)]]
    assert sum(hour.span for hour in axis.hours(uses_24h_clock=True)) == 23 * 4


def test_the_hour_that_comes_twice_says_of_which_time_it_is():
    day = dt.date(2026, 11, 1)
    spans = [clock.day_bounds(day, NEW_YORK)]
    hours = axis_for(spans, [], NEW_YORK, fallback=spans[0]).hours(uses_24h_clock=True)
    assert [hour.label for hour in hours[:4]] == ["00", "01 EDT", "01 EST", "02"]
    assert sum(hour.span for hour in hours) == 25 * 4


def test_hours_stand_at_wall_hours_in_a_zone_of_half_an_hour():
    spans = [
        (clock.from_local(DAY, dt.time(8, 30), "Asia/Kolkata"), clock.from_local(DAY, dt.time(10), "Asia/Kolkata"))
    ]
    axis = axis_for(spans, [], "Asia/Kolkata", fallback=spans[0])
    assert [(hour.label, hour.span) for hour in axis.hours(uses_24h_clock=True)] == [("08", 4), ("09", 4)]


def test_now_is_placed_between_left_and_right():
    axis = axis_for([(at("08:00"), at("10:00"))], [], NEW_YORK, fallback=(at("08:00"), at("10:00")))
    assert (axis.share_of(at("08:30")), axis.share_of(at("10:00"))) == (25.0, None)
