"""Why a mail came back, judged by the enhanced status (RFC 3463) and the server's own words.

Words that say "for now" or "it is you, not the recipient" win over a code that says "for good":
mailing somebody once more costs little, taking a reader off for ever costs a reader. Nothing of
class 4 and nothing of subject 7 (security and policy) is ever permanent.
"""

from __future__ import annotations

import re

from .reports import PERMANENT, Category, ReportKind

MAX_TEXT = 4_000

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]\d)")
_REPLY = re.compile(r"(?<![\d.@\[-])([45][0-5]\d)(?=[ -][^\d]|[ -]\d\.\d{1,3}\.\d|:|\n|$)")
_TEMPORARY = re.compile(r"temporar|vorübergehend|momentan", re.I)


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.I)


PASSING: tuple[tuple[Category, re.Pattern[str]], ...] = (
    (
        Category.MAILBOX_FULL,
        _any(
            r"over[ -]?quota",
            r"quota[ -](?:has been )?(?:exceeded|reached|full)",
            r"exceed\w* (?:\w+ ){0,4}(?:quota|storage|mailbox size)",
            r"(?:mailbox|inbox|maildir|account|user)(?: \S{1,80})?(?: is| has)?(?: \w+)? full\b",
            r"mailbox (?:size )?(?:limit )?(?:is )?exceeded",
            r"not enough (?:storage|space)|insufficient (?:system )?storage"
            r"|out of (?:storage )?space",
            r"mailfolder is full|disk quota|storage (?:limit|allocation)|mailboxfull"
            r"|quotaexceeded",
            r"postfach (?:ist )?(?:voll|überfüllt)|speicherplatz",
            r"bo[iî]te (?:de réception |aux lettres )?(?:\w+ )?pleine|buzón (?:\w+ )?lleno",
            r"casella (?:\w+ )?piena|caixa (?:\w+ )?cheia|skrzynka (?:\w+ )?pełna",
        ),
    ),
    (
        Category.GREYLISTED,
        _any(
            r"gr[ea]y-?list",
            r"(?:try|retry|come back|resend)(?: \w+){0,3} (?:again )?later",
            r"try again in \d",
        ),
    ),
    (
        Category.RATE_LIMITED,
        _any(
            r"rate[ -]?limit",
            r"too many (?:connections|messages|recipients|emails|mails|concurrent)",
            r"(?:exceeded|exceeds) (?:\w+ ){0,4}(?:rate|connections|messages per)",
            r"throttl|unusual rate|sending (?:rate|limit)|receiving mail (?:at a rate"
            r"|too quickly)",
            r"\bTS0[123]\b|\[TSS\d\d\]|deferred due to (?:user complaints|unexpected volume)",
        ),
    ),
    (
        Category.AUTH,
        _any(
            r"\b(?:dmarc|dkim)\b",
            r"\bspf\b",
            r"sender policy framework|unauthenticated|not authenticated|authentication (?:failed"
            r"|required|checks?)",
            r"reverse dns|ptr record|rdns",
        ),
    ),
    (
        Category.REPUTATION,
        _any(
            r"spamhaus|spamcop|barracudacentral|sorbs|\b(?:rbl|dnsbl|uribl|surbl)\b|senderscore"
            r"|ipcheck\.proofpoint",
            r"black-?list|block-?list|deny-?list|blocked using|(?<!not )listed (?:at|in|on|by)",
            r"reputation|banned sending ip|(?:ip|address|network|host|server"
            r"|domain) (?:\S{1,60} )?(?:is|has been|was) (?:\w+ )?(?:blocked|banned)",
            r"\bS3(?:140|150)\b|\bCS01\b|bad sender|poor sender",
        ),
    ),
    (
        Category.CONTENT,
        _any(
            r"spam|junk mail|unsolicited|virus|malware|phish|suspicious",
            r"content (?:rejected|filter|denied|refused|not accept)|message (?:body "
            r"|content )?(?:was )?(?:rejected|refused|blocked) (?:by|due to|because of"
            r"|for) (?:\w+ ){0,3}content",
            r"(?:attachment|file type|executable|url|link)s? (?:\w+ ){0,3}(?:not allowed|blocked"
            r"|rejected|prohibited)",
            r"classified as bulk",
        ),
    ),
    (
        Category.SIZE,
        _any(
            r"message (?:\w+ ){0,3}(?:size|too (?:large|big|long))|too (?:large|big) (?:for"
            r"|message)",
            r"size (?:limit|exceeds)|exceeds? (?:\w+ ){0,4}(?:maximum|size)"
            r"|nachricht (?:ist )?zu gro(?:ß|ss)",
        ),
    ),
    (
        Category.RELAY,
        _any(
            r"relay(?:ing)?(?: access)? (?:denied|not permitted|not allowed|prohibited)",
            r"unable to relay|not permitted to relay|cannot relay|does not relay|no relay",
        ),
    ),
    (
        Category.POLICY,
        _any(
            r"polic(?:y|ies)|not authori[sz]ed|administrative(?:ly)? (?:prohibit|denied|refus"
            r"|lock)",
            r"(?:sender|from) (?:address |domain )?(?:\S{1,80} )?(?:is )?(?:rejected|denied"
            r"|refused|blocked|not allowed)",
            r"blocked by (?:the )?(?:recipient|user|admin)|restrict|only accepts? (?:mail"
            r"|messages) from",
            r"security (?:reason|settings)|transport ?rule",
        ),
    ),
)
"""What passes, or is not the person's doing; looked for in this order."""

