"""Sends and counts frames on the devices of one network namespace. Commands and replies are JSON lines.

One loop serves everything, so that a count is a consistent moment: paced streams of numbered UDP frames, raw frames,
receiving, and commands. Frames go through AF_PACKET: nothing but what was asked for leaves the device, and what the
peer delivered is counted whatever its addresses and VLAN tag.
"""
import array
import binascii
import collections
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
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID = 0x10
MAGIC = b"PTLN"
# What the kernel's own packet generator numbers its datagrams with; a stream of it is known by its port.
PKTGEN = b"\xbe\x9b\xe9\x55"
PKTGEN_STREAMS = 1_000_000
BURST = 16  # frames sent at one go; more would overrun the switch's socket


def mac(text):
    return binascii.unhexlify(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Device:
    """A device of the namespace. While `active` what arrives was received by the guest, else it was ignored."""

    def __init__(self, name, active):
        self.name = name
        self.active = active
        self.rx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.rx.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.rx.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.rx.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.rx.setblocking(False)
        self.rx.bind((name, ETH_P_ALL))
        self.tx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.tx.bind((name, 0))

    def close(self):
        self.rx.close()
        self.tx.close()


class Stream:
    """Frames to send, `pps` a second, from number `seq` up to (not including) `end`; None is without end."""

    def __init__(self, command):
        self.id = command["id"]
        self.raw = binascii.unhexlify(command["raw"]) if "raw" in command else None
        self.number = command.get("stream")
        self.pps = command["pps"]
        self.echo = command.get("echo", False)
        self.first = self.seq = command.get("seq", 0)
        self.end = None if command.get("count") is None else self.seq + command["count"]
        self.began = time.monotonic()
        if self.raw is None:
            self.prepare(command)

    def prepare(self, c):
        ether = mac(c["dstMac"]) + mac(c["srcMac"])
        if c.get("vlan"):
            ether += struct.pack("!HH", 0x8100, c["vlan"])
        payload = max(c.get("size", 60) - len(ether) - 2 - 28, 16)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + payload, 0, 0x4000, 64, 1 if self.echo else 17, 0,
                         socket.inet_aton(c["srcIp"]), socket.inet_aton(c["dstIp"]))
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        # A UDP checksum of zero means none.
        self.udp = struct.pack("!HHHH", c.get("srcPort", 4000), c.get("dstPort", 4001), 8 + payload, 0)
        self.head = ether + struct.pack("!H", 0x0800) + ip
        self.tail = b"\0" * (payload - 16)

    def frame(self):
        if self.raw is not None:
            return self.raw
        body = MAGIC + struct.pack("!IQ", self.number, self.seq) + self.tail
        return self.head + (self.echo_request(body) if self.echo else self.udp) + body

    def echo_request(self, body):
        head = struct.pack("!BBHHH", 8, 0, 0, self.number & 0xFFFF, self.seq & 0xFFFF)
        return head[:2] + struct.pack("!H", checksum(head + body)) + head[4:]

    def due(self, now):
        want = self.first + int((now - self.began) * self.pps) + 1
        return max(0, min(want if self.end is None else min(want, self.end), self.seq + BURST) - self.seq)

    def done(self):
        return self.end is not None and self.seq >= self.end


