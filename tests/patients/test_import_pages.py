"""The pages of an import: upload, look, tick, register, correct what was refused, upload again."""

import csv
import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook

from infusion_center.accounts.roles import Role
from infusion_center.audit.models import AuditEvent
from infusion_center.core.uploads import MAX_ROWS
from patients.import_models import ImportRow, PatientImport
from patients.models import Patient
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.patients.sheets import kept, line

pytestmark = pytest.mark.django_db
UPLOAD = "/patients/import/"
HEADINGS = "MRN,Last name,First name,DOB,Sex,Phone\n"


def csv_file(text: str, encoding="utf-8", name="patients.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(encoding), "text/csv")


def xlsx_file(*rows) -> SimpleUploadedFile:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return SimpleUploadedFile("patients.xlsx", out.getvalue())


def page_of(upload, name="preview") -> str:
    return reverse(f"patients:import-{name}", args=[upload.public_id])


@pytest.mark.parametrize(
    "file",
    [
        csv_file(HEADINGS + "A1,Núñez,Ana,1961-03-12,F,\n", "utf-8-sig"),
        csv_file(HEADINGS.replace(",", ";") + "A1;Núñez;Ana;12-Mar-1961;F;\n", "cp1252"),
        csv_file(HEADINGS.replace(",", "\t") + "A1\tNúñez\tAna\t3/12/1961\tF\t\n3\t\t\t12/25/1961\t\t\n"),
        xlsx_file(["mrn", "surname", "first name", "born", "gender"], ["A1", "Núñez", "Ana", "1961-03-12", "female"]),
    ],
    ids=["utf-8", "windows", "tabs", "xlsx"],
)
def test_a_sheet_goes_from_upload_to_patients(client_for, file):
    file.seek(0)
    client = client_for("manager")
    preview = client.post(UPLOAD, {"file": file}).url
    assert (Patient.objects.count(), "Núñez" in client.get(preview).content.decode()) == (0, True)
    shown = ",".join(str(row.line) for row in ImportRow.objects.all())
    result = client.post(preview, {"shown": shown, "chosen": ["2"], "register": "yes"}).url
    patient = Patient.objects.get()
    assert (patient.family_name, f"{patient.date_of_birth}") == ("Núñez", "1961-03-12")
    assert patient.get_absolute_url() in client.get(result).content.decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("MRN,Last name\nA1,Pine\n", "There is no column for First name, Date of birth, Sex."),
        (HEADINGS + "A1,=1+1,Ada,1961-03-12,F,\n", "holds a formula"),
        (HEADINGS + "A1,Pine,Ada,1961-03-12,F,\n" * (MAX_ROWS + 1), f"more than {MAX_ROWS} rows"),
        ("", "The file is empty."),
    ],
)
def test_a_sheet_that_cannot_be_used_is_refused_beside_the_field(client_for, text, words):
    page = client_for("manager").post(UPLOAD, {"file": csv_file(text)}).content.decode()
    assert (words in page, PatientImport.objects.count()) == (True, 0)


def test_only_who_uploaded_a_sheet_sees_it(client_for, manager, site):
    other = make_staff(role=Role.MANAGER, site=site)
    upload = kept(line(1), by=other, site=site)
    client, names = client_for("manager"), ("preview", "result", "refused", "discard", "go-on")
    found = {client.get(page_of(upload, name)).status_code for name in names[:3]}
    found |= {client.post(page_of(upload, name), {"register": "yes"}).status_code for name in ("preview", *names[3:])}
    assert (found, PatientImport.objects.count(), Patient.objects.count()) == ({404}, 1, 0)


def test_each_press_keeps_the_ticks_of_its_page(client_for, manager, site):
    upload = kept(*(line(number) for number in range(102)), by=manager, site=site)
    client, first = client_for("manager"), ",".join(str(n) for n in range(2, 102))
    answer = client.post(page_of(upload), {"shown": first, "chosen": ["5"], "go": "new:2"})
    chosen = set(upload.rows.filter(is_chosen=True).values_list("line", flat=True))
    assert (answer.url, chosen) == (f"{page_of(upload)}?show=new&page=2#rows", {5, 102, 103})
    client.post(page_of(upload), {"shown": "", "none": "yes"})
    assert (upload.rows.filter(is_chosen=True).count(), Patient.objects.count()) == (0, 0)
    assert (
        "No row is ticked"
        in client.post(page_of(upload), {"shown": "", "register": "yes"}, follow=True).content.decode()
    )


def test_errors_stand_beside_their_column_and_a_filter_shows_them_alone(client_for, manager, site):
    upload = kept(line(1), line(2, Sex="?"), by=manager, site=site)
    page = client_for("manager").get(page_of(upload) + "?show=error").content.decode()
    assert ("<strong>Sex:</strong> “?” is not known here." in page, "Quince1" in page) == (True, False)


