"""Runs a Python program that may talk to this machine only: `python loopback.py program.py options`.

Scanners look for updates and send reports of their own faults; here a connection anywhere else is refused.
"""

import runpy
import socket
import sqlite3
import sys
from pathlib import Path

HERE = {"127.0.0.1", "::1", "localhost", "", None, b"localhost", b"127.0.0.1"}


def refuse_elsewhere(event: str, arguments: tuple) -> None:
    if event == "socket.connect":
        of, address = arguments
        if of.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in HERE:
            raise PermissionError(f"only the loopback may be asked, not {address[0]}")
    elif event == "socket.getaddrinfo" and arguments[0] not in HERE:
        raise PermissionError(f"only the loopback may be asked, not {arguments[0]}")


def connect_for_both(*arguments, **options) -> sqlite3.Connection:
    """Wapiti leaves a reader behind where its time for a module is over, and then cannot write what it found."""
    connection = connect(*arguments, **options)
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


connect = sqlite3.connect

if __name__ == "__main__":
    sys.addaudithook(refuse_elsewhere)
    sqlite3.connect = connect_for_both
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