class Received:
    def __init__(self):
        self.clear()

    def clear(self):
        self.frames = self.octets = self.ignored = 0
        self.streams = {}
        # Numbers of each stream that came to a device on which the guest does not run.
        self.elsewhere = collections.defaultdict(set)
        self.recent = collections.deque(maxlen=256)

    def take(self, frame, vlan, cos, at, active):
        if not active:
            self.ignored += 1
            numbered = self.numbered(frame)
            if numbered is not None:
                self.elsewhere[numbered[0]].add(numbered[1])
            return
        self.frames += 1
        self.octets += len(frame)
        numbered = self.numbered(frame)
        if numbered is None:
            self.recent.append({"at": at, "vlan": vlan, "cos": cos, "hex": frame.hex()})
            return
        stream, seq = numbered
        s = self.streams.setdefault(stream, {"seen": set(), "count": 0, "last": -1, "lastAt": 0, "disorder": 0,
                                             "gapMs": 0, "vlans": set(), "times": array.array("d")})
        if s["count"]:
            s["gapMs"] = max(s["gapMs"], at - s["lastAt"])
        s["count"] += 1
        if seq < s["last"]:
            s["disorder"] += 1
        s["seen"].add(seq)
        s["vlans"].add(vlan)
        s["last"] = max(s["last"], seq)
        s["lastAt"] = at
        s["times"].append(at)

    @staticmethod
    def numbered(frame):
        at = 12
        while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        if frame[at:at + 2] != b"\x08\x00" or len(frame) < at + 46:
            return None
        magic = frame[at + 30:at + 34]
        if magic == PKTGEN:
            port, = struct.unpack_from("!H", frame, at + 24)
            return PKTGEN_STREAMS + port, struct.unpack_from("!I", frame, at + 34)[0]
        return struct.unpack_from("!IQ", frame, at + 34) if magic == MAGIC else None

    def report(self):
        return {
            "frames": self.frames, "bytes": self.octets, "ignored": self.ignored, "recent": list(self.recent),
            "streams": {str(k): {"count": s["count"], "unique": len(s["seen"]), "duplicates": s["count"] - len(s["seen"]),
                                 "first": min(s["seen"]), "last": s["last"], "lastAt": s["lastAt"],
                                 "disorder": s["disorder"], "vlans": sorted(s["vlans"]), "gapMs": s["gapMs"],
                                 "longest": self.longest(s["seen"]), "doubled": len(s["seen"] & self.elsewhere[k]),
                                 "missing": self.missing(s["seen"])} for k, s in self.streams.items()},
        }

    @staticmethod
    def longest(seen):
        """Of numbers in a row that never came."""
        ordered = sorted(seen)
        return max((b - a - 1 for a, b in zip(ordered, ordered[1:])), default=0)

    @staticmethod
    def missing(seen, most=50):
        gaps = []
        before = None
        for seq in sorted(seen):
            if before is not None and seq != before + 1:
                gaps.extend(range(before + 1, seq)[:most])
            before = seq
        return gaps[:most]


