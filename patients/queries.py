"""Reads about patients: the search, and the facts that dosing and safety ask for."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Protocol

from django.db.models import DateField, DecimalField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from patients.models import Allergy, ContactPreference, Patient, RiskFactor, SearchKey, Weight
from patients.names import LONGEST_WORD, closeness, name_words, one_slip_away, sound_of, word_closeness
from patients.search_keys import key_text
from patients.search_text import Term, day_word, read_search
from patients.site_models import treated_where

CANDIDATES = 200
FEW = 5  # fewer hits than this, and words that sound alike or hold a slip are tried too
LOOSE_WORDS = 12
LOOSE_CLOSENESS = 0.6
ORDER_OF_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
AGE_AT_RISK = 65
LATEST_WEIGHT = ("-measured_on", "-recorded_at", "-pk")


def search_patients(text: str, limit: int = 20, *, among: QuerySet | None = None) -> list[Patient]:
    """Patients who fit everything that was typed, best first. At most four queries, whatever the table's size.

    Words are looked up as beginnings of search keys. Only when that finds few are the names' sounds and slips tried.
    """
    terms = read_search(text, clock.now().date())
    if not terms:
        return []
    among = Patient.objects.all() if among is None else among
    found = _fitting(among, terms, [_begins_with(term.starts) for term in terms])
    if len(found) < FEW:
        loose = _loosely(terms)
        if loose is not None:
            found |= _fitting(among, terms, loose)
    best = _best_first(found, terms)[:limit]
    patients = among.in_bulk([hit.pk for hit in best]) if best else {}
    return [patients[hit.pk] for hit in best if hit.pk in patients]


@dataclass(frozen=True)
class Hit:
    """What ranking looks at. Hundreds are ranked and twenty shown: whole patients are made of those only."""

    pk: int
    is_active: bool
    family_name: str
    given_name: str
    chosen_name: str
    mrn: str


def _begins_with(starts: Iterable[str]) -> Q:
    condition = Q()
    for start in starts:
        condition |= Q(word__gte=start, word__lt=after) if (after := _after(start)) else Q(word__gte=start)
    return condition


def _after(start: str) -> str:
    """The least word behind all that begin with `start`; a range uses the index on both engines, LIKE does not.

    Only digits and letters step up, in an order on which all collations agree; behind z comes nothing: carry.
    """
    head, last = start.rstrip("z")[:-1], start.rstrip("z")[-1:]
    if not last:
        return ""
    if last in ORDER_OF_CHARACTERS:
        return head + ORDER_OF_CHARACTERS[ORDER_OF_CHARACTERS.index(last) + 1]
    return head + chr(ord(last) + 1)


def _fitting(among: QuerySet, terms: Sequence[Term], conditions: Sequence[Q]) -> set[Hit]:
    """Patients with a key for each condition; the term that fits the fewest rows leads, the others are looked up."""
    order = sorted(range(len(terms)), key=lambda at: _selectivity(terms[at]), reverse=True)
    keys = SearchKey.objects.filter(conditions[order[0]])
    for at in order[1:]:
        keys = keys.filter(Exists(SearchKey.objects.filter(conditions[at], patient=OuterRef("patient"))))
    # Before the cut, or the many of other sites would leave no room for those who may be seen.
    keys = keys.filter(Exists(among.filter(pk=OuterRef("patient"))))
    fitting = Patient.objects.filter(pk__in=keys.order_by("word").values("patient")[:CANDIDATES]).order_by()
    return {Hit(*row) for row in fitting.values_list(*(field.name for field in fields(Hit)))}


def _selectivity(term: Term) -> int:
    """The longer the rarer; dates and numbers of some length are rarer than names, a digit or two is not."""
    return len(term.text) + (3 if term.kind != "name" and len(term.text) > 3 else 0)


def _loosely(terms: Sequence[Term]) -> list[Q] | None:
    """The same conditions, with names also by sound and by slips; None when that adds nothing."""
    names = [term.text for term in terms if term.kind == "name" and len(term.text) > 2]
    if not names:
        return None
    words = _words_near(names)
    return [
        _begins_with(term.starts) | Q(word__in=_nearest(term.text, words))
        if term.kind == "name"
        else _begins_with(term.starts)
        for term in terms
    ]


def _words_near(names: Sequence[str]) -> list[str]:
    """Words that sound like one of the names or are one slip away. A UNION: each half keeps to its own index.

    As one condition with OR, PostgreSQL walks through all words there are, in the hope of few distinct ones.
    """
    words = SearchKey.objects.order_by().values_list("word", flat=True)
    sounds = {sound_of(name) for name in names} - {""}
    slips = set().union(*map(one_slip_away, names))
    return list(words.filter(sound__in=sounds).union(words.filter(word__in=slips)))


def _nearest(name: str, words: Iterable[str]) -> list[str]:
    scored = [(word_closeness(name, word), word) for word in words]
    return [word for score, word in sorted(scored, reverse=True)[:LOOSE_WORDS] if score >= LOOSE_CLOSENESS]


def _best_first(hits: Iterable[Hit], terms: Sequence[Term]) -> list[Hit]:
    names = [term.text for term in terms if term.kind == "name"]

    def rank(hit: Hit):
        near = closeness(names, name_words(hit.given_name, hit.family_name, hit.chosen_name)) if names else 0
        return not hit.is_active, -near, hit.family_name, hit.given_name, hit.mrn

    return sorted(hits, key=rank)


def possible_duplicates(
    *, mrn: str, date_of_birth: dt.date | None, email: str, phone: str, except_for: Patient | None = None, seen_by=None
) -> list[Patient]:
    """Patients who share a number, a date of birth or an address with these; whether they are alike, rules decide.

    Of the whole organisation: a second record of one person is dangerous wherever the first lies. `seen_by` has each
    say whether this person sees him (`is_seen`), for of others nothing may be told.
    """
    words = {key_text(mrn), key_text(phone), email.casefold()[:80]}
    if date_of_birth is not None:
        words.add(day_word(date_of_birth))
    keys = SearchKey.objects.filter(word__in=words - {""})
    if except_for is not None:
        keys = keys.exclude(patient=except_for)
    found = Patient.objects.filter(pk__in=keys.values("patient")[:CANDIDATES]).order_by("pk")
    return list(found if seen_by is None else found.annotate(is_seen=treated_where(seen_by)))


def patients_with_address(email: str) -> list[Patient]:
    """Those who have this email address now, whatever its case; by the search keys, as the column has no index."""
    if not email:
        return []
    keys = SearchKey.objects.filter(word=email.casefold()[:LONGEST_WORD])
    return list(Patient.objects.filter(pk__in=keys.values("patient")[:CANDIDATES], email__iexact=email).order_by("pk"))


def recently_opened(user, among: QuerySet, limit: int = 8) -> list[Patient]:
    """The patients whose charts this person opened last, newest first."""
    opened = AuditEvent.objects.by_user(user).filter(action="chart.opened").order_by("-at", "-id")
    ids = list(dict.fromkeys(opened.values_list("patient_id", flat=True)[:100]))[:limit]
    found = {patient.public_id: patient for patient in among.filter(public_id__in=ids)}
    return [found[public_id] for public_id in ids if public_id in found]


class Weighed(Protocol):
    """What rules ask of a weight."""

    kg: Decimal
    measured_on: dt.date


def current_weight(patient: Patient) -> Weight | None:
    """The latest measured weight that nobody retracted."""
    return patient.weights.current().order_by(*LATEST_WEIGHT).first()


def banner_facts(patient: Patient) -> tuple[Weight | None, list[Allergy], list[RiskFactor]]:
    """What every page about a patient shows of him: latest weight, allergies, risks. One statement; not to be saved."""
    latest = patient.weights.current().order_by("-measured_on", "-recorded_at", "-pk").values("pk")[:1]
    no_amount, no_day, no_text = Value(None, DecimalField()), Value(None, DateField()), Value("")
    parts = [
        Weight.objects.filter(pk=Subquery(latest)).annotate(
            what=Value("weight"), amount=F("kg"), day=F("measured_on"), name=no_text, words=no_text
        ),
        patient.allergies.current().annotate(
            what=Value("allergy"), amount=no_amount, day=no_day, name=F("code"), words=F("text")
        ),
        patient.risk_factors.current().annotate(
            what=Value("risk"), amount=no_amount, day=no_day, name=F("code"), words=no_text
        ),
    ]
    first, *others = (part.order_by().values_list("what", "amount", "day", "name", "words") for part in parts)
    rows = sorted(first.union(*others, all=True), key=lambda row: row[3:])
    weight = next(
        (Weight(patient=patient, kg=kg, measured_on=day) for what, kg, day, *_ in rows if what == "weight"), None
    )
    allergies = [Allergy(patient=patient, code=code, text=text) for what, *_, code, text in rows if what == "allergy"]
    risks = [RiskFactor(patient=patient, code=code) for what, *_, code, _ in rows if what == "risk"]
    return weight, allergies, risks


def conditions_of(patient: Patient) -> frozenset[str]:
    """Codes of the current allergies, intolerances and conditions."""
    return frozenset(patient.allergies.current().values_list("code", flat=True))


def risks_of(patient: Patient) -> frozenset[str]:
    return frozenset(patient.risk_factors.current().values_list("code", flat=True))


def is_at_risk(patient: Patient, on: dt.date, *, has_risk: bool | None = None) -> bool:
    """Thrombosis or renal risk by the labels' boxed warning: any recorded factor, or older than 65 years.

    `has_risk`: whether a factor is recorded, where that was read already.
    """
    if patient.age_on(on) > AGE_AT_RISK:
        return True
    return patient.risk_factors.current().exists() if has_risk is None else has_risk


def with_standing_facts(patients: QuerySet) -> QuerySet:
    """Adds what booking asks of a patient besides the visits: `has_risk`, `current_kg` and when it was measured."""
    latest = Weight.objects.current().filter(patient=OuterRef("pk")).order_by(*LATEST_WEIGHT)
    return patients.annotate(
        has_risk=Exists(RiskFactor.objects.current().filter(patient=OuterRef("pk"))),
        current_kg=Subquery(latest.values("kg")[:1]),
        current_kg_on=Subquery(latest.values("measured_on")[:1]),
    )


def may_contact(patient: Patient, channel: str) -> bool:
    """The patient's latest decision about the channel; no decision is a no."""
    latest = patient.contact_preferences.filter(channel=channel).order_by("-recorded_at", "-pk").first()
    return latest is not None and latest.consents


def who_may_be_contacted(patients: Iterable[int], channel: str) -> frozenset[int]:
    """The same for many patients at once, by row numbers."""
    asked = ContactPreference.objects.filter(patient__in=list(patients), channel=channel)
    latest_last = asked.order_by("recorded_at", "pk").values_list("patient_id", "consents")
    return frozenset(patient for patient, consents in dict(latest_last).items() if consents)


def contact_decisions(patient: Patient) -> dict[str, object]:
    """The decision in force for each channel that was asked about."""
    decisions = patient.contact_preferences.select_related("recorded_by").order_by("recorded_at", "pk")
    return {decision.channel: decision for decision in decisions}
