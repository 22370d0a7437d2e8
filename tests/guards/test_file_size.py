"""No source file grows beyond what one can hold in mind."""

from tests.guards.source import ROOT, files

LIMITS = {".py": 300, ".js": 300, ".css": 300, ".html": 300}
TEMPLATE_LIMIT = 150


def lines(path) -> int:
    return len(path.read_text().splitlines())


def test_no_source_file_is_too_long():
    too_long = {
        str(path.relative_to(ROOT)): lines(path)
        for suffix, limit in LIMITS.items()
        for path in files(suffix)
        if lines(path) > limit
    }
    assert too_long == {}


def test_no_template_is_too_long():
    pages = files(".html", folders=("templates",))
    assert {str(page.relative_to(ROOT)): lines(page) for page in pages if lines(page) > TEMPLATE_LIMIT} == {}