class Loop:
    def __init__(self):
        self.devices = {}
        self.streams = {}
        # When each number of a stream left, by the stream's number: milliseconds since the epoch.
        self.left = collections.defaultdict(lambda: array.array("d"))
        self.received = Received()
        self.sent = self.errors = 0
        self.paused = None
        self.poll = select.poll()
        self.by_fd = {}
        self.line = b""
        os.set_blocking(0, False)
        self.poll.register(0, select.POLLIN)

    def run(self):
        while True:
            now = time.monotonic()
            for stream in list(self.streams.values()) if self.paused is None else []:
                self.pump(stream, now)
            for fd, _event in self.poll.poll(self.pause()):
                if fd == 0:
                    self.commands()
                elif fd in self.by_fd:
                    self.receive(self.by_fd[fd])

    def pause(self):
        if not self.streams or self.paused is not None:
            return None
        now = time.monotonic()
        due = min(s.began + (s.seq - s.first) / s.pps - now for s in self.streams.values())
        # Millisecond grain: several frames of a fast stream go at once.
        return max(1, int(due * 1000)) if due > 0 else 0

    def active(self):
        return next((d for d in self.devices.values() if d.active), None)

    def pump(self, stream, now):
        device = self.active()
        for _ in range(stream.due(now)):
            if stream.raw is None:
                self.left[stream.number].append(time.time() * 1000)
            self.transmit(device, stream.frame())
            stream.seq += 1
        if stream.done():
            del self.streams[stream.id]
            self.reply(stream.id, {"sent": stream.seq - stream.first, "next": stream.seq})

    def transmit(self, device, frame):
        try:
            if device is None:
                raise OSError("no active device")
            device.tx.send(frame)
            self.sent += 1
        except OSError as e:
            self.errors += 1
            self.why = str(e)

    def receive(self, device, most=256):
        for _ in range(most):
            try:
                frame, aux, _flags, _address = device.rx.recvmsg(65535, 256)
            except BlockingIOError:
                return False
            except OSError:
                # The device went down or away; it may come back, or is dropped by a command.
                return False
            vlan, cos, at = None, None, 0
            for level, kind, data in aux:
                if level == SOL_PACKET and kind == PACKET_AUXDATA:
                    status, _l, _s, _m, _n, tci, _tpid = struct.unpack("IIIHHHH", data[:20])
                    if status & TP_STATUS_VLAN_VALID:
                        vlan, cos = tci & 0xFFF, tci >> 13
                elif level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanos = struct.unpack("qq", data[:16])
                    at = seconds * 1000 + nanos / 1e6
            if vlan is None and frame[12:14] == b"\x81\x00":
                tci = struct.unpack("!H", frame[14:16])[0]
                vlan, cos = tci & 0xFFF, tci >> 13
            self.received.take(frame, vlan, cos, at, device.active)
        return True

    def commands(self):
        chunk = os.read(0, 65536)
        if not chunk:
            sys.exit(0)
        self.line += chunk
        while b"\n" in self.line:
            text, self.line = self.line.split(b"\n", 1)
            command = json.loads(text)
            try:
                reply = getattr(self, "do_" + command["do"])(command)
                if reply is not None:
                    self.reply(command["id"], reply)
            except Exception as e:  # told to the caller, who fails its test with it
                self.reply(command["id"], {"error": "%s: %s" % (type(e).__name__, e)})

    def reply(self, ident, value):
        sys.stdout.write(json.dumps(dict(value, id=ident)) + "\n")
        sys.stdout.flush()

    def do_attach(self, c):
        device = Device(c["device"], c["active"])
        self.devices[device.name] = device
        self.by_fd[device.rx.fileno()] = device
        self.poll.register(device.rx.fileno(), select.POLLIN)
        return {}

    def do_detach(self, c):
        device = self.devices.pop(c["device"])
        self.poll.unregister(device.rx.fileno())
        del self.by_fd[device.rx.fileno()]
        device.close()
        return {}

    def do_pause(self, _c):
        """The guest stands still: what waits at its device still counts, and it does not send until it goes on."""
        old = self.active()
        if old is not None:
            while self.receive(old):
                pass
            old.active = False
        if self.paused is None:
            self.paused = time.monotonic()
        return {}

    def do_switch(self, c):
        """The guest goes on with this device: RARPs go first. What it did not send meanwhile it does not make up for."""
        self.do_pause(c)
        for stream in self.streams.values():
            stream.began += time.monotonic() - self.paused
        self.paused = None
        new = self.devices[c["device"]]
        new.active = True
        source = mac(c["mac"])
        rarp = b"\xff" * 6 + source + struct.pack("!HHHBBH", 0x8035, 1, 0x0800, 6, 4, 3)
        rarp += source + b"\0" * 4 + source + b"\0" * 4
        for _ in range(c["rarps"]):
            self.transmit(new, rarp + b"\0" * (60 - len(rarp)))
        return {"at": time.time() * 1000}

    def do_send(self, c):
        self.streams[c["id"]] = Stream(c)

    def do_stop(self, c):
        total = 0
        for stream in list(self.streams.values()):
            del self.streams[stream.id]
            total += stream.seq - stream.first
            self.reply(stream.id, {"sent": stream.seq - stream.first, "next": stream.seq})
        return {"sent": total}

    def do_left(self, c):
        """Numbers of a stream begin at 0 and leave in order, so that a number is a place."""
        return {"at": self.left[c["stream"]][c["seq"]]}

    def do_unanswered(self, c):
        """When those of a stream of echo requests left that were never answered, up to the last one that was."""
        answered = self.received.streams.get(c["stream"], {"seen": {0}})["seen"]
        left = self.left[c["stream"]]
        return {"at": [left[n] for n in range(min(answered), max(answered)) if n not in answered]}

    def do_around(self, c):
        """When the last of a stream came before a time, and the first after another."""
        times = self.received.streams.get(c["stream"], {"times": []})["times"]
        return {"before": max((t for t in times if t <= c["from"]), default=None),
                "after": min((t for t in times if t > c["to"]), default=None)}

    def do_stats(self, c):
        for device in self.devices.values():
            while self.receive(device):
                pass
        return dict(self.received.report(), sent=self.sent, errors=self.errors, why=getattr(self, "why", None))

    def do_reset(self, c):
        for device in self.devices.values():
            while self.receive(device):
                pass
        self.received.clear()
        return {}


Loop().run()
