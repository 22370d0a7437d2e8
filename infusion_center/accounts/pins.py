"""Six-digit PINs: which are too easy, and how one is kept so that the table alone gives none away."""

from __future__ import annotations

import hashlib
import hmac
import re
from itertools import pairwise

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password

from infusion_center.accounts.models import User
from infusion_center.core.rules import Problem, blocker

DIGITS = 6
SHAPE = re.compile(r"[0-9]{6}")


def is_pin(text: str) -> bool:
    return SHAPE.fullmatch(text) is not None


def pin_problems(pin: str) -> list[Problem]:
    """What a colleague at the same tablet would try first is refused: there are only five tries."""
    if not is_pin(pin):
        return [blocker("pin-shape", "A PIN is six digits.", field="pin")]
    steps = {(int(following) - int(digit)) % 10 for digit, following in pairwise(pin)}
    if steps in ({0}, {1}, {9}) or pin == pin[:2] * 3 or pin == pin[:3] * 2:
        message = "This PIN is too easy: no same digits, runs or repeats, such as 111111, 123456 or 121212."
        return [blocker("pin-easy", message, field="pin")]
    return []


def hash_of(user: User, pin: str) -> str:
    return make_password(_peppered(user, pin))


def matches(user: User, pin: str, kept_hash: str) -> bool:
    return check_password(_peppered(user, pin), kept_hash)


def _peppered(user: User, pin: str) -> str:
    """A million PINs are soon tried against a stolen table; without the secret key, which is no row, in vain."""
    message = f"pin:{user.pk}:{pin}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()
