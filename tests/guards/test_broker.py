"""No web request talks to the broker: a publish to a frozen one would hold the page. Tasks alone wake tasks."""

import ast

from tests.guards.source import modules

PUBLISHING = {"delay", "apply_async", "send_task", "on_commit"}


def publishing(module: str) -> list[str]:
    calls = (node for node in ast.walk(modules()[module]) if isinstance(node, ast.Call))
    return [call.func.attr for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in PUBLISHING]


def test_only_tasks_wake_tasks():
    found = {module: names for module in modules() if (names := publishing(module))}
    # After it is kept, managers or the person are mailed: by the mail server, without a broker.
    mailed = {
        *("infusion_center.accounts.adapter", "infusion_center.accounts.second_factor"),
        *("infusion_center.accounts.services", "infusion_center.accounts.session_services"),
        *("patients.emergency_services", "patients.site_services"),
    }
    assert found == {"infusions.reminders.tasks": ["apply_async"]} | {module: ["on_commit"] for module in mailed}
