"""What the faults of a mail provider's API mean: about our account or its service, about one address, or neither."""

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused
from requests import ConnectionError as RequestsConnectionError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

FAULTS = (AnymailError,)
# Our key is wrong, we send too fast, or the provider's service is away: the next message would fare no better.
ABOUT_US = frozenset({401, 403, 429, 502, 503, 504})


def is_about_us(error: Exception) -> bool:
    return _is_unreachable(error) or (isinstance(error, AnymailAPIError) and error.status_code in ABOUT_US)


def is_about_the_address(error: Exception) -> bool:
    """Other answers, such as 422, may speak of a set-up at fault: those are tried again, and lose no mail."""
    return isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress)


def _is_unreachable(error: Exception) -> bool:
    """No connection came about. One that broke later may be the message's fault, which must not hold up the others."""
    if not isinstance(error, RequestsConnectionError):
        return False
    cause = error.__cause__ or error
    reason = getattr(cause.args[0], "reason", None) if cause.args else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
