"""Whole series booked by real processes at once: each is there with all its visits, or not at all."""

import datetime as dt
import os
import signal
from collections import Counter

import pytest

from infusions.scheduling.models import Appointment, Claim, Series
from infusions.scheduling.series_services import book_series
from tests.infusions.scheduling.conftest import DAY, NOW, make_center
from tests.infusions.scheduling.race_series import Line
from tests.infusions.scheduling.test_races import (
    PROCESSES,
    _pid_in,
    assert_lawful,
    daily_orders,
    job_of,
    run_job,
    start_job,
)

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _frozen_clock():
    """The real clock: other processes have no other. They are told what to take for now."""


def every_morning(center, days=3):
    return [center.at("09:00", DAY + dt.timedelta(days=number)) for number in range(days)]


def visits_of_each_order() -> Counter:
    return Counter(Appointment.objects.values_list("order", flat=True))


def test_of_sixteen_who_book_the_same_series_at_once_one_books_it_whole():
    center = make_center(chairs=20, nurses=20)
    booked, refused = run_job(kind="series", **job_of(center, daily_orders(1), every_morning(center)))
    assert len(booked) == 1
    assert refused["patient-busy"] == PROCESSES - 1
    assert (Series.objects.count(), Appointment.objects.count()) == (1, 3)
    assert_lawful()


def test_one_form_sent_by_sixteen_presses_books_one_series():
    center = make_center(chairs=20, nurses=20)
    job = job_of(center, daily_orders(1), every_morning(center), tokens=["the-form"])
    booked, refused = run_job(kind="series", **job)
    assert (len(booked), len(set(booked)), refused) == (PROCESSES, 1, {})
    assert Appointment.objects.count() == 3
    assert_lawful()


def test_of_series_for_few_chairs_as_many_are_booked_as_there_are_chairs_and_each_is_whole():
    center = make_center(chairs=3, nurses=9)
    booked, _ = run_job(kind="series", **job_of(center, daily_orders(PROCESSES), every_morning(center)))
    assert len(booked) == 3
    assert sorted(visits_of_each_order().values()) == [3, 3, 3]
    assert Series.objects.count() == 3
    assert_lawful()


def test_a_process_killed_in_the_middle_of_a_series_leaves_nothing_behind(tmp_path):
    center = make_center()
    order, flag = daily_orders(1)[0], tmp_path / "hanging"
    worker = start_job(
        kind="hang_in_series", processes=1, **job_of(center, [order], every_morning(center), flag=str(flag))
    )
    try:
        os.kill(_pid_in(flag), signal.SIGKILL)
    finally:
        worker.wait(timeout=30)
    lines = [Line(number, (start,)) for number, start in enumerate(every_morning(center), start=1)]
    series = book_series(order=order, lines=lines, by=center.scheduler, site=center.site, setting="facility", now=NOW)
    assert list(Series.objects.all()) == [series]
    visits = set(series.appointments.values_list("pk", flat=True))
    assert set(Appointment.objects.values_list("pk", flat=True)) == visits
    assert set(Claim.objects.values_list("appointment", flat=True)) == visits
    assert_lawful()
