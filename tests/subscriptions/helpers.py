"""What the tests of the public pages share."""

from __future__ import annotations

import re
import time
from typing import Any

from django.core import signing
from django.urls import reverse

from tests import factories
from wagtail_email_insights import tokens
from wagtail_email_insights.contacts.models import Contact, RecipientList
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.subscriptions.forms import STAMP_SALT


def url(name: str, *args: Any) -> str:
    return reverse(f"wagtail_email_insights:{name}", args=args)


def stamp(*, seconds_ago: float = 10) -> str:
    return signing.dumps(time.time() - seconds_ago, salt=STAMP_SALT)


def filled_in(**fields: Any) -> dict[str, Any]:
    """A form as a person sends it."""
    return {"email": "ann@example.org", "started": stamp(), **fields}


def send_form(client: Any, recipient_list: RecipientList, extra: Any = None, **fields: Any) -> Any:
    return client.post(url("subscribe", recipient_list.slug), filled_in(**fields), **(extra or {}))


def link_in(message: Any) -> str:
    """The path of the only address in the text of a mail."""
    (found,) = re.findall(r"https?://[^/\s]+(/\S+)", message.body)
    return found


def delivery_to(contact: Contact, *lists: RecipientList) -> Delivery:
    return Delivery.objects.create(mailing=factories.make_mailing(None, *lists), contact=contact)


def unsubscribe_token(delivery: Delivery) -> str:
    return tokens.make(tokens.Kind.UNSUBSCRIBE, delivery.pk)
