"""Two thousand invented readers: names drawn from lists, addresses at reserved domains."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from wagtail_email_insights.consents.models import ConsentAction, ConsentRecord, ConsentVersion
from wagtail_email_insights.contacts.models import (
    Contact,
    RecipientList,
    Subscription,
    SubscriptionStatus,
)

FIRST_NAMES = """
    Ada Agnes Alice Amir Anna Arthur Asha Beatrix Ben Bruno Carla Chloe Clara Daniel Diego Edith
    Elena Elias Emil Esther Ewa Farah Felix Finn Flora Frida George Grace Hana Hanna Hugo Ida Ines
    Isaac Ivan Jana Jasper Joan Jonas Julia Kai Karim Kofi Lara Lena Leo Lina Louis Lucia Maja Marc
    Maria Marta Maya Mila Mina Nadia Naomi Nils Nina Noah Nora Olga Omar Otto Paula Pavel Petra
    Priya Rafael Ravi Rosa Ruth Sam Sara Selma Simon Sofia Sven Tara Theo Tomas Vera Victor Yara
    Yusuf Zoe
""".split()  # noqa: SIM905
LAST_NAMES = """
    Abbott Adler Ahmed Alvarez Andersen Baker Barros Becker Bell Berg Bianchi Brandt Brook Carter
    Castillo Chen Clarke Cole Costa Dahl Davies Dubois Eriksen Evans Farkas Ferrari Fischer Ford
    Garcia Grant Gruber Haas Hall Hansen Hill Hoffmann Horvat Ito Jansen Jones Kaya Keller Khan
    Kim Klein Kovacs Lang Larsen Lee Lind Lopez Marino Marsh Meyer Moreau Morgan Nagy Nilsen Novak
    Okafor Olsen Park Patel Pereira Popov Quinn Reed Ricci Roth Rossi Sato Schmidt Shah Silva Smit
    Sousa Stone Suzuki Tanaka Turner Varga Vogel Wagner Walsh Weber West Winter Wood Yilmaz Young
""".split()  # noqa: SIM905
DOMAINS = ("example.com", "example.org", "example.net")

MAIN_LIST = "garden-letter"
LISTS = (
    (MAIN_LIST, "The Garden Letter", "What is in flower, once a month."),
    ("friends", "Friends of Fernhill", "News and evenings for those who help the garden along."),
    ("workshops", "Workshops and plant sales", "Dates as soon as they can be booked."),
)


def make_lists() -> list[RecipientList]:
    """The garden's lists; the first one is the one that everybody is on."""
    return [
        RecipientList.objects.create(
            slug=slug,
            name=name,
            description=description,
            thank_you_text="Welcome! The next letter finds its way to you.",
            goodbye_text="You will get no more of these letters. The gate stays open.",
        )
        for slug, name, description in LISTS
    ]


def make_contacts(count: int, chance: random.Random, now: datetime) -> list[Contact]:
    return Contact.objects.bulk_create(
        [_contact(number, chance, now) for number in range(count)], batch_size=500
    )


def _contact(number: int, chance: random.Random, now: datetime) -> Contact:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    return Contact(
        email=f"{first}.{last}.{number + 1}@{chance.choice(DOMAINS)}".lower(),
        first_name=first,
        last_name=last,
        language="en",
        do_not_track=chance.random() < 0.02,
        created_at=now - timedelta(days=chance.uniform(50, 900)),
    )


def subscribe_contacts(
    contacts: Sequence[Contact],
    lists: Sequence[RecipientList],
    chance: random.Random,
) -> None:
    """Put everybody on the first list; on the others some, in every state."""
    main, *others = lists
    rows = [_subscription(contact, main, SubscriptionStatus.SUBSCRIBED) for contact in contacts]
    for recipient_list in others:
        some = chance.sample(contacts, round(len(contacts) * chance.uniform(0.25, 0.45)))
        statuses = chance.choices(
            [
                SubscriptionStatus.SUBSCRIBED,
                SubscriptionStatus.PENDING,
                SubscriptionStatus.UNSUBSCRIBED,
            ],
            weights=[75, 10, 15],
            k=len(some),
        )
        rows += [
            _subscription(contact, recipient_list, status)
            for contact, status in zip(some, statuses, strict=True)
        ]
    Subscription.objects.bulk_create(rows, batch_size=500)


def _subscription(
    contact: Contact, recipient_list: RecipientList, status: SubscriptionStatus
) -> Subscription:
    confirmed = status != SubscriptionStatus.PENDING
    return Subscription(
        contact=contact,
        recipient_list=recipient_list,
        status=status,
        source="Subscribe page",
        created_at=contact.created_at,
        confirmed_at=contact.created_at + timedelta(minutes=9) if confirmed else None,
        changed_at=contact.created_at + timedelta(minutes=9),
    )


def record_consents(
    contacts: Iterable[Contact], version: ConsentVersion, chance: random.Random
) -> list[Contact]:
    """Have 65 of 100 agree to tracking when they sign up; returns those who will change their mind.

    They withdraw later (``withdraw_consents``), when they have left traces: 10 of 100.
    """
    records: list[ConsentRecord] = []
    will_withdraw: list[Contact] = []
    contacts = list(contacts)
    # Whoever tries the demonstration opens the newest mails in the inbox: their clicks show.
    sure = {contact.pk for contact in [*contacts[:5], *contacts[-25:]]}
    for contact in contacts:
        draw = chance.random()
        if draw < 0.65 or contact.pk in sure:
            records.append(_agreement(contact, version))
        if draw < 0.10 and contact.pk not in sure:
            will_withdraw.append(contact)
    ConsentRecord.objects.bulk_create(records, batch_size=500)
    return will_withdraw


def _agreement(contact: Contact, version: ConsentVersion) -> ConsentRecord:
    return ConsentRecord(
        contact=contact,
        consent=version.consent,
        version=version,
        action=ConsentAction.AGREE,
        source="Subscribe page",
        at=contact.created_at,
    )
