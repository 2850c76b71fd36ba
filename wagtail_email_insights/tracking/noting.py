"""From a request to an observation: all that is read from it, in one place."""

from __future__ import annotations

from django.http import HttpRequest

from ..tokens import Token
from . import recording
from .agents import device_and_client
from .hits import Traits
from .links import Destination
from .networks import network_of
from .reasons import Reason
from .verdicts import LOOKAHEAD_HEADERS, judge_user_agent

_LOOKAHEAD = {f"HTTP_{name.upper().replace('-', '_')}": name for name in LOOKAHEAD_HEADERS}


def note(request: HttpRequest, token: Token, destination: Destination | None = None) -> None:
    """Write down that *token* was followed; never raises, for the reader comes first.

    *destination* is that of a link or file token. A request that only looks ahead is no event; it
    is remembered as a sign of what made it.
    """
    traits = traits_of(request)
    recording.record(
        recording.observe_link(token, destination, traits)
        if destination
        else recording.observe_mailing(token, traits)
    )


def traits_of(request: HttpRequest) -> Traits:
    """Return what the request tells about the program behind it."""
    meta = request.META
    agent = meta.get("HTTP_USER_AGENT", "")
    # Not request.headers: making that of all headers takes as long as all the rest here.
    headers = {name: meta[key] for key, name in _LOOKAHEAD.items() if key in meta}
    judgement = judge_user_agent(agent, request.method or "", headers)
    device, client = device_and_client(agent)
    return Traits(
        verdict=judgement.verdict.value,
        reason=judgement.reason,
        device=device,
        client=client,
        network=network_of(meta),
        looks_ahead=judgement.reason == Reason.LOOKAHEAD,
    )
