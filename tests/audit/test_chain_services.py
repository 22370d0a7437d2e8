"""A trail changed past every trigger is found out: each column, each way to forge, remove, reorder and cut."""

import datetime as dt
import json

import pytest
import time_machine

from infusion_center.audit import macs, services
from infusion_center.audit.models import AuditEvent, AuditLink
from infusion_center.audit.sealing import head, seal_pending, unsealed
from infusion_center.core import clock
from tests.audit.tampering import EVENTS, LINKS, columns, tamper, verified
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
# Another value for each column, as SQL.
OTHER = {
    "at": "'2026-01-02 03:04:05+00:00'",
    "actor_id": "12345",
    "address": "'203.0.113.77'",
    "detail": """'{"code": "other"}'""",
    "mac": "'1-0123456789abcdef-' || substr(mac, 20)",
}


@pytest.fixture
def trail(db) -> list[AuditEvent]:
    """Five sealed events, their numbers in order."""
    patient, user, site = make_patient(), make_staff(), make_site()
    for number in range(4):
        services.record("order.signed", patient, by=user, patient=patient, site=site, changed=["dose"], number=number)
    services.record_openings([patient], by=user, what="a list")
    seal_pending()
    return list(AuditEvent.objects.order_by("pk"))


def content_of(link: AuditLink) -> str:
    return macs.content_of(AuditEvent.objects.values_list(*macs.SEALED).get(pk=link.event_id))


def test_an_untouched_trail_is_whole(trail):
    assert verified()[0]
    assert [link.event_id for link in AuditLink.objects.all()][:5] == [event.pk for event in trail]


def test_every_column_is_vouched_for():
    assert set(macs.SEALED) | {"id", "mac"} == set(columns())


@pytest.mark.parametrize("column", [*macs.SEALED, "mac"])
def test_a_changed_column_is_found(trail, column):
    other = OTHER.get(column, "'x'")
    tamper(f"UPDATE {EVENTS} SET {column} = {other} WHERE id = {trail[2].pk}")
    whole, said = verified()
    assert (whole, f"changed: event {trail[2].pk} does not say what it said when it was written" in said) == (
        False,
        True,
    )


def forged(trail, mac: str) -> str:
    """A copy of the third event, as another person's."""
    kept = ", ".join(name for name in columns() if name not in ("id", "mac", "actor_name"))
    return (
        f"INSERT INTO {EVENTS} (id, mac, actor_name, {kept}) "
        f"SELECT id + 1000, {mac}, 'Somebody else', {kept} FROM {EVENTS} WHERE id = {trail[2].pk}"
    )


def copied(trail) -> str:
    same = ", ".join(name for name in columns() if name != "id")
    return f"INSERT INTO {EVENTS} (id, {same}) SELECT id + 1000, {same} FROM {EVENTS} WHERE id = {trail[2].pk}"


def swapped(trail) -> list[str]:
    """Two events change places: their numbers are exchanged."""
    a, b = trail[1].pk, trail[3].pk
    return [f"UPDATE {EVENTS} SET id = {new} WHERE id = {old}" for old, new in ((a, 9999), (b, a), (9999, b))]


def swapped_links(trail) -> list[str]:
    steps = ((2, 9999), (4, 2), (9999, 4))
    return [f"UPDATE {LINKS} SET position = {new} WHERE position = {old}" for old, new in steps]


