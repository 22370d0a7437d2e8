"""Proves that an audit event is as it was written: a code over all that it says, by a key that is in no database.

Pure: knows no rows. A code is `1-<random>-<HMAC-SHA256>`; the random part makes a copied event show as a copy.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from ipaddress import ip_address

from django.conf import settings

VERSION = "1"
NONCE_BYTES = 8
# Everything that an event says, in this order. A column added later needs a new version of the code.
SEALED = (
    *("at", "action", "actor_id", "actor_name", "target_type", "target_id", "target_name"),
    *("patient_id", "site_id", "detail", "address", "path", "device"),
)
ONE_SPELLING = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def content_of(values: Sequence) -> str:
    """One spelling of the columns of SEALED, whatever database they came from."""
    return ONE_SPELLING.encode([_plain(value) for value in values])


def mac_of(content: str) -> str:
    nonce = secrets.token_hex(NONCE_BYTES)
    return f"{VERSION}-{nonce}-{_code(_keys()[0], 'event', nonce, content)}"


def is_genuine(mac: str, content: str) -> bool:
    version, _, rest = mac.partition("-")
    nonce, _, code = rest.partition("-")
    if version != VERSION or len(nonce) != 2 * NONCE_BYTES:
        return False
    return any(hmac.compare_digest(code, _code(key, "event", nonce, content)) for key in _keys())


def link_text(previous: str, position: int, event_id: int, sealed_at: dt.datetime, mac: str, content: str) -> str:
    """What a link of the chain vouches for: all before it, its place, its time, and the event with its number."""
    return ONE_SPELLING.encode([previous, position, event_id, _plain(sealed_at), mac, content])


def digest_of(text: str) -> str:
    return _code(_keys()[0], "link", text)


def is_digest(digest: str, text: str) -> bool:
    return any(hmac.compare_digest(digest, _code(key, "link", text)) for key in _keys())


def check_code(values: Sequence) -> str:
    """Vouches for how far a running check has come."""
    return _code(_keys()[0], "check", content_of(values))


def is_check_code(code: str, values: Sequence) -> bool:
    return any(hmac.compare_digest(code, _code(key, "check", content_of(values))) for key in _keys())


def _keys() -> list[bytes]:
    return [key.encode() for key in settings.AUDIT_KEYS]


def _code(key: bytes, *parts: str) -> str:
    return hmac.digest(key, "|".join(parts).encode(), hashlib.sha256).hex()


def _plain(value):
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return value


def plain_address(text: str) -> str | None:
    """As every database spells it; None for what is none. No zone (fe80::1%eth0): PostgreSQL takes none.

    Some proxies write the port beside it: 203.0.113.7:41234, [2001:db8::7]:41234.
    """
    found = re.fullmatch(r"\[(.*)\](?::\d+)?|([\d.]+):\d+", text.strip())
    try:
        address = ip_address((found[1] or found[2] if found else text).partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
