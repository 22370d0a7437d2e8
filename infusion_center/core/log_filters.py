"""Keeps secrets that stand in addresses out of the logs: links of patients, feeds of calendars."""

import logging
import re

# Public ids and words are shorter; tokens and secrets are not.
SECRET_PART = re.compile(r"(?<=/)[\w.:~-]{24,}")


class HideSecretsInPaths(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = SECRET_PART.sub("…", message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True
