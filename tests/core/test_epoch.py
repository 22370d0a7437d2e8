import datetime as dt

import pytest
from django.db import connection

from infusion_center.core import epoch
from infusion_center.core.epoch import EpochSeconds, WholeEpochSeconds
from infusions.scheduling.models import Appointment
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
FINISHED = dt.datetime(2026, 3, 3, 15, 14, 59, 999_999, tzinfo=dt.UTC)


@pytest.mark.parametrize("template", [epoch.YOUNG, epoch.OLD])
def test_instants_are_read_as_whole_seconds_without_rounding(monkeypatch, template):
    if connection.vendor == "sqlite" and template == epoch.YOUNG != epoch._SQLITE:
        pytest.skip("This SQLite has no unixepoch().")
    monkeypatch.setattr(epoch, "_SQLITE", template)
    visit = make_appointment()
    Appointment.objects.filter(pk=visit.pk).update(finished_at=FINISHED)
    columns = WholeEpochSeconds("start"), EpochSeconds("finished_at"), EpochSeconds("cancelled_at")
    row = Appointment.objects.filter(pk=visit.pk, site=visit.site).values_list(*columns).get()
    assert row == (int(visit.start.timestamp()), int(FINISHED.timestamp()), None)
