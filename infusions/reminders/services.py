"""The ledger's verbs, for whoever calls them from outside. Safe to run anywhere, any number of times.

What visits need is planned by a repeatable scan; what is due is claimed, sent and recorded by any number of senders.
"""

from infusions.reminders.claims import claim
from infusions.reminders.resending import resend_reminder
from infusions.reminders.scan import plan_reminders
from infusions.reminders.sending import send_due

__all__ = ["claim", "plan_reminders", "resend_reminder", "send_due"]
