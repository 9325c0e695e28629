"""E-mail addresses and network addresses, as accounts compare them."""

import ipaddress
import re
import unicodedata

MOST_CHARACTERS = 254
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"[^\s@<>\"(),:;\[\]\\]{{1,64}}@({_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")


def normalized(address: str) -> str | None:
    """Lower case, in Unicode's compatibility form, so that one mailbox is one account. None for what is no address."""
    text = unicodedata.normalize("NFKC", address).strip().casefold()
    local, at, domain = text.rpartition("@")
    try:
        text = f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return None
    return text if len(text) <= MOST_CHARACTERS and _ADDRESS.fullmatch(text) else None


def network(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 address; empty for anything else."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    length = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{found}/{length}", strict=False))
