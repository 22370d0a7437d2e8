from decimal import Decimal as D
from io import StringIO

import pytest
from django.core.management import call_command

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.formulary import dosing
from infusions.formulary.catalog import CATALOG, CatalogError, load_catalog, read_catalog, source_text
from infusions.formulary.models import Indication, Product, RateSchedule, TrustMark, VialSize
from infusions.formulary.queries import dosing_steps, schedule_for, usable_schedule, vial_sizes_g

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog():
    return load_catalog()


def schedule(key, code):
    return schedule_for(Product.objects.get(key=key), Indication.objects.get(code=code))


def test_every_product_of_the_fact_sheet_is_there_by_strength(catalog):
    assert set(Product.objects.values_list("key", flat=True)) == {
        "privigen", "gamunex_c", "gammaked", "gammagard_liquid", "gammagard_liquid_erc", "gammagard_sd_5",
        "gammagard_sd_10", "octagam_5", "octagam_10", "flebogamma_5", "flebogamma_10", "bivigam", "panzyga", "asceniv",
        "gammaplex_5", "gammaplex_10", "yimmugo", "alyglo", "qivigy",
    }  # fmt: skip
    assert Product.objects.get(key="octagam_5").label == "Octagam 5%"


def test_the_facts_of_a_product_arrive_with_their_sources(catalog):
    privigen = Product.objects.get(key="privigen")
    assert vial_sizes_g(privigen) == (D("5"), D("10"), D("20"), D("40"))
    assert (privigen.excipients, privigen.needs_warming, privigen.warm_up_minutes) == (["l_proline"], False, 0)
    assert privigen.sources["iga_ug_per_ml"] == {"source": "S1", "status": "H", "note": "at most"}
    assert source_text("S1").startswith("DailyMed, Privigen")
    assert source_text("label of May 2026") == "label of May 2026"


@pytest.mark.parametrize(
    ("key", "code", "dose", "start", "maximum"),
    [
        ("privigen", "pi", (200, 800), "0.5", "8"),
        ("privigen", "itp", (2000, 2000), "0.5", "4"),
        ("gamunex_c", "cidp", (1000, 2000), "2", "8"),
        ("octagam_5", "pi", (300, 600), "0.5", "3.33"),
        ("octagam_10", "itp", (2000, 2000), "1", "12"),
        ("octagam_10", "dm", (2000, 2000), "1", "4"),
        ("bivigam", "pi", (300, 800), "0.5", "6"),
        ("panzyga", "cidp", (1000, 2000), "1", "12"),
        ("flebogamma_5", "pi", (300, 600), "0.5", "5"),
        ("gammaplex_5", "pi", (300, 800), "0.5", "4"),
    ],
)
def test_doses_and_rates_are_those_of_the_fact_sheet(catalog, key, code, dose, start, maximum):
    row = schedule(key, code)
    steps = dosing_steps(row)
    assert (row.dose_min_mg_per_kg, row.dose_max_mg_per_kg) == dose
    assert (steps[0].mg_per_kg_per_min, steps[-1].mg_per_kg_per_min) == (D(start), D(maximum))
    assert row.max_mg_per_kg_per_min == D(maximum)


def test_rates_in_ml_per_kg_are_exact_and_not_the_rounded_print(catalog):
    row = schedule("gammagard_liquid", "pi")
    rates = [dosing.ml_per_kg_per_h(step.mg_per_kg_per_min, D("100")) for step in dosing_steps(row)]
    assert [round(rate, 6) for rate in rates] == [D("0.5"), D("1"), D("2"), D("3"), D("4"), D("5")]
    assert row.max_mg_per_kg_per_min == D("8.33333333")


def test_products_whose_rate_nobody_verified_are_locked_and_all_others_are_usable(catalog):
    locked = {row.product.key for row in RateSchedule.objects.select_related("product") if not row.is_verified}
    assert locked == {"gammagard_liquid_erc", "yimmugo", "alyglo", "qivigy"}
    pi = Indication.objects.get(code="pi")
    assert usable_schedule(Product.objects.get(key="yimmugo"), pi) is None
    assert usable_schedule(Product.objects.get(key="privigen"), pi) is not None


