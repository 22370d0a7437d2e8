"""A site's own words in patients' mails: what they may hold, and how a message takes them in.

Placeholders are filled from a fixed map, never by format(): what a manager types cannot reach into our objects.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from infusion_center.core.rules import Problem, blocker
from infusions.reminders.models import DAYS_BEFORE, Kind
from infusions.reminders.wording_models import MailWording
from infusions.reminders.words import clinical_words

# The subject stands on locked screens: no name there.
PLACEHOLDERS = {
    "subject": ("day", "time", "place"),
    "opening": ("name", "day", "time", "place", "phone"),
    "note": ("name", "day", "time", "place", "phone"),
}
LABELS = {"subject": "subject", "opening": "first sentence", "note": "paragraph"}
BRACED = re.compile(r"\{([^{}]*)\}")
# How much to drink differs by patient: some must drink little.
DRINKING = re.compile(
    r"\b(?:drink\w*|hydrat\w*|fluids?|beb(?:a|an|er|iendo)|hidr[aá]t\w*|l[ií]quidos?)\b", re.IGNORECASE
)
# Not those to staff, and the day reminders share one.
NOT_WORDED = frozenset({Kind.DAY_SHEET, *DAYS_BEFORE} - {Kind.DAYS_1})
WORDED = tuple(kind for kind in Kind if kind not in NOT_WORDED)


@dataclass(frozen=True)
class OwnWords:
    """Empty where the shipped words stand."""

    subject: str = ""
    opening: str = ""
    note: str = ""

    def __bool__(self) -> bool:
        return any((self.subject, self.opening, self.note))


def worded_kind(kind: str) -> Kind:
    return Kind.DAYS_1 if kind in DAYS_BEFORE else Kind(kind)


def own_words_of(site, kind: str, language: str) -> OwnWords:
    """By one query on a unique key. What became a clinical word since it was saved is left out."""
    if worded_kind(kind) not in WORDED:
        return OwnWords()
    rows = MailWording.objects.filter(site=site, kind=worded_kind(kind), language=language)
    row = rows.values("subject", "opening", "note").first()
    return OwnWords(**{name: "" if clinical_words(text) else text for name, text in row.items()}) if row else OwnWords()


def filled(words: OwnWords, context: Mapping) -> OwnWords:
    """With the facts of one visit in place of the placeholders, which are those that the message shows elsewhere."""
    when, place = context["when"], context["place"]
    facts = {
        "name": context["name"],
        "day": when.day,
        "time": f"{when.begins} ({when.zone})" if when.zone else when.begins,
        "place": context["where"],
        "phone": place.phone,
    }
    return OwnWords(**{one.name: _fill(getattr(words, one.name), facts) for one in fields(OwnWords)})


def wording_problems(words: OwnWords) -> list[Problem]:
    problems = []
    for field, allowed in PLACEHOLDERS.items():
        text = getattr(words, field)
        problems += [
            *_brace_problems(field, text, allowed),
            *_word_problems(field, text),
            *_drink_problems(field, text),
        ]
        most = MailWording._meta.get_field(field).max_length
        if len(text) > most:
            problems.append(blocker("too-long", f"At most {most} characters.", field=field))
    return problems


def _fill(text: str, facts: Mapping[str, str]) -> str:
    return BRACED.sub(lambda braced: facts.get(braced[1], ""), text)


def _brace_problems(field: str, text: str, allowed: tuple[str, ...]) -> list[Problem]:
    known = ", ".join(f"{{{name}}}" for name in allowed)
    unknown = [f"{{{name}}}" for name in BRACED.findall(text) if name not in allowed]
    if unknown:
        message = f"{', '.join(unknown)} cannot stand in the {LABELS[field]}."
        return [blocker("unknown-placeholder", message, field=field, remedy=f"Possible are {known}.")]
    if set("{}") & set(BRACED.sub("", text)):
        message = "A brace has no partner."
        return [blocker("lonely-brace", message, field=field, remedy=f"Possible are {known}.")]
    return []


def _word_problems(field: str, text: str) -> list[Problem]:
    """45 CFR 164.530(c): others read over the patient's shoulder."""
    found = clinical_words(text)
    if not found:
        return []
    message = f"“{'”, “'.join(found)}” tells what patients come for."
    return [blocker("clinical-word", message, field=field, remedy="Say it without, such as “appointment”.")]


def _drink_problems(field: str, text: str) -> list[Problem]:
    found = DRINKING.search(text)
    if not found:
        return []
    remedy = "Leave it out: the mail tells each patient how to drink, by the fluid restriction on file."
    return [blocker("drink-advice", f"“{found[0]}” may harm who must drink little.", field=field, remedy=remedy)]
