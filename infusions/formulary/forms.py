"""Text of the formulary pages into typed values. Whether a schedule makes sense is asked by the rules, not here."""

from decimal import Decimal

from django import forms

from infusion_center.core.forms import FormMixin
from infusions.formulary import dosing
from infusions.formulary.catalog import to_mg_per_kg_per_min
from infusions.formulary.models import Excipient, Indication, MasterUnit
from infusions.formulary.presenters import number

AVOIDABLE = [
    (code.value, code.label) for code in (Excipient.SORBITOL, Excipient.MALTOSE, Excipient.GLUCOSE, Excipient.L_PROLINE)
]
STATES = [("usable", "With usable rates"), ("locked", "With locked rates"), ("unsigned", "Not signed here")]
SPARE_STEPS = 2
MOST_STEPS = 14


def _rate_field(label, **more):
    return forms.DecimalField(label=label, min_value=Decimal("0.01"), max_value=100, decimal_places=4, **more)


class ProductFilterForm(FormMixin, forms.Form):
    """Lives in the URL; what makes no sense is left out instead of refused."""

    q = forms.CharField(
        label="Name or maker",
        required=False,
        max_length=60,
        widget=forms.SearchInput(attrs={"class": "form-control", "spellcheck": "false", "autocomplete": "off"}),
    )
    indication = forms.ModelChoiceField(
        Indication.objects.order_by("name"),
        to_field_name="code",
        required=False,
        empty_label="Any indication",
        widget=forms.Select(attrs={"class": "form-select medium"}),
    )
    without = forms.MultipleChoiceField(
        label="Without",
        required=False,
        choices=AVOIDABLE,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    state = forms.ChoiceField(
        label="Rates",
        required=False,
        choices=[("", "Any state"), *STATES],
        widget=forms.Select(attrs={"class": "form-select"}),
    )


class SignForm(FormMixin, forms.Form):
    checked_against = forms.CharField(
        label="Checked against",
        max_length=200,
        help_text="Which label or paper, of what date. It stays with the signature.",
    )
    seen_at = forms.CharField(widget=forms.HiddenInput)


class SourceForm(FormMixin, forms.Form):
    source = forms.CharField(
        label="Where the change comes from", max_length=200, help_text="Which label or paper, of what date."
    )


class ScheduleForm(SourceForm):
    """A schedule in the label's own unit. `cleaned_data["changes"]` and `["steps"]` go to the service."""

    dose_min_mg_per_kg = forms.DecimalField(label="Lowest dose of a course", min_value=Decimal("1"), decimal_places=2)
    dose_max_mg_per_kg = forms.DecimalField(label="Highest dose of a course", min_value=Decimal("1"), decimal_places=2)
    days_min = forms.IntegerField(label="Fewest days", min_value=1, max_value=31)
    days_max = forms.IntegerField(label="Most days", min_value=1, max_value=31)
    interval_min_days = forms.IntegerField(label="Shortest interval", required=False, min_value=1, max_value=365)
    interval_max_days = forms.IntegerField(label="Longest interval", required=False, min_value=1, max_value=365)
    min_age_years = forms.IntegerField(label="Youngest age", required=False, min_value=0, max_value=120)
    maximum = _rate_field("Maximum rate")
    at_risk = _rate_field(
        "Limit for patients at risk",
        required=False,
        help_text="Empty: 3.3 mg/kg/min, or the maximum where that is lower.",
    )
    units = {
        "dose_min_mg_per_kg": "mg/kg",
        "dose_max_mg_per_kg": "mg/kg",
        "days_min": "days",
        "days_max": "days",
        "interval_min_days": "days",
        "interval_max_days": "days",
        "min_age_years": "years",
    }
    PAIRS = [
        ("dose_min_mg_per_kg", "dose_max_mg_per_kg"),
        ("days_min", "days_max"),
        ("interval_min_days", "interval_max_days"),
    ]
    COLUMNS = [name for pair in PAIRS for name in pair] + ["min_age_years"]

    def __init__(self, *args, schedule, steps=None, **kwargs):
        self.schedule = schedule
        self.unit = MasterUnit(schedule.master_unit)
        self.units = {**self.units, "maximum": self.unit.label, "at_risk": self.unit.label}
        steps = list(schedule.steps.all() if steps is None else steps)
        self.step_count = min(MOST_STEPS, max(len(steps) + SPARE_STEPS, 4))
        initial = {name: getattr(schedule, name) for name in self.COLUMNS}
        initial |= {name: number(initial[name]) for name in self.PAIRS[0]}
        initial |= {
            "maximum": self._shown(schedule.max_mg_per_kg_per_min),
            "at_risk": self._shown(schedule.at_risk_max_mg_per_kg_per_min),
        }
        for index, step in enumerate(steps, start=1):
            initial |= {f"rate_{index}": self._shown(step.mg_per_kg_per_min), f"minutes_{index}": step.minutes}
        super().__init__(*args, initial=initial, **kwargs)
        for index in range(1, self.step_count + 1):
            self.fields[f"rate_{index}"] = _rate_field(f"Rate of step {index}", required=False)
            self.fields[f"minutes_{index}"] = forms.IntegerField(
                label=f"Minutes of step {index}", required=False, min_value=1, max_value=1440
            )
            for name in (f"rate_{index}", f"minutes_{index}"):
                self.fields[name].widget.attrs["class"] = "form-control"
        self.order_fields(["indication", *(name for name in self.fields if name != "source")])  # as the page shows them

    def _shown(self, rate):
        if rate is None:
            return None
        if self.unit == MasterUnit.ML_PER_KG_PER_H:
            rate = dosing.ml_per_kg_per_h(rate, self.schedule.product.concentration_mg_per_ml)
        return number(rate, "0.0001")

    def _stored(self, rate):
        return None if rate is None else to_mg_per_kg_per_min(rate, self.unit, self.schedule.product)

    @property
    def step_fields(self):
        return [(index, self[f"rate_{index}"], self[f"minutes_{index}"]) for index in range(1, self.step_count + 1)]

    def clean(self):
        cleaned = super().clean()
        for low, high in self.PAIRS:
            if cleaned.get(low) is not None and cleaned.get(high) is not None and cleaned[high] < cleaned[low]:
                self.add_error(high, "This must not be smaller than the field before it.")
            if (low in cleaned and high in cleaned) and (cleaned[low] is None) != (cleaned[high] is None):
                self.add_error(high, "Fill in both or neither.")
        steps = []
        for index in range(1, self.step_count + 1):
            rate, minutes = cleaned.get(f"rate_{index}"), cleaned.get(f"minutes_{index}")
            if rate is None and minutes is not None and f"rate_{index}" not in self.errors:
                self.add_error(f"rate_{index}", "Enter the rate of this step, or clear its minutes.")
            if rate is not None:
                steps.append((self._stored(rate), minutes))
        cleaned["steps"] = steps
        cleaned["changes"] = {name: cleaned.get(name) for name in self.COLUMNS} | {
            "max_mg_per_kg_per_min": self._stored(cleaned.get("maximum")),
            "at_risk_max_mg_per_kg_per_min": self._stored(cleaned.get("at_risk")),
        }
        return cleaned


class NewScheduleForm(ScheduleForm):
    """Rates for one more indication; they start as a copy of rates that the product has already."""

    indication = forms.ModelChoiceField(
        Indication.objects.none(), to_field_name="code", empty_label="Choose", label="Indication"
    )

    def __init__(self, *args, schedule, steps, **kwargs):
        super().__init__(*args, schedule=schedule, steps=steps, **kwargs)
        taken = schedule.product.schedules.values("indication")
        self.fields["indication"].queryset = Indication.objects.exclude(pk__in=taken).order_by("name")


class ProductForm(SourceForm):
    """What a pharmacist may correct about a product; brand and strength are what it is."""

    vial_sizes_g = forms.CharField(label="Vial sizes", help_text="In grams, with commas between them: 5, 10, 20.")
    excipients = forms.MultipleChoiceField(
        label="Excipients", required=False, choices=Excipient, widget=forms.CheckboxSelectMultiple
    )
    iga_ug_per_ml = forms.DecimalField(label="IgA", required=False, min_value=0, max_value=99999, decimal_places=2)
    storage = forms.CharField(label="Storage", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    warm_up_minutes = forms.IntegerField(
        label="Warming time", min_value=0, max_value=480, help_text="0 for what is kept at room temperature."
    )
    room_temperature_days = forms.IntegerField(
        label="Longest time out of the refrigerator", required=False, min_value=1, max_value=1500
    )
    reconstitution_minutes = forms.IntegerField(label="Reconstitution", min_value=0, max_value=240)
    dilution = forms.CharField(label="Dilution", required=False, max_length=300)
    min_age_years = forms.IntegerField(label="Youngest age", required=False, min_value=0, max_value=120)
    cautions = forms.CharField(label="Cautions", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    is_available = forms.BooleanField(label="Can be ordered here", required=False)
    units = {
        "vial_sizes_g": "g",
        "iga_ug_per_ml": "µg/mL",
        "warm_up_minutes": "min",
        "room_temperature_days": "days",
        "reconstitution_minutes": "min",
        "min_age_years": "years",
    }
    COLUMNS = [
        "iga_ug_per_ml", "storage", "warm_up_minutes", "room_temperature_days", "reconstitution_minutes", "dilution",
        "min_age_years", "cautions", "is_available",
    ]  # fmt: skip

    def __init__(self, *args, product, **kwargs):
        initial = {name: getattr(product, name) for name in self.COLUMNS}
        initial |= {
            "excipients": product.excipients,
            "vial_sizes_g": ", ".join(number(vial.grams) for vial in product.vial_sizes.all()),
            "iga_ug_per_ml": number(product.iga_ug_per_ml) or None,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.order_fields([name for name in self.fields if name != "source"])

    def clean_vial_sizes_g(self):
        sizes = forms.DecimalField(min_value=Decimal("0.1"), max_value=100, decimal_places=2)
        texts = [text.strip() for text in self.cleaned_data["vial_sizes_g"].removesuffix("g").split(",")]
        return sorted({sizes.clean(text) for text in texts if text})

    def clean(self):
        cleaned = super().clean()
        cleaned["changes"] = {name: cleaned.get(name) for name in [*self.COLUMNS, "excipients"]}
        cleaned["changes"]["needs_warming"] = bool(cleaned.get("warm_up_minutes"))
        return cleaned
