"""Cookies that sign a browser in: kept from scripts, from other sites, and from everybody on a line in the clear. Forms
count that come from our own pages."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from services.http.errors import Refusal
from services.http.identity import forget, remember, require_own_page


def asked(scheme: str, host: str, origin: str = "") -> Request:
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    return Request({"type": "http", "scheme": scheme, "path": "/", "query_string": b"", "headers": headers})


def cookie(scheme: str, host: str) -> str:
    response = Response()
    remember(asked(scheme, host), response, "name", "value", 60, "/v1/session")
    return response.headers["set-cookie"]


def test_over_https_the_cookie_never_leaves_in_the_clear() -> None:
    expected = "name=value; HttpOnly; Max-Age=60; Path=/v1/session; SameSite=strict; Secure"
    assert cookie("https", "tv.example.com") == expected
    assert cookie("https", "127.0.0.1:20000") == expected


@pytest.mark.parametrize("host", ["127.0.0.1:20000", "localhost:20000", "[::1]:20000"])
def test_plain_http_signs_in_this_machine_s_browser(host: str) -> None:
    assert cookie("http", host) == "name=value; HttpOnly; Max-Age=60; Path=/v1/session; SameSite=strict"


@pytest.mark.parametrize("host", ["tv.example.com", "192.168.0.7:20000", "127.0.0.1.example.com"])
def test_plain_http_signs_in_nobody_else(host: str) -> None:
    with pytest.raises(Refusal) as refused:
        cookie("http", host)
    assert (refused.value.problem.status, refused.value.problem.code) == (403, "https_needed")


def test_a_browser_that_signs_out_drops_the_cookie() -> None:
    response = Response()
    forget(response, "name", "/v1/session")
    assert 'name=""; ' in response.headers["set-cookie"]
    assert "Max-Age=0; Path=/v1/session; " in response.headers["set-cookie"]


@pytest.mark.parametrize(
    ("asked_by", "origin"),
    [
        ("https", "https://tv.example.com"),
        ("http", "http://tv.example.com"),
        ("http", "https://tv.example.com"),  # through a balancer that we do not trust
        ("https", "https://app.example.com"),
    ],
)
def test_a_form_counts_from_our_own_pages_and_from_listed_ones(asked_by: str, origin: str) -> None:
    require_own_page(asked(asked_by, "tv.example.com", origin), ["https://app.example.com"])


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://tv.example.com",
        "https://tv.example.com:8443",
        "http://app.example.com",
        "https://x.example.com",
    ],
)
def test_a_form_from_elsewhere_or_from_a_page_in_the_clear_does_not(origin: str) -> None:
    with pytest.raises(Refusal) as refused:
        require_own_page(asked("https", "tv.example.com", origin), ["https://app.example.com"])
    assert refused.value.problem.code == "foreign_origin"
