"""Every function that changes rows on somebody's behalf leaves an audit event: seen in its source and what it calls."""

import ast

from tests.guards.source import is_page, modules

AUDIT = "infusion_center.audit.services"
# Writers that need no event of their own, each with the reason.
WITHOUT_EVENT = {
    "patients.services.registration_problems": "only asks what stands against registering; writes nothing",
    "infusions.scheduling.board_moves.preview_move": "only asks what a move would mean; writes nothing",
    "infusions.stock.services.use_vial": "part of adding a vial to a dose, which records the event",
    "infusions.stock.services.take_back_vial": "part of removing a vial from a dose, which records the event",
    "infusions.doses.writing.add_rate": "one row of a start, change, pause or end, which record the event themselves",
}


def functions(module: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in modules()[module].body if isinstance(node, ast.FunctionDef)}


def imported_names(module: str) -> dict[str, str]:
    """Local name -> full name, also of imports inside functions."""
    names = {}
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def called(function: ast.FunctionDef, module: str) -> set[str]:
    """Full names of what a function calls, as far as names tell."""
    names, found = imported_names(module), set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name):
                    found.add(names.get(name, f"{module}.{name}"))
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in names:
                    found.add(f"{names[owner]}.{name}")
    return found


def records(name: str, seen: set[str] | None = None) -> bool:
    """Whether an audit call can be reached from the function of this full name."""
    seen = seen if seen is not None else set()
    if name in seen:
        return False
    seen.add(name)
    if name in {f"{AUDIT}.{writer}" for writer in ("record", "record_opening", "record_openings")}:
        return True
    module, _, function = name.rpartition(".")
    if module not in modules() or function not in functions(module):
        return False
    return any(records(other, seen) for other in called(functions(module)[function], module))


def writers() -> list[str]:
    """Public functions of domain files that take the acting person as `by`, or are a transaction of their own."""
    return [
        f"{module}.{name}"
        for module in modules()
        if not is_page(module) and not changes_nothing(module)
        for name, function in functions(module).items()
        if not name.startswith("_") and (takes_by(function) or (is_atomic(function) and is_service_file(module)))
    ]


def changes_nothing(module: str) -> bool:
    """Rules and queries may take the person as `by` too, to decide what he may do; demo data calls the services."""
    return module == AUDIT or module.rsplit(".", 1)[-1] in ("rules", "queries", "why_not") or "demo" in module


def is_service_file(module: str) -> bool:
    return module.rsplit(".", 1)[-1] in ("services", "booking", "attendance")


def takes_by(function: ast.FunctionDef) -> bool:
    return "by" in [argument.arg for argument in function.args.kwonlyargs]


def is_atomic(function: ast.FunctionDef) -> bool:
    return any("atomic" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_every_writer_leaves_an_audit_event():
    silent = [name for name in writers() if name not in WITHOUT_EVENT and not records(name)]
    assert silent == []


def test_the_list_of_exceptions_is_short_and_current():
    assert [name for name in WITHOUT_EVENT if name not in writers() or records(name)] == []


def test_the_guard_sees_a_call_through_helpers():
    assert (records("infusion_center.accounts.services.create_staff"), records("infusion_center.core.clock.now")) == (
        True,
        False,
    )
