"""What is pasted or typed about lots and recalls: text in, whole lots and values out."""

from __future__ import annotations

from django import forms

from infusion_center.core.forms import FormMixin
from infusions.formulary.models import Product
from infusions.stock.lot_text import lots_in
from infusions.stock.models import ContactStatus
from infusions.stock.recall_rules import search_problems

LONGEST_TEXT = 50_000


class LotsField(forms.CharField):
    """Whatever was pasted, as a list of lots."""

    def __init__(self, **options):
        widget = forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"})
        super().__init__(**{"max_length": LONGEST_TEXT, "widget": widget} | options)

    def clean(self, value) -> list[str]:
        return lots_in(super().clean(value))


class LotForm(FormMixin, forms.Form):
    lot = LotsField(
        label="Lots",
        error_messages={"required": "Enter a lot, or paste what the notice says."},
        help_text="A list, a letter or a copied table. P1002* stands for every lot that begins so, *1002* for a part.",
    )
    product = forms.ModelChoiceField(
        Product.objects.all(), to_field_name="key", required=False, empty_label="Any product"
    )

    def clean_lot(self):
        lots = self.cleaned_data["lot"]
        for problem in search_problems(lots):
            raise forms.ValidationError(" ".join(filter(None, [problem.message, problem.remedy])))
        return lots


class OpenForm(FormMixin, forms.Form):
    product = forms.ModelChoiceField(Product.objects.all(), to_field_name="key", empty_label="Choose the product")
    reference = forms.CharField(
        label="Notice", max_length=60, required=False, help_text="Number or date of the maker's notice."
    )
    reason = forms.CharField(label="Why", max_length=200, help_text="Such as: reports of hypersensitivity.")
    lots = LotsField(widget=forms.HiddenInput)


class ExtendForm(FormMixin, forms.Form):
    lots = LotsField(label="More lots", help_text="A list, a letter or a copied table; whole lots only.")


class CloseForm(FormMixin, forms.Form):
    reason = forms.CharField(label="Why it is over", max_length=200, help_text="Such as: all patients told.")


class ContactForm(FormMixin, forms.Form):
    status = forms.ChoiceField(choices=ContactStatus)
    note = forms.CharField(max_length=200, required=False)
