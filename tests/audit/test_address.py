import pytest
from django.test import RequestFactory

from infusion_center.audit.middleware import client_address


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "127.0.0.1"),  # anybody can write this header
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.9.9.9, 203.0.113.9", "203.0.113.9"),  # what stands before was claimed by the client
        (2, "203.0.113.9, 198.51.100.2", "203.0.113.9"),
        (1, "", "127.0.0.1"),
        (1, "not an address", None),
        (1, "203.0.113.9:41234", "203.0.113.9"),
        (1, "[2001:db8::7]:41234", "2001:db8::7"),
        (1, "[2001:db8::7]", "2001:db8::7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "203.0.113.9:x", None),
    ],
)
def test_client_address_trusts_only_as_many_proxies_as_are_set(settings, trusted, forwarded, expected):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = trusted
    assert client_address(RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})) == expected
