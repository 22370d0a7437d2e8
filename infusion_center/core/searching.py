"""What people type to find somebody: posted, and sealed where it has to stand in an address.

An address is kept by the browser's history, by proxies and by their logs; a sealed one can be gone back to and
reloaded, and says nothing to whoever reads it there. It opens for the person who searched only, and for a day's work.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.crypto import salted_hmac
from django_htmx.http import replace_url

SEALED = "s"  # the name of the sealed words in an address
LONGEST = 100


def typed(request: HttpRequest, name: str = "q") -> str:
    """The words of this request: just posted, or sealed in its address. Never read as they are from an address."""
    if request.method == "POST":
        return request.POST.get(name, "")[:LONGEST]
    return unseal(request.GET.get(SEALED, ""), whose=request.user.public_id)


def sealed_address(request: HttpRequest, text: str, **changed: str) -> str:
    """This page's address with the words sealed, and other parts as they were or as given."""
    asked = request.GET.copy()
    for name in (SEALED, "page", "q"):
        asked.pop(name, None)
    for name, value in changed.items():
        asked[name] = value
    if text:
        asked[SEALED] = seal(text, whose=request.user.public_id)
    return f"{request.path}?{asked.urlencode()}" if asked else request.path


def to_sealed(request: HttpRequest, text: str, **changed: str) -> HttpResponseRedirect:
    """After a form was posted: to the address that shows what was found, and can be reloaded."""
    return HttpResponseRedirect(sealed_address(request, text, **changed))


def with_sealed(response: HttpResponse, request: HttpRequest, text: str) -> HttpResponse:
    """For htmx: results come in place, and whoever goes to a chart and back finds them again."""
    return replace_url(response, sealed_address(request, text))


def seal(text: str, *, whose: str) -> str:
    return _fernet().encrypt(f"{whose} {text}".encode()).decode().rstrip("=")


def unseal(sealed: str, *, whose: str) -> str:
    """The words, or none: of somebody else, of yesterday, or not sealed by us."""
    try:
        padded = sealed + "=" * (-len(sealed) % 4)
        person, _, text = _fernet().decrypt(padded.encode(), ttl=settings.SESSION_COOKIE_AGE).decode().partition(" ")
    except (InvalidToken, ValueError):
        return ""
    return text if person == whose else ""


def _fernet() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(salted_hmac("core.searching", "", algorithm="sha256").digest()))