LASTING: tuple[tuple[Category, re.Pattern[str]], ...] = (
    (
        Category.DOMAIN_UNKNOWN,
        _any(
            r"(?:host|domain)(?: name)?(?: or domain)?(?: name)?(?: \S{1,100})? (?:not found"
            r"|unknown|does(?:n't| not) exist|could(?:n't| not) be found|is not valid"
            r"|lookup failure)",
            r"couldn'?t find any host|unknown (?:host|domain)|no such (?:host|domain)|nxdomain"
            r"|null ?mx",
            r"unrouteable (?:mail )?(?:domain|host)"
            r"|domain (?:\S{1,100} )?(?:has )?no (?:valid )?mx|bad destination (?:host|system)",
            r"does not accept (?:e?-?mail|any mail)|domain (?:existiert nicht|unbekannt)"
            r"|domaine inconnu|name or service not known",
        ),
    ),
    (
        Category.MAILBOX_DISABLED,
        _any(
            r"(?:account|mailbox|user|recipient|address|inbox)(?: \S{1,100})? (?:is |has been "
            r"|was |are )?(?:\w+ )?(?:disabled|inactive|suspended|deactivated|discontinued"
            r"|closed|expired|terminated|locked|blocked|no longer active|not active)",
            r"no longer (?:active|in use|valid|available|exists|works? (?:here|for))"
            r"|has been (?:disabled|deactivated|closed)",
            r"disabled (?:account|mailbox|user|recipient)|inactive (?:account|mailbox|user)",
            r"konto (?:ist |wurde )?(?:gesperrt|deaktiviert|geschlossen)|compte (?:désactivé"
            r"|fermé)",
        ),
    ),
    (
        Category.UNKNOWN_ADDRESS,
        _any(
            r"(?:user|recipient|mailbox|address|account|alias|addressee|person"
            r"|name)(?: \S{1,100}| is){0,3} (?:unknown|not (?:found|exist|known|listed"
            r"|recogni[sz]ed|local)|does(?:n't| not) exist|could(?:n't| not) be found|was(?:n't"
            r"| not) found|not here|invalid)",
            r"(?:no such|unknown|invalid|non-?existent|unrouteable|undeliverable|bad destination"
            r"|unrecogni[sz]ed|unknown local) (?:\w+ ){0,2}(?:user|recipient|mailbox|address"
            r"|account|person|alias|local.?part|name)",
            r"no (?:mailbox|account|user|recipient|such person)(?: \w+)? (?:here|by that name"
            r"|with that|for)|not our customer|no mailbox found|invalidrecipient",
            r"does(?:n't| not) have an? (?:\S{1,60} )?account"
            r"|account (?:that you tried to reach )?does not exist|user not listed",
            r"mailbox (?:is )?(?:currently )?(?:unavailable|not available)|(?:address|recipient"
            r"|mailbox)(?: address)? rejected|recipient not (?:ok|accepted|found)",
            r"recipnotfound|recipientnotfound|not listed in (?:domino|public name)|user unknown"
            r"|unknown user|550 unknown",
            r"wasn't found at|couldn't be found|can't be found"
            r"|address (?:you entered )?(?:could not|couldn't) be found|no valid recipients",
            r"(?:adresse|empfänger|benutzer|postfach|teilnehmer)(?: \S{1,100})? (?:ist "
            r"|wurde )?(?:\w+ )?(?:unbekannt|nicht gefunden|existiert nicht|nicht vorhanden"
            r"|ungültig)|unbekannter (?:benutzer|empfänger)",
            r"(?:adresse|destinataire|utilisateur)(?: \S{1,100})? (?:est |n'est |n'a "
            r"|n'existe )?(?:\w+ )?(?:inconnue?|introuvable|pas(?: été)?(?: \w+)?)"
            r"|utilisateur inconnu|destinataire inconnu",
            r"(?:usuario|destinatario|dirección|buzón)(?: \S{1,100})? (?:\w+ )?(?:desconocid[oa]"
            r"|no existe|no encontrad[oa])|utente sconosciuto|usuário desconhecido|não existe"
            r"|onbekende gebruiker|geadresseerde (?:is )?onbekend|nie istnieje",
        ),
    ),
)
"""What stays; believed only of class 5, or where no class is given."""

