"""What pages about visits tell of the reminders."""

from django import template

from infusion_center.core import clock
from infusions.reminders.heartbeat import silence_problems

register = template.Library()


@register.inclusion_tag("components/_problems.html")
def sending_problems() -> dict:
    """Says so, where reminders stand still. One statement."""
    return {"problems": silence_problems(clock.now())}
