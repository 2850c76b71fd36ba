"""What people write, bounce words and all: never a bounce, never a machine."""

from __future__ import annotations

from .building import READER, Case, mail, multipart


def letter(subject: str, body: str, **headers: str) -> bytes:
    return mail(body, From=f"Ann <{READER}>", Subject=subject, **headers)


FORWARDED = multipart(
    ("text/plain", "I got this when answering you. What does it mean?"),
    ("text/plain", "<tom@mail.example>: 550 5.1.1 User unknown"),
    From=f"Ann <{READER}>",
    Subject="Fwd: Undelivered Mail Returned to Sender",
)

CASES = [
    Case("reply", letter("Re: June news", "Thank you!"), "none"),
    Case("auto_submitted_no", letter("Re: June", "Thanks.", Auto_Submitted="no"), "none"),
    Case("re_vacation", letter("Re: Vacation offers", "Lovely."), "none"),
    Case("re_out_of_office", letter("Re: Out of office ideas", "Lovely."), "none"),
    Case(
        "bounce_words",
        letter("Mailbox full?", "My mailbox is full, user unknown 550 5.1.1"),
        "none",
    ),
    Case("forwarded_bounce", FORWARDED, "none"),
    Case("delivery_question", letter("Delivery failed for my parcel", "Where is it?"), "none"),
    Case(
        "human_postmaster",
        mail(
            "Hi, thanks for the newsletter.", From="Bob <postmaster@mail.example>", Subject="Hello"
        ),
        "none",
        recipient="postmaster@mail.example",
    ),
]
