"""Two second factors removed at once, by two windows: one of them stays."""

import contextlib
import threading

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from infusion_center.accounts import second_factor
from infusion_center.accounts.roles import Role
from tests.factories.accounts import force_login, make_staff

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_of_two_removals_at_once_one_is_refused(settings, monkeypatch):
    settings.MFA_REQUIRED_ROLES = ["manager"]
    user, may_remove, both_looked = make_staff(role=Role.MANAGER), second_factor.may_remove, threading.Barrier(2)
    keys = [
        Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": {}})
        for name in ("Key ring", "Laptop")
    ]

    def look_together(authenticator):
        """Each waits a while for the other to have looked as well, before either removes."""
        answer = may_remove(authenticator)
        with contextlib.suppress(threading.BrokenBarrierError):
            both_looked.wait(timeout=2)
        return answer

    monkeypatch.setattr(second_factor, "may_remove", look_together)
    clients = [Client(), Client()]
    for client in clients:
        force_login(client, user)

    def remove(client, key):
        try:
            client.post(f"/accounts/second-factor/passkeys/{key.pk}/remove/")
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in zip(clients, keys, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert second_factor.factors_of(user).count() == 1
