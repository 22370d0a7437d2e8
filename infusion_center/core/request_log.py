"""One line for each request, and the id that all its lines carry. Of an address only the route, no ids, no words."""

import logging
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject, empty

from infusion_center.core import metrics

logger = logging.getLogger("infusion_center.access")
CALLERS_ID = "HTTP_X_REQUEST_ID"
UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class CallersIdMiddleware:
    """A proxy of ours may have given the request an id; from anybody else, or in another form, it is not taken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get(CALLERS_ID, "")
        if not (settings.BEHIND_PROXY and UUID.fullmatch(given)):
            request.META.pop(CALLERS_ID, None)
        return self.get_response(request)


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        method = request.method if request.method in METHODS else "other"
        route, status = route_of(request), response.status_code
        metrics.note_request(method, route, status, seconds)
        line = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000), "user": who(request)}
        logger.info("request", extra=line)
        return response


def route_of(request: HttpRequest) -> str:
    """The pattern that the address fits, never the address."""
    if request.path_info.startswith(settings.STATIC_URL):
        return "static"
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else "none"


def who(request: HttpRequest) -> str:
    """The public id of who is signed in, if anything asked for that already: a line costs no statement."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject) and user._wrapped is empty:
        return "-"
    return getattr(user, "public_id", None) or "-"
