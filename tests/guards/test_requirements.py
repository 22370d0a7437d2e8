"""What the application is made of: each package pinned to one version, and used by something."""

import re
from importlib.metadata import packages_distributions

import pytest

from tests.guards.source import ROOT, files

pytestmark = pytest.mark.once
FILES = ("requirements.txt", "requirements-dev.txt")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(\[[a-z,]+\])?==[0-9][0-9A-Za-z.]*\s*(#.*)?$")
# Named nowhere in the source, each with what needs it.
NEEDED = {
    "psycopg": "a DATABASE_URL of PostgreSQL",
    "dj-database-url": "environs, for DATABASE_URL",
    "dj-email-url": "environs, for EMAIL_URL",
    "phonenumberslite": "django-phonenumber-field",
    "tzdata": "zoneinfo, where the system has no zones",
    "django-import-export": "patients from a sheet",
    "django-migration-linter": "the check of migrations",
    "bandit": "the check of unsafe calls",
    "pytest-django": "pytest",
    "pytest-timeout": "pytest",
    "pytest-xdist": "pytest -n",
    "import-linter": "lint-imports",
}


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text()
    return [line for line in text.splitlines() if line and not line.startswith(("#", "-r "))]


def packages() -> set[str]:
    return {plain(PINNED.match(line)[1]) for name in FILES for line in lines(name)}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_requirement_is_pinned_to_one_version():
    assert [line for name in FILES for line in lines(name) if not PINNED.match(line)] == []


def test_every_requirement_is_used():
    """Imported, named by a string of settings, or called by the Makefile."""
    source = "\n".join(path.read_text() for path in files(".py"))
    named = set(re.findall(r"(?m)^\s*(?:from|import) (\w+)|[\"'](\w+)[.\"']", source))
    words = {word for pair in named for word in pair}
    used = {plain(owner) for module, owners in packages_distributions().items() if module in words for owner in owners}
    tools = (ROOT / "Makefile").read_text() + (ROOT / "pyproject.toml").read_text()
    by_tools = {package for package in packages() if re.search(rf"\b{package}\b", tools)}
    assert packages() - used - by_tools - set(NEEDED) == set()
