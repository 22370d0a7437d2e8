"""Requests made by hypothesis: the pages' own fields with some of them wrong, and what no browser sends."""

from dataclasses import dataclass, field
from urllib.parse import quote

from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import strategies as st

from tests.attack.watch import ELSEWHERE, MARK
from tests.infusions.scheduling.clumsy import IDS, JUNK

FORM, MULTIPART, JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"
SQL = ["' OR '1'='1", "1; DROP TABLE x --", '"', "')) OR 1=1 --", "1) UNION SELECT NULL --", "\\", "%", "_", "password"]
WAYS_OUT = [
    f"https://{ELSEWHERE}/",
    f"//{ELSEWHERE}/",
    f"/\\{ELSEWHERE}/",
    f"\t//{ELSEWHERE}",
    "javascript:alert(1)",
    f"http:///{ELSEWHERE}",
]
LINES = ["a\r\nSet-Cookie: evil=1", "a\nb", "\r", "\x7f", "\x85", "\u2028", "\ufeff", "\ud7ff", "\U0010ffff", "é" * 300]
EDGES = [
    "0000-01-01",
    "10000-01-01",
    "-1",
    "1e400",
    "inf",
    "-0",
    "0x10",
    "1_000",
    "٣٣",
    "2**63",
    str(2**63),
    str(-(2**31) - 1),
    "0.000000000000000000001",
    "24:00:00",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+14:00",
    "on",
    "null",
]
MARKED = [MARK, f"x{MARK}", f"{MARK}@example.org"]
EMPTY = ["", " ", "\t"]
WORDS = [*JUNK, *SQL, *WAYS_OUT, *LINES, *EDGES, *MARKED, *MARKED, *EMPTY]

words = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(allow_nan=True, places=3).map(str),
    st.dates().map(str),
    st.datetimes().map(str),
)
HEADERS = {
    "HX-Request": ["true", "x"],
    "HX-Target": [MARK, "board"],
    "HX-Trigger-Name": [MARK],
    "HX-Current-URL": [f"https://{ELSEWHERE}/", "not an address", "http://[", MARK],
    "X-Overlay": ["1"],
    "X-Person": ["somebody"],
    "X-Forwarded-For": ["1.2.3.4", "x" * 400, "'", "1.2.3.4, ::1"],
    "X-Forwarded-Host": [ELSEWHERE],
    "X-HTTP-Method-Override": ["DELETE"],
    "Accept-Language": ["es", "xx", "*" * 200, "\u00e9"],
    "Referer": [f"https://{ELSEWHERE}/", "http://[", MARK],
    "Accept": ["application/json", MARK],
    "If-Modified-Since": ["yesterday", "Thu, 01 Jan 0001 00:00:00 GMT"],
    "Range": ["bytes=0-"],
    "User-Agent": ["", MARK, "x" * 1000],
    "Cookie": [
        "tablet=x; messages=broken; django_language=xx",
        "messages=W1tdXQ:x:y; csrftoken=short",
        "__Host-session=zzz; =",
    ],
}
headers = st.lists(st.sampled_from(sorted(HEADERS)), max_size=2, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(HEADERS[name]) for name in names})
)
BODIES = [
    (JSON, b'{"a": [1, {"b": null}]}'),
    (JSON, b"{" * 500),
    (JSON, b"\xff\xfe"),
    (MULTIPART, b"--x"),
    ("", b"a=b"),
    (f"{MULTIPART}; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut'),
    (f"{MULTIPART}; boundary=" + "y" * 300, b"--y"),
    (f"{FORM}; charset=utf-7", b"a=+AGE-"),
    (f"{FORM}; charset=none", b"a=b"),
    (FORM, b"%ff%fe=%ed%a0%80&&=&=x"),
    (FORM, b"a" * 5000),
    (FORM, b"&".join(b"f%d=1" % at for at in range(1200))),
    ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
    ("text/plain", b"\x00"),
]
QUERIES = ["%ff%fe=1", "a=%ed%a0%80", "=&&=", "day", "page=%00", "a[]=1&a[]=2", "q=" + "x" * 3000, "%", "q=%u0041"]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict = field(default_factory=dict)
    raw_query: str = ""
    data: dict = field(default_factory=dict)
    body: tuple[str, bytes] | None = None
    headers: dict = field(default_factory=dict)

    def send(self, client):
        ask = {"headers": self.headers, "QUERY_STRING": self.raw_query or _encoded(self.query)}
        if self.body is not None:
            kind, content = self.body
            return client.generic(self.method, self.path, content, kind, **ask)
        if self.method == "POST":
            return client.post(self.path, self.data, **ask)
        return client.generic(self.method, self.path, **ask)

    def __str__(self) -> str:
        sent = {name: str(value)[:40] for name, value in (self.data or self.query).items()}
        told = self.raw_query or self.body or sent or ""
        return f"{self.method} {self.path[:120]} {told}" + (f" {self.headers}" if self.headers else "")


def _encoded(query: dict) -> str:
    pairs = [(name, one) for name, value in query.items() for one in (value if isinstance(value, list) else [value])]
    return "&".join(f"{quote(name, safe='')}={quote(one, safe='')}" for name, one in pairs)


def values(pool: list[str]):
    one = st.one_of(words, words, st.sampled_from(pool)) if pool else words
    return st.one_of(one, one, one, st.lists(one, min_size=2, max_size=3))


@st.composite
def mutated(draw, fields: dict[str, str], names: tuple[str, ...], pool: list[str]) -> dict:
    """The page's own fields, some of them wrong, some gone, and some that belong elsewhere."""
    own = sorted(fields)
    candidates = st.sampled_from(own) if own else st.sampled_from(names)
    chosen = draw(
        st.lists(st.one_of(candidates, candidates, st.sampled_from(names)), min_size=1, max_size=4, unique=True)
    )
    data = fields | {name: draw(values(pool)) for name in chosen}
    for gone in draw(st.lists(candidates, max_size=2)):
        data.pop(gone, None)
    return data


@st.composite
def uploads(draw, fields: dict[str, str]) -> dict:
    content = draw(
        st.sampled_from([b"", b"a,b\n1,2", b"\x00\xff", b"PK\x03\x04cut", MARK.encode(), b"=cmd|'/c calc'!A0"])
    )
    named = draw(st.sampled_from(["a.csv", "../../a.csv", f"{MARK}.xlsx", "a.xlsx", "x" * 200]))
    return fields | {draw(st.sampled_from(["file", "sheet", *sorted(fields)])): SimpleUploadedFile(named, content)}


@st.composite
def requests(
    draw, paths: list[str], fields: dict[str, str], queries: tuple[str, ...], names: tuple[str, ...], pool: list[str]
):
    path, sent = draw(st.sampled_from(paths)), draw(headers)
    shape = draw(st.integers(0, 19))
    if shape < 7:
        return Request("GET", path, query=draw(mutated(dict.fromkeys(queries, ""), names, pool)), headers=sent)
    if shape < 15:
        return Request("POST", path, data=draw(mutated(fields, names, pool)), headers=sent)
    if shape == 15:
        return Request("POST", path, data=draw(uploads(fields)), headers=sent)
    if shape == 16:
        return Request("GET", path, raw_query=draw(st.sampled_from(QUERIES)), headers=sent)
    if shape == 17:
        method = draw(st.sampled_from(["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]))
        return Request(method, path, query=draw(mutated({}, names, pool)), headers=sent)
    return Request("POST", path, body=draw(st.sampled_from(BODIES)), headers=sent)


__all__ = ["IDS", "Request", "requests"]
