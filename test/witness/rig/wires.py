"""Sends and takes frames on the inner ends of a host's cables, in the host's own namespace.

`run` sends a batch, waits until the switch has dealt with all of it, and answers with every frame that came out of it
meanwhile. Nothing is waited for by time: a marker that the switch sends back follows the frames of its cable, an
answer of the switch's control socket means that what it had in hand has been sent on, and a marker to every cable
follows that.
"""
import binascii
import fcntl
import json
import os
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID = 0x10
TP_STATUS_VLAN_TPID_VALID = 0x40
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MARKER = b"\x88\xb6"
BACK, ALL = b"\x02\x5e\x00\x00\x00\x01", b"\x02\x5e\x00\x00\x00\x02"
LIMIT = 20.0


class Cable:
    def __init__(self, name, bridge):
        self.name, self.bridge, self.up = name, bridge, True
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setblocking(False)
        self.sock.bind((name, ETH_P_ALL))

    def frames(self):
        while True:
            try:
                frame, aux, _flags, _address = self.sock.recvmsg(65535, 256)
            except BlockingIOError:
                return
            except OSError:
                return  # the link went down: nothing more of it is waited for
            for level, kind, data in aux:
                if level != SOL_PACKET or kind != PACKET_AUXDATA:
                    continue
                status, _l, _s, _m, _n, tci, tpid = struct.unpack("IIIHHHH", data[:20])
                if status & TP_STATUS_VLAN_VALID:
                    tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
                    frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
            yield frame


class Wires:
    def __init__(self):
        self.cables = {}
        self.got = []
        self.marks = set()
        self.number = 0

    def do_open(self, c):
        for name, bridge in c["cables"]:
            self.cables[name] = Cable(name, bridge)
        return {}

    def do_link(self, c):
        cable = self.cables[c["cable"]]
        request = struct.pack("16sh14x", cable.name.encode(), 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(cable.sock.fileno(), SIOCGIFFLAGS, request))[1]
        flags = flags | IFF_UP if c["up"] else flags & ~IFF_UP
        fcntl.ioctl(cable.sock.fileno(), SIOCSIFFLAGS, struct.pack("16sh14x", cable.name.encode(), flags))
        cable.up = c["up"]
        return {}

    def do_run(self, c):
        self.take()
        self.got = []
        used = {}
        for name, text in c["frames"]:
            cable = used.setdefault(name, self.cables[name])
            cable.sock.send(binascii.unhexlify(text))
        self.mark(used.values(), BACK, used.keys())
        return self.do_collect(c)

    def do_collect(self, c):
        self.settle(c["ctl"])
        first = {}
        for cable in self.cables.values():
            if cable.up:
                first.setdefault(cable.bridge, cable)
        self.mark(first.values(), ALL, [cable.name for cable in self.cables.values() if cable.up])
        got, self.got = self.got, []
        return {"got": [[name, frame.hex()] for name, frame in got]}

    def mark(self, cables, to, expected):
        self.number += 1
        self.marks = set()
        body = struct.pack("!I", self.number) + b"\0" * 42
        for cable in cables:
            cable.sock.send(to + BACK + MARKER + body)
        end = time.monotonic() + LIMIT
        while not self.marks.issuperset(expected):
            if time.monotonic() > end:
                raise TimeoutError("no marker at %s" % sorted(set(expected) - self.marks))
            select.select([cable.sock for cable in self.cables.values()], [], [], 0.1)
            self.take()

    def take(self):
        for cable in self.cables.values():
            for frame in cable.frames():
                if frame[12:14] != MARKER:
                    self.got.append((cable.name, frame))
                elif struct.unpack_from("!I", frame, 14)[0] == self.number:
                    self.marks.add(cable.name)

    @staticmethod
    def settle(path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ctl:
            ctl.settimeout(LIMIT)
            ctl.connect(path)
            ctl.send(b'{"id":0,"method":"version","params":[]}')
            if not ctl.recv(4096):
                raise ConnectionError("the switch hung up")

    def serve(self):
        line = b""
        while True:
            chunk = os.read(0, 1 << 20)
            if not chunk:
                return
            line += chunk
            while b"\n" in line:
                text, line = line.split(b"\n", 1)
                command = json.loads(text)
                try:
                    reply = getattr(self, "do_" + command["do"])(command)
                except Exception as e:  # told to the caller, who fails its test with it
                    reply = {"error": "%s: %s" % (type(e).__name__, e)}
                sys.stdout.write(json.dumps(dict(reply, id=command["id"])) + "\n")
                sys.stdout.flush()


Wires().serve()
