"""What editors do not want to hear about one e-mail again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from ..emails.models import Email
from .models import Alert, Mute


@transaction.atomic
def mute(email: Email, code: str, user: Any = None) -> bool:
    """Silence the diagnostic *code* for *email*; an alert of it that is open is over.

    False where it was silent already.
    """
    _mute, is_new = Mute.objects.get_or_create(email=email, code=code, defaults={"user": user})
    Alert.objects.filter(email=email, code=code, over_at=None).update(over_at=timezone.now())
    return is_new


def unmute(email: Email, code: str) -> bool:
    """Let the diagnostic *code* speak up about *email* again; False where it was not silent."""
    gone, _by_model = Mute.objects.filter(email=email, code=code).delete()
    return bool(gone)


def muted_of(email: Email) -> list[Mute]:
    """Return what is muted for *email*, the oldest first."""
    return list(Mute.objects.filter(email=email).order_by("at", "pk"))
