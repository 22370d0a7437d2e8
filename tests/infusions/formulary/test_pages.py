from decimal import Decimal as D

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.formulary.models import Product, RateSchedule
from infusions.formulary.queries import dosing_steps
from tests.factories.formulary import make_indication, make_product, make_rate_schedule

pytestmark = pytest.mark.django_db
LIST = "/formulary/"


def names(response):
    return [row.product.name for row in response.context["rows"]]


@pytest.fixture
def shelf(db):
    """A with usable rates, B locked and with sorbitol, C without rates and with unknown excipients."""
    pi, itp = make_indication(), make_indication(code="itp")
    a = make_rate_schedule(product=make_product(name="A", excipients=["glycine"]), indication=pi)
    make_rate_schedule(
        product=make_product(name="B", maker="Sugar Works", excipients=["sorbitol"]), indication=itp, locked=True
    )
    make_product(name="C", excipients=["unknown"])
    return a


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A", "B", "C"]),
        ("?q=b+10%25", ["B"]),
        ("?q=SUGAR", ["B"]),
        ("?indication=itp", ["B"]),
        ("?without=sorbitol", ["A"]),  # of C nobody knows
        ("?without=sorbitol&without=maltose", ["A"]),
        ("?state=usable", ["A"]),
        ("?state=locked", ["B"]),
        ("?state=unsigned", ["A", "B", "C"]),
        ("?state=nonsense&indication=nothing", ["A", "B", "C"]),
        ("?q=b&state=usable", []),
    ],
)
def test_filters_in_the_address_sift_the_list(client_for, shelf, query, expected):
    response = client_for("nurse").get(LIST + query)
    assert (response.status_code, names(response)) == (200, expected)


def test_each_filter_is_a_chip_that_takes_it_away(client_for, shelf):
    response = client_for("nurse").get(LIST + "?q=a&indication=pi&without=maltose&state=usable")
    assert response.context["chips"] == [
        ("“a”", "?indication=pi&without=maltose&state=usable"),
        ("Primary humoral immunodeficiency", "?q=a&without=maltose&state=usable"),
        ("without maltose", "?q=a&indication=pi&state=usable"),
        ("With usable rates", "?q=a&indication=pi&without=maltose"),
    ]


def test_the_list_costs_the_same_for_many_products(client_for, django_assert_max_num_queries):
    client = client_for("nurse")
    for _ in range(6):
        make_rate_schedule()
    with django_assert_max_num_queries(14):
        client.get(LIST)


def test_the_product_page_shows_rates_in_both_units_with_source_and_mark(client_for):
    schedule = make_rate_schedule()
    page = client_for("scheduler").get(schedule.product.get_absolute_url()).content.decode()
    for words in ("8 mg/kg/min (4.8 mL/kg/h)", "3.3 mg/kg/min (1.98 mL/kg/h)", "DailyMed, Privigen", "to the end"):
        assert words in page
    assert "formulary/schedules" not in page  # nothing to sign for this role


def test_a_locked_schedule_says_why_and_offers_the_signature_to_a_pharmacist(client_for):
    schedule = make_rate_schedule(locked=True)
    page = client_for("pharmacist").get(schedule.product.get_absolute_url()).content.decode()
    assert "Unverified: maximum rate. Locked until a pharmacist signs." in page
    assert reverse("formulary:schedule-sign", args=[schedule.public_id]) in page


@pytest.mark.parametrize("kind", ["schedule", "product"])
def test_opening_the_sign_page_signs_nothing_and_posting_signs(client_for, staff, kind):
    schedule = make_rate_schedule(locked=True)
    row = schedule if kind == "schedule" else schedule.product
    url = reverse(f"formulary:{kind}-sign", args=[row.public_id if kind == "schedule" else row.key])
    client = client_for("pharmacist")
    form = client.get(url).context["form"]
    row.refresh_from_db()
    assert not row.is_signed

    posted = {"checked_against": "Label of 2 March 2026", "seen_at": form["seen_at"].value()}
    response = client.post(url, posted)

    row.refresh_from_db()
    assert (response.status_code, response.url) == (302, row.get_absolute_url())
    assert (row.signed_by, row.sources["sign_off"]["source"]) == (staff["pharmacist"], "Label of 2 March 2026")