TIRED: tuple[tuple[Category, re.Pattern[str]], ...] = (
    (
        Category.EXPIRED,
        _any(
            r"delivery time expired|(?:message|retry|queue)(?: time| lifetime)?(?: has"
            r"| time)? (?:expired|timeout exceeded|exceeded)|too (?:long|old)"
            r"|in the queue too long",
            r"has been (?:queued|frozen|in the queue|undelivered) for"
            r"|could not be delivered (?:within|for)|unable to deliver (?:\w+ ){0,4}after"
            r"|giving up after|no longer be retried",
            r"not been delivered (?:yet )?(?:after|within|for)|retry time(?:out)?",
        ),
    ),
    (
        Category.LOOP,
        _any(r"(?:mail|forwarding|routing|message)[ -]loop|loops? back|too many hops|hop count"),
    ),
    (
        Category.CONNECTION,
        _any(
            r"connect(?:ion)?(?: to)?(?: \S{1,100})?:? (?:was )?(?:timed? ?out|refused|reset"
            r"|dropped|failed|lost|closed)",
            r"timed? ?out|could ?n[o']t (?:connect|establish)|(?:no route|network is unreachable"
            r"|no answer from) ?(?:to )?(?:host)?|not (?:responding|reachable)|lost connection",
            r"(?:dns|name server|temporary lookup)(?: \w+)? (?:failure|error|timeout|failed)"
            r"|host (?:or domain )?(?:name )?lookup (?:failed|failure)|tls (?:is )?(?:required"
            r"|handshake|negotiation)|temporar(?:y|ily)",
        ),
    ),
)

