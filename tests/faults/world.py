"""The clinics and visits of a run. Everything is booked and changed through the services that the pages call."""

import datetime as dt
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.orders.models import InfusionOrder
from infusions.orders.services import hold_order, release_order
from infusions.reminders.models import UNSETTLED, Reminder
from infusions.scheduling.booking import book_appointment, cancel_appointment, move_appointment
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.facts import set_contact_consent
from patients.models import Channel, Patient
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.formulary import make_rate_schedule
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.faults.ground import TAKEN
from tests.faults.zones import DAY, MINUTE, ZONES, Change

REMINDER_DAYS = [2, 1]
# The evenings of this zone are looked at (see zones.LOOKS): its site sends what belongs to the evening before.
EVENINGS = "America/New_York"


@dataclass(frozen=True)
class Version:
    """What a visit became, `at` (monotonic) at the latest, and `since` when by the run's clock."""

    at: float
    since: dt.datetime
    number: int
    start: dt.datetime
    cancelled: bool


class World:
    def __init__(self, rng: random.Random):
        self._rng = rng
        self.history: dict[int, list[Version]] = {}
        self.withdrawn: dict[int, float] = {}  # patient: since when
        self.holds: dict[int, list[list[float]]] = defaultdict(list)  # order: from, until
        self.fresh: list[int] = []  # visits of the present change of the clocks

    def found(self) -> None:
        self.desk = make_staff(role=Role.MANAGER)
        self.schedule = make_rate_schedule()
        self.sites = [
            make_site(
                time_zone=zone,
                weekdays=range(7),
                opens="07:00",
                closes="20:00",
                reminder_days=REMINDER_DAYS,
                sends_hydration_mail=zone == EVENINGS,
                sends_day_sheet=zone == EVENINGS,
            )
            for zone in ZONES
        ]
        self.nurses = {site.pk: [make_nurse(site=site) for _ in range(3)] for site in self.sites}
        for site in self.sites:
            for _ in range(10):
                make_chair(site=site)

    def open(self, change: Change, visits: int) -> None:
        """Rosters around the change, and visits on the two days from it, over all zones."""
        self.change, self.fresh = change, []
        for site in self.sites:
            for nurse in self.nurses[site.pk]:
                for days in range(3):
                    make_shift(nurse=nurse, site=site, day=change.day + days * DAY, start="07:00", end="20:00")
        for number in range(visits):
            self.book(self.sites[number % len(self.sites)])

    def book(self, site=None) -> Appointment:
        """A visit of a new patient, who mostly lives in the zone of the site."""
        site = site or self._rng.choice([site for site in self.sites if self._is_still_open(site)])
        zone = site.time_zone if self._rng.random() < 0.7 else self._rng.choice(ZONES)
        patient = make_patient(time_zone=zone, language=self._rng.choice(["en", "es"]))
        schedule = self.schedule
        order = make_order(
            patient=patient, product=schedule.product, indication=schedule.indication, infusion_minutes=60
        )
        for _ in range(20):
            try:
                visit = book_appointment(
                    order=order, site=site, setting=Setting.FACILITY, start=self._some_start(site), by=self.desk
                )
            except RuleViolation as refused:
                problems = refused.problems
            else:
                self._note(visit)
                return visit
        raise RuntimeError(f"no visit could be booked: {problems}")

    def move(self) -> bool:
        for visit in self._pending():
            try:
                moved = move_appointment(appointment=visit, start=self._some_start(visit.site), by=self.desk)
            except RuleViolation:
                continue
            if moved.version > visit.version:
                self._note(moved)
                return True
        return False

    def cancel(self) -> bool:
        """Rather one whose patient may have been told, while the ledger does not know it for sure."""
        pending = self._pending()
        doubtful = self._doubtful()
        for visit in sorted(pending, key=lambda visit: visit.pk not in doubtful):
            self._note(cancel_appointment(appointment=visit, reason="Asked by the patient", by=self.desk))
            return True
        return False

    def withdraw_consent(self) -> bool:
        for visit in self._pending():
            if visit.patient_id not in self.withdrawn:
                set_contact_consent(patient=visit.patient, channel=Channel.EMAIL, consents=False, by=self.desk)
                self.withdrawn[visit.patient_id] = time.monotonic()
                return True
        return False

    def hold(self) -> bool:
        for visit in self._pending():
            if visit.order_id not in self.holds:
                hold_order(order=visit.order, reason="Laboratory values missing", by=self.desk)
                self.holds[visit.order_id].append([time.monotonic(), float("inf")])
                return True
        return False

    def release_some(self) -> None:
        for order_id, spans in self.holds.items():
            if spans[-1][1] == float("inf") and self._rng.random() < 0.3:
                order = InfusionOrder.objects.get(pk=order_id)
                spans[-1][1] = time.monotonic()
                release_order(order=order, reason="Laboratory values arrived", by=self.desk)

    def _pending(self) -> list[Appointment]:
        """Visits of these days for which a message is still owed, in a random order."""
        owed = Reminder.objects.filter(state__in=UNSETTLED, appointment__in=self.fresh)
        soon = clock.now() + dt.timedelta(hours=3)
        visits = Appointment.objects.filter(reminders__in=owed, state=State.EXPECTED, start__gt=soon).distinct()
        visits = list(visits.select_related("patient", "order", "site").order_by("pk"))
        self._rng.shuffle(visits)
        return visits

    def _doubtful(self) -> set[int]:
        unsettled = Reminder.objects.filter(state__in=UNSETTLED, appointment__in=self.fresh)
        taken = {line["id"].strip("<>").split("@")[0] for line in TAKEN.lines()}
        return {visit for visit, key in unsettled.values_list("appointment_id", "public_id") if key in taken}

    def _some_start(self, site) -> dt.datetime:
        """Of the quarter-hour that runs, which services still take, nobody could be told; the day before is refused."""
        start = self._any_start(site)
        return start if start > clock.now() + MINUTE else start - DAY

    def _any_start(self, site) -> dt.datetime:
        day = self.change.day + self._rng.randrange(2) * DAY
        wall = dt.datetime.combine(day, dt.time(9), tzinfo=ZoneInfo(site.time_zone))
        wall += dt.timedelta(minutes=15 * self._rng.randrange(24))
        return wall.astimezone(dt.UTC)

    def _is_still_open(self, site) -> bool:
        """Whether a start at the site lies ahead: its last day may be over in a zone far to the east."""
        last = dt.datetime.combine(self.change.day + DAY, dt.time(12), tzinfo=ZoneInfo(site.time_zone))
        return last > clock.now()

    def _note(self, visit: Appointment) -> None:
        gone = visit.state == State.CANCELLED
        since = visit.created_at if visit.version == 1 else visit.updated_at
        version = Version(time.monotonic(), since, visit.version, visit.start, gone)
        self.history.setdefault(visit.pk, []).append(version)
        if visit.pk not in self.fresh:
            self.fresh.append(visit.pk)

    def unplanned(self) -> set[int]:
        """Visits whose present version has nothing in the ledger yet, though it should."""
        now = clock.now()
        rows = set(
            Reminder.objects.filter(appointment__in=self.fresh).values_list("appointment_id", "appointment_version")
        )
        latest = {pk: self.history[pk][-1] for pk in self.fresh}
        return {
            pk
            for pk, last in latest.items()
            if not last.cancelled and last.start > now and (pk, last.number) not in rows
        } | self._unplanned_cancellations(latest, now)

    def _unplanned_cancellations(self, latest: dict[int, Version], now: dt.datetime) -> set[int]:
        rows = Reminder.objects.filter(appointment__in=self.fresh)
        planned = set(rows.filter(kind="cancelled").values_list("appointment_id", flat=True))
        told = set(rows.filter(state__in=["sent", "claimed"]).values_list("appointment_id", flat=True))
        return {pk for pk, last in latest.items() if last.cancelled and last.start > now} & told - planned


def patient_of(visit: int) -> Patient:
    return Appointment.objects.select_related("patient").get(pk=visit).patient
