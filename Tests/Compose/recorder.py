"""Records what is on the wires between containers, below their sockets."""

import socket
import threading

ETH_P_ALL = 3


class Recorder:
    """Takes every packet that passes this host's interfaces, those of the containers' bridge among them.

    But not the loopback: what other programs of this host say to each other is not the containers'.
    """

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
        self.socket.settimeout(0.2)
        self.packets = []
        self.is_stopped = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.is_stopped:
            try:
                packet, (interface, *_) = self.socket.recvfrom(65535)
                if interface != "lo":
                    self.packets.append(packet)
            except TimeoutError:
                pass

    def stop(self):
        self.is_stopped = True
        self.thread.join()
        self.socket.close()

    def count(self, text):
        """How many packets have these bytes in them."""
        return sum(1 for packet in list(self.packets) if text in packet)

    def to_port(self, port):
        """How many packets of TCP over IPv4 go to a port."""
        def goes_there(packet):
            begin = 14 + (packet[14] & 15) * 4 if len(packet) > 34 and packet[12:14] == b"\x08\x00" else 0
            return begin and packet[23] == 6 and int.from_bytes(packet[begin + 2:begin + 4], "big") == port

        return sum(1 for packet in list(self.packets) if goes_there(packet))
