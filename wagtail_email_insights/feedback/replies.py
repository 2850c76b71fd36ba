"""What the person wrote: a reply without the mail it answers and without the signature."""

from __future__ import annotations

import re

MAX_TEXT = 200_000
MAX_LINE = 500
ATTRIBUTION_LINES = 4
HEADER_LINES = 6

_VERBS = (
    r"wrote|writes|schrieb|schreef|geschreven|a écrit|escribió|escribio|ha scritto|scritto"
    r"|escreveu"
    r"|skrev|kirjoitti|napisał|napisał\(a\)|napísal|napsal|írta|yazdı|написал|пишет|писал|έγραψε"
    r"|写道|寫道|書きました|wrote via"
)
# In these languages the name stands behind the verb.
_VERBS_BEFORE_NAMES = r"schrieb|schreef|skrev|skreiv|escribió|escreveu|ha scritto|пишет|писал"
_ATTRIBUTION = re.compile(
    rf"(?=.*(?:\d|@)).{{0,400}}(?:(?:{_VERBS})\W{{0,3}}|(?:{_VERBS_BEFORE_NAMES}).{{0,250}})[:：]\s*$",
    re.I,
)
_GMAIL_ATTRIBUTION = re.compile(
    r"\d{4}.{0,80}\d{1,2}[:.]\d{2}.{0,150}<\S{1,200}@\S{1,200}>\)?\s*[:：]\s*$"
    r"|\d{4}[-/年.]\d{1,2}[-/月.]\d{1,2}.{0,150}<\S{1,200}@\S{1,200}>\s*[:：]\s*$"
)
_OPENING = re.compile(
    r"^(?:on|am|le|el|il|em|op|den|w dniu|dne|dňa|på|ons?|tirs?|man|mån|tors?|fre|lör|sön|в"
    r"|στις)\b"
    r"|^.{0,100}(?:\d{4}|<\S{1,200}@)",
    re.I,
)
_SEPARATOR = re.compile(
    r"^\s{0,4}[-_*]{2,}\s{0,3}(?:original (?:message|nachricht)|ursprüngliche nachricht"
    r"|originalnachricht"
    r"|message d'origine|message original|mensaje original|messaggio originale|mensagem original"
    r"|oorspronkelijk bericht|originalmeddelande|opprinnelig melding|oprindelig meddelelse"
    r"|alkuperäinen viesti|wiadomość oryginalna|původní zpráva|исходное сообщение"
    r"|forwarded message"
    r"|weitergeleitete nachricht|reply (?:message|above this line))\W{0,40}$",
    re.I,
)
_FROM = re.compile(
    r"^\W{0,3}(?:from|von|de|da|van|från|fra|lähettäjä|od|feladó|kimden|от|从|发件人|差出人)\*?\s?[:：]",
    re.I,
)
_HEADER = re.compile(
    r"^\W{0,3}(?:sent|date|to|subject|gesendet|datum|an|betreff|envoyé|objet|à|date|enviad[oa]"
    r"|para"
    r"|asunto|assunto|inviato|data|a|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til"
    r"|emne"
    r"|lähetetty|aihe|wysłano|do|temat|odesláno|předmět|отправлено|дата|кому|тема)\*?\s?[:：]",
    re.I,
)
_RULE = re.compile(r"^[_-]{8,200}\s*$")
_SIGNATURE = re.compile(r"^-- ?$")
_DEVICE = re.compile(
    r"^\W{0,3}(?:(?:sent|get|send|delivered) (?:from|with|by|via|using) (?:my |a "
    r"|the )?(?:\w+ )?(?:iphone|ipad|android|samsung"
    r"|mobile|phone|blackberry|huawei|xiaomi|galaxy|outlook|mail for|yahoo mail|proton|gmail"
    r"|windows mail)"
    r"|get outlook for|(?:von|diese nachricht wurde von) mei\w+ .{0,40}(?:gesendet|gesandt)"
    r"|gesendet von"
    r"|envoyé (?:de|depuis) m|envoyé à partir|enviado desde|enviado d[eo] m|inviato da"
    r"|verzonden vanaf"
    r"|verstuurd vanaf|skickat från|sendt fra|lähetetty (?:iphonesta|puhelimesta|laitteesta)"
    r"|wysłano z|odesláno z|küldve|отправлено (?:с|из)|iphoneから送信|从我的iphone发送|发自我的)",
    re.I,
)
_QUOTED = re.compile(r"^\s{0,3}(?:>|\|\s)")


def trim_reply(text: str) -> str:
    """Return what the person wrote in *text*: no quotation, no signature, answers in between kept.

    Knows the habits of mail programs in a dozen languages; where it finds none, the text comes
    back as it is. Takes time linear in the length, of which 200,000 characters are looked at.
    """
    lines = text[:MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number][:MAX_LINE]
        if _ends_here(lines, number):
            break
        if length := _attribution(lines, number):
            if not _is_quote_next(lines, number + length):
                break
            number += length
            continue
        if not _QUOTED.match(line):
            kept.append(lines[number].rstrip())
        number += 1
    return _without_gaps(kept)


def _ends_here(lines: list[str], number: int) -> bool:
    """Tell whether only a signature or the answered mail follows from this line on."""
    line = lines[number][:MAX_LINE]
    start = number + 1 if _RULE.match(line) else number
    if _SIGNATURE.match(line) or _SEPARATOR.match(line) or _is_header_block(lines, start):
        return True
    return _DEVICE.match(line) is not None and len(line) < 120


def _is_header_block(lines: list[str], number: int) -> bool:
    """Outlook puts the headers of the answered mail above it, from "From:" on."""
    if number >= len(lines) or not _FROM.match(lines[number][:MAX_LINE]):
        return False
    following = lines[number + 1 : number + HEADER_LINES]
    return sum(bool(_HEADER.match(line[:MAX_LINE])) for line in following) >= 2


def _attribution(lines: list[str], number: int) -> int:
    """Return how many lines "On … wrote:" takes up from here on; 0 if it does not stand here."""
    if not _OPENING.match(lines[number][:MAX_LINE]):
        return 0
    joined = ""
    for length, line in enumerate(lines[number : number + ATTRIBUTION_LINES], start=1):
        if not line.strip():
            return 0
        joined = f"{joined} {line.strip()[:MAX_LINE]}".strip()
        if _ATTRIBUTION.match(joined) or _GMAIL_ATTRIBUTION.search(joined):
            return length
    return 0


def _is_quote_next(lines: list[str], number: int) -> bool:
    """Tell whether the quotation that follows is marked; if it is not, all the rest is one."""
    following = (line for line in lines[number : number + 3] if line.strip())
    first = next(following, "")
    return _QUOTED.match(first[:MAX_LINE]) is not None


def _without_gaps(lines: list[str]) -> str:
    text = "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
