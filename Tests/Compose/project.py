"""The containers of one run, what they say, and how to wait for it."""

import json
import os
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEGIN = time.monotonic()


class Failure(Exception):
    """What is not as it has to be."""


def say(text):
    print(f"[{time.monotonic() - BEGIN:6.1f} s] {text}", flush=True)


def run(command, timeout=120, check=True, **options):
    """Runs a command. Returns what it printed; with check=False the ended process."""
    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=timeout, **options)
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(map(str, command))} did not end within {timeout} s")
    if not check:
        return done
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-2000:]
        raise Failure(f"{' '.join(map(str, command))} ended with status {done.returncode}: {words}")
    return done.stdout.strip()


def wait_until(what, condition, timeout):
    """Asks again and again until the answer is true; returns it."""
    begin = time.monotonic()
    while True:
        answer = condition()
        if answer:
            say(f"  {what}: after {time.monotonic() - begin:.1f} s")
            return answer
        if time.monotonic() - begin > timeout:
            raise Failure(f"not within {timeout} s: {what}")
        time.sleep(0.2)


class Project:
    """docker-compose.yml, as it is, under a name of its own."""

    def __init__(self, engine):
        self.engine = engine
        self.name = f"meshtest{os.getpid()}"
        self.tail = None

    def compose(self, *arguments, **options):
        return run(
            [*self.engine.compose, "-p", self.name, *arguments], env=self.engine.environment, cwd=ROOT, **options)

    def docker(self, *arguments, **options):
        return self.engine.run(*arguments, **options)

    @property
    def network(self):
        return f"{self.name}_default"

    def containers(self, service):
        """The running containers of a service, by their short numbers, which are also the names of their hosts."""
        listed = self.docker(
            "ps", "-q", "--filter", f"label=com.docker.compose.project={self.name}",
            "--filter", f"label=com.docker.compose.service={service}")
        return listed.split()

    def container(self, service):
        found = self.containers(service)
        if len(found) != 1:
            raise Failure(f"{service} has {len(found)} running containers")
        return found[0]

    def inspect(self, container):
        return json.loads(self.docker("inspect", container))[0]

    def process(self, container):
        """The number by which this host knows the first process of a container."""
        return self.inspect(container)["State"]["Pid"]

    def mesh(self, container, *arguments):
        """Runs the command in a container; None when it failed."""
        done = self.docker("exec", container, "mesh", *arguments, check=False, timeout=30)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def collector(self, seen_from):
        """What the mesh says of the actor "messages", as soon as it lives."""
        for actor in self.mesh(seen_from, "actors", "--format", "json") or []:
            if actor.get("name") == "messages" and actor.get("state") == "alive":
                return actor
        return None

    def nodes(self, seen_from):
        return {node["name"] for node in self.mesh(seen_from, "nodes", "--format", "json") or []}

    def explain(self):
        """Says what the containers said last."""
        done = self.compose("ps", check=False)
        print(done.stdout, done.stderr)
        for service in ["key", "broker", "node", "workers", "logs"]:
            done = self.compose("logs", "--no-color", "--tail", "25", service, check=False)
            print(done.stdout)

    def down(self):
        if self.tail:
            self.tail.stop()
        run([*self.engine.compose, "-p", self.name, "unpause"], env=self.engine.environment, cwd=ROOT, check=False)
        self.compose("down", "-v", "--remove-orphans", "-t", "5")
        say("the containers, networks and volumes are gone")


class Tail:
    """What the service `logs` prints, line by line as it comes."""

    def __init__(self, project):
        self.project = project
        self.lines = []
        self.changed = threading.Condition()
        self.follower = None
        self.is_stopped = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        engine = self.project.engine
        since = "0"
        while not self.is_stopped:
            found = self.project.containers("logs")
            if not found:
                time.sleep(0.2)
                continue
            self.follower = subprocess.Popen(
                [engine.docker, "logs", "-f", "--since", since, found[0]], env=engine.environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for line in self.follower.stdout:
                with self.changed:
                    self.lines.append(line.rstrip("\n"))
                    self.changed.notify_all()
            self.follower.wait()
            since = str(int(time.time()))

    def stop(self):
        self.is_stopped = True
        if self.follower and self.follower.poll() is None:
            self.follower.terminate()

    @property
    def mark(self):
        with self.changed:
            return len(self.lines)

    def hosts(self, since):
        """The hosts whose messages were printed since a mark."""
        with self.changed:
            lines = self.lines[since:]
        return {line.rsplit(" on ", 1)[1].rstrip(".") for line in lines if "Message " in line and " on " in line}

    def wait_for_hosts(self, hosts, timeout, what="messages of each of them in the tail"):
        """Waits until messages of all these hosts were printed, counted from now."""
        hosts = set(hosts)
        since = self.mark
        begin = time.monotonic()
        while not hosts <= self.hosts(since):
            left = begin + timeout - time.monotonic()
            if left <= 0:
                missing = ", ".join(sorted(hosts - self.hosts(since)))
                raise Failure(f"not within {timeout} s: {what}; missing: {missing}")
            with self.changed:
                self.changed.wait(min(left, 0.5))
        say(f"  {what}: after {time.monotonic() - begin:.1f} s")
