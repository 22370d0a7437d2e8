"""The questions of the days after a visit, and how soon a nurse calls about the answers. Pure: no rows, no clock.

The rules lean to the safe side: each answer counts by itself, an answer left open never counts as a no, and of several
the most urgent decides. Sources and what is our own choice: docs/clinical-rules.md, After the visit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infusion_center.core.rules import Problem, blocker, note, warning
from infusions.reminders.after_care_models import CallOutcome, Urgency

YES, NO = "yes", "no"
LONGEST_COMMENT, LONGEST_NOTE = 300, 500

# Codes of the questions as they are asked: the gravest first, so that nobody has to read on.
RED = ("chest-pain", "breathing", "one-side", "face-swelling", "fainted")
WITH_HEADACHE = ("stiff-neck", "light-hurts", "vomiting")
QUESTIONS = (
    *RED,
    "limb",
    "dark-urine",
    "little-urine",
    "yellow-or-pale",
    "headache",
    *WITH_HEADACHE,
    "fever",
    "rash",
    "both-legs",
    "tired",
)
# A report that asks for no call says no to each of these; what was left open is no answer.
TO_BE_ANSWERED = tuple(code for code in QUESTIONS if code not in WITH_HEADACHE)


@dataclass(frozen=True)
class Rule:
    """Holds when all of `needs` were answered yes, and one of `any_of` where there are some."""

    urgency: Urgency
    says: Problem
    needs: tuple[str, ...]
    any_of: tuple[str, ...] = ()

    def holds(self, yes: frozenset[str]) -> bool:
        return yes.issuperset(self.needs) and (not self.any_of or not yes.isdisjoint(self.any_of))


RULES = (
    Rule(Urgency.EMERGENCY, blocker("after-care-chest-pain", "Chest pain"), ("chest-pain",)),
    Rule(Urgency.EMERGENCY, blocker("after-care-breathing", "Trouble breathing"), ("breathing",)),
    Rule(
        Urgency.EMERGENCY,
        blocker("after-care-one-side", "Weak on one side, or trouble speaking or seeing, or confused"),
        ("one-side",),
    ),
    Rule(Urgency.EMERGENCY, blocker("after-care-face-swelling", "Swollen face, lips or throat"), ("face-swelling",)),
    Rule(Urgency.EMERGENCY, blocker("after-care-fainted", "Fainted"), ("fainted",)),
    Rule(
        Urgency.URGENT,
        warning("after-care-headache-signs", "Headache with vomiting, fever or pain from light"),
        ("headache",),
        ("light-hurts", "vomiting", "fever"),
    ),
    Rule(Urgency.URGENT, warning("after-care-stiff-neck", "Stiff neck"), ("stiff-neck",)),
    Rule(Urgency.URGENT, warning("after-care-limb", "One arm or leg swollen, painful or red"), ("limb",)),
    Rule(Urgency.URGENT, warning("after-care-dark-urine", "Dark urine"), ("dark-urine",)),
    Rule(Urgency.URGENT, warning("after-care-yellow-or-pale", "Yellow, or much paler than usual"), ("yellow-or-pale",)),
    Rule(Urgency.URGENT, warning("after-care-little-urine", "Little or no urine"), ("little-urine",)),
    Rule(Urgency.TODAY, note("after-care-headache", "Headache"), ("headache",)),
    Rule(Urgency.TODAY, note("after-care-light-hurts", "Light hurts the eyes"), ("light-hurts",)),
    Rule(Urgency.TODAY, note("after-care-vomiting", "Vomiting"), ("vomiting",)),
    Rule(Urgency.TODAY, note("after-care-fever", "Fever or chills"), ("fever",)),
    Rule(Urgency.TODAY, note("after-care-rash", "Rash, itching or hives"), ("rash",)),
    Rule(Urgency.TODAY, note("after-care-both-legs", "Both legs swollen, or weight up fast"), ("both-legs",)),
    Rule(Urgency.TODAY, note("after-care-tired", "Very tired"), ("tired",)),
)
WROTE = note("after-care-wrote", "Wrote something")
WANTS_CALL = note("after-care-wants-call", "Asks for a call")
GRAVITY = {urgency: number for number, urgency in enumerate(Urgency)}


@dataclass(frozen=True)
class Assessment:
    urgency: Urgency
    reasons: tuple[Problem, ...]  # the gravest first


def assess(values: Mapping[str, str], *, comment: str = "", wants_call: bool = False) -> Assessment:
    """How soon somebody calls, and why."""
    yes = frozenset(code for code, value in values.items() if value == YES)
    found = [(rule.urgency, rule.says) for rule in RULES if rule.holds(yes)]
    # Nobody but a person can tell what is meant.
    found += [(Urgency.TODAY, said) for said, holds in ((WROTE, comment), (WANTS_CALL, wants_call)) if holds]
    urgency = min((urgency for urgency, _ in found), key=GRAVITY.__getitem__, default=Urgency.NONE)
    return Assessment(urgency, tuple(said for _, said in found))


def answer_problems(values: Mapping[str, str], *, comment: str = "", wants_call: bool = False) -> list[Problem]:
    """Whether it can be kept: readable, and no "all is well" by silence. What asks for a call is taken as it is."""
    if len(comment) > LONGEST_COMMENT:
        return [blocker("after-care-comment-long", "Use at most 300 characters.", field="comment")]
    wrong = [code for code, value in values.items() if code not in QUESTIONS or value not in (YES, NO)]
    if wrong:
        return [blocker("after-care-unreadable", "This is no answer to the question.", field=code) for code in wrong]
    if assess(values, comment=comment, wants_call=wants_call).urgency != Urgency.NONE:
        return []
    left = [code for code in TO_BE_ANSWERED if code not in values]
    return [blocker("after-care-left-open", "This was left open.", field=code) for code in left]


def call_problems(outcome: str, note: str) -> list[Problem]:
    """A call that is recorded says what came of it."""
    if outcome not in CallOutcome.values:
        return [blocker("after-care-outcome-missing", "Say what came of the call.", field="outcome")]
    if len(note) > LONGEST_NOTE:
        return [blocker("after-care-note-long", "Use at most 500 characters.", field="note")]
    if outcome == CallOutcome.PASSED_ON and not note:
        return [blocker("after-care-note-missing", "Say to whom, and what is to be done.", field="note")]
    return []
