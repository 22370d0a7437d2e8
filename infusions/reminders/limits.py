"""How often the pages behind signed links may be asked, for one visit and from one address. Counted in the cache.

Generous: a family and a whole clinic may share an address, and mail scanners open each link several times.
"""

from allauth.core.internal.ratelimit import consume
from django.conf import settings
from django.http import HttpRequest

from infusions.reminders import links

# What is done -> how often. "key" counts for one page of a visit, whichever of its links was opened; "ip" for the
# address as sign-in knows it (settings, proxies).
RATES = {
    "look": "60/m/key",
    "answer": "60/m/ip,10/m/key",
    "search": "20/m/key",  # looking for starts costs more than showing a page
    "guess": "20/m/ip",
}
PAUSE_SECONDS = 60


class AskedTooOften(Exception):
    """Nothing is wrong with the link; it works again in a minute."""


def count(request: HttpRequest, token: str) -> None:
    """One more request for this link. Letters that we never signed are no link, and share one count."""
    key = links.counted_as(token)
    if request.method == "POST":
        _count(request, "answer", key)
    elif key:
        _count(request, "look", key)


def count_search(request: HttpRequest, token: str) -> None:
    _count(request, "search", links.counted_as(token))


def count_guess(request: HttpRequest) -> None:
    """One more link that opens nothing, or a secret that is wrong."""
    _count(request, "guess", "")


def _count(request: HttpRequest, action: str, key: str) -> None:
    if not settings.LIMITS_PATIENT_LINKS:
        return
    if not consume(request, app="reminders", action=action, config=RATES, key=key, limit_get=True):
        raise AskedTooOften
