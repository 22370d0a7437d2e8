"""Acts that must be the person's own doing ask for the password again: which they are, and that each really asks."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from infusion_center.accounts.roles import ROLE_PERMISSIONS, Role
from infusion_center.core.checks import access_rule, all_patterns
from tests.accounts.conftest import MORNING
from tests.factories.accounts import sign_in
from tests.guards import foreign

pytestmark = [pytest.mark.django_db, pytest.mark.once]
RULES = {name: pattern for _, name, pattern in all_patterns() if not name.startswith("admin:")}
PROVEN = {
    *("audit:trail-export", "checklists:checklist-override", "checklists:draft-publish", "doses:lot-csv"),
    *("doses:recall-close", "doses:recall-csv", "facility:member-add", "facility:member-remove"),
    *("facility:nurse-create", "formulary:product-sign", "formulary:schedule-sign", "mfa_activate_totp"),
    *("mfa_add_webauthn", "mfa_deactivate_totp", "mfa_edit_webauthn", "mfa_generate_recovery_codes"),
    *("mfa_remove_webauthn", "mfa_view_recovery_codes", "orders:order-release", "orders:order-sign"),
    *("reminders:calendar-make", "reports:patient-export", "reports:reactions-csv", "reports:visits-csv"),
    *("session-end-others", "staff:staff-create", "staff:staff-deactivate", "staff:staff-detail"),
    *("staff:staff-end-sessions", "staff:staff-invite", "staff:staff-reactivate", "staff:staff-reset-factors"),
    *("staff:staff-unlock", "tablet-enroll"),
}


def one_who_may(name: str) -> str:
    wanted = access_rule(RULES[name]).permissions
    return next(role for role in Role if not wanted or wanted & ROLE_PERMISSIONS[role]).value


def test_these_acts_ask():
    assert {name for name, pattern in RULES.items() if getattr(pattern.callback, "asks_for_proof", False)} == PROVEN


def test_six_minutes_after_signing_in_none_of_them_changes_a_row():
    with time_machine.travel(MORNING, tick=False) as clock:
        world = foreign.make_world()
        clients = {role.value: Client() for role in Role}
        for role, client in clients.items():
            sign_in(client, world.staff[role])
        clock.shift(dt.timedelta(minutes=6))
        before, went_on = foreign.everything(), {}
        addresses = {name: address for name, address in foreign.own_addresses(world) if name in PROVEN}
        for name, address in addresses.items():
            answer = clients[one_who_may(name)].post(address, {"reason": "Asked for by somebody who passed by"})
            if answer.status_code != 403 or "accounts/proof.html" not in [used.name for used in answer.templates]:
                went_on[name] = answer.status_code
        assert (went_on, set(addresses)) == ({}, PROVEN)
        assert foreign.everything() == before