def test_signing_what_changed_meanwhile_shows_the_new_state_and_signs_nothing(client_for):
    schedule = make_rate_schedule(locked=True)
    url = reverse("formulary:schedule-sign", args=[schedule.public_id])
    client = client_for("pharmacist")
    seen_at = client.get(url).context["form"]["seen_at"].value()
    schedule.save()  # somebody else
    response = client.post(url, {"checked_against": "Label", "seen_at": seen_at})
    assert "was changed while you read it" in response.content.decode()
    schedule.refresh_from_db()
    assert not schedule.is_signed


def schedule_post(client, url, **changes):
    """The form as the page fills it, with changes: what a browser would send."""
    form = client.get(url).context["form"]
    data = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
    return client.post(url, data | {"source": "New label"} | changes)


def test_amending_steps_through_the_page_locks_the_schedule(client_for):
    schedule = make_rate_schedule()
    url = reverse("formulary:schedule-amend", args=[schedule.public_id])
    response = schedule_post(client_for("pharmacist"), url, rate_1="0.25", minutes_1="15")
    assert (response.status_code, response.url) == (302, schedule.get_absolute_url())
    schedule.refresh_from_db()
    first = dosing_steps(schedule)[0]
    assert (first.mg_per_kg_per_min, first.minutes, schedule.is_verified) == (D("0.25"), 15, False)
    assert len(dosing_steps(schedule)) == 5


def test_a_schedule_in_ml_per_kg_comes_through_the_form_unchanged(client_for):
    rates = [D("0.83333333"), D("8.33333333")]
    schedule = make_rate_schedule(
        steps=((rates[0], 30), (rates[1], None)), master_unit="mL/kg/h", at_risk_max_mg_per_kg_per_min=D("3.2")
    )
    url = reverse("formulary:schedule-amend", args=[schedule.public_id])
    client = client_for("pharmacist")
    form = client.get(url).context["form"]
    assert [form[name].value() for name in ("rate_1", "rate_2", "maximum", "at_risk")] == ["0.5", "5", "5", "1.92"]
    assert "Nothing was changed" in schedule_post(client, url).content.decode()
    assert schedule_post(client, url, days_max="2").status_code == 302
    schedule.refresh_from_db()
    assert [step.mg_per_kg_per_min for step in dosing_steps(schedule)] == rates
    assert (schedule.days_max, schedule.sources["days"]["source"], schedule.is_verified) == (2, "New label", True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate_5": "9"}, "No step may be faster than the maximum rate."),
        ({"minutes_2": ""}, "Every step needs its minutes"),
        ({"rate_1": ""}, "Enter the rate of this step, or clear its minutes."),
        ({"rate_1": "-1"}, "greater than or equal to 0.01"),
        ({"dose_min_mg_per_kg": "900"}, "This must not be smaller than the field before it."),
        ({"interval_min_days": ""}, "Fill in both or neither."),
        ({"source": ""}, "This field is required."),
        ({"at_risk": "9"}, "The limit for patients at risk lies above the maximum rate."),
    ],
)
def test_refused_changes_say_why_keep_the_input_and_write_nothing(client_for, changes, words):
    schedule = make_rate_schedule()
    url = reverse("formulary:schedule-amend", args=[schedule.public_id])
    response = schedule_post(client_for("pharmacist"), url, **changes)
    assert (response.status_code, words in response.content.decode()) == (200, True)
    form = response.context["form"]
    assert {name: form[name].value() for name in changes} == changes
    assert not RateSchedule.objects.filter(changed_at__isnull=False).exists()
    assert not AuditEvent.objects.exists()


