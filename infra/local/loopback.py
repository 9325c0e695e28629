"""Asks what the stack runs, over plain HTTP on this machine."""

import ssl

import httpx

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""It trusts nobody. By default httpx reads the world's authorities for each request: far more work than asking."""
WITHIN_S = 2


def ask(address: str) -> httpx.Response | None:
    """None if there is no answer in time."""
    try:
        return httpx.get(address, timeout=WITHIN_S, verify=PLAIN)
    except httpx.HTTPError:
        return None


def is_well(address: str) -> bool:
    """Whether it answers that all is well."""
    answer = ask(address)
    return answer is not None and answer.is_success
