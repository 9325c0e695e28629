"""What a browser is called in the list of devices, guessed from what it says of itself."""

from schemas.events import DeviceType

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS: tuple[tuple[str, str, DeviceType], ...] = (
    ("iPad", "iPad", "tablet"),
    ("iPhone", "iPhone", "phone"),
    ("TV", "TV", "tv"),
    ("Android", "Android", "phone"),
    ("Windows", "Windows", "desktop"),
    ("Mac OS X", "Mac", "desktop"),
    ("Linux", "Linux", "desktop"),
)


def device_of(user_agent: str) -> tuple[str, DeviceType]:
    """``Firefox on Windows``, and the kind of device."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Browser")
    for mark, system, kind in _SYSTEMS:
        if mark in user_agent:
            return f"{browser} on {system}", kind
    return browser, "unknown"