WAYS = {
    "an event removed": (lambda t: [f"DELETE FROM {EVENTS} WHERE id = {t[2].pk}"], "removed: event"),
    "an event removed with its link": (
        lambda t: [f"DELETE FROM {LINKS} WHERE event_id = {t[2].pk}", f"DELETE FROM {EVENTS} WHERE id = {t[2].pk}"],
        "removed: links 3 to 3",
    ),
    "the first events removed": (
        lambda t: [f"DELETE FROM {LINKS} WHERE position < 3", f"DELETE FROM {EVENTS} WHERE id < {t[2].pk}"],
        "removed: links 1 to 2",
    ),
    "a gap closed": (
        lambda t: [
            f"DELETE FROM {LINKS} WHERE position = 3",
            f"DELETE FROM {EVENTS} WHERE id = {t[2].pk}",
            f"UPDATE {LINKS} SET position = 3 WHERE position = 4",
            f"UPDATE {LINKS} SET position = 4 WHERE position = 5",
        ],
        "reordered: position 3",
    ),
    "two events swapped": (swapped, "reordered: position 2"),
    "two links swapped": (swapped_links, "reordered: position 2"),
    "a link's time changed": (
        lambda t: [f"UPDATE {LINKS} SET sealed_at = '2026-01-02 03:04:05+00:00' WHERE position = 2"],
        "reordered: position 2",
    ),
    "a link's digest changed": (
        lambda t: [f"UPDATE {LINKS} SET digest = '{'0' * 64}' WHERE position = 2"],
        "reordered: position 2",
    ),
    "an event forged with an invented code": (lambda t: [forged(t, f"'1-{'a' * 16}-{'b' * 64}'")], "changed: event"),
    "an event forged with another's code": (lambda t: [forged(t, "mac")], "changed: event"),
    "an event copied": (lambda t: [copied(t)], "stands 2 times in the trail"),
    "an event forged with a link before the first": (
        lambda t: [
            forged(t, "''"),
            f"INSERT INTO {LINKS} (position, event_id, sealed_at, digest) "
            f"SELECT 0, {t[2].pk + 1000}, sealed_at, digest FROM {LINKS} WHERE position = 1",
        ],
        "forged: position 0 of the chain",
    ),
    "an event forged with a number below one": (
        lambda t: [forged(t, "''").replace("id + 1000", "id - 1000000")],
        "has a number that this application never gives",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_tamper_is_found(trail, way):
    statements, told = WAYS[way]
    tamper(*statements(trail))
    whole, said = verified()
    assert (whole, told in said) == (False, True), said


@pytest.mark.parametrize(
    ("mac", "told"),
    [(f"'1-{'a' * 16}-{'b' * 64}'", "changed: event {}, not sealed yet"), ("''", "forged: event {}, not sealed yet")],
    ids=["invented code", "no code"],
)
def test_an_event_that_no_link_names_yet_is_judged_by_its_code(trail, mac, told):
    """As after a restore, which checks without sealing before."""
    tamper(forged(trail, mac))
    with time_machine.travel(clock.now() + 2 * HOUR):
        whole, said = verified(read_only=True)
    assert (whole, told.format(trail[2].pk + 1000) in said) == (False, True), said


def test_an_event_without_a_code_is_forged_once_all_have_one(trail):
    # An hour after the first coded event was sealed: until then the release before may still write.
    tamper(forged(trail, "''"))
    assert verified()[0]
    link = AuditLink.objects.get(position=6)
    text = macs.link_text(
        AuditLink.objects.get(position=5).digest, 6, link.event_id, link.sealed_at + 2 * HOUR, "", content_of(link)
    )
    tamper(
        f"DELETE FROM {LINKS} WHERE position > 6",
        f"UPDATE {LINKS} SET sealed_at = '{link.sealed_at + 2 * HOUR}', digest = '{macs.digest_of(text)}' "
        "WHERE position = 6",
    )
    whole, said = verified()
    assert (whole, f"forged: event {link.event_id} was not written by this application" in said) == (False, True), said


def test_events_of_before_the_codes_are_whole_and_kept_from_then_on(trail):
    tamper(f"UPDATE {EVENTS} SET mac = ''", f"DELETE FROM {LINKS}")
    assert verified()[0]
    tamper(f"UPDATE {EVENTS} SET actor_name = 'x' WHERE id = {trail[1].pk}")
    whole, said = verified()
    assert (whole, "changed: position 2" in said) == (False, True)


@pytest.mark.parametrize("events_too", [True, False])
def test_a_cut_end_is_found_by_the_head_noted_outside(trail, events_too, settings, tmp_path):
    settings.AUDIT_HEAD_FILE = tmp_path / "audit-head.jsonl"
    noted = head()
    settings.AUDIT_HEAD_FILE.write_text(
        json.dumps({"at": noted.sealed_at.isoformat(), "position": noted.position, "digest": noted.digest}) + "\n"
    )
    tamper(f"DELETE FROM {LINKS} WHERE position > 3")
    if events_too:
        tamper(f"DELETE FROM {EVENTS} WHERE id > {trail[2].pk}")
    # As if the database alone were asked: what is left is a whole chain.
    assert verified(head="3:" + AuditLink.objects.get(position=3).digest, read_only=True)[0]
    cut = verified(read_only=True)
    again = verified()  # others were sealed in place of what was cut off
    assert (cut[0], "cut: the chain ends at position 3; it went to 5" in cut[1]) == (False, True)
    assert (again[0], "cut:" in again[1]) == (False, True)


def test_a_chain_made_anew_after_all_links_went_is_found(trail):
    noted = str(head())
    tamper(f"DELETE FROM {LINKS}", f"DELETE FROM {EVENTS} WHERE id = {trail[0].pk}")
    whole, said = verified(head=noted)
    assert (whole, "cut:" in said) == (False, True)


def test_a_key_can_be_changed_and_the_old_one_still_proves(trail, settings):
    first = settings.AUDIT_KEYS[0]
    settings.AUDIT_KEYS = ["a new key " * 5, first]
    services.record("order.signed", make_patient(), by=None)
    assert verified()[0]
    settings.AUDIT_KEYS = ["a new key " * 5]
    assert not verified()[0]
    settings.AUDIT_KEYS = [first]
    assert not verified()[0]


def test_what_a_check_found_is_an_event_itself(trail):
    verified()
    tamper(f"DELETE FROM {EVENTS} WHERE id = {trail[2].pk}")
    verified()
    found = AuditEvent.objects.filter(action__startswith="audit.").order_by("pk").values_list("action", "detail")
    assert list(found) == [
        ("audit.verified", {"links": 5, "findings": 0, "position": 5}),
        ("audit.verification_failed", {"links": 6, "findings": 1, "position": 6}),
    ]


def test_reading_only_writes_nothing(trail):
    services.record("order.signed", make_patient(), by=None)
    assert "1 not sealed yet" in verified(read_only=True)[1]
    assert (AuditEvent.objects.count(), AuditLink.objects.count(), unsealed().count()) == (6, 5, 1)
