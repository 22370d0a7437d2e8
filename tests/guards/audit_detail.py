"""Which keys the detail of an audit event may have, and what may stand behind them: codes, ids, numbers, names."""

import re

CODES = set(
    "about accepted active after amendment appointment attempt backup_of before cause change changed channel "
    "code consents copied_from count days doses_given due emergency entries entry fact fields file_hash "
    "filters findings first_day format found found_elsewhere freed_chair given grade grams hash hours is_active "
    "item items kind kinds language last_day links lot lots mailed method number nurse objects of offer order outcome "
    "overridden page parts patients phase position problem problems product purpose reaction reader reasons "
    "replaced report requestor reviewed rows rule set_aside several shape short site sites sought_by state "
    "status sum taken to_seat_order tries up urgency version vial vials visit visits visits_homes waiting "
    "weekdays".split()
)
# Words of our own or from a list of ours: a page, a chair and its nurse, "Ill", "Running late".
OUR_WORDS = {"what", "seat_before", "seat_after", "reason", "why", "actor"}
# Typed, and about a product or the questions of the check, never about a patient.
ABOUT_NO_PATIENT = {"source", "checked_against", "changes", "steps", "section"}
ALLOWED = CODES | OUR_WORDS | ABOUT_NO_PATIENT
CODE = re.compile(r"[\w.:+/-]{0,80}")
LONGEST_WORDS = 120


def is_harmless(key: str, value) -> bool:
    if isinstance(value, list):
        return all(is_harmless(key, one) for one in value)
    if value is None or isinstance(value, bool | int):
        return True
    if not isinstance(value, str) or key not in ALLOWED:
        return False
    return len(value) <= LONGEST_WORDS if key not in CODES else CODE.fullmatch(value) is not None


def wrong_details(events) -> list[tuple]:
    """(action, key, value) of what should not stand in the trail."""
    found = [(event, key, value) for event in events for key, value in event.detail.items()]
    return [
        (event.action, key, value)
        for event, key, value in found
        if not is_harmless(key, value) or (event.patient_id and key in ABOUT_NO_PATIENT)
    ]
