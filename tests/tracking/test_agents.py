from __future__ import annotations

import time

import pytest

from wagtail_email_insights.tracking.agents import CLIENTS, device_and_client
from wagtail_email_insights.tracking.models import Device, Event

from .test_verdicts import HOSTILE
from .user_agents import IMAGE_PROXIES, PEOPLE


@pytest.mark.parametrize(("agent", "device", "client"), PEOPLE)
def test_device_and_program_of_what_people_use(agent, device, client):
    assert device_and_client(agent) == (device, client)


@pytest.mark.parametrize(("agent", "_reason", "client"), IMAGE_PROXIES)
def test_an_image_proxy_tells_whose_it_is_but_not_what_the_reader_holds(agent, _reason, client):
    assert device_and_client(agent) == ("", client)


@pytest.mark.parametrize("agent", ["", "  "])
def test_whoever_says_nothing_stays_unknown(agent):
    assert device_and_client(agent) == ("", "")


def test_a_program_that_nobody_knows_is_another_one():
    assert device_and_client("Zzz/1.0 (Frobnicator)") == ("", "other")


def test_every_family_and_device_is_met():
    met = {device_and_client(agent) for agent, _device, _client in PEOPLE}
    assert {client for _device, client in met} | {""} == set(CLIENTS)
    assert {device for device, _client in met} == {"", *Device.values}


def test_every_family_has_a_name_and_fits_its_column():
    longest = Event._meta.get_field("client").max_length
    assert all(str(label) and len(client) <= longest for client, label in CLIENTS.items())


@pytest.mark.parametrize("agent", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_user_agent_does_not_hold_anybody_up(agent):
    began = time.perf_counter()
    device_and_client(agent)
    assert time.perf_counter() - began < 0.1
