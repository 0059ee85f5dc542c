"""What a user would see, and what becomes of it when something breaks."""

import json
import os
import signal
import time

from project import Failure, Tail, run, say, wait_until
from recorder import Recorder

# How long anything may take that waits for a lease (5 s) to run out, and more.
PATIENCE = 40


def run_checks(project):
    for check in [
        comes_up, names_are_known_everywhere, limits_hold, nothing_is_wrong, key_is_needed, nothing_is_readable,
        scales_up, node_crashes, broker_crashes, collector_freezes, node_is_cut_off, scales_down, logs_stay,
        stops_in_time,
    ]:
        say(check.__name__.replace("_", " "))
        check(project)


def comes_up(project):
    """One command, and the messages of all nodes are in the tail."""
    project.compose("up", "-d", "--no-build", "--scale", "node=3", timeout=120)
    project.tail = Tail(project)
    nodes = project.containers("node")
    require(len(nodes) == 3, f"{len(nodes)} nodes run")
    project.tail.wait_for_hosts(nodes, 20)


def names_are_known_everywhere(project):
    """Each container finds the actor by its name and reads it, wherever it is."""
    for container in [*project.containers("node"), project.container("workers"), project.container("broker")]:
        require(project.collector(container), f"{container} does not see the actor")
        texts = run(
            [project.engine.docker, "exec", container, "mesh", "messages", "messages"], env=project.engine.environment)
        require("Message 0 from worker" in texts, f"{container} does not get the first message")


def limits_hold(project):
    for service in ["broker", "node", "workers", "logs"]:
        for container in project.containers(service):
            told = project.inspect(container)
            host = told["HostConfig"]
            require(host["Memory"] > 0 and host["NanoCpus"] > 0 and host["PidsLimit"] > 0, f"{service} has no limits")
            require(host["RestartPolicy"]["Name"] == "unless-stopped", f"{service} is not started again")
            require(host["NetworkMode"] == project.network, f"{service} is in the network {host['NetworkMode']}")
            status = open(f"/proc/{told['State']['Pid']}/status").read()
            require("\nUid:\t10001\t10001" in status, f"{service} does not run as its own user")
    health = project.inspect(project.container("broker"))["State"]["Health"]["Status"]
    require(health == "healthy", f"the broker is {health}")


def nothing_is_wrong(project):
    """No part warns of anything."""
    for service in ["broker", "node", "workers", "logs"]:
        said = project.compose("logs", "--no-color", service)
        warnings = [line for line in said.splitlines() if " warning " in line or " error " in line]
        require(not warnings, f"{service} says: {warnings[:3]}")


def key_is_needed(project):
    """A container of the same network gets nowhere without the key, nor with another mesh's."""
    image = ["--rm", "--network", project.network, "--label", f"com.docker.compose.project={project.name}"]
    address = ["--mesh", "tcp://broker:4711", "--timeout", "3"]
    volume = f"{project.name}_other"
    project.docker("volume", "create", volume)
    try:
        other = [*image, "-v", f"{volume}:/run/mesh"]
        project.docker("run", *other, "actor-mesh", "mesh", "keygen", "/run/mesh/mesh.key")
        tries = {
            "no key": [*image, "-e", "MESH_KEY_FILE=", "actor-mesh", "mesh", "nodes", *address],
            "another key": [*other, "actor-mesh", "mesh", "nodes", *address],
            "a node without a key": [
                *image, "-e", "MESH_KEY_FILE=", "-e", "MESH_ADDRESS=tcp://broker:4711", "actor-mesh", "publisher", "node"],
            "a node without a key that binds to itself alone": [
                *image, "-e", "MESH_KEY_FILE=", "-e", "MESH_ADDRESS=tcp://broker:4711", "actor-mesh", "publisher", "node",
                "--bind", "tcp://127.0.0.1:*"],
            "a node with another key": [
                *other, "-e", "MESH_ADDRESS=tcp://broker:4711", "actor-mesh", "publisher", "node"],
        }
        before = project.nodes(project.container("broker"))
        for what, arguments in tries.items():
            done = project.docker("run", *arguments, check=False, timeout=30)
            require(done.returncode != 0, f"with {what} it got in")
            require("unauthorized" in done.stderr, f"with {what} it was told: {done.stderr.strip()}")
            say(f"  {what}: {done.stderr.strip()[:160]}")
        require(project.nodes(project.container("broker")) == before, "there are other nodes than before")
    finally:
        project.docker("volume", "rm", volume)