def test_amending_a_product_through_the_page(client_for):
    product = make_product()
    url = reverse("formulary:product-amend", args=[product.key])
    posted = {
        "vial_sizes_g": "2.5, 5 g", "excipients": ["glycine", "sorbitol"], "storage": "2-8 °C", "warm_up_minutes": "60",
        "reconstitution_minutes": "0", "source": "Carton",
    }  # fmt: skip
    assert client_for("pharmacist").post(url, posted).status_code == 302
    product = Product.objects.get(pk=product.pk)
    assert (product.excipients, product.needs_warming, product.is_available) == (["glycine", "sorbitol"], True, False)
    assert [vial.grams for vial in product.vial_sizes.order_by("grams")] == [D("2.5"), D("5")]


@pytest.mark.parametrize(("sizes", "words"), [("5, ten", "Enter a number."), ("", "This field is required.")])
def test_vial_sizes_that_are_no_numbers_are_refused(client_for, sizes, words):
    product = make_product()
    response = client_for("pharmacist").post(
        reverse("formulary:product-amend", args=[product.key]), {"vial_sizes_g": sizes, "source": "Carton"}
    )
    assert (response.status_code, words in response.content.decode()) == (200, True)
    assert product.vial_sizes.count() == 4


@pytest.mark.parametrize("role", ["scheduler", "nurse", "manager"])
def test_only_a_pharmacist_may_change_or_sign(client_for, role):
    schedule = make_rate_schedule(locked=True)
    client = client_for(role)
    for name, row in (("schedule", schedule.public_id), ("product", schedule.product.key)):
        for act in ("amend", "sign"):
            url = reverse(f"formulary:{name}-{act}", args=[row])
            assert (client.get(url).status_code, client.post(url, {}).status_code) == (403, 403)
    schedule.refresh_from_db()
    assert not schedule.is_signed


def test_what_does_not_exist_is_not_found(client_for):
    client = client_for("pharmacist")
    urls = [reverse("formulary:schedule-sign", args=["nope"]), reverse("formulary:product-detail", args=["nope"])]
    assert [client.get(url).status_code for url in urls] == [404, 404]


def test_adding_rates_starts_from_the_slowest_that_the_product_has(client_for):
    product, gbs = make_product(), make_indication(code="gbs")
    make_rate_schedule(product=product, indication=make_indication())
    make_rate_schedule(product=product, indication=make_indication(code="itp"), steps=((D("1"), 30), (D("4"), None)))
    url = reverse("formulary:schedule-add", args=[product.key])
    client = client_for("pharmacist")
    form = client.get(url).context["form"]
    assert [indication.code for indication in form.fields["indication"].queryset] == ["gbs"]
    assert [form[name].value() for name in ("rate_1", "minutes_1", "rate_2", "maximum")] == ["1", 30, "4", "4"]
    response = schedule_post(client, url, indication="gbs", dose_min_mg_per_kg="1000", dose_max_mg_per_kg="2000")
    added = RateSchedule.objects.get(product=product, indication=gbs)
    assert (response.status_code, response.url) == (302, added.get_absolute_url())
    assert ([step.mg_per_kg_per_min for step in dosing_steps(added)], added.is_verified) == ([D("1"), D("4")], False)


def test_the_error_summary_follows_the_order_of_the_page(client_for):
    product = make_rate_schedule().product
    url = reverse("formulary:schedule-add", args=[product.key])
    form = client_for("pharmacist").post(url, {"rate_1": "x"}).context["form"]
    shown = [field.name for field in form if field.errors]
    assert (shown[0], shown[1], shown[-2:]) == ("indication", "dose_min_mg_per_kg", ["rate_1", "source"])


def test_adding_rates_to_a_product_without_any_starts_empty(client_for):
    product = make_product()
    make_indication(code="gbs")
    url = reverse("formulary:schedule-add", args=[product.key])
    client = client_for("pharmacist")
    assert (
        "A schedule needs at least one step."
        in schedule_post(
            client, url, indication="gbs", dose_min_mg_per_kg="1000", dose_max_mg_per_kg="2000", maximum="8"
        ).content.decode()
    )
    assert not product.schedules.exists()
