"""{% lucide "check" size=16 %}: icons as the lucide package draws them, but each drawn once.

A page shows dozens of icons, and drawing them anew took a third of its time. An icon whose name and attributes are
written out in the template becomes plain text of the compiled template; others are remembered.
"""

from functools import lru_cache

from django import template
from django.template.base import TextNode, Variable, token_kwargs
from lucide.templatetags.lucide import lucide as draw

register = template.Library()


@lru_cache(maxsize=2000)
def icon(name: str, **attributes) -> str:
    return draw(name, **attributes)


class IconNode(template.Node):
    def __init__(self, name, attributes: dict):
        self.name, self.attributes = name, attributes

    def render(self, context) -> str:
        # str(...): the package's XML writer refuses the template's marked strings.
        values = {key: _plain(value.resolve(context)) for key, value in self.attributes.items()}
        return icon(_plain(self.name.resolve(context)), **values)


def _plain(value):
    return value + "" if isinstance(value, str) else value


@register.tag
def lucide(parser, token):
    _, name, *rest = token.split_contents()
    attributes = token_kwargs(rest, parser)
    if rest:
        raise template.TemplateSyntaxError(f"lucide takes a name and attributes, not {' '.join(rest)}")
    node = IconNode(parser.compile_filter(name), attributes)
    if all(map(_is_written_out, [node.name, *attributes.values()])):
        return TextNode(node.render(template.Context()))
    return node


def _is_written_out(expression) -> bool:
    is_looked_up = isinstance(expression.var, Variable) and expression.var.lookups is not None
    return not is_looked_up and not expression.filters
