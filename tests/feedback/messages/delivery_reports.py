"""RFC 3464 notifications with the answers of many servers."""

# ruff: noqa: E501  servers write long lines

from __future__ import annotations

import base64

from .building import ORIGINAL, READER, Case, dsn, failed, mail, multipart, recipient_fields

# fmt: off
ANSWERS = [
    # name, status, diagnostic, kind, category, code
    ("postfix_unknown", "5.1.1", f"550 5.1.1 <{READER}>: Recipient address rejected: User unknown in virtual mailbox table", "hard", "unknown_address", "5.1.1"),
    ("gmail_unknown", "5.1.1", "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces.", "hard", "unknown_address", "5.1.1"),
    ("gmail_disabled", "5.2.1", "550 5.2.1 The email account that you tried to reach is disabled. Learn more at https://support.example/", "hard", "mailbox_disabled", "5.2.1"),
    ("gmail_inactive", "5.2.1", "550-5.2.1 The email account that you tried to reach is inactive.", "hard", "mailbox_disabled", "5.2.1"),
    ("gmail_full", "4.2.2", "452-4.2.2 The email account that you tried to reach is over quota. Please direct 452-4.2.2 the recipient to its help page.", "soft", "mailbox_full", "4.2.2"),
    ("gmail_full_for_good", "5.2.2", "552-5.2.2 The email account that you tried to reach is over quota.", "soft", "mailbox_full", "5.2.2"),
    ("gmail_storage", "5.2.2", "552 5.2.2 The recipient's inbox is out of storage space and inactive.", "soft", "mailbox_full", "5.2.2"),
    ("gmail_rate", "4.2.1", "450-4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.", "soft", "rate_limited", "4.2.1"),
    ("gmail_spam", "5.7.1", "550-5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.", "soft", "content", "5.7.1"),
    ("gmail_ip_rate", "4.7.28", "421-4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address.", "soft", "rate_limited", "4.7.28"),
    ("gmail_dmarc", "5.7.26", "550-5.7.26 This mail is unauthenticated, which poses a security risk. The sender must authenticate with at least one of SPF or DKIM.", "soft", "auth", "5.7.26"),
    ("gmail_ptr", "5.7.25", "550-5.7.25 The sending IP does not have a PTR record setup.", "soft", "auth", "5.7.25"),
    ("outlook_unknown", "5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", "hard", "unknown_address", "5.5.0"),
    ("outlook_blocked", "5.7.1", "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).", "soft", "reputation", "5.7.1"),
    ("outlook_dmarc", "5.7.509", "550 5.7.509 Access denied, sending domain [NEWS.EXAMPLE] does not pass DMARC verification", "soft", "auth", "5.7.509"),
    ("outlook_limit", "4.7.650", "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.", "soft", "rate_limited", "4.7.650"),
    ("exchange_online_unknown", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "hard", "unknown_address", "5.1.10"),
    ("exchange_online_edge", "5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "hard", "unknown_address", "5.4.1"),
    ("exchange_full", "5.2.2", "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", "soft", "mailbox_full", "5.2.2"),
    ("exchange_not_allowed", "5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", "soft", "auth", "5.7.133"),
    ("exchange_restricted", "5.7.1", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", "soft", "policy", "5.7.1"),
    ("exchange_loop", "5.4.14", "554 5.4.14 Hop count exceeded - possible mail loop ATTR34", "soft", "loop", "5.4.14"),
    ("exchange_expired", "5.4.300", "550 5.4.300 Message expired", "soft", "expired", "5.4.300"),
    ("exchange_domain", "5.4.310", "550 5.4.310 DNS domain mail.example does not exist", "hard", "domain_unknown", "5.4.310"),
    ("yahoo_unknown", "5.0.0", "554 delivery error: dd This user doesn't have a yahoo.example account (ann@yahoo.example) [0]", "hard", "unknown_address", "5.0.0"),
    ("yahoo_not_accepted", "5.0.0", "554 delivery error: dd Not a valid recipient - ann@yahoo.example", "soft", "other", "5.0.0"),
    ("yahoo_deferred", "4.7.0", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", "soft", "rate_limited", "4.7.0"),
    ("yahoo_policy", "5.7.9", "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.example/", "soft", "policy", "5.7.9"),
    ("aol_full", "5.2.2", "552 5.2.2 ann MAILBOX FULL", "soft", "mailbox_full", "5.2.2"),
    ("icloud_full", "5.2.2", f"552 5.2.2 <{READER}>: user is over quota", "soft", "mailbox_full", "5.2.2"),
    ("icloud_policy", "5.7.1", "554 5.7.1 [CS01] Message rejected due to local policy.", "soft", "reputation", "5.7.1"),
    ("gmx_unknown", "5.0.0", "550 Requested action not taken: mailbox unavailable", "hard", "unknown_address", "5.0.0"),
    ("tonline_unknown", "5.0.0", "550 user unknown", "hard", "unknown_address", "5.0.0"),
    ("tonline_ip", "5.0.0", "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact the abuse desk.) reputation", "soft", "reputation", "5.0.0"),
    ("greylist_postgrey", "4.2.0", f"450 4.2.0 <{READER}>: Recipient address rejected: Greylisted, see http://postgrey.example/", "soft", "greylisted", "4.2.0"),
    ("greylist_47", "4.7.1", "451 4.7.1 Greylisting in action, please come back later", "soft", "greylisted", "4.7.1"),
    ("greylist_odd", "5.1.1", "450 Try again later, this sender is greylisted", "soft", "greylisted", "5.1.1"),
    ("spamhaus", "5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "soft", "reputation", "5.7.1"),
    ("barracuda", "5.7.1", "554 5.7.1 Rejected: 192.0.2.1 listed at b.barracudacentral.org", "soft", "reputation", "5.7.1"),
    ("rbl_under_511", "5.1.1", "550 5.1.1 rejected, your host is on a blacklist (RBL)", "soft", "reputation", "5.1.1"),
    ("relay_denied", "5.7.1", f"554 5.7.1 <{READER}>: Relay access denied", "soft", "relay", "5.7.1"),
    ("sender_refused", "5.7.1", f"550 5.7.1 <{READER}>: Sender address rejected: not allowed", "soft", "policy", "5.7.1"),
    ("too_large", "5.3.4", "552 5.3.4 Message size exceeds fixed limit", "soft", "size", "5.3.4"),
    ("too_large_mailbox", "5.2.3", "552 5.2.3 Message length exceeds administrative limit", "soft", "size", "5.2.3"),
    ("bad_domain", "5.1.2", "550 5.1.2 Host unknown (Name server: mail.example: host not found)", "hard", "domain_unknown", "5.1.2"),
    ("null_mx", "5.1.10", "556 5.1.10 Domain mail.example does not accept mail (nullMX)", "hard", "domain_unknown", "5.1.10"),
    ("postfix_no_domain", "5.4.4", "", "hard", "domain_unknown", "5.4.4"),
    ("syntax", "5.1.3", "501 5.1.3 Bad recipient address syntax", "hard", "unknown_address", "5.1.3"),
    ("moved", "5.1.6", "551 5.1.6 Recipient no longer on server", "hard", "unknown_address", "5.1.6"),
    ("timeout", "4.4.1", "connect to mx.mail.example[192.0.2.7]:25: Connection timed out", "soft", "connection", "4.4.1"),
    ("refused", "4.4.1", "connect to mx.mail.example[192.0.2.7]:25: Connection refused", "soft", "connection", "4.4.1"),
    ("expired", "4.4.7", "delivery temporarily suspended; queue lifetime exceeded", "soft", "expired", "4.4.7"),
    ("expired_for_good", "5.4.7", "554 5.4.7 [internal] exceeded max time without delivery", "soft", "expired", "5.4.7"),
    ("loop", "5.4.6", "554 5.4.6 Too many hops", "soft", "loop", "5.4.6"),
    ("system_down", "4.3.2", "421 4.3.2 Service shutting down, try again later", "soft", "connection", "4.3.2"),
    ("disk_full", "4.3.1", "452 4.3.1 Insufficient system storage", "soft", "mailbox_full", "4.3.1"),
    ("too_many", "4.5.3", "452 4.5.3 Too many recipients", "soft", "rate_limited", "4.5.3"),
    ("virus", "5.7.1", "554 5.7.1 Message contains a virus (Eicar)", "soft", "content", "5.7.1"),
    ("conversion", "5.6.1", "554 5.6.1 Body type not supported by remote host", "soft", "content", "5.6.1"),
    ("unverified", "4.1.1", f"450 4.1.1 <{READER}>: Recipient address rejected: unverified address", "soft", "unknown_address", "4.1.1"),
    ("no_code_at_all", "5.0.0", "554 transaction failed", "soft", "other", "5.0.0"),
    ("exim_unrouteable", "5.0.0", "550 Unrouteable address", "hard", "unknown_address", "5.0.0"),
    ("suspended", "5.2.1", "550 5.2.1 This account has been suspended", "hard", "mailbox_disabled", "5.2.1"),
    ("disabled_by_words", "5.0.0", "554 Sorry, this mailbox has been disabled", "hard", "mailbox_disabled", "5.0.0"),
    ("tls_needed", "5.7.10", "554 5.7.10 Encryption needed", "soft", "policy", "5.7.10"),
    ("german", "5.0.0", "550 Benutzer unbekannt / Empfänger nicht gefunden", "hard", "unknown_address", "5.0.0"),
    ("french", "5.0.0", "550 Utilisateur inconnu", "hard", "unknown_address", "5.0.0"),
    ("code_in_words_only", "5.0.0", "550-#5.1.1 mailbox not found", "hard", "unknown_address", "5.1.1"),
]

MORE_ANSWERS = [
    # status, diagnostic, kind
    ("5.1.1", "550 5.1.1 <x@antispam.example> User unknown", "hard"),
    ("5.2.1", "550 5.2.1 Mailbox temporarily disabled", "soft"),
    ("5.0.0", "550 5.0.0 Mailbox disabled for this recipient", "hard"),
    ("5.0.0", "554 Message not allowed - [PH01] Email not accepted for policy reasons", "soft"),
    ("5.0.0", "550 Administrative prohibition", "soft"),
    ("5.0.0", "550 High probability of spam", "soft"),
    ("5.0.0", "550 Mailbox quota exceeded / Mailbox voll", "soft"),
    ("5.0.0", "552 Requested mail action aborted: exceeded storage allocation", "soft"),
    ("5.0.0", "550 Callout verification failed: 550 no such user", "hard"),
    ("5.0.0", "550 Verification failed for <news@news.example>", "soft"),
    ("5.0.0", "550 sender verify failed", "soft"),
    ("5.1.8", "550 5.1.8 Sender domain not found", "soft"),
    ("5.1.7", "553 5.1.7 The sender's address was syntactically invalid", "soft"),
    ("5.0.0", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "soft"),
    ("5.0.0", "550 sorry, no mailbox here by that name (#5.1.1 - chkuser)", "hard"),
    ("5.0.0", "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)", "hard"),
    ("5.4.4", "[internal] Domain Lookup Failed", "hard"),
    ("5.4.4", "550 5.4.4 DNS temporary failure", "soft"),
    ("5.3.0", "553 5.3.0 <ann@mail.example>... No such user here", "hard"),
    ("5.3.0", "554 5.3.0 unknown mailer error 1", "soft"),
    ("5.3.0", "550 5.3.0 Rejected by filter: spam", "soft"),
    ("5.0.0", "501 5.5.4 Invalid domain name", "soft"),
    ("5.5.1", "503 5.5.1 Bad sequence of commands", "soft"),
    ("5.0.0", "550 The mail server could not deliver mail to ann. The account or domain may not exist, they may be blacklisted, or missing the proper dns entries.", "soft"),
    ("5.0.0", "550 Invalid recipient <ann@mail.example>", "hard"),
    ("5.0.0", "550 Address unknown", "hard"),
    ("5.0.0", "550 That account is inactive", "hard"),
    ("5.0.0", "554 5.7.1 <ann@mail.example>: Recipient address rejected: Access denied", "soft"),
    ("5.7.1", "550 5.7.1 User unknown", "soft"),
    ("5.0.0", "550 4.7.1 greylisted", "soft"),
    ("5.0.0", "550 5.1.1 Recipient rejected: mailbox full", "soft"),
    ("5.2.0", "550 5.2.0 STOREDRV.Deliver; delivery result banner", "soft"),
    ("5.0.0", "550 No such domain", "hard"),
    ("5.0.0", "550 5.1.0 Address rejected.", "hard"),
    ("5.1.0", "550 5.1.0 <news@news.example> sender rejected : invalid sender domain", "soft"),
    ("5.0.0", "554 delivery error: dd Requested mail action aborted, mailbox not found [-9]", "hard"),
    ("5.0.0", "550 Connection refused, too many connections", "soft"),
    ("5.2.2", "550 5.2.2 user has exceeded limit", "soft"),
    ("5.0.0", "550 SPF check failed", "soft"),
    ("5.0.0", "550 Sender IP must resolve", "soft"),
    ("5.0.0", "550 Your IP is blacklisted; user not found in whitelist", "soft"),
]
# fmt: on

DELAYED = dsn(
    recipient_fields("4.4.1", "connect to mx.mail.example: Connection timed out", "delayed"),
    Subject="Delayed Mail (still being retried)",
)
DELAYED_5XX = dsn(recipient_fields("5.1.1", "550 5.1.1 unknown", "delayed"))
DELIVERED = dsn(recipient_fields("2.0.0", "250 2.0.0 Ok", "delivered"))
RELAYED = dsn(recipient_fields("2.0.0", "250 2.0.0 Ok", "relayed"))
EXPANDED = dsn(recipient_fields("2.0.0", "250 2.0.0 Ok", "expanded"))
ALIASED = failed("5.1.1", "550 5.1.1 unknown", Original_Recipient=f"rfc822;{READER}").replace(
    b"Final-Recipient: rfc822; ann@mail.example", b"Final-Recipient: rfc822; box7@store.example"
)
XTEXT = failed("5.1.1", "550 unknown", Original_Recipient="rfc822;ann+2Bnews@mail.example")
FOLDED = failed("5.1.1", "550 5.1.1\n The account does\n\tnot exist")
LOWER_CASE = failed("5.1.1", "550 5.1.1 unknown").replace(b"Action: failed", b"action: FAILED")
BASE64 = multipart(
    ("text/plain", "Nope."),
    (
        "message/delivery-status\nContent-Transfer-Encoding: base64",
        base64.encodebytes(
            b"Reporting-MTA: dns; x\n\n" + recipient_fields("5.1.1", "550 no").encode()
        ).decode(),
    ),
    ("text/rfc822-headers", ORIGINAL),
    subtype="report; report-type=delivery-status",
)
INTERNATIONAL = multipart(
    ("text/plain", "Nope."),
    (
        "message/global-delivery-status",
        "Reporting-MTA: dns; x\n\nFinal-Recipient: utf-8; änn@mail.example\n"
        "Action: failed\nStatus: 5.1.1\n",
    ),
    subtype="report; report-type=delivery-status",
)
NO_LAST_BOUNDARY = failed("5.1.1", "550 5.1.1 unknown").replace(b"--=_b1--", b"")
READ_RECEIPT = multipart(
    ("text/plain", "The message was displayed."),
    (
        "message/disposition-notification",
        f"Final-Recipient: rfc822; {READER}\nDisposition: manual-action/MDN-sent-manually; displayed\n",
    ),
    subtype="report; report-type=disposition-notification",
    From=READER,
    Subject="Read: June news",
)
EMPTY_STATUS = multipart(("text/plain", "?"), ("message/delivery-status", ""), subtype="report")
WORDS_IN_TEXT_ONLY = dsn(
    recipient_fields("5.0.0"),
    text=f"User ann ({READER}) not listed in Domino Directory",
    Subject="DELIVERY FAILURE: User ann not listed in Domino Directory",
)

CASES = [
    *(
        Case(f"dsn_{name}", failed(status, diagnostic), kind, category, code)
        for name, status, diagnostic, kind, category, code in ANSWERS
    ),
    Case("dsn_delayed", DELAYED, "soft", "connection", "4.4.1"),
    Case("dsn_delayed_5xx", DELAYED_5XX, "soft", "unknown_address", "5.1.1"),
    Case("dsn_delivered", DELIVERED, "none", "delivered", "2.0.0"),
    Case("dsn_relayed", RELAYED, "none", "other", "2.0.0"),
    Case("dsn_expanded", EXPANDED, "none", "other", "2.0.0"),
    Case("dsn_aliased", ALIASED, "hard", "unknown_address", "5.1.1"),
    Case("dsn_xtext", XTEXT, "hard", "unknown_address", "5.1.1", "ann+news@mail.example"),
    Case("dsn_folded", FOLDED, "hard", "unknown_address", "5.1.1"),
    Case("dsn_other_case", LOWER_CASE, "hard", "unknown_address", "5.1.1"),
    Case("dsn_base64", BASE64, "hard", "unknown_address", "5.1.1"),
    Case("dsn_utf8_address", INTERNATIONAL, "hard", "unknown_address", "5.1.1", "änn@mail.example"),
    Case("dsn_cut_short", NO_LAST_BOUNDARY, "hard", "unknown_address", "5.1.1"),
    Case("dsn_domino", WORDS_IN_TEXT_ONLY, "hard", "unknown_address", "5.0.0"),
    Case("mdn_read_receipt", READ_RECEIPT, "none"),
    Case("dsn_empty", EMPTY_STATUS, "none", recipient=""),
]

TWO_RECIPIENTS = dsn(
    recipient_fields("5.1.1", "550 5.1.1 unknown", recipient="one@mail.example"),
    recipient_fields("4.2.2", "452 4.2.2 full", recipient="two@mail.example"),
    recipient_fields("2.0.0", "250 ok", "delivered", recipient="three@mail.example"),
)
PLAIN = mail("Nothing to see.", From=READER, Subject="Hello")
