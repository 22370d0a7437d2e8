"""The icon tag draws what the package draws, and draws it once."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.template.base import TextNode
from lucide.templatetags.lucide import lucide as draw

from infusions.templatetags import icons


def test_icons_look_as_the_package_draws_them():
    page = Template('{% lucide "check" size=16 aria_hidden="true" %}{% lucide name size=20 %}{% lucide "x" %}')
    expected = draw("check", size=16, aria_hidden="true") + draw("x", size=20) + draw("x")
    assert page.render(Context({"name": "x"})) == expected


def test_icons_that_are_written_out_are_text_of_the_compiled_template():
    assert [type(node) for node in Template('{% lucide "check" size=16 %}').nodelist] == [TextNode]


def test_icons_named_by_a_variable_are_drawn_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(icons, "draw", lambda name, **attributes: drawn.append(name) or f"<{name}>")
    icons.icon.cache_clear()
    page = Template("{% for name in names %}{% lucide name|default:'inbox' size=14 %}{% endfor %}")
    assert page.render(Context({"names": ["bell", "bell", ""]})) == "<bell><bell><inbox>"
    assert drawn == ["bell", "inbox"]
    icons.icon.cache_clear()


@pytest.mark.parametrize("source", ["{% lucide 'check' 16 %}", "{% lucide 'check' size=16 as x %}"])
def test_icons_refuse_what_they_do_not_understand(source):
    with pytest.raises(TemplateSyntaxError):
        Template(source)
