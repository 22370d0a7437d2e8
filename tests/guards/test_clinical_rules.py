"""Every problem code of the chairside has a row in docs/clinical-rules.md, and every row is of a code that is there."""

import ast
import json
import re
from collections.abc import Iterator

from tests.guards.source import ROOT, is_page, modules

MAKERS = {"blocker", "needs_approval", "warning", "note", "Problem", "problem_of"}
CHAIRSIDE = ("infusions.doses.", "infusions.checklists.", "infusions.stock.", "infusions.reminders.after_care")
# Of the second of two people: what came between them is told, and nothing of it is about the dose.
WITHOUT_ROW = {"section-gone", "section-taken", "foreign-item"}
WORDS = re.compile(r"[a-z0-9-]+")
CODE = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)*-[a-z0-9*]+|signed)`")


def calls(*starts: str) -> Iterator[ast.Call]:
    for name, tree in modules().items():
        if name.startswith(starts) and not is_page(name):
            found = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
            yield from (node for node in found if isinstance(node.func, ast.Name) and node.func.id in MAKERS)


def patterns() -> Iterator[str]:
    """What codes look like in the source: a text, a text with a gap (dose-...-range), an ending after a question's."""
    for name, tree in modules().items():
        for node in ast.walk(tree) if name.startswith(("infusions.", "patients.")) else ():
            match node:
                case ast.Constant(value=str(code)) if WORDS.fullmatch(code):
                    yield re.escape(code)
                case ast.JoinedStr(values=parts):
                    texts = [part.value if isinstance(part, ast.Constant) else None for part in parts]
                    whole = "".join(filter(None, texts))
                    if "-" in whole and len(whole) > 3 and all(text is None or WORDS.fullmatch(text) for text in texts):
                        yield "".join(".+" if text is None else re.escape(text) for text in texts)
                case ast.Call(func=ast.Name(id="problem_of"), args=[_, ast.Constant(value=ending), *_]):
                    yield f".+-{ending}"


def questions() -> set[str]:
    """Codes of the questions, and with the graded answers to choose from."""
    found = set()
    for item in json.loads((ROOT / "infusions/checklists/template.json").read_text())["items"]:
        found |= {item["code"], *(f"{item['code']}-{value}" for value, *_ in item.get("choices", ()))}
    return found


def rows() -> str:
    return (ROOT / "docs/clinical-rules.md").read_text()


def test_every_code_of_the_chairside_has_a_row():
    constants = {call.args[0].value for call in calls(*CHAIRSIDE) if isinstance(call.args[0], ast.Constant)}
    named = {code for code in constants if isinstance(code, str) and f"`{code}`" not in rows()}
    assert named - WITHOUT_ROW == set()


def test_every_row_is_of_a_code_that_is_asked():
    asked, known = re.compile("|".join(sorted(set(patterns())))), questions()
    told = {code.removesuffix("*") for code in CODE.findall(rows())}
    assert {
        code for code in told if not asked.fullmatch(code) and not any(one.startswith(code) for one in known)
    } == set()
