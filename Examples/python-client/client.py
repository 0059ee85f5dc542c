#!/usr/bin/env python3
"""Calls a named actor of a mesh from Python. What travels is explained in the article *The wire protocol*.

    client.py tcp://127.0.0.1:4711 Greeter '$s7greeter7GreeterC5greetyS2SYaKFTE' Python
"""
import os
import random
import sys
import time

import msgpack
import zmq

VERSION = 1
CALL, REPLY, FAILURE, HELLO, PROBE, GOODBYE, RESEND, MISMATCH, GREET, GREETED = 0, 2, 3, 6, 7, 8, 9, 10, 11, 12
FIND = "$s11MeshCluster6BrokerC4find4name9namespace6holder0A7Runtime13GrantedHandleVSgSS_SSSg0A4Core6PeerIDVSgtYaKFTE"


class Link:
    """The way to one process: a socket to it, and where the two directions of the link stand."""

    def __init__(self, context, peer, endpoint):
        self.peer, self.epoch, self.sequence = peer, time.monotonic_ns(), 0
        self.unacknowledged = []  # (sequence, message), until the peer says that it has them
        self.methods = {}  # the numbers of the methods that the peer has been told by name
        self.received_epoch = self.received = 0
        self.socket = context.socket(zmq.PUSH)
        self.socket.linger = 300
        self.socket.connect(endpoint)


class Mesh:
    """A process's part of a mesh, enough of it to look actors up and to call them."""

    def __init__(self, broker, bind="tcp://127.0.0.1:*"):
        self.context, self.links, self.calls, self.sequences = zmq.Context(), {}, 0, {}
        self.inbound = self.context.socket(zmq.PULL)
        self.inbound.bind(bind)
        self.peer = random.randrange(1, 1 << 52)
        endpoint = self.inbound.getsockopt_string(zmq.LAST_ENDPOINT)
        self.hello = [HELLO, self.peer, "python", os.getpid(), 0, [endpoint]]
        # Which process listens at the broker's address is not known yet: peer 0 is whoever does.
        link, number = Link(self.context, 0, broker), random.randrange(1, 1 << 64)
        self.send(link, self.hello, [GREET, number], aside=True)
        self.broker = self.receive(lambda envelope: envelope == [GREETED, number])[0]

    def find(self, name, namespace=None):
        """The handle of a named actor; None when there is none."""
        # The well-known actors are numbered after their process; the broker is number 1.
        low = (self.broker.peer << 8 | 1) % (1 << 64)
        return self.invoke(self.broker, (0, low), 0, FIND, [name, namespace, None])

    def call(self, handle, method, *arguments):
        """Calls a method of an actor and waits for its result."""
        high, low, _, _, _, incarnation, (peer, _, _, _, endpoints), *_ = handle
        if peer not in self.links:
            endpoint = next((one for one in endpoints if one.startswith("tcp:")), endpoints[0])
            self.links[peer] = Link(self.context, peer, endpoint)
        return self.invoke(self.links[peer], (high, low), incarnation, method, list(arguments))

    def invoke(self, link, actor, incarnation, method, arguments):
        self.calls += 1
        sequence = self.sequences[actor] = self.sequences.get(actor, 0) + 1
        number = b"".join(part.to_bytes(8, "big") for part in actor)
        target = link.methods.get(method, method)
        link.methods.setdefault(method, len(link.methods))
        packed = msgpack.packb(arguments)
        self.send(link, [CALL, self.calls, sequence, number, incarnation, target, 0, 0, None, 0, packed])
        _, (kind, _, *fields) = self.receive(lambda one: one[0] in (REPLY, FAILURE) and one[1] == self.calls)
        if kind == REPLY:
            return msgpack.unpackb(fields[1], strict_map_key=False)
        error = msgpack.unpackb(fields[2], strict_map_key=False)
        if fields[0] is None:
            raise RuntimeError(f"mesh error {error[0]}: {error[1]}")
        raise RuntimeError(f"{error[2]} threw {error[0]}: {error[1]}")

    def send(self, link, *envelopes, aside=False):
        """Sends envelopes in one message: as the next of the link, or aside of its order."""
        if not aside:
            link.sequence += 1
        if link.sequence == 1 and not aside:
            envelopes = (self.hello, *envelopes)
        header = [VERSION, self.peer, link.peer, link.epoch, 0 if aside else link.sequence]
        header += [link.received_epoch, link.received]
        message = b"".join(msgpack.packb(part) for part in (header, *envelopes))
        if not aside:
            link.unacknowledged.append((link.sequence, message))
        link.socket.send(message)

    def receive(self, is_wanted, timeout=10):
        """Handles what comes until an envelope is wanted."""
        deadline = time.monotonic() + timeout
        while self.inbound.poll(max(0, deadline - time.monotonic()) * 1000):
            unpacker = msgpack.Unpacker(strict_map_key=False)
            unpacker.feed(self.inbound.recv_multipart()[0])
            (_, peer, _, epoch, sequence, acknowledged_epoch, acknowledged), *envelopes = unpacker
            link = self.links.get(peer)
            if link is None:  # A process that is not known says hello first.
                link = self.links[peer] = Link(self.context, peer, envelopes[0][5][0])
            if acknowledged == 2**64 - 1 and acknowledged_epoch >= link.epoch:
                raise ConnectionError("the process has given this one up, which was silent for too long")
            if acknowledged_epoch == link.epoch:
                link.unacknowledged = [one for one in link.unacknowledged if one[0] > acknowledged]
            if epoch > link.received_epoch:
                link.received_epoch, link.received = epoch, 0
            if sequence > 0:
                if epoch == link.received_epoch and sequence == link.received + 1:
                    link.received = sequence
                else:  # A duplicate, or one before it is missing.
                    envelopes = []
                self.send(link, *([[RESEND]] if sequence > link.received else []), aside=True)
            found = None
            for envelope in envelopes:
                if envelope[0] == PROBE:
                    self.send(link, self.hello, *([[RESEND]] if envelope[1] > link.received else []), aside=True)
                elif envelope[0] == RESEND:
                    for _, message in link.unacknowledged:
                        link.socket.send(message)
                elif envelope[0] in (MISMATCH, GOODBYE):
                    raise ConnectionError(f"the process has gone: {envelope[1]}")
                elif is_wanted(envelope):
                    found = (link, envelope)
            if found:
                return found
        raise TimeoutError(f"no answer within {timeout} s")

    def close(self):
        for link in self.links.values():
            self.send(link, [GOODBYE, "the client has ended"], aside=True)
        self.context.destroy(linger=300)


if __name__ == "__main__":
    address, name, method, *arguments = sys.argv[1:]
    mesh = Mesh(address)
    actor = mesh.find(name)
    print(mesh.call(actor, method, *arguments) if actor else f"nobody is called {name}")
    mesh.close()
