#!/usr/bin/env python3
"""A service that hands over: it answers HTTP on the first socket that it was given (LISTEN_FDS; keep-alive, a thread for each
connection), counts the requests, and gives the count to the generation after it, over the hand-over channel of docs/graceful.md.
Written against that page and the standard library alone, so that it says something about the protocol and not about a client.

SIGUSR2: it leaves its state in UPKEEP_STATE_FILE and exits with 75, for `restart: {alwaysAfter: [75]}`.

GET / answers {"generation", "pid", "count", "bytes"}: `bytes` is how large a state it was given. `count` stands still while
its state is being written, and goes on when the hand-over came to nothing.

Environment:
  HO_CHANNEL=no     it knows nothing of hand-overs: LISTEN_FDS, READY=1 by datagram, SIGTERM (graceful D16)
  HO_STATE=no       it speaks the channel, and has no state to hand over
  HO_SAY=channel    READY=1 goes over the channel, not by datagram
  HO_SIZE=N         its state has N bytes beside the count (default 0)
  HO_CHILDREN=N     it has so many children, which end with nobody (each a step "child" with "child")
  HO_WARMUP=S       seconds between having its state and being ready (default 0)
  HO_LOG=PATH       a line of JSON is appended for each step: {"generation", "pid", "event", …}; events: connected, told (with
                    "word"), exporting, exported, froze, thawed, imported, refused, ready, accepting, draining, lost, ends
  HO_SWITCH=DIR     read anew at each step, so that a test can change its mind while generations live:
    DIR/refuse      if it is there, a new generation refuses, with this text as the reason
    DIR/fault       lines; each is one fault, which happens in whoever comes to that point:
      new:exit-before-read [CODE]   new:exit-after-read [CODE]   new:never-reads   new:never-ready
      new:exit-after-ready [CODE]   new:dies-after-accept [SECONDS]
      old:cannot-export             old:never-writes             old:dies-before-export
      old:dies-mid-export           old:dies-after-export        old:truncates   old:corrupts   old:newer-schema
      old:never-drains
"""

import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

ENV = dict(os.environ)
GENERATION = int(ENV.get("UPKEEP_GENERATION", "0"))
SUCCEEDS = ENV.get("UPKEEP_SUCCEEDS")
SCHEMA = 1
MAGIC = b"UPKSTATE"


def log(event, **more):
    path = ENV.get("HO_LOG")
    if path is None:
        return
    line = json.dumps({"generation": GENERATION, "pid": os.getpid(), "event": event, **more})
    with open(path, "a", encoding="utf8") as file:
        file.write(line + "\n")


def switch(name):
    try:
        with open(os.path.join(ENV.get("HO_SWITCH", "/nonexistent"), name), encoding="utf8") as file:
            return file.read()
    except OSError:
        return None


def fault(point):
    """Its argument, as text, where this fault is switched on; else None."""
    for line in (switch("fault") or "").splitlines():
        name, _, argument = line.strip().partition(" ")
        if name == point:
            return argument
    return None


def leave(code):
    log("ends", code=code)
    os._exit(code)


class State:
    """What is handed over: the count, and bytes that stand for more."""

    def __init__(self):
        self.lock = threading.Lock()
        self.count = 0
        self.bytes = 0
        self.frozen = False

    def request(self):
        with self.lock:
            if not self.frozen:
                self.count += 1
            return self.count

    def freeze(self):
        with self.lock:
            self.frozen = True
        log("froze", count=self.count)

    def thaw(self):
        with self.lock:
            self.frozen = False
        log("thawed", count=self.count)


STATE = State()


# ---- the state on the wire ----

def chunks_of_state():
    yield json.dumps({"count": STATE.count}).encode()
    left = int(ENV.get("HO_SIZE", "0"))
    block = bytes(range(256)) * 1024
    while left > 0:
        yield block[: min(left, len(block))]
        left -= len(block)


def write_state(file):
    schema = SCHEMA + 1 if fault("old:newer-schema") is not None else SCHEMA
    header = json.dumps({"schema": schema, "service": ENV.get("UPKEEP_SERVICE"), "generation": GENERATION}).encode()
    digest = hashlib.sha256(header)
    total = 0
    file.write(MAGIC + bytes([1]) + struct.pack(">I", len(header)) + header)
    for index, chunk in enumerate(chunks_of_state()):
        digest.update(chunk)
        total += len(chunk)
        file.write(struct.pack(">I", len(chunk)) + chunk)
        file.flush()
        if index == 0 and fault("old:dies-mid-export") is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 0 and fault("old:truncates") is not None:
            return total
    checksum = digest.digest() if fault("old:corrupts") is None else bytes(32)
    file.write(struct.pack(">I", 0) + struct.pack(">Q", total) + checksum)
    return total


