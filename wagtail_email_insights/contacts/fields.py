"""The e-mail address column: one spelling per address, whoever writes it."""

from __future__ import annotations

from typing import Any

from django.db import models


def normalise_address(value: str) -> str:
    """Return the spelling under which an address is stored, compared and suppressed.

    RFC 5321 lets the local part be case-sensitive; no mail service in use treats it so, and
    "Ann@" and "ann@" mailed twice is the worse error.
    """
    return value.strip().lower()


class AddressField(models.EmailField):
    """An EmailField that is lower-case in the database and in every look-up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 254)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalise_address(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return normalise_address(value) if isinstance(value, str) else value
