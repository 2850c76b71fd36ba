"""System checks: each setting that would lose mail, numbers or privacy is named before it does."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DEFAULT_DB_ALIAS, router
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.module_loading import import_string

from .conf import SETTING_NAME, AppSettings, app_settings
from .sending.patience import PATIENCE

NEEDED_APPS = {
    "wagtail_modeladmin": "the activity log",
    "django_q": "sending",
    "wagtail.contrib.settings": "the email settings of each site",
    "wagtail.documents": "the attachment block",
    "wagtail.images": "the image block",
}
PUBLIC_ADDRESSES = (
    "click",
    "open",
    "file",
    "trap",
    "web_version",
    "confirm",
    "unsubscribe",
    "unsubscribe_one_click",
)
COUNTING = ("per_copy", "shared", "off")
THRESHOLDS = (
    "at_once_per_second",
    "burst_links",
    "burst_seconds",
    "link_cache_seconds",
    "ranking_floor",
    "retention_days",
    "sweep_copies",
    "sweep_seconds",
    "trap_seconds",
)


@register()
def check_apps(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} is not in INSTALLED_APPS; {purpose} needs it.",
            hint=f"Add {name!r} to INSTALLED_APPS.",
            id="wagtail_email_insights.E001",
        )
        for name, purpose in NEEDED_APPS.items()
        if not apps.is_installed(name)
    ]


@register()
def check_settings(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    unknown = sorted(set(app_settings.overrides) - AppSettings.names())
    messages: list[CheckMessage] = [
        Error(
            f"{SETTING_NAME} has an unknown key {name!r}.",
            hint=f"Known are: {', '.join(sorted(AppSettings.names()))}.",
            id="wagtail_email_insights.E002",
        )
        for name in unknown
    ]
    if app_settings.anonymous_counting not in COUNTING:
        messages.append(
            Error(
                f"anonymous_counting is {app_settings.anonymous_counting!r}.",
                hint=f"Choose one of {', '.join(COUNTING)}.",
                id="wagtail_email_insights.E003",
            )
        )
    return messages + _check_recorder() + _check_thresholds() + _check_lease()


def _check_recorder() -> list[CheckMessage]:
    name = app_settings.recorder
    needed = {"database": None, "redis": "redis"}.get(name, name)
    try:
        if needed:
            import_module(needed) if needed == "redis" else import_string(needed)
    except ImportError as error:
        return [
            Error(
                f"recorder is {name!r}, and that cannot be imported: {error}",
                hint="Choose database, redis (with the package redis), or a dotted path.",
                id="wagtail_email_insights.E006",
            )
        ]
    return []


def _check_thresholds() -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {value!r}.",
            hint="A number, 0 or more.",
            id="wagtail_email_insights.E007",
        )
        for name in THRESHOLDS
        if not _is_amount(value := getattr(app_settings, name))
        and not (name == "retention_days" and value is None)
    ]


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


@register()
def check_diagnostics(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    from .statistics.diagnostics import default_thresholds

    known = default_thresholds()
    return [
        Error(
            f"The setting diagnostics has {name!r}: {value!r}, which is no threshold.",
            hint=f"Numbers for any of these: {', '.join(sorted(known))}.",
            id="wagtail_email_insights.E005",
        )
        for name, value in app_settings.diagnostics.items()
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float)
    ]


@register()
def check_database(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """What was written a moment ago is read to be judged and added up: a copy lags behind."""
    event = apps.get_model("wagtail_email_insights", "Event")
    used = {router.db_for_read(event), router.db_for_write(event)}
    if used == {DEFAULT_DB_ALIAS}:
        return []
    return [
        Error(
            f"A database router has our tables in {', '.join(sorted(used))}.",
            hint=f"Read and write them in {DEFAULT_DB_ALIAS!r}.",
            id="wagtail_email_insights.E008",
        )
    ]


@register()
def check_urls(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    if all(_leads_to_us(name) for name in PUBLIC_ADDRESSES):
        return []
    return [
        Error(
            "The addresses that stand in e-mails are not in your URLconf, or other URLs above "
            "them catch some.",
            hint='Add path("email/", include("wagtail_email_insights.urls")) before '
            "Wagtail's own URLs.",
            id="wagtail_email_insights.E004",
        )
    ]


def _leads_to_us(name: str) -> bool:
    try:
        address = reverse(f"wagtail_email_insights:{name}", args=["token"])
        return resolve(address).app_names[-1:] == ["wagtail_email_insights"]
    except (NoReverseMatch, Resolver404):
        return False


@register()
def check_queue(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    cluster = getattr(settings, "Q_CLUSTER", None)
    if not cluster:
        return [
            Warning(
                "Q_CLUSTER is not set: nothing would be sent.",
                hint="from wagtail_email_insights.queue import DEFAULT_Q_CLUSTER as Q_CLUSTER",
                id="wagtail_email_insights.W001",
            )
        ]
    checks = (_check_timeout, _check_retry, _check_bulk, _check_queue_limit, _check_failures)
    return [message for check in checks for message in check(cluster)]


def _check_lease() -> list[CheckMessage]:
    if app_settings.lease_seconds > app_settings.work_seconds:
        return []
    return [
        Warning(
            "lease_seconds is not longer than work_seconds: copies could be declared uncertain "
            "while they are being sent.",
            id="wagtail_email_insights.W002",
        )
    ]


def _check_timeout(cluster: dict[str, Any]) -> list[CheckMessage]:
    timeout = cluster.get("timeout")
    needed = app_settings.work_seconds + 2 * PATIENCE
    if timeout is None or timeout >= needed:
        return []
    return [
        Warning(
            f"Q_CLUSTER kills tasks after {timeout} s, but sending works for up to "
            f"{app_settings.work_seconds} s, and then writes down what became of its last copies, "
            "however busy the database is.",
            hint=f"Set timeout to at least {needed:.0f}.",
            id="wagtail_email_insights.W003",
        )
    ]


def _check_retry(cluster: dict[str, Any]) -> list[CheckMessage]:
    timeout, retry = cluster.get("timeout") or 0, cluster.get("retry", 60)
    if retry >= 3 * timeout:
        return []
    return [
        Warning(
            f"Q_CLUSTER hands a task out again after {retry} s, which is soon after its time-out "
            f"of {timeout} s: finished tasks would run twice.",
            hint="Set retry to at least three times timeout.",
            id="wagtail_email_insights.W004",
        )
    ]


def _check_bulk(cluster: dict[str, Any]) -> list[CheckMessage]:
    bulk = cluster.get("bulk", 1)
    if bulk <= 1:
        return []
    return [
        Warning(
            f"Q_CLUSTER takes {bulk} tasks at a time; a crash loses them, or repeats them late.",
            hint="Set bulk to 1: there is one task for a whole mailing, not one per copy.",
            id="wagtail_email_insights.W005",
        )
    ]


def _check_queue_limit(cluster: dict[str, Any]) -> list[CheckMessage]:
    workers = cluster.get("workers") or os.cpu_count() or 1
    limit = cluster.get("queue_limit", workers**2)
    if limit <= workers:
        return []
    return [
        Warning(
            f"Q_CLUSTER holds up to {limit} tasks ready for {workers} workers: those that wait "
            "are lost in a crash, or run twice once retry is over.",
            hint="Set queue_limit to the number of workers.",
            id="wagtail_email_insights.W006",
        )
    ]


def _check_failures(cluster: dict[str, Any]) -> list[CheckMessage]:
    if cluster.get("max_attempts") or cluster.get("ack_failures"):
        return []
    return [
        Warning(
            "Q_CLUSTER hands a task that fails out again for ever.",
            hint="Set max_attempts to 1, or ack_failures to True: whatever is due is found again "
            "within a minute.",
            id="wagtail_email_insights.W007",
        )
    ]
