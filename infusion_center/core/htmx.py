"""htmx in three words: is this a partial request, which template answers it, and where to go next."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django_htmx.http import HttpResponseClientRedirect


def is_htmx(request: HttpRequest) -> bool:
    """A request for a fragment; one that htmx makes to restore history wants the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def page_or_partial(request: HttpRequest, page: str, partial: str, context: dict, **kwargs) -> HttpResponse:
    response = render(request, partial if is_htmx(request) else page, context, **kwargs)
    response.headers["Vary"] = "HX-Request"
    return response


def go_to(request: HttpRequest, to, *args, **kwargs) -> HttpResponse:
    """Redirect the whole page, also when htmx asked."""
    url = resolve_url(to, *args, **kwargs)
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)
