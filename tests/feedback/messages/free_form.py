"""Bounces in the words of servers that write no report part."""

# ruff: noqa: E501  servers write long lines

from __future__ import annotations

from .building import ORIGINAL, READER, Case, mail, multipart

COPY = "\n".join(f"{line}" for line in ORIGINAL.splitlines())


def qmail(answer: str) -> bytes:
    return mail(
        f"""Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{READER}>:
{answer}

--- Below this line is a copy of the message.

{COPY}""",
        Subject="failure notice",
        Return_Path="<>",
    )


def exim(answer: str, **headers: str) -> bytes:
    return mail(
        f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {READER}
    {answer}

------ This is a copy of the message, including all the headers. ------

{COPY}""",
        Subject="Mail delivery failed: returning message to sender",
        Auto_Submitted="auto-replied",
        **{"X_Failed_Recipients": READER} | headers,
    )


def postfix(answer: str) -> bytes:
    return mail(
        f"""This is the mail system at host mx.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

                   The mail system

<{READER}>: {answer}
"""
    )


def sendmail(answer: str, reason: str = "") -> bytes:
    return mail(
        f"""The original message was received at Fri, 20 Nov 2026 09:00:00 GMT
from news.example [192.0.2.1]

   ----- The following addresses had permanent fatal errors -----
<{READER}>
{reason}
   ----- Transcript of session follows -----
... while talking to mx.mail.example.:
>>> DATA
<<< {answer}

   ----- Original message follows -----

{COPY}""",
        Subject="Returned mail: see transcript for details",
        From="Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
    )


def exchange(text: str, subject: str, code: str) -> bytes:
    return mail(
        f"""{text}

{READER}

Diagnostic information for administrators:

Generating server: mx.example

{READER}
#{code}

Original message headers:

{COPY}""",
        Subject=subject,
        From="postmaster@mx.example",
    )


GMAIL_HTML = multipart(
    (
        "text/html; charset=utf-8",
        f"<html><head><style>* {{color: red}}</style></head><body><h1>Address not found</h1>"
        f"<p>Your message wasn't delivered to <a href='mailto:{READER}'><b>{READER}</b></a> because "
        "the address couldn't be found, or is unable to receive mail.</p>"
        "<p>The response from the remote server was:<br>550 5.1.1 The email account does not exist"
        "</p></body></html>",
    ),
    subtype="alternative",
    From="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
    Subject="Delivery Status Notification (Failure)",
)
GMAIL_DELAY = mail(
    f"""This is an automatically generated Delivery Status Notification

THIS IS A WARNING MESSAGE ONLY.

YOU DO NOT NEED TO RESEND YOUR MESSAGE.

Delivery to the following recipient has been delayed:

     {READER}

Message will be retried for 2 more day(s)
""",
    Subject="Delivery Status Notification (Delay)",
    From="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
)
EXIM_WARNING = mail(
    f"""This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.example.

The address to which the message has not yet been delivered is:

  {READER}
    Delay reason: host not found

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals.
""",
    Subject="Warning: message 1aBcDe-000001-AA delayed 24 hours",
    X_Failed_Recipients="",
)
SUCCESS = mail(
    f"Your message was successfully delivered to the destination(s) listed below.\n\n {READER}\n",
    Subject="Successfully delivered mail notification",
)
YAHOO = mail(
    f"""Sorry, we were unable to deliver your message to the following address.

<{READER}>:
554: delivery error: dd This user doesn't have a yahoo.example account ({READER}) [0]

--- Below this line is a copy of the message.

{COPY}""",
    Subject="Failure Notice",
    From="MAILER-DAEMON@yahoo.example",
)
DOMINO = mail(
    f"""Your message

  Subject: June news

was not delivered to:

  {READER}

because:

  User ann ({READER}) not listed in Domino Directory
""",
    Subject="DELIVERY FAILURE: User ann not listed in Domino Directory",
    From="Mail Router <postmaster@notes.example>",
)
EXCHANGE_55 = mail(
    f"""Your message

  To:      {READER}
  Subject: June news

did not reach the following recipient(s):

{READER} on Fri, 20 Nov 2026 10:00:00 +0100
    The recipient name is not recognized
    MSEXCH:IMS:Example:Site:MX 0 (000C05A6) Unknown Recipient
""",
    Subject="Undeliverable: June news",
    From="System Administrator <postmaster@mx.example>",
)
GMX = mail(
    f"""Dies ist eine automatisch erzeugte Nachricht. Ihre E-Mail konnte nicht zugestellt werden.

<{READER}>:
550 5.1.1 Postfach existiert nicht

--- Ursprüngliche Nachricht ---

{COPY}""",
    Subject="=?utf-8?q?Unzustellbar=3A_June_news?=",
)
JAPANESE = mail(
    f"メールを配信できませんでした。\n\n<{READER}>: 550 5.1.1 User unknown\n",
    Subject="配信不能メール",
)
NULL_PATH_ONLY = mail(
    f"Your mail could not be delivered to {READER}: 550 5.1.1 no such user\n",
    From="Mail gateway <noreply@gateway.example>",
    Subject="Undeliverable mail",
    Return_Path="<>",
)

CASES = [
    Case(
        "qmail_no_mailbox",
        qmail("Sorry, no mailbox here by that name. (#5.1.1)"),
        "hard",
        "unknown_address",
        "5.1.1",
    ),
    Case(
        "qmail_no_host",
        qmail("Sorry, I couldn't find any host named mail.example. (#5.1.2)"),
        "hard",
        "domain_unknown",
        "5.1.2",
    ),
    Case(
        "qmail_remote",
        qmail(
            "192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\nGiving up on 192.0.2.7."
        ),
        "hard",
        "unknown_address",
        "5.1.1",
    ),
    Case(
        "qmail_full",
        qmail("Mailbox is full: the user is over quota. (#5.2.2)"),
        "soft",
        "mailbox_full",
        "5.2.2",
    ),
    Case(
        "qmail_queue",
        qmail("I'm not going to try again; this message has been in the queue too long. (#4.4.1)"),
        "soft",
        "expired",
        "4.4.1",
    ),
    Case(
        "qmail_spam",
        qmail("Remote host said: 554 5.7.1 Your message looks like SPAM"),
        "soft",
        "content",
        "5.7.1",
    ),
    Case("exim_unrouteable", exim("Unrouteable address"), "hard", "unknown_address"),
    Case(
        "exim_remote",
        exim(
            "host mx.mail.example [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO:<ann@mail.example>:\n    550 5.1.1 User unknown"
        ),
        "hard",
        "unknown_address",
        "5.1.1",
    ),
    Case(
        "exim_no_code",
        exim(
            "SMTP error from remote mail server after RCPT TO:\n    550 No such person at this address"
        ),
        "hard",
        "unknown_address",
    ),
    Case("exim_full", exim("mailbox is full: retry timeout exceeded"), "soft", "mailbox_full"),
    Case("exim_timeout", exim("retry timeout exceeded"), "soft", "expired"),
    Case(
        "exim_no_daemon",
        exim("550 User unknown", From="Server <root@mx.example>"),
        "hard",
        "unknown_address",
    ),
    Case(
        "exim_dmarc",
        exim("550 5.7.1 rejected by DMARC policy of news.example"),
        "soft",
        "auth",
        "5.7.1",
    ),
    Case(
        "postfix_unknown",
        postfix(
            "host mx.mail.example[192.0.2.7] said: 550 5.1.1 User unknown (in reply to RCPT TO command)"
        ),
        "hard",
        "unknown_address",
        "5.1.1",
    ),
    Case(
        "postfix_host",
        postfix(
            "Host or domain name not found. Name service error for name=mail.example type=A: Host not found"
        ),
        "hard",
        "domain_unknown",
    ),
    Case(
        "postfix_refused",
        postfix("connect to mx.mail.example[192.0.2.7]:25: Connection refused"),
        "soft",
        "connection",
    ),
    Case(
        "postfix_ratelimit",
        postfix("host mx.mail.example said: 421 4.7.0 Too many connections from your network"),
        "soft",
        "rate_limited",
        "4.7.0",
    ),
    Case(
        "sendmail_unknown",
        sendmail(
            "550 5.1.1 <ann@mail.example>... User unknown", "    (reason: 550 5.1.1 User unknown)"
        ),
        "hard",
        "unknown_address",
        "5.1.1",
    ),
    Case("sendmail_full", sendmail("552 5.2.2 Over quota"), "soft", "mailbox_full", "5.2.2"),
    Case(
        "sendmail_old",
        sendmail("550 <ann@mail.example>... User unknown"),
        "hard",
        "unknown_address",
    ),
    Case(
        "exchange_en",
        exchange(
            "Your message to the address below couldn't be delivered.",
            "Undeliverable: June news",
            "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##",
        ),
        "hard",
        "unknown_address",
        "5.1.1",
    ),
    Case(
        "exchange_de",
        exchange(
            "Fehler bei der Nachrichtenzustellung an folgende Empfänger:",
            "Unzustellbar: June news",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound ##",
        ),
        "hard",
        "unknown_address",
        "5.1.10",
    ),
    Case(
        "exchange_fr",
        exchange(
            "Échec de la remise à ces destinataires :",
            "Non remis : June news",
            "554 5.2.2 QuotaExceeded ##",
        ),
        "soft",
        "mailbox_full",
        "5.2.2",
    ),
    Case(
        "exchange_es",
        exchange(
            "No se pudo entregar el mensaje a estos destinatarios:",
            "No se puede entregar: June news",
            "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required ##",
        ),
        "soft",
        "auth",
        "5.7.1",
    ),
    Case(
        "exchange_nl",
        exchange(
            "Uw bericht is niet bezorgd.",
            "Onbestelbaar: June news",
            "550 5.4.1 Recipient address rejected: Access denied ##",
        ),
        "hard",
        "unknown_address",
        "5.4.1",
    ),
    Case("gmail_html", GMAIL_HTML, "hard", "unknown_address", "5.1.1"),
    Case("gmail_delay", GMAIL_DELAY, "soft"),
    Case("exim_warning", EXIM_WARNING, "soft"),
    Case("success", SUCCESS, "none", "delivered"),
    Case("yahoo", YAHOO, "hard", "unknown_address"),
    Case("domino", DOMINO, "hard", "unknown_address"),
    Case("exchange_55", EXCHANGE_55, "hard", "unknown_address"),
    Case("gmx_de", GMX, "hard", "unknown_address", "5.1.1"),
    Case("japanese", JAPANESE, "hard", "unknown_address", "5.1.1"),
    Case("null_return_path", NULL_PATH_ONLY, "hard", "unknown_address", "5.1.1"),
]

TWO_RECIPIENTS = mail(
    """Hi. This is the qmail-send program at mx.example.

<one@mail.example>:
Sorry, no mailbox here by that name. (#5.1.1)

<two@mail.example>:
Mailbox is over quota (#5.2.2)

--- Below this line is a copy of the message.
""",
    Subject="failure notice",
)
