"""A start at which others make room, and the plan that the page showed for it."""

from django import forms

from infusions.scheduling.forms import BookForm, MoveForm


class _Plan(forms.Form):
    """`plan`: signed by the page; another one than it showed is shown before it is done."""

    plan = forms.CharField(required=False, widget=forms.HiddenInput)


class ReseatForm(_Plan, BookForm):
    pass


class ReseatMoveForm(_Plan, MoveForm):
    pass