CODES: dict[str, Category] = {
    "1.0": Category.UNKNOWN_ADDRESS,
    "1.1": Category.UNKNOWN_ADDRESS,
    "1.2": Category.DOMAIN_UNKNOWN,
    "1.3": Category.UNKNOWN_ADDRESS,
    "1.4": Category.UNKNOWN_ADDRESS,
    "1.6": Category.UNKNOWN_ADDRESS,
    "1.7": Category.POLICY,
    "1.8": Category.POLICY,
    "1.9": Category.PROTOCOL,
    "1.10": Category.DOMAIN_UNKNOWN,
    "2.1": Category.MAILBOX_DISABLED,
    "2.2": Category.MAILBOX_FULL,
    "2.3": Category.SIZE,
    "2.4": Category.OTHER,
    "3.1": Category.MAILBOX_FULL,
    "3.2": Category.CONNECTION,
    "3.3": Category.PROTOCOL,
    "3.4": Category.SIZE,
    "3.5": Category.CONNECTION,
    "4.1": Category.CONNECTION,
    "4.2": Category.CONNECTION,
    "4.3": Category.CONNECTION,
    "4.4": Category.DOMAIN_UNKNOWN,
    "4.5": Category.RATE_LIMITED,
    "4.6": Category.LOOP,
    "4.7": Category.EXPIRED,
    "4.14": Category.LOOP,
    "4.300": Category.EXPIRED,
    "4.310": Category.DOMAIN_UNKNOWN,
    "4.312": Category.CONNECTION,
    "4.316": Category.EXPIRED,
    "5.1": Category.PROTOCOL,
    "5.2": Category.PROTOCOL,
    "5.3": Category.RATE_LIMITED,
    "5.4": Category.PROTOCOL,
    "5.5": Category.PROTOCOL,
    "6.0": Category.CONTENT,
    "6.1": Category.CONTENT,
    "6.2": Category.CONTENT,
    "6.3": Category.CONTENT,
    "6.5": Category.CONTENT,
    "7.20": Category.AUTH,
    "7.21": Category.AUTH,
    "7.22": Category.AUTH,
    "7.23": Category.AUTH,
    "7.24": Category.AUTH,
    "7.25": Category.AUTH,
    "7.26": Category.AUTH,
    "7.27": Category.DOMAIN_UNKNOWN,
}
"""Subject and detail of the enhanced status, where the words say nothing better."""

TEXT_FIRST = frozenset({"1.0", "4.1", "4.4", "2.4"})
"""Codes that servers use for several things: their words say which."""


def enhanced_code(text: str) -> str:
    """Return the first enhanced status in *text* that says more than "x.0.0"; "" if none does."""
    found = [match[0] for match in _ENHANCED.finditer(text[:MAX_TEXT])]
    told = [code for code in found if not code.endswith(".0.0")]
    return (told or found or [""])[0]


def reply_code(text: str) -> str:
    """Return the SMTP reply code (RFC 5321) in *text*, "" without one."""
    match = _REPLY.search(text[:MAX_TEXT])
    return match[1] if match else ""


def categorise(code: str, text: str) -> Category:
    """Return why the mail came back; *code* is an enhanced status or empty."""
    text = " ".join(text[:MAX_TEXT].split())
    subject = code.partition(".")[2]
    known = _known(subject)
    if subject.startswith("7."):
        return _search(PASSING, text) or _never_lasting(known) or Category.POLICY
    if known in PERMANENT and subject not in TEXT_FIRST:
        return _search(PASSING[:5], text) or _search(LASTING, text) or known
    if known and subject not in TEXT_FIRST:
        return known
    return _by_words(text) or known or _by_reply(reply_code(text))


def severity(code: str, text: str, category: Category) -> ReportKind:
    """Return hard only for what is permanent by category *and* not said to be temporary."""
    says_later = (
        code.startswith("4")
        or reply_code(text).startswith("4")
        or _TEMPORARY.search(text[:MAX_TEXT]) is not None
    )
    if category not in PERMANENT or says_later or code[2:].startswith("7."):
        return ReportKind.SOFT
    return ReportKind.HARD


def _known(subject: str) -> Category | None:
    return CODES.get(subject)


def _never_lasting(category: Category | None) -> Category | None:
    return None if category in PERMANENT else category


def _by_words(text: str) -> Category | None:
    return _search(PASSING, text) or _search(LASTING, text) or _search(TIRED, text)


def _by_reply(reply: str) -> Category:
    return {
        "421": Category.CONNECTION,
        "452": Category.MAILBOX_FULL,
        "552": Category.MAILBOX_FULL,
    }.get(reply, Category.OTHER)


def _search(table: tuple[tuple[Category, re.Pattern[str]], ...], text: str) -> Category | None:
    return next((category for category, pattern in table if pattern.search(text)), None)
