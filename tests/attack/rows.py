"""The ids on a page, in their order: what a list shows, whatever else changes on it."""

import re

ROW = re.compile(r'(?:href|action|id|data-[a-z-]+)="[^"]*?([a-z0-9]{14})\b')
TOKENS = re.compile(r'name="(csrfmiddlewaretoken|token)" value="[^"]*"')


def rows(page: str) -> list[str]:
    return ROW.findall(TOKENS.sub("", page))
