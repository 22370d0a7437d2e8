"""Template words of every page: times in the zone of the site, numbers with units, frames, recurring pieces."""

import datetime as dt
import json
from decimal import Decimal

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import format_html
from django_guid import get_guid

from infusion_center.core import clock
from infusion_center.core.rules import Severity
from infusions import navigation, pieces
from infusions.formulary.epinephrine import epinephrine_dose
from patients.queries import banner_facts

register = template.Library()


@register.simple_tag
def request_id() -> str:
    """On pages about errors: by what the lines of this request are found in the log."""
    return format_html("Number of this request: <code>{}</code>", number) if (number := get_guid()) else ""


@register.filter
def local(instant: dt.datetime, zone_name: str) -> dt.datetime:
    """The instant as a wall time without zone, so that |date prints it as it is."""
    return clock.to_local(instant, zone_name).replace(tzinfo=None) if instant else instant


@register.filter
def wall_time(instant: dt.datetime, site) -> str:
    """14:30 or 2:30 PM, in the site's zone and manner."""
    if not instant:
        return ""
    local_time = clock.to_local(instant, site.time_zone)
    return local_time.strftime("%H:%M") if site.uses_24h_clock else local_time.strftime("%I:%M %p").lstrip("0")


@register.filter
def plain(number: Decimal) -> str:
    """A Decimal without trailing zeros: 30, 2.5."""
    return f"{number.normalize():f}" if isinstance(number, Decimal) else str(number)


@register.filter
def duration(minutes: int) -> str:
    """95 -> 1 h 35 min."""
    hours, rest = divmod(int(minutes), 60)
    return f"{hours} h {rest:02d} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"


@register.filter
def age(patient, now: dt.datetime) -> int:
    return patient.age_on(clock.local_date(now, patient.time_zone))


@register.filter
def allows(permissions: set, name: str) -> bool:
    """{% if frame_permissions|allows:"BOOK_APPOINTMENT" %}"""
    return name in permissions


@register.filter
def born(day: dt.date) -> str:
    """12-Mar-1961: the one way in which a date of birth is written."""
    return f"{day:%d-%b-%Y}" if day else ""


@register.filter
def as_json(value) -> str:
    """For a data attribute, from where a script reads it: no script may have a body."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.filter
def day(value: dt.date) -> str:
    """Mon 23 Nov 2026."""
    return f"{value:%a} {value.day} {value:%b %Y}" if value else ""


@register.filter
def wall_moment(instant: dt.datetime, site) -> str:
    """Mon 23 Nov 2026, 14:30, in the site's zone."""
    return f"{day(clock.local_date(instant, site.time_zone))}, {wall_time(instant, site)}" if instant else ""


@register.filter
def wall_day(instant: dt.datetime, site) -> str:
    """23 Nov 2026 in the site's zone, in UTC for whoever has no site."""
    there = clock.to_local(instant, site.time_zone if site else "UTC")
    return f"{there.day} {there:%b %Y}"


@register.filter
def by_severity(problems) -> list:
    return pieces.grouped_by_severity(problems)


@register.inclusion_tag("components/_state_badge.html")
def state_badge(state, word: str = "") -> dict:
    """{% state_badge appointment.state %}: word, icon and shape. `word` replaces the word, not the shape."""
    face = pieces.face_of(state)
    return {"face": face, "word": word or face.word}


@register.simple_tag
def test_badge(patient) -> str:
    """Beside the name of a patient who is made up; nothing beside others."""
    return pieces.TEST_BADGE if patient.is_test else ""


@register.inclusion_tag("components/_severity_badge.html")
def severity_badge(severity) -> dict:
    severity = Severity(severity)
    return {"face": pieces.SEVERITY_FACES[severity], "word": pieces.SEVERITY_WORDS[severity]}


@register.inclusion_tag("components/_patient_banner.html", takes_context=True)
def patient_banner(context, patient) -> dict:
    """Who this page is about, always on top. One query, none where the page prefetched these facts."""
    weight, allergies, risks = shown_facts(patient)
    return {
        "patient": patient,
        "age": patient.age_on(clock.local_date(clock.now(), patient.time_zone)),
        "weight": weight,
        "allergies": allergies,
        "risks": risks,
        "frame_permissions": context.get("frame_permissions", set()),
    }


def shown_facts(patient) -> tuple:
    """Asked once for a page: banner and emergency card show the same."""
    if not hasattr(patient, "_shown_facts"):
        patient._shown_facts = _read_facts(patient)
    return patient._shown_facts


def _read_facts(patient) -> tuple:
    names = ("weights", "allergies", "risk_factors")
    if not set(names) <= getattr(patient, "_prefetched_objects_cache", {}).keys():
        return banner_facts(patient)
    weights, allergies, risks = (
        [fact for fact in getattr(patient, name).all() if fact.retracted_at is None] for name in names
    )
    return next(iter(weights), None), allergies, risks


@register.inclusion_tag("components/_rail.html", takes_context=True)
def rail(context) -> dict:
    # A page with a message tells of something that was just done: what waits is counted anew.
    return _links(context, navigation.RAIL) | {"something_done": bool(context.get("messages"))}


@register.inclusion_tag("components/_bottom_bar.html", takes_context=True)
def bottom_bar(context) -> dict:
    return _links(context, navigation.BOTTOM_BAR)


@register.inclusion_tag("components/_emergency_dialog.html", takes_context=True)
def emergency_dialog(context) -> dict:
    """The emergency card, over the page; with the dose of the patient whom the page is about."""
    patient = context.get("patient") or getattr(context.get("appointment"), "patient", None)
    weight = shown_facts(patient)[0] if patient else None
    dose = epinephrine_dose(weight.kg) if weight else None
    return {"patient": patient, "weight": weight, "dose": dose}


def _links(context, entries) -> dict:
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"links": []}
    return {"links": list(navigation.links(entries, user.permissions, request.resolver_match))}


@register.simple_tag(takes_context=True)
def page_url(context, number: int) -> str:
    """This page's address with another ?page=, its filters kept."""
    query = context["request"].GET.copy()
    query["page"] = number
    return f"?{query.urlencode()}"


@register.filter
def field_unit(bound_field) -> str:
    """The unit that a form names for a field: `units = {"kg": "kg"}` on the form."""
    return getattr(bound_field.form, "units", {}).get(bound_field.name, "")


@register.filter
def unlocalized(number: float) -> str:
    """For SVG attributes: a full stop as decimal mark in every language."""
    return f"{number:g}"
