"""Bounces without a report part, as real servers write them: qmail, Exim, sendmail, Exchange …

A server writes who it could not reach and the answer it got, in its own order and language. What
is looked for is therefore not the layout of one program but addresses, codes and telling words,
above the copy of our own mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from .addresses import ADDRESS, address_in, addresses_in, is_daemon
from .auto_replies import has_auto_subject
from .classifying import categorise, enhanced_code, reply_code, severity
from .messages import Part
from .references import original_headers
from .reports import MAX_REASON, PERMANENT, Category, Report, ReportKind

MAX_TEXT = 20_000
MAX_RECIPIENTS = 50

_SUBJECT = re.compile(
    r"undeliver|returned mail|return(?:ed)? to sender|failure notice|delivery[ -](?:status )?"
    r"(?:notification|fail|problem|error|delay|report|has failed|unsuccessful)"
    r"|mail(?:er)? (?:delivery )?"
    r"(?:fail|error|system error|problem)|message (?:delivery )?(?:status|delayed|undeliverable"
    r"|could)"
    r"|could not (?:send|be delivered)|not delivered|non[- ]delivery|nondeliverable"
    r"|message you sent blocked"
    r"|rejected mail|user unknown|warning: (?:message|could)|delayed mail|bounced?\b"
    r"|\(?(?:failure|delay|success)\)"
    r"|unzustellbar|nicht zugestellt|nicht zustellbar|zustellung|non remis|non distribu"
    r"|échec de (?:la )?"
    r"(?:remise|distribution)|no se puede entregar|no entregado|devuelto|entrega fallida"
    r"|non recapitabile"
    r"|mancato recapito|mancata consegna|não (?:é possível|foi possível|pôde)|não entregue"
    r"|onbestelbaar"
    r"|niet te bezorgen|niet bezorgd|går inte att leverera|kan inte levereras|olevererbart"
    r"|kan ikke leveres"
    r"|uleverbar|ikke leveret|ei voitu toimittaa|nie można dostarczyć|niedostarcz|zwrot|nedoručit"
    r"|kézbesíthetetlen|teslim edilemedi|не удается доставить|не доставлено|недоставлен"
    r"|配信不能|配信できません|未送达|无法送达|退信|배달되지",
    re.I,
)
_MARKER = re.compile(
    r"could(?: not|n't) be delivered|was(?: not|n't) delivered|(?:un|non-?)deliverable"
    r"|delivery (?:\w+ ){0,4}failed"
    r"|failed permanently|permanent (?:fatal )?error|hi\. this is the"
    r"|created automatically by mail delivery"
    r"|i'm sorry to have to inform|returned to sender|did not reach|not able to deliver"
    r"|unable to deliver"
    r"|has been (?:delayed|rejected|returned)|nicht zugestellt|nicht ausgeliefert"
    r"|n'a pas pu être|n'a pas été remis"
    r"|no se (?:ha podido|pudo) entregar|non è stato (?:possibile|recapitato)"
    r"|não pôde ser entregue"
    r"|kan niet worden bezorgd|не удалось доставить|配信できません|will be retried"
    r"|have not been delivered",
    re.I,
)
_DELAY = re.compile(
    r"\bdelay|warning: (?:message|could not)|still being retried|will (?:keep"
    r"|continue) (?:\w+ )?try"
    r"|this is a warning message only|do not need to (?:resend|re-?send)|will be retried|verzögert"
    r"|retardé|not yet been delivered|has not been delivered yet|temporarily deferred",
    re.I,
)
_SUCCESS = re.compile(
    r"\(success\)|successfully delivered|^(?:delivered|relayed|zugestellt|remis|entregado):", re.I
)
_ORIGINAL = re.compile(
    r"^[ \t>]{0,8}(?:-{2,}[^\n]{0,60}(?:original (?:message|mail)|copy of|message headers?"
    r"|returned message"
    r"|unsent message|ursprüngliche|nachricht|message d'origine|body of)[^\n]{0,80}"
    r"|original message headers:"
    r"|received: from|return-path: ?<|message-id: ?<|dkim-signature:|mime-version: )",
    re.I | re.M,
)
_OWN_LINE = re.compile(
    r"^[ \t]{0,8}(?:[*-] )?<?(?:mailto:)?"
    + ADDRESS.pattern
    + r">?[ \t]{0,4}:?[ \t]{0,4}(?:\([^\n]{0,100}\))?$",
    re.M,
)


def is_bounce(message: Part) -> bool:
    """Tell whether a server says that a mail could not be delivered; never for a person's words."""
    if "x-failed-recipients" in message.headers:
        return True
    if has_auto_subject(message):
        return False
    subject = message.header("subject")[:300]
    subject_tells = bool(_SUBJECT.search(subject) or _SUCCESS.search(subject))
    if is_daemon(message.header("from")):
        return subject_tells or _tells(_explanation(message))
    no_return = message.header("return-path").replace(" ", "") == "<>"
    return subject_tells and no_return and _tells(_explanation(message))


