"""A tab that is really hidden: its timers are slow, and its page knows.

Playwright keeps each of its pages visible. This tab is not one of them, and is spoken to by the browser's protocol.
"""

import json
from typing import Any

from playwright.sync_api import Browser, CDPSession

from tests.support.pipeline import eventually


class Tab:
    """Its page may do what the page's policy forbids."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._session: CDPSession = browser.new_browser_cdp_session()
        self._answers: dict[int, dict[str, Any]] = {}
        self._session.on("Target.receivedMessageFromTarget", self._received)
        self._target = self._session.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._session.send("Target.attachToTarget", {"targetId": self._target, "flatten": False})
        self._id = attached["sessionId"]
        self._calls = 0
        self._call("Page.enable")
        self._call("Page.setBypassCSP", {"enabled": True})
        self._call("Page.navigate", {"url": address})
        eventually(lambda: self.evaluate("document.readyState") == "complete")

    def evaluate(self, expression: str) -> Any:
        """Its value, awaited if it is a promise."""
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True, "userGesture": True}
        answer = self._call("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def hide(self) -> None:
        """As if another tab came to the front."""
        self._call("Emulation.setFocusEmulationEnabled", {"enabled": False})
        self._call("Page.setWebLifecycleState", {"state": "frozen"})  # hides it, too
        self._call("Page.setWebLifecycleState", {"state": "active"})
        eventually(lambda: self.evaluate("document.visibilityState") == "hidden")

    def show(self) -> None:
        self._call("Emulation.setFocusEmulationEnabled", {"enabled": True})
        eventually(lambda: self.evaluate("document.visibilityState") == "visible")

    def close(self) -> None:
        self._session.send("Target.closeTarget", {"targetId": self._target})
        self._session.detach()

    def _call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        self._calls += 1
        number = self._calls
        message = json.dumps({"id": number, "method": method, "params": params or {}})
        self._session.send("Target.sendMessageToTarget", {"sessionId": self._id, "message": message})
        while number not in self._answers:
            self._session.send("Browser.getVersion")  # lets answers in
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    def _received(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        if event["sessionId"] == self._id and "id" in message:
            self._answers[message["id"]] = message
