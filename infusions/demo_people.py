"""Names and orders of the demo center: plainly fictional, trees and birds for families, addresses under example.org."""

from dataclasses import dataclass
from decimal import Decimal

SITE_NAME = "Maple Street Infusion Center (demo)"
SITE_MAIL_NAME = "Maple Street Center"
CHAIRS = [
    *((f"Chair {number}", "recliner") for number in range(1, 10)),
    ("Bed 1", "bed"),
    ("Bed 2", "bed"),
    ("Room A", "private_room"),
]
# (name, role, email, is a nurse who visits homes)
STAFF = [
    ("Demo Scheduler", "scheduler", "scheduler@demo.example.org", None),
    ("Demo Nurse", "nurse", "nurse@demo.example.org", False),
    ("Demo Home Nurse", "nurse", "homenurse@demo.example.org", True),
    ("Demo Pharmacist", "pharmacist", "pharmacist@demo.example.org", None),
    ("Demo Manager", "manager", "manager@demo.example.org", None),
    ("Nora Lantern", "nurse", "nora@demo.example.org", False),
    ("Otis Kettle", "nurse", "otis@demo.example.org", False),
    ("Pia Compass", "nurse", "pia@demo.example.org", False),
    ("Rufus Teapot", "nurse", "rufus@demo.example.org", False),
    ("Selma Umbrella", "nurse", "selma@demo.example.org", True),
]
GIVEN_NAMES = {
    "F": "Ada Bea Clara Dora Edith Flora Greta Hattie Ida June Kira Lena Mabel Nina Olive Pearl Rosa Stella Tess Viola",
    "M": "Abel Boris Cyril Dexter Emil Felix Gus Hugo Ivo Jasper Karl Leo Milo Ned Oscar Piet Ralph Silas Theo Vic",
}
FAMILY_NAMES = (
    "Alder Ash Aspen Beech Birch Cedar Cypress Elm Fir Hawthorn Hazel Hemlock Juniper Larch "
    "Linden Maple Oak Pine Poplar Rowan Spruce Sycamore Willow Yew Finch Heron Kestrel Linnet "
    "Magpie Nuthatch Osprey Plover Robin Starling Swallow Tern Thrush Wagtail Warbler Wren "
).split()
LONG_NAME = ("Maximiliana", "Featherstonehaugh-Nightingale")
STREETS = ["Acorn Lane", "Birdsong Road", "Clover Street", "Dewdrop Way", "Echo Hill", "Foxglove Court"]

PREMEDICATIONS = ["", "Acetaminophen 650 mg by mouth, 30 min before", "Cetirizine 10 mg by mouth"]


@dataclass(frozen=True)
class Course:
    """One kind of order: product key, indication code, mg/kg a course, days, interval, with its diagnosis."""

    product: str
    indication: str
    mg_per_kg: Decimal
    days: int
    interval_days: int
    diagnosis_code: str
    diagnosis: str


COURSES = [
    Course("privigen", "pi", Decimal(400), 1, 28, "D83.9", "Common variable immunodeficiency"),
    Course("privigen", "pi", Decimal(500), 1, 28, "D80.0", "Hereditary hypogammaglobulinemia"),
    Course("gamunex_c", "pi", Decimal(450), 1, 28, "D83.9", "Common variable immunodeficiency"),
    Course("gammagard_liquid", "pi", Decimal(400), 1, 28, "D80.3", "IgG subclass deficiency"),
    Course("octagam_10", "dm", Decimal(2000), 2, 28, "M33.13", "Dermatomyositis"),
    Course("gamunex_c", "cidp", Decimal(1000), 1, 21, "G61.81", "CIDP"),
    Course("privigen", "cidp", Decimal(1000), 1, 21, "G61.81", "CIDP"),
    Course("gammagard_liquid", "mmn", Decimal(1000), 1, 28, "G61.82", "Multifocal motor neuropathy"),
    Course("panzyga", "pi", Decimal(500), 1, 28, "D81.9", "Combined immunodeficiency"),
]