def test_what_was_refused_comes_back_to_be_corrected(client_for, manager, site):
    upload = kept(line(1), line(2, Sex="?", Phone="+12125550123"), by=manager, site=site)
    client = client_for("manager")
    client.post(page_of(upload), {"shown": "", "register": "yes"})
    text = client.get(page_of(upload, "refused")).getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["MRN"], row["Sex"], row["Line"], row["Why not"]) for row in rows] == [
        ("S2", "?", "3", "Sex: “?” is not known here. Write F or M: the sex for dosing.")
    ]
    corrected = csv_file(text.replace(',"?",', ',"M",'))
    second = PatientImport.objects.get(public_id=client.post(UPLOAD, {"file": corrected}).url.split("/")[3])
    assert [(row.state, row.values["phone"]) for row in second.rows.all()] == [("new", "+12125550123")]
    client.post(page_of(second), {"shown": "", "register": "yes"})
    assert sorted(Patient.objects.values_list("mrn", flat=True)) == ["S1", "S2"]


def test_a_date_that_may_be_read_in_two_ways_is_asked_with_both_answers(client_for, manager, site):
    upload = kept(line(1, DOB="3/4/1961"), by=manager, site=site)
    client = client_for("manager")
    page = client.get(page_of(upload)).content.decode()
    assert ["04-Mar-1961 (month first)" in page, "03-Apr-1961 (day first)" in page] == [True, True]
    client.post(page_of(upload), {"date_order": "sideways"})
    client.post(page_of(upload), {"date_order": "day-first"})
    upload.refresh_from_db()
    assert (upload.date_order, upload.rows.get().state) == ("day-first", "new")


def test_the_page_asks_with_a_day_that_can_be(client_for, manager, site):
    upload = kept(line(1, DOB="0/5/1961"), line(2, DOB="3/4/1961"), by=manager, site=site)
    page = client_for("manager").get(page_of(upload)).content.decode()
    assert ["0/5/1961" in page, "04-Mar-1961 (month first)" in page] == [False, True]


@pytest.mark.parametrize("name", ["preview", "result", "refused"])
def test_charts_named_as_possible_duplicates_are_recorded_openings(client_for, manager, site, name):
    known = make_patient(given_name="Ada", family_name="Pine", date_of_birth=dt.date(1961, 3, 12), site=site)
    upload = kept(line(1, **{"Last name": "Pine", "DOB": "1961-03-12"}), by=manager, site=site)
    if name != "preview":
        PatientImport.objects.update(state="ended")
    b"".join(client_for("manager").get(page_of(upload, name)))
    openings = AuditEvent.objects.filter(action="chart.opened").values_list("patient_id", "detail")
    assert list(openings) == [(known.public_id, {"what": "possible duplicate"})]


def test_a_long_import_shows_how_far_it_is_and_goes_on(client_for, manager, site):
    upload = kept(line(1), line(2), by=manager, site=site)
    PatientImport.objects.update(state="running")
    client = client_for("manager")
    page = client.get(page_of(upload, "result")).content.decode()
    assert ("data-goes-on" in page, "2 to go" in page) == (True, True)
    client.post(page_of(upload, "go-on"))
    client.post(page_of(upload, "go-on"))
    assert Patient.objects.count() == 2


def test_the_template_can_be_uploaded_as_it_is(client_for):
    client = client_for("manager")
    template = client.get(reverse("patients:import-template")).getvalue()
    client.post(UPLOAD, {"file": SimpleUploadedFile("t.csv", template), "is_test": "on"})
    assert list(ImportRow.objects.values_list("state", "problems", "upload__is_test")) == [("new", [], True)]


def test_erasing_a_sheet_leaves_who_was_registered(client_for, manager, site):
    upload = kept(line(1), line(2, Sex="?"), by=manager, site=site)
    client = client_for("manager")
    client.post(page_of(upload), {"shown": "", "register": "yes"})
    client.post(page_of(upload, "discard"))
    assert (PatientImport.objects.count(), ImportRow.objects.count(), Patient.objects.count()) == (0, 0, 1)
    event = AuditEvent.objects.get(action="patient_import.discarded")
    assert (event.actor_id, event.detail["registered"], event.detail["error"]) == (manager.pk, 1, 1)


def test_a_sheet_of_a_site_that_the_person_has_left_is_gone_for_him(client_for, manager, site):
    upload = kept(line(1), by=manager, site=make_site())
    client = client_for("manager")
    assert client.get(page_of(upload)).status_code == 404
    assert list(client.get(UPLOAD).context["mine"]) == []


@pytest.mark.parametrize(("encoding", "is_told"), [("utf-8", False), ("cp1252", True)])
def test_letters_that_were_guessed_are_told_beside_the_rows(client_for, encoding, is_told):
    file = csv_file(HEADINGS + "A1,Núñez,Ana,1961-03-12,F,\n", encoding)
    page = client_for("manager").post(UPLOAD, {"file": file}, follow=True).content.decode()
    assert ("read as those of Windows" in page, "Núñez" in page) == (is_told, True)
