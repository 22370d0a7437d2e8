"""Databases of their own beside the test database: made like it, used in its place, gone afterwards."""

import json
import sqlite3
import threading
from contextlib import closing, contextmanager
from itertools import count

from django.db import connection, connections

from infusion_center.backup.tables import LEFT_OUT, NOT_OURS

numbers = count(1)


def copy_of(name: str, folder) -> str:
    """The name of a new database with the tables and triggers of that one, and its rows."""
    number = next(numbers)
    if connection.vendor == "sqlite":
        path = str(folder / f"copy-{number}.sqlite3")
        with closing(sqlite3.connect(name)) as source:
            source.execute("VACUUM INTO ?", [path])
        return path
    copied = f"{name[:40]}_copy_{number}"
    # PostgreSQL copies only what nobody is connected to.
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{copied}" TEMPLATE "{name}"')
    return copied


def drop(name: str) -> None:
    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def using(name: str):
    """The application on another database, in this thread; the test's own one waits with its transaction."""
    usual = connections["default"]
    other = connections.create_connection("default")
    other.settings_dict = {**usual.settings_dict, "NAME": name}
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = usual


def everything() -> dict[str, list[tuple]]:
    """Every row of every table, as the database's driver gives it."""
    found = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - {*LEFT_OUT, *NOT_OURS}:
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            found[table] = [tuple(map(plain, row)) for row in cursor.fetchall()]
    return found


def plain(value):
    """JSON compares by what it says, not by its blanks."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value


@contextmanager
def writing(write, *, database: str):
    """write() again and again, in a thread with a connection of its own; yields a function that waits for the next."""
    over, turn, errors = threading.Event(), threading.Condition(), []
    done = 0

    def run():
        nonlocal done
        try:
            with using(database):
                while not over.is_set():
                    write()
                    with turn:
                        done += 1
                        turn.notify_all()
        except Exception as error:
            errors.append(error)

    def wait_for_the_next() -> None:
        seen = done
        with turn:
            assert turn.wait_for(lambda: done > seen, timeout=20), errors

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield wait_for_the_next
    finally:
        over.set()
        thread.join(20)
    assert errors == []
