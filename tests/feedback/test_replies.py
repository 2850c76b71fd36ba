# ruff: noqa: E501  mail programs write long lines

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_email_insights.feedback.markup import words_of
from wagtail_email_insights.feedback.replies import trim_reply

WHAT_I_WROTE = "Thank you, I'll be there.\n\nAnn"

ENDINGS = {
    "gmail": "On Fri, Nov 20, 2026 at 9:00 AM News <news@news.example> wrote:\n\n> Hello\n> Ann",
    "gmail_wrapped": "On Fri, Nov 20, 2026 at 9:00 AM Example News\n<news@news.example> wrote:\n> Hi",
    "apple": "> On 20 Nov 2026, at 09:00, News <news@news.example> wrote:\n> \n> Hello",
    "unmarked": "On 20 Nov 2026, at 09:00, News <news@news.example> wrote:\n\nHello Ann\nour news",
    "thunderbird": "On 20/11/2026 09:00, News wrote:\n> Hello",
    "german": "Am 20.11.2026 um 09:00 schrieb News <news@news.example>:\n> Hallo",
    "german_other": "Am Fr., 20. Nov. 2026 um 09:00 Uhr schrieb News <\nnews@news.example>:\n\n> Hallo",
    "french": "Le ven. 20 nov. 2026 à 09:00, News <news@news.example> a écrit :\n\n> Bonjour",
    "spanish": "El vie, 20 nov 2026 a las 9:00, News (<news@news.example>) escribió:\n> Hola",
    "italian": "Il giorno ven 20 nov 2026 alle ore 09:00 News <news@news.example> ha scritto:\n> Ciao",
    "portuguese": "Em sex., 20 de nov. de 2026 às 09:00, News <news@news.example> escreveu:\n> Olá",
    "dutch": "Op vr 20 nov. 2026 om 09:00 schreef News <news@news.example>:\n> Hallo",
    "swedish": "Den fre 20 nov. 2026 kl 09:00 skrev News <news@news.example>:\n> Hej",
    "polish": "W dniu 20.11.2026 o 09:00, News pisze: napisał(a):\n> Cześć",
    "russian": "пт, 20 нояб. 2026 г. в 09:00, News <news@news.example>:\n> Привет",
    "outlook": "-----Original Message-----\nFrom: News\nSent: Friday\nTo: Ann\nSubject: x\n\nHello",
    "outlook_block": "From: News <n@news.example>\nSent: Friday\nTo: Ann\nSubject: June\n\nHello",
    "outlook_bold": "*From:* News\n*Sent:* Friday\n*To:* Ann\n*Subject:* June\n\nHello",
    "outlook_de": "Von: News\nGesendet: Freitag\nAn: Ann\nBetreff: Juni\n\nHallo",
    "outlook_fr": "De : News\nEnvoyé : vendredi\nÀ : Ann\nObjet : juin\n\nBonjour",
    "outlook_rule": "________________________________\nFrom: News\nSent: Friday\nTo: Ann\n\nHello",
    "original_de": "-----Ursprüngliche Nachricht-----\nVon: News\n\nHallo",
    "signature": "-- \nAnn Example\nExample Ltd, http://ann.example",
    "iphone": "Sent from my iPhone",
    "iphone_quote": "Sent from my iPhone\n\n> On 20 Nov 2026, News wrote:\n> Hello",
    "android": "Sent from my Samsung Galaxy smartphone.",
    "outlook_app": "Get Outlook for iOS<https://aka.example/o0ukef>",
    "iphone_de": "Von meinem iPhone gesendet",
    "iphone_fr": "Envoyé de mon iPhone",
    "iphone_es": "Enviado desde mi iPhone",
    "iphone_it": "Inviato da iPhone",
    "iphone_nl": "Verstuurd vanaf mijn iPhone",
    "quote_only": "> Hello\n> Ann",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_only_what_the_person_wrote_is_left(name):
    assert trim_reply(f"{WHAT_I_WROTE}\n\n{ENDINGS[name]}\n") == WHAT_I_WROTE


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_of_other_systems_are_understood(ending):
    text = f"{WHAT_I_WROTE}\n\n{ENDINGS['gmail']}"
    assert trim_reply(text.replace("\n", ending)) == WHAT_I_WROTE


def test_answers_between_the_quoted_lines_stay():
    text = (
        "Hi!\n\nOn 20 Nov 2026 News <n@news.example> wrote:\n> Will you come?\n\nYes, gladly.\n\n"
        "> Alone?\n\nNo, with Tom.\n\n> Regards\n> News\n"
    )
    assert trim_reply(text) == "Hi!\n\nYes, gladly.\n\nNo, with Tom."


def test_an_answer_below_the_quotation_stays():
    assert trim_reply("On 20 Nov 2026 News wrote:\n> Hello\n\nMy answer.") == "My answer."


@pytest.mark.parametrize(
    "text",
    [
        "From: here it is a long way.\nI know.",
        "On Monday I will call.\nAs Tom wrote, all is well.",
        "Two choices:\n- a\n- b",
        "I sent from my office what you asked for a long time ago, namely the twelve letters about "
        "the garden and the house and the rest of it, did you get them?",
        "1 > 0, and 5 > 3.",
        "",
    ],
)
def test_words_that_only_look_alike_stay(text):
    assert trim_reply(text) == text


def test_a_reply_in_html_is_read_without_its_quotation():
    html = (
        "<html><head><style>p {}</style></head><body><p>Yes &amp; gladly.<br>Ann</p>"
        "<div>On 20 Nov 2026 News &lt;n@news.example&gt; wrote:</div>"
        "<blockquote><p>Hello</p><p>Ann</p></blockquote></body></html>"
    )
    assert trim_reply(words_of(html)) == "Yes & gladly.\nAnn"


@given(st.text(alphabet=st.sampled_from("On Am wrote:>-\n @1\t,_"), max_size=400))
def test_any_text_is_trimmed_to_lines_of_it(text):
    assert set(trim_reply(text).split("\n")) <= {
        line for whole in text.split("\n") for line in (whole.strip(), whole.rstrip(), "")
    }


@pytest.mark.parametrize(
    "piece",
    ["> ", "On ", "On 1 a ", "From: ", "\n", "On 2026 x\n", "-", "_ ", " ", "<a@", "wrote:"],
)
def test_a_hostile_length_costs_no_more_than_its_length(piece):
    """Eight times as long takes eight times as long, not sixty-four times."""

    def seconds(length: int) -> float:
        began = time.process_time()
        trim_reply(piece * (length // len(piece)))
        words_of(f"<{piece}" * (length // 10))
        return time.process_time() - began

    short = min(seconds(100_000) for _ in range(3))
    assert seconds(800_000) < 30 * max(short, 0.001)
