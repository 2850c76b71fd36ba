"""Asking one of our own addresses, as a reader's program would."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

TIMEOUT = 3.0
AGENT = "wagtail-email-insights tracking check"


class Unreachable(Exception):
    """Nothing answered in time; the text says what stood in the way."""


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str


class _SameHost(HTTPRedirectHandler):
    """Follows a redirect on the same host, say to https, and none to anywhere else."""

    def redirect_request(self, req: Request, *args: Any) -> Request | None:
        target = args[-1]
        if urlsplit(target).hostname != urlsplit(req.full_url).hostname:
            return None
        return super().redirect_request(req, *args)


def fetch(address: str) -> Answer:
    """Return how *address* (http or https) answers; raises Unreachable."""
    opener = build_opener(ProxyHandler({}), _SameHost())
    request = Request(address, headers={"User-Agent": AGENT})  # noqa: S310  our own address
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            return Answer(response.status, response.headers.get_content_type())
    except HTTPError as error:
        error.close()
        return Answer(error.code, error.headers.get_content_type())
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(getattr(error, "reason", None) or error) from error
