"""What the log must not keep: a patient's signed link is its own password, and refused requests are logged by path."""

import logging
import re

# Public ids are shorter; tokens of links and feeds are longer.
SECRET = re.compile(r"[^/\s]{20,}")


class WithoutSecretPaths(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_hidden(arg) for arg in record.args)
        return True


def _hidden(arg: object) -> object:
    return SECRET.sub("[...]", arg) if isinstance(arg, str) and arg.startswith("/") else arg
