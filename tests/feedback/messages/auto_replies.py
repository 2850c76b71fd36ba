"""Vacation notices and other answers of machines, many of them full of bounce words."""

from __future__ import annotations

from .building import READER, Case, mail

AWAY = "I am out of the office until Monday. In urgent cases write to tom@mail.example.\n"
GONE = (
    "I no longer work here. This mailbox is no longer active and will be disabled; "
    "mail to it is undeliverable. 550 5.1.1 user unknown. My mailbox is full.\n"
)


def answer(subject: str = "Re: June news", body: str = AWAY, **headers: str) -> bytes:
    return mail(body, **{"From": f"Ann <{READER}>", "Subject": subject} | headers)


SUBJECTS = [
    "Out of Office: June news",
    "Out of Office Re: June news",
    "Automatic reply: June news",
    "Auto: June news",
    "Autoreply: June news",
    "Auto-Response: thank you",
    "OOO: back on Monday",
    "Abwesenheitsnotiz: June news",
    "Automatische Antwort: June news",
    "Réponse automatique : June news",
    "Absence du bureau",
    "Respuesta automática: June news",
    "Fuera de la oficina",
    "Risposta automatica: June news",
    "Resposta automática: June news",
    "Automatisch antwoord: June news",
    "Afwezigheidsbericht",
    "Automatiskt svar: June news",
    "Frånvaro: June news",
    "Autosvar: June news",
    "Automaattinen vastaus: June news",
    "Automatyczna odpowiedź: June news",
    "Automatická odpověď: June news",
    "Автоматический ответ: June news",
    "自動応答: June news",
    "自动回复: June news",
    "자동 회신: June news",
    "I am out of the office",
    "On vacation until August",
]

HEADERS = {
    "rfc3834": {"Auto_Submitted": "auto-replied"},
    "rfc3834_comment": {"Auto_Submitted": "auto-replied (vacation)", "Return_Path": "<>"},
    "rfc3834_parameter": {"Auto_Submitted": "auto-generated; owner-email=ann@mail.example"},
    "precedence": {"Precedence": "auto_reply"},
    "precedence_dash": {"Precedence": "auto-reply"},
    "x_autoreply": {"X_Autoreply": "yes"},
    "x_autorespond": {"X_Autorespond": "June news"},
    "x_auto_reply": {"X_Auto_Reply": "1"},
    "x_vacation": {"X_Vacation": "yes"},
    "challenge": {"X_Challenge_Response": "please confirm that you are a person"},
}

CASES = [
    *(
        Case(f"subject_{number}", answer(subject), "auto_reply")
        for number, subject in enumerate(SUBJECTS)
    ),
    *(Case(f"header_{name}", answer(**headers), "auto_reply") for name, headers in HEADERS.items()),
    Case("gone", answer("Out of office", GONE), "auto_reply"),
    Case("gone_null_path", answer("Automatic reply: x", GONE, Return_Path="<>"), "auto_reply"),
    Case("gone_header", answer(body=GONE, Auto_Submitted="auto-replied"), "auto_reply"),
    Case(
        "postmaster_vacation",
        answer("Out of office", GONE, From=f"Postmaster <{READER}>"),
        "auto_reply",
    ),
    Case(
        "encoded_subject",
        answer("=?iso-8859-1?q?R=E9ponse_automatique_=3A_June_news?="),
        "auto_reply",
    ),
]
