"""The head outside: one line a minute, read from the end, unharmed by a broken line."""

import datetime as dt
import json
import stat

import pytest
import time_machine

from infusion_center.audit import anchors, services
from infusion_center.audit.sealing import head, seal_pending
from infusion_center.core import clock
from tests.audit.tampering import verified
from tests.factories.accounts import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def file(settings, tmp_path):
    settings.AUDIT_HEAD_FILE = tmp_path / "audit-head.jsonl"
    return settings.AUDIT_HEAD_FILE


def test_the_head_is_noted_once_a_minute_while_it_moves(file):
    user = make_staff()
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for seconds in (0, 30, 30, 30, 60, 60):
            traveller.shift(dt.timedelta(seconds=seconds))
            services.record("staff.invited", user, by=user)
            seal_pending()
        seal_pending()
    noted = [json.loads(line)["position"] for line in file.read_text().splitlines()]
    assert noted == [1, 3, 5, 6]
    assert anchors.noted_heads(file)[6] == head().digest
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_broken_lines_and_a_long_file_are_no_hindrance(file):
    lines = [json.dumps({"at": clock.now().isoformat(), "position": n, "digest": "d" * 64}) for n in range(1, 12_001)]
    file.write_text("\n".join(["", "{", "[]", '{"position": "x"}', *lines, '{"at": "2026']))
    assert anchors.last_line(file)["position"] == 12_000
    assert sorted(anchors.noted_heads(file))[0] > 2_000


def test_a_restored_older_state_is_cut_off_until_its_heads_are_set_aside(file):
    user = make_staff()
    services.record("staff.invited", user, by=user)
    seal_pending()
    restored = head()
    file.write_text(json.dumps({"at": clock.now().isoformat(), "position": 9, "digest": "d" * 64}) + "\n")
    assert not verified()[0]
    assert not verified(head=f"1:{'0' * 64}", begin_anew=True)[0]
    assert file.exists()  # not while anything is wrong
    whole, said = verified(head=f"1:{restored.digest}", begin_anew=True)
    (kept,) = file.parent.glob("audit-head-until-*.jsonl")
    assert (whole, str(kept) in said, file.exists(), verified()[0]) == (True, True, False, True)


def test_heads_are_not_set_aside_without_one_to_go_by(file):
    file.write_text("")
    assert verified(begin_anew=True) == (False, "--begin-anew wants --head with the figure that the backup names.")
    assert file.exists()
