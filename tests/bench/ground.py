"""What is measured on: a site that is searched, a site with a full board, years of history, a crowd of patients."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import connection, transaction

from infusion_center.accounts.models import User
from infusion_center.core import clock
from infusions.demo import Demo
from infusions.demo_crowd import Crowd, make_patient, save_patients, write_patients
from infusions.demo_history import plan_visits, write_visits
from infusions.demo_orders import write_orders
from infusions.demo_plans import PlanBook
from infusions.demo_sites import Place, open_organisation, write_rosters
from infusions.demo_tiers import Tier, build_site
from infusions.demo_visits import live_visit
from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Patient, SearchKey
from patients.search_keys import key_words
from patients.site_models import PatientSite

VISITS_ON_BOARD = 150
CHUNK = 10_000


@dataclass(frozen=True)
class Size:
    """How much is built and how often it is measured."""

    search: Tier
    board: Tier
    board_visits: int
    lived_through: int  # about so many of them, with checklist, dose record, rates and vital signs
    years: float
    patients: int
    rounds: int
    bookings: int
    contention_seconds: float
    weeks: int  # of the simulation


FULL = Size(
    search=Tier(
        1, chairs=40, nurses=15, home_nurses=0, patients=2900, years=0, days_ahead=75, roster_ahead=330, weekdays=7
    ),
    board=Tier(1, chairs=80, nurses=30, home_nurses=0, patients=4400, years=0, days_ahead=2, fill=0.64, weekdays=7),
    board_visits=VISITS_ON_BOARD,
    lived_through=40,
    years=5,
    patients=250_000,
    rounds=60,
    bookings=40,
    contention_seconds=8,
    weeks=24,
)
QUICK = replace(FULL, lived_through=6, years=0.25, patients=5_000, rounds=10, bookings=8, contention_seconds=3, weeks=6)


@dataclass
class Ground:
    size: Size
    staff: dict[str, User]
    plans: PlanBook
    search: Place
    board: Place
    now: dt.datetime

    def orders_to_book(self) -> list[InfusionOrder]:
        """Signed orders of the searched site's patients who have no visit: they may go wherever there is room."""
        last = f"DEMO{self.size.search.patients:06d}"
        booked = Appointment.objects.exclude(state=State.CANCELLED).values("patient")
        orders = InfusionOrder.objects.signed().filter(patient__mrn__lte=last).exclude(patient__in=booked)
        orders = orders.filter(valid_until__gte=self.now.date() + dt.timedelta(days=60))
        return list(orders.select_related("patient", "product", "indication").order_by("pk"))

    def five_hour_order(self) -> InfusionOrder:
        """One whose visit takes five hours, preparation and observation included; one good for a series of thirteen."""
        fitting = [order for order in self.orders_to_book() if 225 < order.infusion_minutes <= 240]
        return max(fitting, key=lambda order: ((order.valid_until - self.now.date()) / order.interval_days, -order.pk))


def noon_zone(now: dt.datetime) -> str:
    """A zone where it is about noon, so that half of the board's visits have begun, whenever this runs."""
    ahead = 12 - now.hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