def nothing_is_readable(project):
    """What is on the wire between the containers has none of the messages' words in it."""
    one, other = project.containers("node")[:2]
    target = project.inspect(other)["NetworkSettings"]["Networks"][project.network]["IPAddress"]
    recorder = Recorder()
    try:
        since = project.tail.mark
        project.tail.wait_for_hosts(project.containers("node"), PATIENCE, "messages of all nodes while it is recorded")
        wait_until("30 messages were printed", lambda: project.tail.mark >= since + 30, PATIENCE)
        # The control: words that one container sends to the other in the clear are seen.
        send = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'Message 0 in the clear', ('%s', 9))"
        inside(project, one, "python3", "-c", send % target)
        wait_until("the recorder has seen the control", lambda: recorder.count(b"Message 0 in the clear"), 10)
    finally:
        recorder.stop()
    printed = project.tail.mark - since
    mesh = recorder.to_port(4711)
    require(mesh > 10, f"{printed} messages were printed, and {mesh} packets went to the broker")
    for word in [b"from worker", b"Publish", b"MessageActor", b"publisher"]:
        require(recorder.count(word) == 0, f"{recorder.count(word)} packets have {word!r} in them")
    say(f"  {printed} messages in the tail, {len(recorder.packets)} packets, no word of the former in the latter")


def scales_up(project):
    project.compose("up", "-d", "--no-build", "--no-recreate", "--scale", "node=5")
    nodes = project.containers("node")
    require(len(nodes) == 5, f"{len(nodes)} nodes run")
    project.tail.wait_for_hosts(nodes, PATIENCE, "messages of all five")


def node_crashes(project):
    """The node of the collector is killed from outside: the collector comes up elsewhere, and the tail goes on."""
    broker = project.container("broker")
    actor = wait_until("the collector lives", lambda: project.collector(broker), PATIENCE)
    crashed = actor["node"]
    # Else it is back before anybody asks where the actor is.
    project.docker("update", "--restart", "no", crashed)
    kill(project, crashed)
    def elsewhere():
        found = project.collector(broker)
        return found if found and found["node"] != crashed and found["restarts"] > actor["restarts"] else None

    wait_until("the collector lives on another node", elsewhere, PATIENCE)
    others = [node for node in project.containers("node") if node != crashed]
    project.tail.wait_for_hosts(others, PATIENCE, "messages of the other nodes")
    project.docker("update", "--restart", "unless-stopped", crashed)
    project.docker("start", crashed)
    project.tail.wait_for_hosts([*others, crashed], PATIENCE, "messages of all nodes, with the one that was started")
    # With its restart policy a crashed one comes back by itself.
    other = next(node for node in others if node != elsewhere()["node"])
    kill(project, other)
    project.tail.wait_for_hosts([*others, crashed], PATIENCE, "messages of all nodes, with one that came back by itself")


def broker_crashes(project):
    """It is back by itself, with what it knew; names are found again, and the tail goes on."""
    broker = project.container("broker")
    nodes = set(project.containers("node"))
    restarts = project.inspect(broker)["RestartCount"]
    kill(project, broker)
    wait_until("it was started again", lambda: project.inspect(broker)["RestartCount"] > restarts, PATIENCE)
    worker = project.container("workers")
    wait_until("all nodes are back", lambda: project.nodes(worker) == nodes, PATIENCE)
    wait_until("the collector is found by its name", lambda: project.collector(worker), PATIENCE)
    project.tail.wait_for_hosts(nodes, PATIENCE)
    wait_until(
        "the broker is healthy", lambda: project.inspect(broker)["State"]["Health"]["Status"] == "healthy", PATIENCE)