def read_exactly(file, length):
    data = file.read(length)
    if len(data) < length:
        raise ValueError("the state ends before its end mark")
    return data


def read_state(file):
    if read_exactly(file, len(MAGIC)) != MAGIC:
        raise ValueError("this is no state")
    if read_exactly(file, 1)[0] != 1:
        raise ValueError("the state has a format that is not known here")
    header = read_exactly(file, struct.unpack(">I", read_exactly(file, 4))[0])
    if json.loads(header)["schema"] > SCHEMA:
        raise ValueError("the state has a newer schema")
    digest = hashlib.sha256(header)
    total = 0
    first = None
    while True:
        length = struct.unpack(">I", read_exactly(file, 4))[0]
        if length == 0:
            break
        chunk = read_exactly(file, length)
        digest.update(chunk)
        total += length
        first = first or chunk
    if struct.unpack(">Q", read_exactly(file, 8))[0] != total or read_exactly(file, 32) != digest.digest():
        raise ValueError("the state is corrupt")
    return json.loads(first)["count"], total


# ---- the channel ----

class Channel:
    def __init__(self):
        self.socket = None
        self.accepted = threading.Event()
        self.imported = threading.Event()
        self.source = None
        self.drain = lambda: None
        self.lock = threading.Lock()

    def connect(self):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.connect(ENV["UPKEEP_SOCKET"])
        path = "/v1/services/%s/handover" % ENV["UPKEEP_SERVICE"]
        stream.sendall(
            ("GET %s HTTP/1.1\r\nHost: upkeep\r\nConnection: Upgrade\r\nUpgrade: upkeep-handover/1\r\n\r\n" % path).encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            piece = stream.recv(4096)
            if not piece:
                raise OSError("the keeper said: " + head.decode(errors="replace"))
            head += piece
        status, _, rest = head.partition(b"\r\n\r\n")
        if b" 101 " not in status.split(b"\r\n")[0]:
            raise OSError("the keeper said: " + head.decode(errors="replace"))
        self.socket = stream
        log("connected")
        self.say({"say": "hello", "state": ENV.get("HO_STATE") != "no"})
        threading.Thread(target=self.listen, args=(stream, rest), daemon=True).start()

    def connect_soon(self):
        while True:
            try:
                self.connect()
                return
            except OSError as error:
                log("lost", reason=str(error))
                time.sleep(0.1)

    def say(self, word):
        try:
            with self.lock:
                self.socket.sendall((json.dumps(word) + "\n").encode())
        except OSError:
            pass  # whoever listens notices

    def listen(self, stream, rest):
        try:
            while True:
                while b"\n" in rest:
                    line, _, rest = rest.partition(b"\n")
                    self.obey(json.loads(line))
                piece = stream.recv(65536)
                if not piece:
                    break
                rest += piece
        except OSError:
            pass
        log("lost")
        if SUCCEEDS is not None and not self.accepted.is_set():
            leave(1)  # no commit without a keeper
        if STATE.frozen:
            STATE.thaw()
        self.connect_soon()

    def obey(self, word):
        log("told", word=word)
        do = word.get("do")
        if do == "export":
            threading.Thread(target=self.export, args=(word["to"],), daemon=True).start()
        elif do == "import":
            self.source = word["from"]
            self.imported.set()
        elif do == "accept":
            self.accepted.set()
        elif do == "drain":
            self.drain()
        elif do == "thaw":
            STATE.thaw()

    def export(self, path):
        if fault("old:dies-before-export") is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        STATE.freeze()
        if fault("old:cannot-export") is not None:
            self.say({"say": "exportFailed", "reason": "its exporter failed"})
            return
        if fault("old:never-writes") is not None:
            return
        log("exporting", to=path)
        try:
            with open(path, "wb") as file:
                total = write_state(file)
        except OSError as error:
            self.say({"say": "exportFailed", "reason": str(error)})
            return
        log("exported", bytes=total)
        self.say({"say": "exported", "bytes": total})
        if fault("old:dies-after-export") is not None:
            os.kill(os.getpid(), signal.SIGKILL)


CHANNEL = Channel()


def notify(text):
    if ENV.get("HO_SAY") == "channel":
        CHANNEL.say({"say": "notify", "text": text})
        return
    address = ENV.get("NOTIFY_SOCKET")
    if address is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect("\0" + address[1:] if address.startswith("@") else address)
        out.sendall(text.encode())


# ---- the web ----

class Server:
    """Stops accepting and lets everybody finish: each answer says that it is the last, and who is silent for a while is closed."""

    PATIENCE = 0.5

    def __init__(self):
        count = int(ENV.get("LISTEN_FDS", "0")) if ENV.get("LISTEN_PID") == str(os.getpid()) else 0
        self.listeners = [socket.socket(fileno=3 + i) for i in range(count)]
        self.draining = threading.Event()
        self.serves = False
        self.open = 0
        self.lock = threading.Lock()

    def accept(self):
        self.serves = True
        log("accepting")
        for listener in self.listeners:
            listener.settimeout(0.05)
            threading.Thread(target=self.accept_at, args=(listener,), daemon=True).start()

    def accept_at(self, listener):
        while not self.draining.is_set():
            try:
                connection, _ = listener.accept()
            except (TimeoutError, BlockingIOError):
                continue
            with self.lock:
                self.open += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.answer_all(connection)
        except OSError:
            pass
        finally:
            connection.close()
            with self.lock:
                self.open -= 1

    def answer_all(self, connection):
        connection.settimeout(self.PATIENCE)
        asked = b""
        while True:
            while b"\r\n\r\n" not in asked:
                try:
                    piece = connection.recv(65536)
                except TimeoutError:
                    if self.draining.is_set():
                        return
                    continue
                if not piece:
                    return
                asked += piece
            head, _, asked = asked.partition(b"\r\n\r\n")
            answer = {"generation": GENERATION, "pid": os.getpid(), "count": STATE.request(), "bytes": STATE.bytes}
            body = json.dumps(answer).encode()
            is_last = self.draining.is_set() or b"connection: close" in head.lower()
            kept = b"close" if is_last else b"keep-alive"
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s"
                % (len(body), kept, body)
            )
            if is_last:
                return

    def drain(self, *_):
        if not self.serves:
            leave(0)
        if self.draining.is_set() or fault("old:never-drains") is not None:
            return
        log("draining", open=self.open)
        self.draining.set()

    def wait(self):
        while not self.draining.is_set() or self.open > 0:
            time.sleep(0.02)


