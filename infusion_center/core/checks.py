"""System check: every URL names who may use it. A view without a rule stops `check`, and so the test run."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver


def all_patterns(
    resolver: URLResolver | None = None, prefix: str = "", names: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    """(path, namespaced name, pattern) of every URL."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            namespace = f"{names}{entry.namespace}:" if entry.namespace else names
            yield from all_patterns(entry, path, namespace)
        else:
            yield path, f"{names}{entry.name or ''}", entry


def access_rule(pattern: URLPattern):
    """The rule that @requires or @anonymous_allowed left on the view; the admin site has one rule for all its pages."""
    return getattr(pattern.callback, "access_rule", None)


@register(Tags.urls)
def every_url_has_an_access_rule(app_configs, **kwargs):
    return [
        Error(f"URL {path!r} ({name}) has no access rule", hint="Decorate its view with @requires.", id="core.E001")
        for path, name, pattern in all_patterns()
        if access_rule(pattern) is None and not name.startswith("admin:")
    ]


@register(Tags.security, deploy=True)
def links_in_mails_lead_here(app_configs, **kwargs):
    """Left out, SITE_URL is this machine's own address: patients could open no link, and calendars keep it for ever."""
    if settings.DEBUG or not is_loopback(urlsplit(settings.SITE_URL).hostname or ""):
        return []
    hint = "Set SITE_URL to the address that people ask for, such as https://visits.example.org."
    return [Error(f"Links in mails would lead to {settings.SITE_URL}.", hint=hint, id="core.E002")]


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost")
