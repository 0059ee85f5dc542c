"""What a user does with the dashboard in a browser, and what he has to see."""

import json
import time
from pathlib import Path
from urllib.request import Request, urlopen

from browser import Browser, Failure
from scene import Scene


def say(text: str) -> None:
    print(text, flush=True)


class Checks:
    def __init__(self, scene: Scene, browser: Browser, pictures: Path, key: str, cells: int) -> None:
        self.scene, self.browser, self.pictures, self.key, self.cells = scene, browser, pictures, key, cells

    def run(self) -> None:
        for check in [self.pages, self.layout, self.escaping, self.tree, self.live, self.log, self.unclear,
                      self.page_through, self.keyboard, self.sign_in, self.without_script, self.away, self.companion,
                      self.log_goes_on]:
            self.browser.show(1280, 900, "light")
            start = time.monotonic()
            check()
            complaints = self.browser.forgive()
            if complaints:
                raise Failure(f"{check.__name__}: the browser complained:\n" + "\n".join(complaints))
            say(f"  {check.__name__}: passed in {time.monotonic() - start:.1f} s")

    def open(self, path: str) -> None:
        self.browser.open(self.scene.site + path)

    def sees(self, text: str, limit: float = 30) -> None:
        self.browser.wait(f"document.body.innerText.includes({json.dumps(text)})", f"\"{text}\"", limit)

    def api(self, path: str) -> dict:
        with urlopen(Request(f"{self.scene.site}/api/v1{path}"), timeout=10) as answer:
            return json.load(answer)

    def actor(self, name: str) -> str:
        return next(each["id"] for each in self.api(f"/actors?text={name}")["actors"] if each["name"] == name)

    # The checks

    def pages(self) -> None:
        """Every page shows what it is about, in both colours."""
        ended = next(each for each in self.api("/ended")["ended"] if each["name"] == "doomed")
        pages = {
            "overview": ("/", "What happened last"), "nodes": ("/nodes", "atlas"),
            "actors": ("/actors", "coordinator"), "ended": ("/actors/ended", "process crashed"),
            "actor": (f"/actors/{self.actor('images-pipeline')}", "Who has a handle"),
            "death": (f"/actors/{ended['id']}", "index out of range in shard 3"),
            "tree": ("/tree", "images-trainer-3"), "tasks": ("/tasks", "Simulate"), "objects": ("/objects", "24 MiB"),
            "logs": ("/logs", "index out of range in shard 3"),
            "speaker": (f"/actors/{self.actor('speaker')}", "What it said last"), "sign-in": ("/sign-in", "The mesh key"),
        }
        for name, (path, text) in pages.items():
            self.open(path)
            self.sees(text)
            if path != "/sign-in":
                self.browser.wait("document.getElementById('link').textContent === 'live'", f"{path} to be live")
            for scheme in ["light", "dark"]:
                self.browser.show(1280, 900, scheme)
                self.browser.screenshot(self.pictures / f"{name}-{scheme}.png")
        self.open("/")
        self.browser.show(420, 900, "light")
        self.browser.screenshot(self.pictures / "overview-narrow.png")
        self.browser.show(1280, 900, "light")
        self.browser.click("#theme")
        self.browser.click("#theme")
        self.browser.wait("document.documentElement.dataset.theme === 'dark'", "the dark theme by choice")
        self.open("/nodes")
        self.browser.wait("document.documentElement.dataset.theme === 'dark'", "the choice to be kept")
        self.browser.value("localStorage.clear()")

    def layout(self) -> None:
        """Nothing is broken in two where there is room for it."""
        for path, problem in [
            ("/actors", "[...document.querySelectorAll('.rows .name')].some(each => each.getClientRects().length > 1)"),
            (f"/actors/{self.actor('speaker')}", "new Set([...document.querySelectorAll('.figures li')]"
                                                 ".map(each => each.offsetTop)).size > 1"),
            ("/logs", "[...document.querySelectorAll('.filter label')].some(each => each.getBoundingClientRect().bottom"
                      " < each.control.getBoundingClientRect().top)"),
        ]:
            self.open(path)
            self.sees("speaker")
            if self.browser.value(problem):
                raise Failure(f"{path}: something is broken in two")

    def unclear(self) -> None:
        """A time that is not whole yet is told as such while it is typed, and what was typed stays."""
        self.open("/logs")
        self.sees("index out of range in shard 3")
        self.browser.type("#until", "2100-0")
        self.sees("until takes a time ago")
        self.browser.wait("!document.querySelector('.log')", "the log to go")
        self.browser.wait("document.activeElement.id === 'until' && document.activeElement.value === '2100-0'",
                          "the field to keep the focus and the text")
        # Of what is refused a browser tells its developers, which is no complaint of the page.
        self.browser.forgive()
        self.browser.screenshot(self.pictures / "unclear-light.png")
        self.browser.type("#until", "1-01T00:00:00Z")
        self.sees("index out of range in shard 3")

    def escaping(self) -> None:
        """What actors are called and what they print is text, whatever it looks like."""
        self.open("/actors/ended")
        self.sees("<b>\"odd\" & 'name'</b>")
        ended = next(each for each in self.api("/ended")["ended"] if each["name"] == "doomed")
        self.open(f"/actors/{ended['id']}")
        self.sees("<script>alert('batch 17')</script>")

    def tree(self) -> None:
        """The tree closes and opens, by the mouse and by the keys."""
        self.open("/tree")
        self.sees("speech-trainer-2")
        pipeline = f"#t{self.actor('speech-pipeline')}"
        expanded = f"document.querySelector('{pipeline}').getAttribute('aria-expanded')"
        self.browser.click(f"{pipeline} > .twig > .toggle")
        self.browser.wait(f"{expanded} === 'false'", "the branch to close")
        self.browser.wait("!document.body.innerText.includes('speech-trainer-2')", "its children to go")
        self.browser.value(f"document.querySelector('{pipeline}').focus()")
        self.browser.press("ArrowRight")
        self.browser.wait(f"{expanded} === 'true'", "the branch to open")
        self.browser.wait(f"document.activeElement === document.querySelector('{pipeline}')", "the focus to stay")
        self.browser.press("ArrowRight")
        self.browser.wait(f"document.activeElement.closest('ul').parentElement.id === '{pipeline[1:]}'",
                          "the focus to go to a child")
        self.browser.press("ArrowLeft")
        self.browser.wait(f"document.activeElement.id === '{pipeline[1:]}'", "the focus to go back")
        # The address says what is open.
        self.browser.value("location.reload()")
        self.sees("speech-trainer-2")

    def live(self) -> None:
        """What happens shows by itself, and what is typed meanwhile stays."""
        self.open("/")
        self.browser.wait("document.getElementById('link').textContent === 'live'", "the page to be live")
        self.scene.driver.ask("spawn newcomer", "spawned newcomer")
        self.sees("newcomer")
        self.open("/actors")
        self.browser.type("#text", "newc")
        self.browser.wait("document.querySelectorAll('.rows tbody tr').length === 1", "the list to narrow")
        self.scene.driver.ask("spawn newcomer-2", "spawned newcomer-2")
        self.browser.wait("document.querySelectorAll('.rows tbody tr').length === 2", "the second one")
        self.browser.wait("document.activeElement.id === 'text' && document.activeElement.value === 'newc'",
                          "the field to keep the focus and the text")
        self.browser.click("#pause")
        self.browser.wait("document.getElementById('link').textContent === 'paused'", "the pause")

    def log(self) -> None:
        """The log is followed as it grows, filtered, and stays at its end."""
        self.open("/logs")
        self.sees("index out of range in shard 3")
        self.browser.wait("document.getElementById('link').textContent === 'live'", "the page to be live")
        for number in range(3):
            self.scene.driver.ask(f"talk step {number} of <i>7</i>", "talked")
            self.sees(f"step {number} of <i>7</i>")
        self.scene.driver.ask("talk " + " ".join(["word"] * 400), "talked")
        self.browser.wait("(log => log.scrollHeight - log.scrollTop - log.clientHeight < 24)"
                          "(document.querySelector('.log'))", "the log to stay at its end")
        for number in range(60):
            self.scene.driver.ask(f"talk count {number}.", "talked")
        self.sees("count 59.")
        counts = self.browser.value("[...document.querySelectorAll('.log .text')].map(each => each.innerText)"
                                    ".filter(each => each.startsWith('count '))")
        if counts != [f"count {number}." for number in range(60)]:
            raise Failure(f"the log has not each line once and in order: {counts}")
        self.open(f"/actors/{self.actor('speaker')}")
        self.sees("count 59.")
        self.sees("Calls in this life")
        self.scene.driver.ask("talk on its own page", "talked")
        self.sees("on its own page")
        self.open("/logs")
        self.browser.type("#actor", "speaker")
        self.browser.type("#text", "step")
        self.browser.wait("location.search.includes('actor=speaker') && location.search.includes('text=step')",
                          "the choice to be in the address")
        self.browser.wait("document.querySelectorAll('.log li').length === 3", "only the lines that were chosen")
        self.open("/logs?actor=speaker&text=step")
        self.browser.wait("document.querySelectorAll('.log li').length === 3", "the three lines")
        self.browser.wait("[...document.querySelectorAll('.log .origin')].every(each => each.innerText.includes('speaker'))",
                          "their actor")
        self.open("/logs?actor=speaker&level=warning")
        self.sees("No record is like that.")
        self.open("/logs?text=nobody-says-this")
        self.sees("No record is like that.")

    def page_through(self) -> None:
        """Ten thousand actors, a page at a time."""
        self.scene.driver.ask(f"cells {self.cells}", "cells ", 300)
        self.open("/actors?text=cell-&limit=500")
        seen: set[str] = set()
        slowest = 0.0
        while True:
            names = self.browser.value(
                "[...document.querySelectorAll('.rows tbody .name')].map(each => each.textContent)")
            assert isinstance(names, list)
            if seen & set(names):
                raise Failure(f"shown twice: {sorted(seen & set(names))[:5]}")
            seen |= set(names)
            where = self.browser.value("document.querySelector('.pager .where').textContent")
            if not self.browser.value("[...document.querySelectorAll('.pager a')].some(each => each.text === 'Next')"):
                break
            start = time.monotonic()
            self.browser.value("[...document.querySelectorAll('.pager a')].find(each => each.text === 'Next').click()")
            self.browser.wait(f"document.querySelector('.pager .where').textContent !== {json.dumps(where)}",
                              "the next page")
            slowest = max(slowest, time.monotonic() - start)
        if len(seen) != self.cells:
            raise Failure(f"{len(seen)} of {self.cells} actors were shown")
        say(f"    {self.cells} actors in pages of 500; the slowest came after {slowest * 1000:.0f} ms")
        self.open("/actors")
        self.browser.screenshot(self.pictures / "many-light.png", whole=False)
        self.open("/tree")
        self.sees("more in the list")
        self.browser.screenshot(self.pictures / "many-tree-light.png", whole=False)
        self.open("/")
        self.sees(f"{self.cells + 22:,}"[:3])

    def keyboard(self) -> None:
        """The first stop of the Tab key leads past the navigation, and everything that can be reached shows that."""
        self.open("/nodes")
        self.browser.press("Tab")
        self.browser.wait("document.activeElement.className === 'skip'", "the skip link to be first")
        self.browser.press("Tab")
        self.browser.wait("getComputedStyle(document.activeElement).outlineStyle === 'solid'", "a visible focus")
        for path in ["/", "/nodes", "/actors", "/actors/ended", "/tree", "/tasks", "/objects", "/logs"]:
            self.open(path)
            problem = self.browser.value("""(() => {
              if (document.querySelectorAll('h1').length !== 1) return 'not one h1';
              if (!document.querySelector('main') || !document.querySelector('nav')) return 'no landmarks';
              if ([...document.querySelectorAll('table')].some(each => !each.caption)) return 'a table without caption';
              if ([...document.querySelectorAll('input:not([type=hidden]), select')].some(each => !each.labels.length))
                return 'a field without label';
              if (document.querySelector('.rows thead a') && !document.querySelector('th[aria-sort]')) return 'no aria-sort';
              const ids = [...document.querySelectorAll('[id]')].map(each => each.id);
              if (new Set(ids).size !== ids.length) return 'an id twice';
              return document.documentElement.scrollWidth > innerWidth ? 'wider than the window' : '';
            })()""")
            if problem:
                raise Failure(f"{path}: {problem}")

    def sign_in(self) -> None:
        """Nobody kills an actor who has not signed in; whoever has may, after a question."""
        actor = self.actor("newcomer")
        self.open(f"/actors/{actor}")
        self.sees("newcomer")
        if self.browser.value("!!document.querySelector('.danger')"):
            raise Failure("one may kill without a sign-in")
        self.open(f"/actors/{actor}/kill")
        self.sees("Sign in")
        self.browser.type("#secret", "not the key")
        self.browser.click("main button.primary")
        self.sees("That is not it")
        self.browser.forgive()
        self.browser.type("#secret", self.key)
        self.browser.click("main button.primary")
        self.sees("Kill Cell")
        self.browser.screenshot(self.pictures / "kill-light.png")
        self.browser.click("main button.danger")
        self.sees("It was killed")
        cookies = self.browser.call("Network.getCookies")["cookies"]
        if not all(each["httpOnly"] and each["sameSite"] == "Strict" for each in cookies):
            raise Failure(f"a cookie is not kept close enough: {cookies}")
        self.browser.click(".tools form button")
        self.browser.wait("!!document.querySelector('a[href=\"/sign-in\"]')", "the sign-out")

    def without_script(self) -> None:
        """All of it can be read without the script."""
        self.browser.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            for path, text in [("/", "Overview"), ("/actors?text=trainer", "speech-trainer-1"),
                               ("/tree", "speech-pipeline")]:
                self.browser.call("Page.navigate", url=self.scene.site + path)
                end = time.monotonic() + 20
                while text not in self.html():
                    if time.monotonic() > end:
                        raise Failure(f"{path} does not show \"{text}\" without the script")
                    self.browser.receive(0.1)
        finally:
            self.browser.call("Emulation.setScriptExecutionDisabled", value=False)

    def html(self) -> str:
        """The page as it is; nothing while another takes its place."""
        root = self.browser.call("DOM.getDocument", depth=0)["root"]
        try:
            return self.browser.call("DOM.getOuterHTML", nodeId=root["nodeId"])["outerHTML"]
        except Failure:
            return ""

    def away(self) -> None:
        """While the broker is away pages say so, show what was known, and come back by themselves."""
        self.open("/nodes")
        self.sees("atlas")
        self.browser.wait("document.getElementById('link').textContent === 'live'", "the page to be live")
        self.scene.replace_broker()
        self.sees("The broker does not answer.")
        self.sees("atlas")
        self.browser.screenshot(self.pictures / "away-light.png")
        self.scene.bring_broker_back()
        self.browser.wait("!document.querySelector('.away')", "the broker to be back", 60)
        self.sees("atlas")

    def companion(self) -> None:
        """The dashboard of a broker that was killed has ended with it."""
        end = time.monotonic() + 20
        while True:
            try:
                urlopen(self.scene.companion, timeout=2).read()
            except OSError:
                return
            if time.monotonic() > end:
                raise Failure("the dashboard of the broker that was killed still answers")
            time.sleep(0.1)

    def log_goes_on(self) -> None:
        """A log that is open goes on when the broker was killed and is back, and has each line once."""
        # The driver has joined the broker that is back when what it says is collected.
        self.open("/logs?actor=speaker")
        self.browser.wait("document.getElementById('link').textContent === 'live'", "the page to be live")
        for number in range(2):
            self.scene.driver.ask(f"talk before {number}.", "talked")
            self.sees(f"before {number}.", 60)
        self.scene.replace_broker()
        self.sees("The broker does not answer.")
        self.sees("before 1.")
        self.scene.driver.ask("talk while it was away.", "talked", 60)
        self.scene.bring_broker_back()
        self.browser.wait("!document.querySelector('.away')", "the broker to be back", 60)
        self.sees("while it was away.", 60)
        self.scene.driver.ask("talk after that.", "talked", 60)
        self.sees("after that.")
        lines = self.browser.value("[...document.querySelectorAll('.log .text')].map(each => each.innerText)"
                                   ".filter(each => /^(before|while|after)/.test(each))")
        if lines != ["before 0.", "before 1.", "while it was away.", "after that."]:
            raise Failure(f"the log has not each line once and in order: {lines}")
