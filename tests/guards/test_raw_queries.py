"""What a request says never becomes the name of a column, of a filter or a piece of SQL: scanners do not see those."""

import ast

import pytest

from tests.guards.source import modules

# Each takes names as keywords: ** of something that is not written there could be anything.
FILTERS = {"filter", "exclude", "get", "Q"}
# Each takes SQL.
SQL = {"extra", "RawSQL", "raw", "execute", "executemany"}
# Where the names are not written at the place: each with the reason why no request comes near them.
# Write triggers, copy and empty whole tables: names come from migrations, from the models and from the database itself.
WHOLE_TABLES = {
    "infusion_center.backup.loading",
    "infusion_center.backup.snapshot",
    "infusion_center.core.triggers",
}
KNOWN = {
    "infusion_center.audit.queries: order_by(*SORTS.get(wanted.sort, SORTS['date']))": "from a fixed map",
    "infusion_center.core.row_tree: exclude(**{field.attname: None})": "a foreign key of a model",
    "infusion_center.core.row_tree: filter(**{f'{field.attname}__in': part})": "a foreign key of a model",
    "infusions.reports.patient_tables: Q(**{f'{key.name}__in': found[key.related_model]})": "a foreign key of a model",
    "infusions.retention: execute(f'{act} cache_entries WHERE expires <= %s', [connection.ops.)": "one of two words",
    "infusion_center.accounts.reauthentication: filter(**named)": "one of two dicts, written a line above",
    "infusions.doses.medication: filter(**values)": "a dict written above; what was typed are its values",
    "infusions.orders.queries: order_by(first, 'pk')": "from a fixed map of the lists; any other list has the default",
    "infusions.reminders.deciding: filter(**{f'appointment__{name}': value for name, value in same.ite)": "above",
    "infusions.reminders.queries: filter(**free)": "from the dicts of the loop around it",
    "infusions.reminders.resending: filter(**_sheet_of(reminder))": "a dict with written keys",
    "infusions.reminders.wording_views: filter(**mail)": "a dict with written keys",
    "infusions.reports.scope: Q(**{f'{moment}__gte': first, f'{moment}__lt': following})": "a column by its report",
    "infusions.scheduling.seating_day: Q(**{ends: None})": "columns that the two callers name",
    "infusions.scheduling.seating_day: Q(**{f'{ends}__gt': start})": "columns that the two callers name",
    "infusions.scheduling.seating_day: Q(**{f'{starts}__lt': end})": "columns that the two callers name",
    "infusions.stock.recall_queries: order_by(closed_last, '-opened_at', '-pk')": "an expression, written a line above",
    "patients.chart_views: order_by(f'-{began}', '-pk')": "one of two columns of the loop around it",
}

pytestmark = pytest.mark.once


def unwritten() -> list[str]:
    """module.function: call, of each call whose names or SQL are not a constant at its place."""
    found = []
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and module not in WHOLE_TABLES and is_open(node):
                found.append(f"{module}: {ast.unparse(node.func).rpartition('.')[2]}({arguments(node)})")
    return sorted(set(found))


def arguments(call: ast.Call) -> str:
    starred = [f"**{ast.unparse(word.value)}" for word in call.keywords if word.arg is None]
    return ", ".join([*map(ast.unparse, call.args), *starred])[:60]


def is_open(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "order_by" and isinstance(call.func, ast.Attribute):
        return not all(is_written(given) for given in call.args)
    if name in SQL and isinstance(call.func, ast.Attribute | ast.Name):
        return name == "extra" or (bool(call.args) and not is_written(call.args[0]))
    is_query = name == "Q" or (isinstance(call.func, ast.Attribute) and name in FILTERS)
    return is_query and any(word.arg is None and not is_written(word.value) for word in call.keywords)


def is_written(given: ast.expr) -> bool:
    """A text, an expression over columns (F, Lower, Case), or a constant of the module."""
    match given:
        case ast.Constant():
            return True
        case ast.Starred(value=value):
            return is_written(value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper() and name not in ("GET", "POST", "META", "COOKIES")
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(map(is_written, parts))
        case ast.Call(func=function, args=parts):
            method = function.attr if isinstance(function, ast.Attribute) else ""
            inner = is_written(function.value) if method in ("desc", "asc") else ast.unparse(function)[:1].isupper()
            return inner and all(map(is_written, parts))
        case ast.BinOp(left=left, right=right):
            return is_written(left) and is_written(right)
        case ast.UnaryOp(operand=operand):
            return is_written(operand)
    return False


def test_names_of_columns_and_sql_are_written_where_they_are_used():
    assert [call for call in unwritten() if call not in KNOWN] == []


def test_the_guard_sees_what_a_request_could_say():
    said = [
        "x.order_by(request.GET['o'])",
        "x.filter(**request.GET)",
        "c.execute(f'SELECT {name}')",
        "x.extra(where=[a])",
    ]
    assert [call for call in said if not is_open(ast.parse(call, mode="eval").body)] == []


def test_the_list_of_exceptions_is_current():
    found = unwritten()
    assert [call for call in KNOWN if call not in found] == []
