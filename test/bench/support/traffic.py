"""Numbered frames at a steady rate, and when each arrived. Commands and replies are JSON lines.

What a device receives waits in its socket, stamped by the kernel, until it is asked for: nobody is woken for a frame
while something is measured. All times are of the monotonic clock, ms.
"""
import array
import binascii
import ctypes
import json
import os
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_IGNORE_OUTGOING = 23
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
RECEIVE_BYTES = 256 << 20
MAGIC = b"PTLB"
PAYLOAD = 42  # Ethernet, IPv4, UDP
BURST = 32  # more at one go would overrun the switch's socket
MESSAGES = 64


def now():
    return time.monotonic() * 1000


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(text):
    return binascii.unhexlify(text.replace(":", ""))


def datagram(c):
    """A UDP frame of 60 octets whose payload is MAGIC and a number."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0x4000, 64, 17, 0,
                     socket.inet_aton(c["srcIp"]), socket.inet_aton(c["dstIp"]))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    udp = struct.pack("!HHHH", c["srcPort"], c["dstPort"], 26, 0)
    return bytearray(mac(c["dstMac"]) + mac(c["srcMac"]) + b"\x08\x00" + ip + udp + MAGIC + b"\0" * 14)


class Stream:
    """Frames that leave one after the other, `pps` a second, up to `count`; without it until they are stopped."""

    def __init__(self, command, out):
        self.id, self.out, self.pps, self.count = command["id"], out, command["pps"], command.get("count")
        self.seq, self.began = 0, time.monotonic()
        self.left = array.array("d")
        self.prepare(command)

    def prepare(self, command):
        self.frame = datagram(command)

    def number(self):
        struct.pack_into("!Q", self.frame, PAYLOAD + 4, self.seq)

    def due_at(self):
        return self.began + self.seq / self.pps

    def done(self):
        return self.count is not None and self.seq >= self.count

    def pump(self, at):
        want = int((at - self.began) * self.pps) + 1
        want = want if self.count is None else min(want, self.count)
        for _ in range(min(want - self.seq, BURST)):
            self.number()
            self.left.append(now())
            self.out.send(self.frame)
            self.seq += 1

    def report(self):
        return {"left": self.left.tolist()}


class Spray(Stream):
    """Frames of no protocol, each to another address from `dstMac` on."""

    def prepare(self, command):
        self.frame = bytearray(mac(command["dstMac"]) + mac(command["srcMac"]) + b"\x88\xb5" + b"\0" * 46)
        self.first = int.from_bytes(self.frame[2:6], "big")

    def number(self):
        struct.pack_into("!I", self.frame, 2, self.first + self.seq)

    def report(self):
        return {}


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.c_void_p),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("length", ctypes.c_uint)]


class Batch:
    """One frame many times, with one system call."""

    def __init__(self, frame):
        self.frame = ctypes.create_string_buffer(bytes(frame), len(frame))
        self.iov = Iovec(ctypes.addressof(self.frame), len(frame))
        one = lambda: Message(None, 0, ctypes.addressof(self.iov), 1, None, 0, 0, 0)
        self.messages = (Message * MESSAGES)(*[one() for _ in range(MESSAGES)])
        self.libc = ctypes.CDLL(None, use_errno=True)

    def send(self, out, count=MESSAGES):
        sent = self.libc.sendmmsg(out.fileno(), self.messages, min(count, MESSAGES), 0)
        if sent < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")
        return sent


class Loop:
    def __init__(self):
        self.listening = {}
        self.sending = {}
        self.streams = {}
        self.line = b""
        os.set_blocking(0, False)

    def run(self):
        while True:
            at = time.monotonic()
            for stream in list(self.streams.values()):
                stream.pump(at)
                if stream.done():
                    self.finish(stream)
            wait = None
            if self.streams:
                wait = max(0.0, min(s.due_at() for s in self.streams.values()) - time.monotonic())
            if select.select([0], [], [], wait)[0]:
                self.commands()

    def finish(self, stream):
        del self.streams[stream.id]
        self.reply(stream.id, stream.report())

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
            except Exception as e:  # told to the caller, who fails with it
                self.reply(command["id"], {"error": "%s: %s" % (type(e).__name__, e)})

    def reply(self, ident, value):
        sys.stdout.write(json.dumps(dict(value, id=ident)) + "\n")
        sys.stdout.flush()

    def out(self, device):
        if device not in self.sending:
            self.sending[device] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.sending[device].bind((device, 0))
        return self.sending[device]

    def do_listen(self, c):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setblocking(False)
        sock.bind((c["device"], ETH_P_ALL))
        self.listening[c["device"]] = sock
        return {}

    def do_taken(self, c):
        """Numbered frames since it was last asked, in the order of their arrival."""
        sock = self.listening[c["device"]]
        ahead = time.time() * 1000 - now()
        numbers, times = [], []
        while True:
            try:
                frame, control, _flags, _address = sock.recvmsg(128, 64)
            except BlockingIOError:
                break
            if frame[PAYLOAD:PAYLOAD + 4] != MAGIC:
                continue
            seconds, nanos = struct.unpack("qq", control[0][2][:16])
            numbers.append(struct.unpack_from("!Q", frame, PAYLOAD + 4)[0])
            times.append(seconds * 1000 + nanos / 1e6 - ahead)
        dropped = struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        return {"numbers": numbers, "times": times, "dropped": dropped}

    def do_stream(self, c):
        self.streams[c["id"]] = Stream(c, self.out(c["device"]))

    def do_spray(self, c):
        self.streams[c["id"]] = Spray(c, self.out(c["device"]))

    def do_stop(self, _c):
        for stream in list(self.streams.values()):
            self.finish(stream)
        return {}

    def do_flood(self, c):
        """As fast as it goes, for so many ms; with `pps`, at that rate."""
        out, batch = self.out(c["device"]), Batch(datagram(c))
        began, sent, pps = time.monotonic(), 0, c.get("pps")
        end = began + c["ms"] / 1000
        while (at := time.monotonic()) < end:
            due = MESSAGES if pps is None else int((at - began) * pps) - sent
            if due >= 1:
                sent += batch.send(out, min(due, BURST if pps else MESSAGES))
            else:
                time.sleep(0.0002)
        return {"sent": sent, "ms": (time.monotonic() - began) * 1000}


Loop().run()
