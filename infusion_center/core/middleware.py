"""What every answer tells browsers besides its policies; refuses what no browser sends and no database keeps."""

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request

NUL = "\x00"


# No search engine keeps a page of ours, no other site loads one as its own.
BROWSER_RULES = {"X-Robots-Tag": "noindex, nofollow, noarchive", "Cross-Origin-Resource-Policy": "same-origin"}


class BrowserRulesMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in BROWSER_RULES.items():
            response.headers[name] = value
        return response


class NoNulMiddleware:
    """A NUL in an address or a form is nobody's typing, and PostgreSQL answers it with an error instead of no row."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any(NUL in text for text in _sent(request)):
            return bad_request(request, None)
        return self.get_response(request)


def _sent(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    for data in (request.GET, request.POST):
        for name, values in data.lists():
            yield name
            yield from values
