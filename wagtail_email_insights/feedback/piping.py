"""One mail from a pipe of the mail server, and the exit code it understands (sysexits.h)."""

from __future__ import annotations

import logging
from typing import BinaryIO

from django.db import DatabaseError

from .actions import handle

logger = logging.getLogger(__name__)

EX_OK = 0
EX_TEMPFAIL = 75
MAX_BYTES = 20_000_000
CHUNK = 65_536


def take_in_from(stream: BinaryIO) -> int:
    """Take in the mail on *stream* and return the exit code.

    Junk is 0 as well: an error would make the mail server bounce the bounce. 75 asks it to try
    again, which is right only where the database is away.
    """
    try:
        handle(_read(stream))
    except DatabaseError:
        logger.exception("A message could not be stored; the mail server is asked to try again")
        return EX_TEMPFAIL
    except Exception:
        logger.exception("A message could not be handled and is dropped")
    return EX_OK


def _read(stream: BinaryIO) -> bytes:
    raw = stream.read(MAX_BYTES)
    # Read to the end, or the mail server sees a broken pipe and tries again.
    while stream.read(CHUNK):
        pass
    return raw
