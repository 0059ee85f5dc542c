"""Chromium, driven by its DevTools protocol over a pair of pipes, with nothing but Python's own library."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


class Failure(Exception):
    """Something is not as it has to be."""


class Browser:
    """A headless browser with a profile of its own. What its pages complain about is collected."""

    names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]

    def __init__(self, program: str) -> None:
        self.folder = tempfile.mkdtemp(prefix="mesh-browser-")
        commands_read, self.commands = os.pipe()
        self.events, events_write = os.pipe()
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []

        def place_pipes() -> None:
            # The browser reads commands at 3 and writes events to 4; either may lie where the other has to be.
            reading, writing = os.dup(commands_read), os.dup(events_write)
            high_reading, high_writing = os.dup2(reading, 60), os.dup2(writing, 61)
            os.dup2(high_reading, 3)
            os.dup2(high_writing, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", *sandbox, "--remote-debugging-pipe", f"--user-data-dir={self.folder}",
             "--no-first-run", "--disable-gpu", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-GB",
             "about:blank"],
            preexec_fn=place_pipes, close_fds=False, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands_read)
        os.close(events_write)
        self.rest = b""
        self.number = 0
        self.complaints: list[str] = []
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"]:
            self.call(f"{domain}.enable")

    # What goes to and comes from the browser

    def call(self, method: str, **parameters: object) -> dict:
        """Asks the page."""
        return self.send(method, self.session, **parameters)

    def send(self, method: str, session: str | None = None, limit: float = 60, **parameters: object) -> dict:
        self.number += 1
        message: dict = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + limit
        while True:
            answer = self.receive(end - time.monotonic())
            if answer is None:
                raise Failure(f"the browser does not answer {method}")
            if answer.get("id") != self.number:
                continue
            if "error" in answer:
                raise Failure(f"{method}: {answer['error']['message']}")
            return answer["result"]

    def receive(self, limit: float) -> dict | None:
        """The next message; None when there is none in time. Complaints among them are noted."""
        end = time.monotonic() + limit
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.events], [], [], left)[0]:
                return None
            data = os.read(self.events, 1 << 20)
            if not data:
                raise Failure("the browser has ended")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        self.note(message.get("method", ""), message.get("params", {}))
        return message

    def note(self, method: str, event: dict) -> None:
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and event["type"] in ["error", "warning", "assert"]:
            self.complaints.append(" ".join(str(part.get("value", part)) for part in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ["error", "warning"]:
            entry = event["entry"]
            self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")
        elif method == "Audits.issueAdded" and event["issue"]["code"] in ["ContentSecurityPolicyIssue", "GenericIssue"]:
            text = json.dumps(event["issue"])
            # That a test clicks, and no user, is no fault of the page.
            if "NavigationEntryMarkedSkippable" not in text:
                self.complaints.append(f"issue: {text[:600]}")

    # What a test does

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'", f"{address} to load")

    def value(self, expression: str) -> object:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(f"{expression}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def wait(self, expression: str, what: str, limit: float = 30) -> None:
        """Waits until something is so. The limit only turns a hang into a failure."""
        end = time.monotonic() + limit
        while True:
            try:
                if self.value(expression):
                    return
            except Failure:
                # While a page makes room for another there is nothing to ask.
                if time.monotonic() > end:
                    raise
            if time.monotonic() > end:
                text = self.value("document.body ? document.body.innerText.slice(0, 1500) : ''")
                raise Failure(f"waited in vain for {what}; the page shows:\n{text}")
            self.receive(0.05)

    def click(self, selector: str) -> None:
        self.wait(f"!!document.querySelector({json.dumps(selector)})", selector)
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key: str) -> None:
        for kind in ["keyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13}.get(key, 0))

    def type(self, selector: str, text: str) -> None:
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def show(self, width: int, height: int, scheme: str) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}])

    def screenshot(self, path: Path, whole: bool = True) -> None:
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))

    def forgive(self) -> list[str]:
        """Takes what was complained about."""
        while self.receive(0.1):
            pass
        complaints, self.complaints = self.complaints, []
        return complaints

    def close(self) -> None:
        for descriptor in [self.commands, self.events]:
            os.close(descriptor)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
