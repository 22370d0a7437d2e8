"""What the guards read: the project's own files, as text and as syntax trees."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("infusion_center", "patients", "infusions")
# Pages: they may import any feature's domain files.
PAGE_WORDS = ("forms", "views", "urls", "admin", "access", "adapter", "invitations", "staffing")


def files(*suffixes: str, folders=(*PACKAGES, "templates", "tests")) -> list[Path]:
    found = [path for folder in folders for suffix in suffixes for path in (ROOT / folder).rglob(f"*{suffix}")]
    return sorted(path for path in found if "migrations" not in path.parts and "__pycache__" not in path.parts)


def name_of(path: Path) -> str:
    """infusions/orders/services.py -> infusions.orders.services"""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    return {name_of(path): ast.parse(path.read_text(), filename=str(path)) for path in files(".py", folders=PACKAGES)}


def is_page(module: str) -> bool:
    """views, board_views, forms, admin_site ...: by the words of the file's name."""
    return bool(set(module.rsplit(".", 1)[-1].split("_")) & set(PAGE_WORDS))


def imports_of(module: str) -> list[str]:
    """Full names of what a module imports: a.b.c for both `import a.b.c` and `from a.b import c`."""
    found = []
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found
