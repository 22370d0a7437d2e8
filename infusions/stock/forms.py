"""What is typed about stock: text in, values out; whether it may be done is for the rules."""

from decimal import Decimal

from crispy_forms.layout import Div, Layout
from django import forms

from infusion_center.core.forms import FormMixin
from infusions.formulary.models import Product
from infusions.stock.fields import ExpiryField
from infusions.stock.models import Storage
from infusions.stock.queries import STATES


def vial_choices():
    """Every size of every product: `key:grams` and its words."""
    products = Product.objects.available().prefetch_related("vial_sizes").order_by("name", "concentration_mg_per_ml")
    return [
        (f"{product.key}:{size.grams.normalize():f}", f"{product.label}, {size.grams.normalize():f} g")
        for product in products
        for size in product.vial_sizes.all()
    ]


class VialKindField(forms.ChoiceField):
    """A product and one of its sizes, chosen together."""

    def clean(self, value):
        key, _, grams = super().clean(value).rpartition(":")
        return {"product": Product.objects.get(key=key), "grams": Decimal(grams)}


class StockFilterForm(FormMixin, forms.Form):
    product = forms.ModelChoiceField(
        Product.objects.all(), to_field_name="key", required=False, empty_label="Any product"
    )
    state = forms.ChoiceField(choices=[("", "All vials"), *STATES.items()], required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select"

    def wanted(self) -> dict:
        """What was asked for; a filter that makes no sense is none."""
        self.is_valid()
        return {"product": self.cleaned_data.get("product"), "state": self.cleaned_data.get("state", "")}


class ReceiveForm(FormMixin, forms.Form):
    vial = VialKindField(label="Product and size")
    lot = forms.CharField(max_length=30, help_text="As printed")
    expires_on = ExpiryField(label="Expiry", help_text="Such as 10/31/2027 or 10/2027")
    count = forms.IntegerField(label="How many vials", initial=1)
    storage = forms.ChoiceField(
        label="Kept", choices=[("", "As the product needs it"), *Storage.choices], required=False
    )
    source = forms.CharField(
        label="From", max_length=200, required=False, help_text="Wholesaler, delivery note, another site"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["vial"].choices = [("", "Choose"), *vial_choices()]
        for name in ("lot", "expires_on", "source"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        rows = ("lot", "expires_on"), ("count", "storage")
        self.helper.layout = Layout("vial", *(Div(*row, css_class="field-row") for row in rows), "source")

    def values(self) -> dict:
        values = dict(self.cleaned_data)
        return values.pop("vial") | values


class CodeForm(FormMixin, forms.Form):
    gtin = forms.CharField(
        label="Product number (GTIN)", max_length=200, help_text="Scan the vial, or type the 12 to 14 digits"
    )
    vial = VialKindField(label="Product and size")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["gtin"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.fields["vial"].choices = [("", "Choose"), *vial_choices()]

    def values(self) -> dict:
        return {"gtin": self.cleaned_data["gtin"], **self.cleaned_data["vial"]}


class CountForm(FormMixin, forms.Form):
    count = forms.IntegerField(label="How many vials", initial=1)


class ReasonForm(CountForm):
    reason = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class MoveForm(CountForm):
    on = forms.DateField(
        label="Out of the refrigerator since", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class DiscardForm(ReasonForm):
    set_aside = forms.BooleanField(label="Of those set aside", required=False)


class CorrectForm(ReasonForm):
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["count"].label = "Vials counted"
