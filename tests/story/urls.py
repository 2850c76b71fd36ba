"""The story's site: a page with the subscribe form, a page to arrive at, and the app itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from tests.urls import urlpatterns as app_urlpatterns

WELCOME = """{% load email_insights %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Welcome</title></head>
<body><h1>Welcome</h1>{% email_subscribe_form "news" %}</body></html>"""
OFFER = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Offer</title></head>
<body><h1>The offer</h1></body></html>"""


def welcome(request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(WELCOME).render(request=request))


def offer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(OFFER)


def no_icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it by themselves and complain when there is none."""
    return HttpResponse(status=204)


urlpatterns = [
    path("favicon.ico", no_icon),
    path("welcome/", welcome),
    path("offer/", offer),
    *app_urlpatterns,
]
