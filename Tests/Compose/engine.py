"""A container engine: the one that answers, or one of our own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from project import Failure, run, say

PACKAGES = ["docker.io", "docker-compose", "tini", "debootstrap", "iptables", "iproute2", "ca-certificates"]


class NoEngine(Exception):
    """Why there is none."""


class Engine:
    """Where the engine listens, and what has to be undone when it is our own."""

    def __init__(self, address):
        self.address = address
        self.folder = None
        self.process = None
        self.network_before = None
        self.environment = dict(os.environ, DOCKER_BUILDKIT="1")
        if address:
            self.environment["DOCKER_HOST"] = address
        self.docker = None
        self.compose = None

    @staticmethod
    def start():
        engine = Engine(os.environ.get("DOCKER_HOST", ""))
        if shutil.which("docker") and engine.answers("docker"):
            say("using the engine that is running")
        else:
            engine = Engine.start_own()
        try:
            engine.choose_tools()
        except BaseException:
            engine.stop()
            raise
        return engine

    def answers(self, docker):
        return subprocess.run([docker, "version"], env=self.environment, capture_output=True).returncode == 0

    @staticmethod
    def start_own():
        if os.geteuid() != 0:
            raise NoEngine("none answers, and only root can start one")
        if not all(shutil.which(tool) for tool in ["dockerd", "docker-init", "debootstrap", "iptables", "ip"]) or not (
            shutil.which("docker-compose") or shutil.which("docker")
        ):
            if not shutil.which("apt-get"):
                raise NoEngine("none answers, and there is no apt-get to install one with")
            say("installing an engine")
            environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
                done = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
                if done.returncode != 0:
                    raise NoEngine(f"apt-get {command[0]} failed: {done.stderr.strip()[-300:]}")
        # Not below the sources: they are the context of builds.
        folder = Path(tempfile.mkdtemp(prefix="mesh-engine-"))
        engine = Engine(f"unix://{folder}/docker.sock")
        engine.folder = folder
        engine.network_before = NetworkState()
        log = open(folder / "log", "wb")
        # However this program ends, the engine is told to.
        engine.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "dockerd", "-H", engine.address, "--data-root", folder / "data", "--exec-root", folder / "exec",
             "-p", folder / "docker.pid"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        docker = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"
        deadline = time.monotonic() + 60
        try:
            while not engine.answers(docker):
                if engine.process.poll() is not None or time.monotonic() > deadline:
                    last = (folder / "log").read_text(errors="replace").strip().splitlines()[-1:]
                    raise NoEngine(f"it does not start: {' '.join(last)}")
                time.sleep(0.1)
        except BaseException:
            engine.stop()
            raise
        say(f"started an engine of our own in {folder}")
        return engine

    def choose_tools(self):
        """The command line that can build with BuildKit, and Compose, 2 or 1.29."""
        for docker in ["docker", "/usr/bin/docker"]:
            build = subprocess.run(
                [docker, "build", "-q", "-"], input=b"FROM scratch\nLABEL mesh.test=1\n", env=self.environment,
                capture_output=True) if shutil.which(docker) else None
            if build and build.returncode == 0:
                self.docker = docker
                break
        else:
            raise NoEngine("there is no docker command that can build; install docker.io, or docker-buildx-plugin")
        candidates = [["docker", "compose"], ["docker-compose"]]
        if os.environ.get("COMPOSE"):
            candidates = [os.environ["COMPOSE"].split()]
        for compose in candidates:
            if shutil.which(compose[0]):
                done = subprocess.run([*compose, "version", "--short"], env=self.environment, capture_output=True, text=True)
                if done.returncode == 0:
                    self.compose = compose
                    say(f"with Compose {done.stdout.strip()}")
                    return
        raise NoEngine("there is no Compose; install docker-compose")

    def run(self, *arguments, **options):
        """Runs the docker command and returns what it printed."""
        return run([self.docker, *arguments], env=self.environment, **options)

    def stop(self):
        """Ends an engine of our own, and waits for it: killed, it would leave mounts behind."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            raise Failure(f"the engine (process {self.process.pid}) does not end; its state is in {self.folder}")
        self.network_before.restore()
        shutil.rmtree(self.folder, ignore_errors=True)
        say("the engine has ended")


class NetworkState:
    """What an engine changes in this host's network, and leaves changed."""

    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    tables = ["filter", "nat"]

    def __init__(self):
        self.had_bridge = Path("/sys/class/net/docker0").exists()
        self.forwarded = self.forwarding.read_text()
        self.rules = {table: self.list(table) for table in self.tables}

    @staticmethod
    def list(table):
        done = subprocess.run(["iptables", "-t", table, "-S"], capture_output=True, text=True)
        return done.stdout.splitlines()

    def restore(self):
        """Takes back what is the engine's, and only that: others may have rules of their own."""
        if not self.had_bridge:
            subprocess.run(["ip", "link", "del", "docker0"], capture_output=True)
        for table in self.tables:
            mine = [rule for rule in self.list(table) if rule not in self.rules[table]]
            mine = [rule for rule in mine if "DOCKER" in rule or "docker0" in rule or rule.startswith("-P FORWARD")]
            undo = [["-D", *rule.split()[1:]] for rule in mine if rule.startswith("-A")]
            undo += [["-X", rule.split()[1]] for rule in mine if rule.startswith("-N")]
            undo += [rule.split() for rule in self.rules[table] if rule.startswith("-P FORWARD")]
            for command in undo:
                subprocess.run(["iptables", "-t", table, *command], capture_output=True)
        self.forwarding.write_text(self.forwarded)
