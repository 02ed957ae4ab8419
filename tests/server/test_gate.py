"""Each check at the gate, with a request that it must refuse and one that it must let through."""

import logging
from typing import Any

import pytest

from playhead.clocks.virtual import VirtualClock
from playhead.server.gate import Rules, host_name
from playhead.server.tickets import Tickets
from tests.server.agents import TalkingAgent
from tests.server.clients import ask, get, messages, place, post, run_of, serving, told

KEY = "correct horse battery staple"
BEARER = f"Bearer {KEY}"
PAGE = "https://app.example.org"


def keyed(**options: Any) -> Any:
    """Serve to those who have the key."""
    return serving(TalkingAgent(), allow_unauthenticated=False, api_key=KEY, **options)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:80", 200),
        ("LOCALHOST", 200),
        ("agents.example.org", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.nip.io:80", 421),
        ("localhost:80@evil.example", 421),
        ("", 421),
    ],
)
def test_host_names(host: str, status: int) -> None:
    """A name that was bent to this machine is refused, on every route: it is how another site's page gets here."""
    with serving(TalkingAgent(), hosts=["agents.example.org"]) as served:
        assert get(served, "/health", host=host).status_code == status
        assert get(served, "/stream?prompt=1", host=host).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": PAGE}, 200),
        ({"origin": PAGE, "sec_fetch_site": "cross-site"}, 200),
        ({"origin": "http://localhost:1", "host": "localhost:1"}, 200),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"origin": "http://localhost:2", "host": "localhost:1"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": f"{PAGE}.evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_pages(headers: dict[str, str], status: int) -> None:
    """Only the server's own pages ask, and those of the origins that were named; programs send no such fields."""
    agent = TalkingAgent()
    with serving(agent, origins=[PAGE]) as served:
        assert get(served, "/stream?prompt=1", **headers).status_code == status
    assert agent.runs == (status == 200)


def test_other_sites_pages_may_read() -> None:
    """A page of an origin that was named may read what it asked, and ask first whether it may. Others get no word."""
    with serving(TalkingAgent(), origins=[PAGE]) as served:
        answer = get(served, "/health", origin=PAGE)
        assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (PAGE, "Origin")
        preflight = ask(served, "OPTIONS", "/stream", headers={"origin": PAGE, "access-control-request-method": "POST"})
        assert preflight.status_code == 204
        assert "authorization" in preflight.headers["access-control-allow-headers"]
        refused = get(served, "/health", origin="https://evil.example")
        assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("header", ["", f"Bearer {KEY}x", f"Basic {KEY}", KEY])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/stream?prompt=1"),
        ("POST", "/stream"),
        ("POST", "/invoke"),
        ("POST", "/resume"),
        ("POST", "/ticket"),
        ("GET", "/threads/t"),
        ("GET", "/nowhere"),
        ("GET", "//health"),
        ("GET", "/health/../stream?prompt=1"),
    ],
)
def test_keys_that_are_wrong(method: str, path: str, header: str, keyed_server: Any) -> None:
    """Without the key there is nothing, not even to know what is where."""
    response = ask(keyed_server, method, path, headers={"authorization": header} if header else {})
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


def test_the_key_that_is_right() -> None:
    """It opens every route; who asks after the server's health needs none."""
    with keyed() as served:
        assert told(get(served, "/stream?prompt=1", authorization=BEARER))[-1] == ("done", "end")
        assert get(served, "/health").status_code == 200


def test_a_key_of_other_letters() -> None:
    """Keys need not be ASCII, and rubbish in the header is a wrong key."""
    rules = Rules(frozenset(), frozenset(), "schlüssel".encode())
    assert rules.has_key({"authorization": "Bearer schlüssel".encode().decode("latin-1")})
    assert not rules.has_key({"authorization": "Bearer \udcff\x00"})


def test_a_ticket_is_good_once() -> None:
    """It stands in the URL in place of the key, for one request."""
    with keyed() as served:
        issued = post(served, "/ticket", authorization=BEARER)
        assert (issued.status_code, issued.headers["cache-control"]) == (201, "no-store")
        path = f"/stream?prompt=1&ticket={issued.json()['ticket']}"
        assert told(get(served, path))[-1] == ("done", "end")
        assert get(served, path).status_code == 401
        assert get(served, "/stream?prompt=1&ticket=forged").status_code == 401


def test_a_ticket_opens_nothing_but_streams() -> None:
    """It does not stand for the key elsewhere, nor is it used up by trying."""
    with keyed() as served:
        ticket = post(served, "/ticket", authorization=BEARER).json()["ticket"]
        for path in ("/invoke", "/ticket", "/resume"):
            assert post(served, f"{path}?ticket={ticket}", {"prompt": "1"}).status_code == 401
        assert get(served, f"/stream?prompt=1&ticket={ticket}").status_code == 200


def test_a_used_ticket_goes_on_with_its_run_only(tmp_path: Any) -> None:
    """A browser reconnects with the URL that it has, also after a restart: it gets that run, and no other."""
    with keyed(store=tmp_path) as served:
        other = run_of(get(served, "/stream?prompt=1", authorization=BEARER))
        path = f"/stream?prompt=2&ticket={post(served, '/ticket', authorization=BEARER).json()['ticket']}"
        run = run_of(get(served, path))
    with keyed(store=tmp_path) as served:
        assert [place(each) for each in messages(get(served, path, last_event_id=f"{run}:1"))] == ["2", "3", "end"]
        assert get(served, path, last_event_id=f"{other}:1").status_code == 401
        assert get(served, path).status_code == 401
        assert get(served, path, last_event_id="").status_code == 401
        assert get(served, "/stream?ticket=forged", last_event_id=f"{run}:1").status_code == 401


def test_tickets_lapse() -> None:
    """A ticket lasts as long as it was said, and of very many the oldest go."""
    clock = VirtualClock()
    tickets = Tickets(30, clock=clock)
    young, old = tickets.issue(), tickets.issue()
    assert tickets.take(young)
    clock.advance(30.5)
    assert not tickets.take(old)
    first = tickets.issue()
    for _ in range(10_000):
        tickets.issue()
    assert not tickets.take(first)


def test_nothing_of_a_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Keys, tickets and prompts are in no line of the log."""
    with caplog.at_level(logging.DEBUG, "playhead"), keyed() as served:
        ticket = post(served, "/ticket", authorization=BEARER).json()["ticket"]
        get(served, f"/stream?prompt=1+0+secret&ticket={ticket}")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("playhead")]
    assert not [line for line in ours if KEY in line or ticket in line or "secret" in line]


@pytest.mark.parametrize(
    ("host", "name"),
    [("a:80", "a"), ("A", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("::1", ":"), ("a:b", "a:b"), ("", "")],
)
def test_host_names_without_their_port(host: str, name: str) -> None:
    """What stands behind the last colon is a port if it is a number."""
    assert host_name(host) == name


@pytest.fixture(scope="module")
def keyed_server() -> Any:
    """Serve to those who have the key, for many tests."""
    with keyed() as served:
        yield served
