"""What was reported after visits, on the page of a visit and in the chart."""

from django import template

from infusions.reminders.after_care_sheet import told_after

register = template.Library()


@register.inclusion_tag("infusions/reminders/_after_care_visit.html")
def after_care_of(visit) -> dict:
    """All reports of a visit, newest first; nothing where there are none."""
    return {"visit": visit, "site": visit.site, "told": told_after(visit.after_care_reports.all())}
