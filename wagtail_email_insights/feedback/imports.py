"""Suppressions from elsewhere: another system's list, row by row, with what is wrong in which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from ..contacts.fields import normalise_address
from ..contacts.models import Suppression, SuppressionReason

BATCH = 500
MAX_ERRORS = 200


@dataclass
class ImportResult:
    """What came of an import; ``errors`` are pairs of line number and sentence."""

    added: int = 0
    known: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


@transaction.atomic
def import_suppressions(rows: Iterable[Mapping[str, Any]], *, first_line: int = 1) -> ImportResult:
    """Suppress the addresses in *rows*; good rows are taken, bad ones reported.

    A row has ``email`` and may have ``reason`` (a SuppressionReason, "manual" if empty), ``note``
    and ``until`` (ISO date or time). An address that is suppressed already stays as it is.
    """
    result = ImportResult()
    found: dict[str, Suppression] = {}
    for line, row in enumerate(rows, start=first_line):
        try:
            suppression = _read(row)
        except ValidationError as error:
            _note(result, line, error)
            continue
        result.known += suppression.email in found
        found.setdefault(suppression.email, suppression)
    _store(list(found.values()), result)
    return result


def _note(result: ImportResult, line: int, error: ValidationError) -> None:
    if len(result.errors) < MAX_ERRORS:
        result.errors.append((line, " ".join(error.messages)))


def _read(row: Mapping[str, Any]) -> Suppression:
    email = normalise_address(str(row.get("email") or ""))
    validate_email(email)
    reason = str(row.get("reason") or "").strip().lower() or SuppressionReason.MANUAL
    if reason not in SuppressionReason.values:
        raise ValidationError(_("Unknown reason “%(reason)s”."), params={"reason": reason})
    return Suppression(
        email=email,
        reason=reason,
        note=str(row.get("note") or "").strip()[:250],
        expires_at=_read_time(str(row.get("until") or "").strip()),
    )


def _read_time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = parse_datetime(text)
        day = None if at else parse_date(text)
    except ValueError:
        at = day = None
    at = at or (datetime.combine(day, time.min) if day else None)
    if at is None:
        raise ValidationError(_("“%(text)s” is no date like 2030-12-31."), params={"text": text})
    return at if timezone.is_aware(at) else timezone.make_aware(at)


def _store(suppressions: list[Suppression], result: ImportResult) -> None:
    for start in range(0, len(suppressions), BATCH):
        batch = suppressions[start : start + BATCH]
        emails = [suppression.email for suppression in batch]
        known = set(Suppression.objects.filter(email__in=emails).values_list("email", flat=True))
        new = [suppression for suppression in batch if suppression.email not in known]
        Suppression.objects.bulk_create(new, ignore_conflicts=True)
        result.added += len(new)
        result.known += len(known)
