"""The audit trail: the keys that seal it, how often it is sealed, where the head of its chain is kept outside."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from infusion_center.conf.base import DEBUG, SECRET_KEY, VAR_DIR, env

DEVELOPMENT_AUDIT_KEY = "audit-for-development-only-never-with-patients-0123456789"
SHORTEST_AUDIT_KEY = 40
# Newest first: the first writes, all of them prove what was written. Whoever reads the database does not have them.
AUDIT_KEYS = [key for key in env.list("AUDIT_KEYS", [DEVELOPMENT_AUDIT_KEY] if DEBUG else []) if key]
AUDIT_SEAL_SECONDS = env.int("AUDIT_SEAL_SECONDS", 20)
# One line a minute at most; empty: the log alone tells the head.
AUDIT_HEAD_FILE = env.str("AUDIT_HEAD_FILE", str(VAR_DIR / "audit-head.jsonl"))
AUDIT_HEAD_FILE = Path(AUDIT_HEAD_FILE) if AUDIT_HEAD_FILE else None
# Pages that show many patients: which of them leaves an event, and by what name. audit.page_events writes it.
PATIENT_LISTS = {
    "audit:trail": "the audit trail",
    "doses:my-patients": "the day's patients",
    "doses:others": "who else waits",
    "facility:nurse-call-out": "the visits of a nurse",
    "orders:order-list": "the list of orders",
    "patients:patient-list": "the patients opened last",
    "reminders:after-care-alert": "the after-care calls",
    "reminders:after-care-list": "the after-care calls",
    "reminders:block-list": "the blocked addresses",
    "reminders:mail-list": "the mail folder",
    "reminders:reminder-list": "the list of reminders",
    "scheduling:board": "the board",
    "scheduling:board-fragment": "the board",
    "scheduling:cover-late": "the visits behind a late one",
    "scheduling:cover-list": "the uncovered visits",
    "scheduling:cover-plan": "the uncovered visits",
    "scheduling:move-preview": "the board",  # asked beside it again and again while a visit is dragged
    "scheduling:waitlist": "the waitlist",
    "scheduling:work-list": "a work list",
    "scheduling:work-overview": "the work lists",
}
SITE_IN_USE = "infusions.facility.queries.current_site"

if not DEBUG:
    weak = [key for key in AUDIT_KEYS if len(key) < SHORTEST_AUDIT_KEY or key in (DEVELOPMENT_AUDIT_KEY, SECRET_KEY)]
    if weak or not AUDIT_KEYS:
        raise ImproperlyConfigured(
            f"Set AUDIT_KEYS to {SHORTEST_AUDIT_KEY} or more random characters, not those of SECRET_KEY; several keys "
            'are separated by commas, the newest first: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
