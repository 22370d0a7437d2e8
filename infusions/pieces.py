"""What the recurring pieces show: the word, icon and shape of each state and severity, and the banner's facts."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html

from infusion_center.core.rules import Severity

TEST_BADGE = format_html('<span class="test-badge" title="{}">Test</span>', "Made up, to try things")


@dataclass(frozen=True)
class Face:
    """How a state looks. `name` picks the CSS class state-<name>, which gives colour and shape."""

    name: str
    word: str
    icon: str


FACES = {
    face.name: face
    for face in (
        # Visits
        Face("expected", "Expected", "circle-dashed"),
        Face("confirmed", "Confirmed", "check"),
        Face("arrived", "Arrived", "door-open"),
        Face("checklist", "Checklist", "list-checks"),
        Face("in_progress", "In progress", "activity"),
        Face("infusing", "Infusing", "droplets"),
        Face("preparing", "Preparing", "package-plus"),
        Face("paused", "Paused", "circle-pause"),
        Face("observing", "Observing", "eye"),
        Face("ended", "To be signed", "pen-line"),
        Face("completed", "Done", "check-check"),
        Face("done", "Done", "check-check"),
        Face("stopped_early", "Stopped early", "circle-stop"),
        Face("no_show", "No-show", "user-round-x"),
        Face("cancelled", "Cancelled", "x"),
        Face("uncovered", "Uncovered", "triangle-alert"),
        Face("late", "Running late", "alarm-clock"),
        # Orders, formulary rows, checklists, dose records
        Face("draft", "Draft", "pencil"),
        Face("signed", "Signed", "badge-check"),
        Face("held", "On hold", "hand"),
        Face("stopped", "Stopped", "circle-stop"),
        Face("expired", "Expired", "calendar-x"),
        Face("verified", "Signed off", "badge-check"),
        Face("unverified", "Not signed off", "hourglass"),
        Face("open", "Open", "circle-dashed"),
        Face("passed", "Passed", "check"),
        Face("failed", "Failed", "octagon-x"),
        Face("overridden", "Passed with override", "hand"),
        # Reminders
        Face("planned", "Planned", "clock"),
        Face("owed", "Owed", "clock"),
        Face("sending", "Sending", "send"),
        Face("sent", "Sent", "check"),
        Face("skipped", "Skipped", "skip-forward"),
        # Waitlist and offers
        Face("waiting", "Waiting", "hourglass"),
        Face("booked", "Booked", "calendar-check"),
        Face("closed", "Closed", "x"),
        Face("accepted", "Accepted", "check"),
        Face("declined", "Declined", "x"),
        Face("lost", "Taken by somebody else", "users-round"),
        Face("withdrawn", "Withdrawn", "undo-2"),
        # People and things
        Face("active", "Active", "check"),
        Face("inactive", "Not active", "ban"),
    )
}


def face_of(state: str) -> Face:
    """A state that nobody drew keeps its own word in the plain shape."""
    name = str(getattr(state, "value", state))
    return FACES.get(name) or Face("expected", name.replace("_", " ").capitalize(), "circle")


SEVERITY_FACES = {
    Severity.BLOCKER: Face("blocker", "Stop: this must be solved", "octagon-x"),
    Severity.APPROVAL: Face("approval", "Needs a decision with a reason", "hand"),
    Severity.WARNING: Face("warning", "Check this", "triangle-alert"),
    Severity.NOTE: Face("note", "For your information", "info"),
}
SEVERITY_WORDS = {
    Severity.BLOCKER: "Blocker",
    Severity.APPROVAL: "Needs approval",
    Severity.WARNING: "Warning",
    Severity.NOTE: "Note",
}


def severity_of(problem) -> Severity:
    """Of a Problem, or of one that a table kept as JSON."""
    return Severity(problem["severity"] if isinstance(problem, dict) else problem.severity)


def grouped_by_severity(problems: Iterable) -> list[tuple[Face, list]]:
    """Gravest first; severities without a problem are left out."""
    problems = list(problems or [])
    groups = [(SEVERITY_FACES[severity], [p for p in problems if severity_of(p) == severity]) for severity in Severity]
    return [(face, members) for face, members in groups if members]