def test_every_schedule_plans_a_dose_that_stays_under_its_maximum_and_at_risk_cap(catalog):
    for row in RateSchedule.objects.select_related("product"):
        concentration = row.product.concentration_mg_per_ml
        for cap in (None, row.at_risk_cap_mg_per_kg_per_min):
            plan = dosing.plan_infusion(
                dose_mg_per_kg=row.dose_max_mg_per_kg, dosing_weight_kg=D("70"), days=row.days_max,
                concentration_mg_per_ml=concentration, vial_sizes_g=vial_sizes_g(row.product), round_to_g=D("5"),
                steps=dosing_steps(row), max_mg_per_kg_per_min=cap,
            )  # fmt: skip
            highest = max(step.mg_per_kg_per_min for day in plan.days for step in day.steps)
            assert highest <= min(row.max_mg_per_kg_per_min, cap or D("99"))
            assert 30 <= plan.days[0].minutes <= 14 * 60, (row, plan.days[0].minutes)


def test_loading_twice_changes_nothing(catalog):
    before = AuditEvent.objects.count()
    again = load_catalog()
    assert (again.created, again.updated, again.kept) == ([], [], [])
    assert AuditEvent.objects.count() == before
    assert (len(catalog.created), catalog.updated) == (19 + 39 + 15, [])


def test_loading_repairs_untouched_rows_and_leaves_signed_and_changed_ones(catalog, pharmacist):
    touched = {"signed": schedule("privigen", "pi"), "changed": schedule("privigen", "itp")}
    untouched = schedule("privigen", "cidp")
    product = Product.objects.get(key="panzyga")
    for row in (*touched.values(), untouched):
        row.steps.filter(position=1).update(mg_per_kg_per_min=D("0.25"))
    RateSchedule.objects.filter(pk=touched["signed"].pk).update(signed_by=pharmacist, signed_at=clock.now())
    RateSchedule.objects.filter(pk=touched["changed"].pk).update(changed_by=pharmacist, changed_at=clock.now())
    Product.objects.filter(pk=product.pk).update(
        signed_by=pharmacist, signed_at=clock.now(), storage="In the blue box."
    )
    VialSize.objects.filter(product=product, grams=1).delete()

    report = load_catalog()

    assert report.updated == [str(untouched)]
    assert report.kept == [str(touched["signed"]), str(touched["changed"]), str(product)]
    starts = [dosing_steps(schedule("privigen", code))[0].mg_per_kg_per_min for code in ("pi", "itp", "cidp")]
    assert starts == [D("0.25"), D("0.25"), D("0.5")]
    product.refresh_from_db()
    assert (product.storage, D("1") in vial_sizes_g(product)) == ("In the blue box.", False)


def test_a_vial_size_that_left_the_file_leaves_the_table(catalog):
    product = Product.objects.get(key="privigen")
    VialSize.objects.create(product=product, grams=D("2.5"))
    assert load_catalog().updated == ["Privigen 10%"]
    assert vial_sizes_g(product) == (D("5"), D("10"), D("20"), D("40"))


def test_the_command_says_what_it_did(db):
    out = StringIO()
    call_command("load_formulary", stdout=out)
    assert out.getvalue() == "73 created, 0 updated, 0 unchanged, 0 kept as a pharmacist left them\n"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('start = [0.5, "S2", "S"]', 'start = [0.25, "S2", "S"]'),
        ('maximum = [8, "S2", "S"]', 'maximum = [4, "S2", "S"]'),
        ('maximum = [8, "S2", "S"]', 'maximum = [8, "S2", "X"]'),
        ('maximum = [8, "S2", "S"]', 'maximum = [8, "S99", "S"]'),
        ("[0.5, 30], [1, 30]", "[0.5], [1, 30]"),
        ('dose_mg_per_kg = [[200, 800], "S2", "S"]\n', ""),
        ('indication = "itp"', 'indication = "nothing"'),
    ],
)
def test_a_file_that_contradicts_itself_loads_nothing(tmp_path, wrong, right):
    text = CATALOG.read_text(encoding="utf-8")
    assert wrong in text
    path = tmp_path / "products.toml"
    path.write_text(text.replace(wrong, right, 1), encoding="utf-8")
    with pytest.raises(CatalogError):
        load_catalog(path=path)
    assert not Product.objects.exists()


def test_every_fact_of_the_shipped_file_carries_a_known_source_and_mark():
    catalog = read_catalog()
    for product in catalog["product"]:
        for table in (product, *product["schedule"]):
            for name, fact in table.items():
                if isinstance(fact, list) and name != "schedule":
                    value, source, mark, *note = fact
                    assert mark in TrustMark.values
                    assert source in catalog["sources"] or value == "unknown"
                    assert all(isinstance(each, str) for each in note)
