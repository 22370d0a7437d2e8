"""What the page offers besides the dose: medicines as tiles, the ordered premedication, the flush, the advice."""

from __future__ import annotations

from infusions.checklists.queries import current_run, latest_answers
from infusions.doses.course import Course
from infusions.doses.medication_models import Purpose
from infusions.doses.medication_presets import flush_of, not_yet_given, ordered_presets, presets
from infusions.doses.models import DoseState
from patients.models import Channel
from patients.queries import may_contact

BEFORE_THE_END = (DoseState.PREPARING, DoseState.INFUSING, DoseState.PAUSED)
AFTERWARDS = (DoseState.OBSERVING, DoseState.ENDED)


def besides_context(course: Course) -> dict:
    """One tap each where nothing needs to be typed."""
    record, given = course.record, course.medications
    context = {"presets": presets(record.product.dilution, record.weight_kg)}
    if course.state in BEFORE_THE_END:
        premedication = [one.name for one in given if one.purpose == Purpose.PREMEDICATION]
        context["ordered_presets"] = not_yet_given(ordered_presets(record.order.premedication), premedication)
        context["premedication_at"] = premedication_at(course) if context["ordered_presets"] else ""
    if course.state in AFTERWARDS:
        flushed = any(one.purpose == Purpose.FLUSH for one in given)
        context["flush"] = None if flushed else flush_of(record.product.dilution)
        context["may_mail"] = bool(record.patient.email) and may_contact(record.patient, Channel.EMAIL)
    return context


def premedication_at(course: Course) -> str:
    """When it was taken, as the check says (HH:MM); empty where the check does not say."""
    run = current_run(course.record.appointment)
    answers = latest_answers(run) if run else {}
    taken = answers.get("premedication")
    at = answers.get("premedication-at")
    return str(at.value) if taken is not None and taken.value == "taken" and at is not None else ""


def preset_initial(course: Course, chosen: str) -> dict:
    """The values of the tile that was tapped, by its number."""
    tiles = presets(course.record.product.dilution, course.record.weight_kg)
    if not chosen.isdecimal() or len(chosen) > 3 or int(chosen) >= len(tiles):
        return {}
    tile = tiles[int(chosen)]
    purpose = tile.purpose
    if purpose == Purpose.PREMEDICATION and course.state != DoseState.PREPARING:
        purpose = Purpose.REACTION if course.reactions else Purpose.OTHER
    return {"purpose": purpose, "name": tile.name, "dose": tile.dose, "unit": tile.unit, "route": tile.route}


def treatment_initial(course: Course, chosen: str) -> dict:
    """From the card of a reaction: what is recorded is for it."""
    if not any(one.public_id == chosen for one in course.reactions):
        return {}
    return {"purpose": Purpose.REACTION, "reaction": chosen}
