"""The mesh that the browser looks at: real processes of this package."""

import os
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path

from browser import Failure


class Program:
    """A process whose lines can be awaited."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        variables = {key: value for key, value in os.environ.items() if not key.startswith("MESH_")}
        self.name = " ".join(Path(word).name if index == 0 else word for index, word in enumerate(command))
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.output: list[str] = []
        self.process = subprocess.Popen(
            command, env=variables | (environment or {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        for line in self.process.stdout or []:
            self.output.append(line.rstrip("\n"))
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self, text: str, limit: float = 60) -> str:
        """The next line that has a text."""
        end = time.monotonic() + limit
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise Failure(f"{self.name} did not say \"{text}\"; it said:\n" + "\n".join(self.output))
            if text in line:
                return line

    def ask(self, line: str, answer: str, limit: float = 60) -> str:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        return self.line(answer, limit)

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Scene:
    """A broker with its dashboard, a node, and a driver with a tree of actors."""

    def __init__(self, programs: Path, key: Path | None) -> None:
        self.programs = programs
        self.environment = {"MESH_KEY_FILE": str(key)} if key else {}
        self.running: list[Program] = []
        try:
            self.start()
        except BaseException:
            self.end()
            raise

    def start(self) -> None:
        self.broker = self.run("mesh", "broker", "--bind", "tcp://127.0.0.1:*", "--dashboard", "127.0.0.1:*")
        self.address = self.broker.line("broker ready at ").removeprefix("broker ready at ")
        self.companion = self.broker.line("dashboard ready at ").split(" at ")[1]
        # One of its own as well, which stays while the broker is away.
        self.dashboard = self.run("mesh", "dashboard", "--mesh", self.address, "--bind", "127.0.0.1:*")
        self.site = self.dashboard.line("dashboard ready at ").split(" at ")[1].rstrip("/")
        self.node = self.run("dashboard-scene", "node", "--mesh", self.address, "--name", "atlas", "--cpus", "8")
        self.node.line("has joined")
        self.driver = self.run("dashboard-scene", "--mesh", self.address)
        self.driver.line("ready", 120)

    def run(self, program: str, *arguments: str) -> Program:
        started = Program([str(self.programs / program), *arguments], self.environment)
        self.running.append(started)
        return started

    def replace_broker(self) -> None:
        """Kills the broker, and with it its own dashboard."""
        self.broker.end(signal.SIGKILL)

    def bring_broker_back(self) -> None:
        self.broker = self.run("mesh", "broker", "--bind", self.address, "--no-dashboard")
        self.broker.line("broker ready at ")

    def end(self) -> None:
        for program in reversed(self.running):
            program.end()
