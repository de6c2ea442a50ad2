"""A headless Chromium, driven by its DevTools protocol over a pipe.

Whatever Chromium is installed will do: selenium wants a driver of the browser's very version beside it, playwright a
browser of its own, and both would make the tests of the page be left out where only the browser is there.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# What keyboards send along with a key's name.
_CODES = {"Enter": 13, "Escape": 27, "Tab": 9, "End": 35, "Home": 36}
_CODES |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


def find_browser() -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a browser of its own. A context manager.

    Args:
        program: from `find_browser`.
        folder: an empty folder for the profile.
        size: width and height of the page in pixels.

    Attributes:
        complaints: what the page's script threw, and what its console and the security policy told as an error.
    """

    def __init__(self, program: str, folder: Path, size: tuple[int, int] = (1280, 900)) -> None:
        self.complaints: list[str] = []
        self._numbers, self._rest, self._session = itertools.count(1), b"", ""
        (theirs_in, self._out), (self._in, theirs_out) = os.pipe(), os.pipe()
        # Numbers above those that the browser wants to find its pipe under, so that none is closed by the other's move.
        high = [os.dup2(end, 100 + number) for number, end in enumerate((theirs_in, theirs_out))]
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
        flags += [f"--user-data-dir={folder}", f"--window-size={size[0]},{size[1]}", "--force-prefers-reduced-motion"]
        nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        moves = [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
        self._process = os.posix_spawn(
            program, [program, *flags, "about:blank"], os.environ, file_actions=nothing + moves
        )
        for end in (theirs_in, theirs_out, *high):
            os.close(end)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = ""
        with contextlib.suppress(AssertionError, OSError):
            self._call("Browser.close")  # all its processes end, and leave the profile alone
        until = time.monotonic() + 20
        while os.waitpid(self._process, os.WNOHANG) == (0, 0):
            if time.monotonic() > until:
                os.kill(self._process, signal.SIGKILL)
            time.sleep(0.02)
        os.close(self._in)
        os.close(self._out)

    def open(self, url: str) -> None:
        """Goes to an address and waits for its document."""
        self._call("Page.navigate", url=url)
        self.wait("document.readyState == 'complete' && location.href != 'about:blank'")

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        told = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise AssertionError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def wait(self, expression: str, seconds: float = 60) -> Any:
        """Waits until a JavaScript expression is true, and gives its value."""
        until = time.monotonic() + seconds
        while not (value := self.value(expression)):
            if time.monotonic() > until:
                raise AssertionError(f"never true: {expression}\n{self.value('document.body.innerText')}")
            time.sleep(0.05)
        return value

    def type(self, text: str) -> None:
        """Types a text where the focus is."""
        self._call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Presses and releases one key, such as "ArrowDown"."""
        told = {"key": key, "code": key, "windowsVirtualKeyCode": _CODES.get(key, 0)}
        written = {"text": "\r" if key == "Enter" else key} if key == "Enter" or len(key) == 1 else {}
        self._call("Input.dispatchKeyEvent", type="keyDown", **told, **written)
        self._call("Input.dispatchKeyEvent", type="keyUp", **told)

    def picture(self, file: Path) -> None:
        """Writes what is seen as PNG."""
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == number:
                if "error" in told:
                    raise AssertionError(f"{method}: {told['error']}")
                return told["result"]
            if told.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told["params"]["exceptionDetails"]))
            elif told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
                self.complaints.append(told["params"]["entry"]["text"])

    def _read(self, seconds: float = 120) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], max(until - time.monotonic(), 0))[0]:
                raise AssertionError(f"the browser said nothing for {seconds:g} s")
            part = os.read(self._in, 1 << 20)
            if not part:
                raise AssertionError("the browser ended")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
