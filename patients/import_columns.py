"""The columns that a sheet of patients may have: their names and synonyms, what they hold, how a cell is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infusion_center.core.rules import Problem, blocker
from patients import import_cells as cells
from patients.models import Condition, Risk


@dataclass(frozen=True)
class Column:
    """`field`: what it fills, for two columns may fill one in different units."""

    name: str
    heading: str
    hint: str
    example: str = ""
    synonyms: tuple[str, ...] = ()
    read: Callable = cells.read_text
    field: str = ""
    is_needed: bool = False
    is_date: bool = False

    @property
    def fills(self) -> str:
        return self.field or self.name


def _codes(choices) -> str:
    return ", ".join(choice.label for choice in choices if choice.value != "other")


COLUMNS = (
    Column("mrn", "MRN", "The record number; letters, digits, hyphens. Each number once.", "MRN-1001",
           ("medical record number", "record number", "patient id", "patient number", "chart number"), is_needed=True),
    Column("family_name", "Last name", "", "Maple", ("family name", "surname", "lastname"), is_needed=True),
    Column("given_name", "First name", "", "Ada", ("given name", "firstname", "forename"), is_needed=True),
    Column("chosen_name", "Goes by", "The name the patient is called by, where it differs.", "",
           ("chosen name", "preferred name", "nickname", "called")),
    Column("date_of_birth", "Date of birth", "1961-03-12 or 3/12/1961, the year with four digits.", "1961-03-12",
           ("dob", "birth date", "birthdate", "born", "birthday"), cells.read_date, is_needed=True, is_date=True),
    Column("sex", "Sex", "F or M: the sex for dosing.", "F", ("gender", "sex for dosing", "sex at birth"),
           cells.read_sex, is_needed=True),
    Column("email", "Email", "", "ada.maple@patients.example.org", ("e-mail", "mail", "email address")),
    Column("phone", "Phone", "Area code first; + for abroad.", "(212) 555-0123",
           ("telephone", "phone number", "mobile", "cell", "cell phone")),
    Column("email_consent", "Email allowed", "yes or no; empty where nobody asked.", "yes",
           ("email consent", "consent email", "may email"), cells.read_consent),
    Column("phone_consent", "Calls allowed", "yes or no; empty where nobody asked.", "yes",
           ("phone consent", "consent phone", "calls consent", "may call"), cells.read_consent),
    Column("consented_on", "Asked on", "The day on which the patient was asked.", "2026-01-15",
           ("consent date", "consented on"), cells.read_date, is_date=True),
    Column("address_line", "Street", "Street and number.", "1 Acorn Lane",
           ("address", "street address", "address line")),
    Column("city", "City", "", "Demoville", ("town",)),
    Column("region", "State", "", "NY", ("region", "province")),
    Column("postal_code", "ZIP", "", "10001", ("zip code", "postal code", "postcode")),
    Column("language", "Language", "English or Spanish; English where empty.", "English",
           ("preferred language",), cells.read_language),
    Column("time_zone", "Time zone", "Such as America/Chicago; that of the site where empty.", "",
           ("timezone", "zone")),
    Column("preferences", "Booking wishes", "", "Mornings", ("preferences", "wishes")),
    Column("diagnosis_code", "ICD-10-CM", "Such as D83.9.", "D83.9", ("icd", "icd10", "diagnosis code", "icd-10 code")),
    Column("diagnosis_text", "Diagnosis", "", "Common variable immunodeficiency", ("diagnosis text",)),
    Column("height_cm", "Height cm", "In centimeters, or use Height in.", "168", (), cells.read_centimetres),
    Column("height_in", "Height in", "In inches.", "", ("height inches",), cells.read_inches, field="height_cm"),
    Column("weight_kg", "Weight kg", "In kilograms, or use Weight lb.", "72.5", ("kg",), cells.read_kilograms),
    Column("weight_lb", "Weight lb", "In pounds; kept in kilograms.", "", ("weight lbs", "weight pounds", "lbs"),
           cells.read_pounds, field="weight_kg"),
    Column("measured_on", "Weighed on", "Needed with a weight.", "2026-01-15", ("weight date", "date of weight"),
           cells.read_date, is_date=True),
    Column("blood_group", "Blood group", "O, A, B or AB.", "", ("abo", "blood type"),
           lambda text: text.strip().upper()),
    Column("fluid_restriction_ml_per_day", "Fluid limit mL a day", "Set by a prescriber.", "",
           ("fluid limit", "fluid restriction"), cells.read_whole),
    Column("allergies", "Allergies", f"Separated by semicolons: {_codes(Condition)}.", "Latex allergy",
           ("allergy", "intolerances"), cells.read_allergies),
    Column("other_allergy", "Other allergy", "Anything else: what, and what happened.", "", ("other allergies",)),
    Column("risks", "Risks", f"Separated by semicolons: {_codes(Risk)}.", "Diabetes", ("risk factors", "risk"),
           cells.read_risks),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
# Numbers without a unit: which is meant decides about a dose, so nobody guesses.
WITHOUT_UNIT = {"weight": "Weight kg or Weight lb", "height": "Height cm or Height in"}


def folded(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", heading.casefold().replace("_", " ")).strip()


KNOWN = {folded(word): column.name for column in COLUMNS for word in (column.name, column.heading, *column.synonyms)}


def match_headings(headings: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """(names, problems): the column meant by each heading, "" where none is known; why the sheet cannot be read."""
    names = [KNOWN.get(folded(heading), "") for heading in headings]
    problems = [
        blocker(
            "unit-missing", f"The column “{heading}” does not say its unit.", field="file", remedy=f"Call it {words}."
        )
        for heading in headings
        if (words := WITHOUT_UNIT.get(folded(heading)))
    ]
    for name in dict.fromkeys(filter(None, names)):
        alike = [heading for heading, found in zip(headings, names, strict=True) if found == name]
        if len(alike) > 1:
            words = " and ".join(f"“{heading}”" for heading in alike)
            problems.append(
                blocker("column-twice", f"The columns {words} mean the same.", field="file", remedy="Keep one.")
            )
    missing = [column.heading for column in COLUMNS if column.is_needed and column.name not in names]
    if missing:
        problems.append(
            blocker(
                "column-missing",
                f"There is no column for {', '.join(missing)}.",
                field="file",
                remedy="The first row must name the columns; compare with the template.",
            )
        )
    return names, problems