def collector_freezes(project):
    """A node that stands still with its connections open is given up, and takes part again when it goes on."""
    broker = project.container("broker")
    frozen = wait_until("the collector lives", lambda: project.collector(broker), PATIENCE)["node"]
    others = [node for node in project.containers("node") if node != frozen]
    project.docker("pause", frozen)
    try:
        wait_until("it is given up", lambda: frozen not in project.nodes(broker), PATIENCE)
        project.tail.wait_for_hosts(others, PATIENCE, "messages of the other nodes")
    finally:
        project.docker("unpause", frozen)
    project.tail.wait_for_hosts([*others, frozen], PATIENCE, "messages of all nodes again")
    actors = project.mesh(broker, "actors", "--format", "json")
    require(sum(1 for actor in actors if actor["name"] == "messages") == 1, "there is not one collector")


def node_is_cut_off(project):
    """A node whose wire is pulled is given up, and takes part again when it is plugged in."""
    broker = project.container("broker")
    collector = wait_until("the collector lives", lambda: project.collector(broker), PATIENCE)["node"]
    nodes = project.containers("node")
    for cut, what in [(next(node for node in nodes if node != collector), "a node"), (collector, "the collector's node")]:
        others = [node for node in nodes if node != cut]
        inside(project, cut, "ip", "link", "set", "eth0", "down")
        try:
            wait_until(f"{what} is given up", lambda: cut not in project.nodes(broker), PATIENCE)
            project.tail.wait_for_hosts(others, PATIENCE, "messages of the other nodes")
        finally:
            inside(project, cut, "ip", "link", "set", "eth0", "up")
        project.tail.wait_for_hosts(nodes, PATIENCE, "messages of all nodes again")


def scales_down(project):
    project.compose("up", "-d", "--no-build", "--no-recreate", "--scale", "node=2", timeout=60)
    nodes = project.containers("node")
    require(len(nodes) == 2, f"{len(nodes)} nodes run")
    broker = project.container("broker")
    wait_until("the mesh has the two that are left", lambda: project.nodes(broker) == set(nodes), PATIENCE)
    project.tail.wait_for_hosts(nodes, PATIENCE)


def logs_stay(project):
    """What was published is kept beside the broker: of containers that have crashed or are gone too, and nothing twice."""
    broker = project.container("broker")
    with project.tail.changed:
        printed = {line[line.index("Message "):] for line in project.tail.lines if "Message " in line and " on " in line}

    def missing():
        told = project.docker("exec", broker, "mesh", "logs", "--format", "json", timeout=60)
        records = [json.loads(line) for line in told.splitlines()]
        last = {}
        for record in records:
            source, number = record["source"], record["sequence"]
            require(number > last.get(source, 0), f"record {number} of {source} comes after {last.get(source)}")
            last[source] = number
        say(f"  {len(records)} records of {len(last)} processes")
        return printed - {record["text"] for record in records}

    wait_until(
        f"each of the {len(printed)} messages that the tail has printed is in the logs", lambda: not missing(), PATIENCE)


def stops_in_time(project):
    """Each service ends within 5 s of SIGTERM and by itself; and all of it comes up again."""
    for service in ["logs", "workers", "node", "broker"]:
        containers = project.containers(service)
        begin = time.monotonic()
        for container in containers:
            os.kill(project.process(container), 0)
            project.docker("stop", "-t", "20", container, timeout=30)
        took = (time.monotonic() - begin) / len(containers)
        codes = {project.inspect(container)["State"]["ExitCode"] for container in containers}
        say(f"  {service}: {took:.1f} s, status {codes}")
        require(took < 5, f"{service} took {took:.1f} s to end")
        require(codes <= {0, 128 + signal.SIGTERM}, f"{service} ended with status {codes}")
    project.compose("up", "-d", "--no-build", "--no-recreate", "--scale", "node=2")
    project.tail.wait_for_hosts(project.containers("node"), PATIENCE, "messages of each of them after all was started again")


def kill(project, container):
    """A crash: the engine is not asked, so it does what the restart policy says."""
    os.kill(project.process(container), signal.SIGKILL)


def inside(project, container, *command):
    """Runs a program of this host in the network of a container."""
    run(["nsenter", "-t", project.process(container), "-n", *command])


def require(condition, otherwise):
    if not condition:
        raise Failure(otherwise)
