"""Seals short secrets before they reach the database: whoever has only the tables, or a copy of them, reads none.

FIELD_KEYS, not SECRET_KEY: the first key seals, all of them open, so a key is changed by putting a new one in front.
"""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotOpen(ValueError):
    """Sealed by a key that FIELD_KEYS does not name, or changed since."""


def seal(text: str) -> str:
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotOpen("A sealed value cannot be opened: is its key still in FIELD_KEYS?") from None


def seal_anew(sealed: str) -> str:
    """The same secret under the first key."""
    try:
        return _box(tuple(settings.FIELD_KEYS)).rotate(sealed.encode()).decode()
    except InvalidToken:
        raise CannotOpen("A sealed value cannot be opened: is its key still in FIELD_KEYS?") from None


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
