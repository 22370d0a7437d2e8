"""The words by which a patient is found: made from his row, written anew whenever it changes."""

from patients.models import Patient, SearchKey
from patients.names import LONGEST_WORD, name_words, sound_of
from patients.search_text import day_word

SHORTEST_ENDING = 3


def key_text(text: object) -> str:
    """Letters and digits only, as numbers are compared: +1 212-555-0123 -> 12125550123."""
    return "".join(letter for letter in str(text).casefold() if letter.isalnum())


def key_words(patient: Patient) -> list[tuple[str, str]]:
    """Each word by which the patient is found, and how it sounds; for bulk loading."""
    names = name_words(patient.given_name, patient.family_name, patient.chosen_name)
    others = {day_word(patient.date_of_birth), patient.email.casefold()[:LONGEST_WORD]}
    others |= _endings(key_text(patient.mrn)) | _endings(key_text(patient.phone or ""))
    return [(word, sound_of(word)) for word in sorted(names)] + [(word, "") for word in sorted(others - names - {""})]


def search_keys(patient: Patient) -> list[SearchKey]:
    """Unsaved keys of a saved patient."""
    return [SearchKey(patient=patient, word=word, sound=sound) for word, sound in key_words(patient)]


def _endings(number: str) -> set[str]:
    return {number} | {number[at:] for at in range(len(number) - SHORTEST_ENDING + 1)}


def write_search_keys(patient: Patient) -> None:
    patient.search_keys.all().delete()
    SearchKey.objects.bulk_create(search_keys(patient))
