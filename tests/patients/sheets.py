"""Sheets of patients for tests."""

from infusion_center.core.uploads import Sheet
from patients.import_services import keep_sheet


def line(number: int, **cells) -> dict:
    values = {"MRN": f"S{number}", "Last name": f"Quince{number}", "First name": "Ada"}
    return values | {"DOB": f"19{number % 70 + 20}-01-{number % 28 + 1:02d}", "Sex": "F"} | cells


def sheet_of(*lines: dict) -> Sheet:
    headings = tuple(dict.fromkeys(name for one in lines for name in one))
    return Sheet(headings, tuple(tuple(one.get(name, "") for name in headings) for one in lines))


def kept(*lines: dict, by, site, **fields):
    return keep_sheet(sheet=sheet_of(*lines), file_hash="0" * 64, by=by, site=site, **fields)
