"""The order of the layers holds, pages keep to themselves, and nobody imports the project's outermost files."""

from importlinter.cli import lint_imports

from tests.guards.source import PACKAGES, ROOT, imports_of, is_page, modules

OUTERMOST = ("infusion_center.settings", "infusion_center.urls", "infusion_center.celery", "infusions.urls")
# Django and Celery name these by themselves, or they mount what the features offer.
MAY_IMPORT_OUTERMOST = {"infusion_center", "infusion_center.settings_test", "infusion_center.celery"}
# They gather all features on purpose.
GATHERING = {"infusion_center.urls", "infusions.urls", "infusions.admin", "infusions.models"}


def feature_of(module: str) -> str:
    """patients; infusion_center.audit; infusions.orders"""
    parts = module.split(".")
    return parts[0] if parts[0] == "patients" else ".".join(parts[:2])


def test_layers_hold(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    outcome = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert outcome == 0, capsys.readouterr().out


def test_no_feature_imports_another_features_views():
    found = [
        f"{module} imports {name}"
        for module in modules()
        if module not in GATHERING
        for name in imports_of(module)
        if name.split(".")[0] in PACKAGES
        and feature_of(name) != feature_of(module)
        and any(part == "views" or part.endswith("_views") for part in name.split("."))
    ]
    assert found == []


def test_domain_files_do_not_import_pages():
    found = [
        f"{module} imports {name}"
        for module in modules()
        if not is_page(module) and module not in GATHERING and module.rsplit(".", 1)[-1] != "apps"
        for name in imports_of(module)
        if name.split(".")[0] in PACKAGES and is_page(page_module(name))
        if page_module(name) not in ("infusion_center.accounts.access", "infusion_center.core.forms")
    ]
    assert found == []


def page_module(name: str) -> str:
    """The module that an imported name lives in."""
    return name if name in modules() else name.rsplit(".", 1)[0]


def test_nobody_imports_settings_urls_or_celery():
    found = [
        f"{module} imports {name}"
        for module in modules()
        if module not in MAY_IMPORT_OUTERMOST
        for name in imports_of(module)
        if name.startswith(OUTERMOST)
    ]
    assert found == []
