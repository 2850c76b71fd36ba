"""The diagnostics that come with the app; importing this registers them."""

from . import overall, rates, recording

__all__ = ["overall", "rates", "recording"]