def leave_state(*_):
    STATE.freeze()
    with open(ENV["UPKEEP_STATE_FILE"], "wb") as file:
        write_state(file)
    leave(75)


def take_over():
    """The state of the generation before; refuses where it cannot be used."""
    if fault("new:exit-before-read") is not None:
        leave(int(fault("new:exit-before-read") or 3))
    if fault("new:never-reads") is not None:
        CHANNEL.say({"say": "wantsState"})
        time.sleep(3600)
    if ENV.get("HO_STATE") == "no":
        return
    CHANNEL.say({"say": "wantsState"})
    CHANNEL.imported.wait()
    if CHANNEL.source is not None:
        try:
            with open(CHANNEL.source, "rb") as file:
                STATE.count, STATE.bytes = read_state(file)
        except (OSError, ValueError) as error:
            refuse(str(error))
    log("imported", source=CHANNEL.source, count=STATE.count, bytes=STATE.bytes)
    if fault("new:exit-after-read") is not None:
        leave(int(fault("new:exit-after-read") or 3))
    reason = switch("refuse")
    if reason is not None and SUCCEEDS is not None:
        refuse(reason.strip())


def refuse(reason):
    log("refused", reason=reason)
    CHANNEL.say({"say": "refused", "reason": reason})
    time.sleep(0.2)
    leave(1)


def main():
    for _ in range(int(ENV.get("HO_CHILDREN", "0"))):
        log("child", child=subprocess.Popen(["sleep", "infinity"]).pid)
    server = Server()
    speaks = ENV.get("HO_CHANNEL") != "no"
    signal.signal(signal.SIGTERM, server.drain)
    signal.signal(signal.SIGUSR2, leave_state)
    if speaks:
        CHANNEL.drain = server.drain
        CHANNEL.connect_soon()
        take_over()
    time.sleep(float(ENV.get("HO_WARMUP", "0")))
    if SUCCEEDS is not None and fault("new:never-ready") is not None:
        time.sleep(3600)
    if speaks and SUCCEEDS is not None:
        notify("READY=1\nSTATUS=generation %d" % GENERATION)
        log("ready")
        if fault("new:exit-after-ready") is not None:
            leave(int(fault("new:exit-after-ready") or 0))
        CHANNEL.accepted.wait()
        server.accept()
        late = fault("new:dies-after-accept")
        if late is not None:
            time.sleep(float(late or 0.1))
            os.kill(os.getpid(), signal.SIGKILL)
    else:
        server.accept()
        notify("READY=1\nSTATUS=generation %d" % GENERATION)
        log("ready")
    server.wait()
    leave(0)


if __name__ == "__main__":
    main()
