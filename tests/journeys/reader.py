"""Uses pages as a person does, without a browser: follows links and presses buttons by their words.

Only what stands on the page can be used: a link, a button, a field or a choice that is missing is a failure.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from django.test import Client

VALUED = {"text", "hidden", "email", "password", "date", "time", "number", "search", "tel"}


@dataclass
class Form:
    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    names: set[str] = field(default_factory=set)
    choices: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def fill(self, fields: dict) -> None:
        for name, value in fields.items():
            assert name in self.names, f"The form has no field {name}, only {sorted(self.names)}."
            chosen = value if isinstance(value, list) else [value]
            assert name not in self.choices or self.choices[name] >= set(chosen), f"{name}: {self.choices[name]}"
            self.values[name] = chosen


@dataclass
class Button:
    form: Form
    name: str
    value: str
    action: str
    words: str = ""


@dataclass
class Link:
    url: str
    words: str = ""


class PageReader(HTMLParser):
    """Forms with what they would send, buttons and links with their words."""

    def __init__(self, html: str):
        super().__init__()
        self.buttons: list[Button] = []
        self.links: list[Link] = []
        self.tags: list[dict] = []
        self._form = self._reading = self._select = self._textarea = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or "" for name, value in attrs}
        self.tags.append({"tag": tag, **attrs})
        if tag == "form":
            self._form = Form(attrs.get("action", ""), attrs.get("method", "get"))
        elif tag == "a" and "href" in attrs:
            self._read(Link(attrs["href"]), self.links)
        elif self._form is not None:
            self._control(tag, attrs)

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag in ("a", "button"):
            self._reading = None
        elif tag in ("textarea", "select"):
            self._select = self._textarea = None

    def handle_data(self, data):
        if self._reading is not None:
            self._reading.words = " ".join(f"{self._reading.words} {data}".split())
        elif self._textarea:
            self._form.values[self._textarea][0] += data

    def _read(self, part, parts):
        self._reading = part
        parts.append(part)

    def _control(self, tag, attrs):
        form, name = self._form, attrs.get("name", "")
        if tag == "button":
            button = Button(form, name, attrs.get("value", ""), attrs.get("formaction", form.action))
            return self._read(button, self.buttons)
        if tag == "option":
            return self._option(attrs)
        if not name:
            return None
        form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea, form.values[name] = name, [""]
        elif attrs.get("type") in ("radio", "checkbox"):
            form.choices[name].add(attrs.get("value", "on"))
            if "checked" in attrs:
                form.values[name].append(attrs.get("value", "on"))
        elif attrs.get("type", "text") in VALUED:
            form.values[name].append(attrs.get("value", ""))
        return None

    def _option(self, attrs):
        if self._select:
            values, name = self._form.values, self._select
            self._form.choices[name].add(attrs.get("value", ""))
            if "selected" in attrs or not values[name]:
                values[name] = [attrs.get("value", "")]


class Walker:
    """One person at one device; `page` is the response he looks at."""

    def __init__(self, client: Client):
        self.client = client
        self.page = None

    def open(self, url: str, *, status: int = 200) -> Walker:
        return self._arrive(self.client.get(url, follow=True), status)

    def follow(self, words: str) -> Walker:
        found = [link for link in self._read().links if words in link.words]
        assert found, f"No link “{words}” on {self.url}, only {[link.words for link in self._read().links]}."
        return self.open(urljoin(self.url, found[0].url).split("#")[0])

    def press(self, words: str, fields: dict | None = None, *, nth: int = 0, status: int = 200) -> Walker:
        """Fill the fields of the form that the button belongs to, then press it."""
        found = [button for button in self._read().buttons if words in button.words]
        assert len(found) > nth, f"No button “{words}” on {self.url}, only {[b.words for b in self._read().buttons]}."
        button = found[nth]
        button.form.fill(fields or {})
        sent = {name: list(values) for name, values in button.form.values.items()}
        if button.name:
            sent[button.name] = [button.value]
        send = self.client.post if button.form.method.lower() == "post" else self.client.get
        return self._arrive(send(urljoin(self.url, button.action).split("#")[0], sent, follow=True), status)

    def offers(self, words: str) -> bool:
        return any(words in button.words for button in self._read().buttons)

    def answer(self, code: str, value) -> Walker:
        """Tap an answer on a page that keeps each one at once, as its script does; stays on the page."""
        item = next(tag for tag in self._read().tags if tag.get("id") == f"item-{code}")
        kept = self.client.post(item["hx-post"], {code: value, "seen": ""}, headers={"HX-Request": "true"})
        assert kept.status_code == 200, kept.status_code
        assert "field-error" not in kept.content.decode(), kept.content.decode()
        return self

    def again(self) -> Walker:
        return self.open(self.url)

    @property
    def url(self) -> str:
        query = self.page.request["QUERY_STRING"]
        return self.page.request["PATH_INFO"] + (f"?{query}" if query else "")

    @property
    def text(self) -> str:
        return " ".join(self.page.content.decode().split())

    def _read(self) -> PageReader:
        return PageReader(self.page.content.decode())

    def _arrive(self, response, status: int) -> Walker:
        self.page = response
        assert response.status_code == status, f"{self.url}: {response.status_code}"
        return self
