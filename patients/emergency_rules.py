"""Who may break the glass, what has to be said for it, and how often one may try to find the patient."""

import datetime as dt

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core.rules import Problem, blocker
from patients.emergency_models import EmergencyAccess, EmergencyReason

OPEN_FOR = dt.timedelta(minutes=60)
SHORTEST_REASON = 10
MOST_WRONG_TRIES = 5
WRONG_TRIES_WITHIN = dt.timedelta(hours=1)
MOST_FOUND = 5  # different patients: a list of names and birthdays would go through here otherwise
FOUND_WITHIN = dt.timedelta(hours=1)
MET_FOR = dt.timedelta(hours=24)  # so long what an emergency showed makes no lasting access


def person_problems(user) -> list[Problem]:
    if has_permission(user, Permission.BREAK_GLASS):
        return []
    return [blocker("may-not-break-glass", "Your role has no emergency access.")]


def reason_problems(kind: str, reason: str) -> list[Problem]:
    if kind not in EmergencyReason.values:
        return [blocker("unknown-reason", "Choose a reason from the list.", field="kind")]
    if len(reason) < SHORTEST_REASON:
        return [
            blocker(
                "reason-too-short",
                f"Say in at least {SHORTEST_REASON} characters why you need this chart.",
                field="reason",
            )
        ]
    return []


def try_problems(wrong_tries: int) -> list[Problem]:
    if wrong_tries < MOST_WRONG_TRIES:
        return []
    return [
        blocker(
            "too-many-tries",
            f"{MOST_WRONG_TRIES} wrong tries within an hour: no more now.",
            remedy="Ask a colleague of the patient's site, or a manager. In an hour you can try again.",
        )
    ]


def found_problems(sought: set[str], found_before: set[str]) -> list[Problem]:
    """Ids of who fits now, and of who was found within the hour: those stay to be found again.

    Nobody fits and somebody new fits are answered alike, or the answer would go on telling who is registered.
    """
    if len(found_before) < MOST_FOUND or (sought and sought <= found_before):
        return []
    return [
        blocker(
            "too-many-found",
            f"You looked for {MOST_FOUND} different patients within an hour: no more now.",
            remedy="Ask a colleague to look, or the patient's site. In an hour you can look for others again.",
        )
    ]


def opening_problems(*, is_visible: bool, standing: EmergencyAccess | None) -> list[Problem]:
    if is_visible:
        return [blocker("chart-open-anyway", "The patient belongs to one of your sites: open the chart as always.")]
    if standing is not None:
        return [blocker("already-open", "You have emergency access to this patient already.")]
    return []


def extension_problems(access: EmergencyAccess, now: dt.datetime, *, is_extended: bool) -> list[Problem]:
    if access.extends_id is not None or is_extended:
        return [blocker("extended-once", "It was extended once already. Find the patient again if you still need to.")]
    if not access.is_open(now):
        return [blocker("access-over", "This access is over. Find the patient again if you still need to.")]
    return []


def review_problems(access: EmergencyAccess, reviewer, note: str) -> list[Problem]:
    if access.reviewed_at is not None:
        return [blocker("reviewed-already", f"{access.reviewed_by} has reviewed this access already.")]
    if access.user_id == reviewer.pk:
        return [blocker("own-access", "Another manager has to review your own access.")]
    if not note:
        return [blocker("note-missing", "Write what you found.", field="note")]
    return []