def read_bounce(message: Part) -> list[Report]:
    """Return a report per recipient that is named; one without recipient if none is."""
    subject, text = message.header("subject")[:300], _explanation(message)
    if _SUCCESS.search(subject):
        return [
            Report(ReportKind.NONE, recipient, category=Category.DELIVERED)
            for recipient in _recipients(message, text)
        ]
    is_delayed = bool(_DELAY.search(subject) or _DELAY.search(text[:2_000]))
    return [
        _report(recipient, words, is_delayed)
        for recipient, words in islice(_explained(message, text), MAX_RECIPIENTS)
    ]


def _report(recipient: str, words: str, is_delayed: bool) -> Report:
    code = enhanced_code(words)
    category = categorise(code, words)
    if is_delayed and category in PERMANENT:
        category = Category.OTHER
    return Report(
        kind=ReportKind.SOFT if is_delayed else severity(code, words, category),
        recipient=recipient,
        code=code,
        reason=_telling_line(words, recipient)[:MAX_REASON],
        category=category,
    )


def _tells(text: str) -> bool:
    return bool(_MARKER.search(text) or enhanced_code(text) or reply_code(text))


def _explanation(message: Part) -> str:
    """Return what stands above the copy of our own mail."""
    text = (message.readable or message.text)[:MAX_TEXT]
    original = _ORIGINAL.search(text)
    return text[: original.start()] if original and original.start() > 20 else text


def _explained(message: Part, text: str) -> Iterator[tuple[str, str]]:
    """Yield each recipient with the words about it: those up to the next one's line."""
    lines = list(_OWN_LINE.finditer(text))
    named = list(dict.fromkeys(address_in(match[0]) for match in lines))
    if len(named) < 2:
        for recipient in named or _recipients(message, text):
            yield recipient, text
        return
    ends = [match.start() for match in lines[1:]] + [len(text)]
    words = dict.fromkeys(named, "")
    for match, end in zip(lines, ends, strict=True):
        words[address_in(match[0])] += text[match.start() : end]
    yield from words.items()


def _recipients(message: Part, text: str) -> list[str]:
    failed = list(addresses_in(message.header("x-failed-recipients")))
    if failed:
        return list(dict.fromkeys(failed))
    ours = {
        address
        for name in ("to", "from", "delivered-to", "sender", "reply-to")
        for address in addresses_in(message.header(name))
    }
    found = (address for address in addresses_in(text) if address not in ours)
    intended = address_in(original_headers(message).get("to", [""])[0])
    named = next((address for address in found if not is_daemon(address)), "")
    return [intended or named]


def _telling_line(words: str, recipient: str) -> str:
    lines = [" ".join(line.split()) for line in words.split("\n") if line.strip()]
    coded = (line for line in lines if enhanced_code(line) or reply_code(line))
    named = (after for line, after in pairwise(lines) if recipient in line)
    return next(coded, "") or (next(named, "") if recipient else "") or (lines or [""])[0]
