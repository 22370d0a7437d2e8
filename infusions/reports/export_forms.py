from django import forms

from infusion_center.core.forms import FormMixin
from infusions.reports.patient_export import Requestor, Shape

SHAPES = [
    (Shape.READABLE.value, "A page to read and print (HTML)"),
    (Shape.DATA.value, "Data for another system (ZIP with JSON files and that page)"),
]


class ExportForm(FormMixin, forms.Form):
    requestor = forms.ChoiceField(label="Who asks for it", choices=Requestor.choices, widget=forms.RadioSelect)
    shape = forms.ChoiceField(label="As", choices=SHAPES, initial=Shape.READABLE.value, widget=forms.RadioSelect)
