"""Refuses what no browser sends and no database keeps, before any page looks something up by it."""

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

NUL = "\x00"


class NoNulMiddleware:
    """A NUL in an address or a form is nobody's typing, and PostgreSQL answers it with an error instead of no row."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any(NUL in text for text in _sent(request)):
            return HttpResponseBadRequest("This address or form holds a character that cannot be kept.")
        return self.get_response(request)


def _sent(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    for data in (request.GET, request.POST):
        for name, values in data.lists():
            yield name
            yield from values
