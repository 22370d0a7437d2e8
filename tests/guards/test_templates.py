"""Templates compile, and hold nothing that the content-security policy would block."""

import re

import pytest
from django.template.loader import get_template

from tests.guards.source import ROOT, files

PAGES = files(".html", ".txt", folders=("templates",))
# Bodies of mails are no pages: no policy holds for them, and mail programs know no style sheets beside the text.
MAILS = ROOT / "templates" / "reminders"
HTML = [page for page in PAGES if page.suffix == ".html" and not page.is_relative_to(MAILS)]
# A file that is handed out and opened from the reader's disk, where no policy holds and no other file lies.
HANDED_OUT = {ROOT / "templates" / "infusions" / "reports" / "patient_export.html": {"a style element"}}
FORBIDDEN = {
    "a style attribute": re.compile(r"""\sstyle\s*=""", re.IGNORECASE),
    "an event handler": re.compile(r"""\son[a-z]+\s*=\s*["'{]""", re.IGNORECASE),
    "an htmx event handler": re.compile(r"\shx-on[:\s=-]", re.IGNORECASE),
    "an evaluated htmx value": re.compile(r"""["']\s*js\s*:""", re.IGNORECASE),
    "a javascript: address": re.compile(r"""["']\s*javascript:""", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a script with a body": re.compile(r"<script\b[^>]*>\s*[^<\s]", re.IGNORECASE),
    "a script without a file": re.compile(r"<script\b(?![^>]*\bsrc\s*=)", re.IGNORECASE),
    "something from another host": re.compile(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE),
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_template_compiles(page):
    get_template(str(page.relative_to(ROOT / "templates")))


def test_templates_hold_no_inline_script_or_style():
    found = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in HTML
        for name, pattern in FORBIDDEN.items()
        if pattern.search(page.read_text()) and name not in HANDED_OUT.get(page, ())
    ]
    assert found == []


def test_forms_laid_out_by_crispy_show_the_error_summary():
    """Crispy's own list of errors is switched off in favour of ours, so a form without ours would hide them."""
    silent = [
        str(page.relative_to(ROOT))
        for page in HTML
        if re.search(r"{%\s*crispy\s", page.read_text()) and "components/_error_summary.html" not in page.read_text()
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a style attribute", '<p style="color: red">'),
        ("an event handler", '<a onclick="go()">'),
        ("an htmx event handler", '<a hx-on:click="go()">'),
        ("an evaluated htmx value", "<a hx-vals='js:{a: 1}'>"),
        ("a javascript: address", '<a href="javascript:go()">'),
        ("a style element", "<style>p {}</style>"),
        ("a script with a body", "<script>go()</script>"),
        ("a script without a file", '<script type="module">'),
        ("something from another host", '<script src="https://cdn.example/x.js">'),
    ],
)
def test_the_guard_sees(name, text):
    assert FORBIDDEN[name].search(text)
