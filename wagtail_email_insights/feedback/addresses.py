"""Mail addresses as they stand in reports and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..contacts.fields import normalise_address

ADDRESS = re.compile(
    r"(?<![\w.+-])([\w!#$%&'*+/=?^`{|}~.-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,10})"
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_DAEMON = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|double-bounce|bounces?|postmaster|postoffice"
    r"|mailsystem|maildelivery\w*|microsoftexchange\w*|mail\.?router|system)(?:[-+].{0,60})?@",
    re.I,
)
_DAEMON_NAME = re.compile(
    r"mail(?:er)? ?(?:delivery|daemon)|mail (?:system|router|administrator)|postmaster"
    r"|^\W{0,3}system administrator|delivery (?:subsystem|system|service)|mail-?daemon",
    re.I,
)


def address_in(text: str) -> str:
    """Return the first mail address in *text* in the spelling of our tables; "" without one."""
    return next(addresses_in(text), "")


def addresses_in(text: str) -> Iterator[str]:
    """Yield the addresses in *text*, decoded where they are written as xtext (RFC 3461)."""
    for match in ADDRESS.finditer(text):
        address = match[1].strip("'`.")
        if "+3D" in address or "+2B" in address:
            address = _XTEXT.sub(lambda hexed: chr(int(hexed[1], 16)), address)
        yield normalise_address(address)


def is_daemon(from_header: str) -> bool:
    """Tell whether a mail server, and no person, writes under this From."""
    return bool(_DAEMON.match(address_in(from_header)) or _DAEMON_NAME.search(from_header[:200]))
