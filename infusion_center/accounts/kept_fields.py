"""Reads what a page says was typed and not sent. Whatever else a browser may send is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from infusion_center.accounts.kept_services import MOST_CHARACTERS, MOST_FIELDS

LONGEST_PATH = 300
LONGEST_TYPED = 200_000
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
# lock.js never collects these; whatever else sends them is not helped to leave a secret in a table.
SECRETS = re.compile(r"password|csrf|^(?:pin|again)$")


def entry_in(posted: Mapping[str, str]) -> tuple[str, dict]:
    """The address of the page, and {"address": ..., "fields": [...]} or {} when there is nothing to keep.

    A field: the form it stands in, its name, what it held when the page was opened (`was`) and what it holds.
    """
    address, typed = posted.get("address", ""), posted.get("typed", "")
    try:
        sent = json.loads(typed or "[]") if len(typed) <= LONGEST_TYPED else []
    except (ValueError, RecursionError):  # brackets within brackets without end
        return address, {}
    fields = [field for field in map(_field, sent[:MOST_FIELDS] if isinstance(sent, list) else []) if field]
    if not fields or not address.startswith("/") or len(address) > LONGEST_PATH:
        return address, {}
    return address, {"address": address, "fields": fields}


def _field(sent: object) -> dict | None:
    if not isinstance(sent, dict):
        return None
    form, name, was, values = (sent.get(key) for key in ("form", "name", "was", "values"))
    if not (_is_text(form) and _is_text(name) and _are_texts(was) and _are_texts(values)) or SECRETS.search(name):
        return None
    return {"form": form, "name": name, "was": was, "values": values}


def _is_text(value: object) -> bool:
    # PostgreSQL keeps no NUL and no half of a pair, and JSON writes both so that no earlier check sees them.
    return isinstance(value, str) and len(value) <= MOST_CHARACTERS and not UNKEEPABLE.search(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_FIELDS and all(map(_is_text, value))
