"""Reads release.toml: what the last release knew."""

import tomllib
from pathlib import Path

from django.db.migrations.loader import MigrationLoader

FOLDER = Path(__file__).parent
RELEASE = tomllib.loads((FOLDER / "release.toml").read_text())
LAST = sorted(RELEASE["migrations"].items())


def new_migrations(loader: MigrationLoader, ours: set[str]) -> list[tuple[str, str]]:
    """Those of our apps that the last release did not have, in the order in which they run."""
    known = {key for last in LAST for key in loader.graph.forwards_plan(last)}
    plan = [key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf)]
    return [key for key in dict.fromkeys(plan) if key[0] in ours and key not in known]