@contextmanager
def hurried() -> Iterator[None]:
    """Filling waits for no disk; what is measured does."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")


@hurried()
def lay_ground(size: Size, say: Callable[[str], None]) -> Ground:
    now = clock.now()
    with transaction.atomic():
        staff = open_organisation()
    plans, zone = PlanBook(), noon_zone(now)
    wishes = {"staff": staff, "plans": plans, "now": now, "time_zone": zone}
    search, visits = build_site(size.search, 0, **wishes)
    say(f"{search.site}: {visits:,} visits ahead")
    # As of this morning: what happened since is told by the services.
    midnight, _ = clock.day_bounds(clock.local_date(now, zone), zone)
    board, _ = build_site(size.board, 1, **wishes | {"now": midnight})
    ground = Ground(size, staff, plans, search, board, now)
    live_board(ground)
    say(f"{board.site}: {size.board_visits} visits today, {size.lived_through} of them lived through")
    analyze()
    return ground


def open_small() -> tuple[dict[str, User], Site]:
    """Staff and one site with visits ahead: enough to copy a visit from."""
    with transaction.atomic():
        staff = open_organisation()
    wishes = {"staff": staff, "plans": PlanBook(), "now": clock.now(), "time_zone": "America/New_York"}
    place, _ = build_site(Tier(1, chairs=4, nurses=4, home_nurses=0, patients=40, years=0), 0, **wishes)
    return staff, place.site


def live_board(ground: Ground) -> None:
    """Exactly so many visits today; of those that have begun some are lived through by the services, others wait."""
    site, now = ground.board.site, ground.now
    start, end = clock.day_bounds(clock.local_date(now, site.time_zone), site.time_zone)
    today = Appointment.objects.filter(site=site, start__gte=start, start__lt=end)
    surplus = list(today.order_by("-public_id").values_list("pk", flat=True)[ground.size.board_visits :])
    Appointment.objects.filter(pk__in=surplus).delete()
    users = [nurse.user for nurse in ground.board.nurses]
    today_here = clock.local_date(now, site.time_zone)
    demo = Demo(today=today_here, dice=random.Random(1), say=print, site=site, staff=ground.staff, nurses=users)
    begun = list(today.filter(start__lt=now).with_people().order_by("start", "pk"))
    every = max(1, len(begun) // ground.size.lived_through)
    for number, visit in enumerate(begun):
        if number % every == 0:
            live_visit(demo, number, visit, now)
        else:
            Appointment.objects.filter(pk=visit.pk).update(state=State.ARRIVED, arrived_at=visit.start)


@hurried()
def add_history(ground: Ground, say: Callable[[str], None]) -> None:
    """Former patients of both sites, with a visit every few weeks for years, up to yesterday."""
    for number, (place, tier) in enumerate([(ground.search, ground.size.search), (ground.board, ground.size.board)]):
        zone = place.site.time_zone
        yesterday = clock.local_date(ground.now, zone) - dt.timedelta(days=1)
        first_day = yesterday - dt.timedelta(days=round(ground.size.years * 365))
        with transaction.atomic():
            write_rosters(place, first_day, yesterday)
            dice, first_number = random.Random(f"past-{number}"), 50_000 + number * 10_000
            crowd = Crowd(place, ground.plans, dice, yesterday, first_day, first_number=first_number)
            crowd.gather(tier)
            visits = plan_visits(crowd, tier, yesterday)
            write_patients(crowd, now=ground.now)
            write_orders(crowd, visits, now=ground.now)
            write_visits(crowd, visits, now=ground.now)
        say(f"{place.site}: {len(visits):,} visits of {ground.size.years:g} years")
    analyze()


@hurried()
def add_patients(ground: Ground, say: Callable[[str], None]) -> None:
    """As many more as make the number, with all their search keys."""
    dice = random.Random(5)
    with loaded_without_indexes(SearchKey):
        for first in range(0, ground.size.patients, CHUNK):
            count = min(CHUNK, ground.size.patients - first)
            numbers = range(100_000 + first, 100_000 + first + count)
            with transaction.atomic():
                patients = [make_patient(dice, number, ground.now.date(), "America/New_York") for number in numbers]
                load_patients(patients, site=ground.search.site, now=ground.now)
    analyze()
    say(f"{ground.size.patients:,} patients more")


@contextmanager
def loaded_without_indexes(model) -> Iterator[None]:
    """Millions of rows go faster into a bare table. The unique constraint checks them all when it comes back."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.remove_index(model, index)
        for constraint in model._meta.constraints:
            editor.remove_constraint(model, constraint)
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.add_index(model, index)
        for constraint in model._meta.constraints:
            editor.add_constraint(model, constraint)


def load_patients(patients: list[Patient], *, site: Site, now: dt.datetime) -> None:
    """Some five million search keys: by COPY, where the database has it."""
    if connection.vendor != "postgresql":
        save_patients(patients, site=site, now=now)
        return
    Patient.objects.bulk_create(patients, batch_size=CHUNK)
    PatientSite.objects.bulk_create(PatientSite(patient=patient, site=site, added_at=now) for patient in patients)
    columns = "COPY patients_searchkey (patient_id, word, sound) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(columns) as copy:
        for patient in patients:
            for word, sound in key_words(patient):
                copy.write_row((patient.pk, word, sound))


def analyze() -> None:
    """What autovacuum does within the minute: the planner learns how large the tables have become."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
