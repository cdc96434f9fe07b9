# SPDX-License-Identifier: GPL-3.0-or-later
"""sparkplug: an edge node as its specification describes it, with payloads written by hand (the
few protobuf fields it takes), so that it shares nothing with what reads them."""

import struct
import threading

import paho.mqtt.client as paho

from procs import wait_for

INT32, UINT64, FLOAT, BOOLEAN, STRING = 3, 8, 9, 11, 12


def varint(n):
    out = bytearray()
    while True:
        out.append((n & 127) | (128 if n > 127 else 0))
        n >>= 7
        if not n:
            return bytes(out)


def field(number, wire, data):
    return varint(number << 3 | wire) + data


def block(number, data):
    return field(number, 2, varint(len(data)) + data)


def metric(name=None, alias=None, t_ms=None, kind=None, value=None, unit=None, say_kind=True):
    out = b"" if name is None else block(1, name.encode())
    out += b"" if alias is None else field(2, 0, varint(alias))
    out += b"" if t_ms is None else field(3, 0, varint(t_ms))
    out += field(4, 0, varint(kind)) if say_kind else b""
    if unit:
        out += block(9, block(1, b"engUnit") + block(2, field(1, 0, varint(STRING)) + block(8, unit.encode())))
    if kind == INT32:
        out += field(10, 0, varint(value & 0xFFFFFFFF))
    elif kind == UINT64:
        out += field(11, 0, varint(value))
    elif kind == FLOAT:
        out += field(12, 5, struct.pack("<f", value))
    elif kind == BOOLEAN:
        out += field(14, 0, varint(int(value)))
    elif kind == STRING:
        out += block(15, value.encode())
    return out


def payload(t_ms, metrics, seq=None):
    out = field(1, 0, varint(t_ms)) + b"".join(block(2, m) for m in metrics)
    return out if seq is None else out + field(3, 0, varint(seq))


class Edge:
    """metrics: {name: (kind, value, unit)} of the node itself; devices: {device: the same}."""

    def __init__(self, broker_port, group, name, t_ms, metrics, devices=None):
        self.group, self.name, self.t_ms = group, name, t_ms
        self.metrics, self.devices = metrics, devices or {}
        self.seq, self.session, self.rebirths, self.answers = 0, 0, 0, True
        self.alias = {}
        self.ready = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"{group}-{name}")
        self.client.will_set(self.topic("NDEATH"), self.death(), qos=1)
        self.client.on_message = lambda *_: self.commanded()
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.connect("127.0.0.1", broker_port)
        self.client.subscribe(self.topic("NCMD"), 1)
        self.client.loop_start()
        assert self.ready.wait(10)

    def topic(self, kind, device=None):
        return f"spBv1.0/{self.group}/{kind}/{self.name}" + (f"/{device}" if device else "")

    def death(self):
        return payload(self.t_ms, [metric("bdSeq", kind=UINT64, value=self.session)])

    def commanded(self):
        self.rebirths += 1
        if self.answers:
            self.birth(wait=False)

    def send(self, kind, device, metrics, wait=True):
        body = payload(self.t_ms, metrics, self.seq)
        self.seq = (self.seq + 1) % 256
        info = self.client.publish(self.topic(kind, device), body, qos=1)
        if wait:
            info.wait_for_publish(30)
        return body

    def birth(self, wait=True):
        self.seq = 0
        own = [metric("bdSeq", kind=UINT64, value=self.session),
               metric("Node Control/Rebirth", kind=BOOLEAN, value=False)]
        self.send("NBIRTH", None, own + self.announce(None, self.metrics), wait)
        for device, metrics in self.devices.items():
            self.send("DBIRTH", device, self.announce(device, metrics), wait)

    def announce(self, device, metrics):
        out = []
        for name, (kind, value, unit) in metrics.items():
            alias = self.alias.setdefault((device, name), len(self.alias) + 1)
            out.append(metric(name, alias, self.t_ms, kind, value, unit))
        return out

    def data(self, values, t_ms, device=None):
        """values by name, sent by alias, without their types."""
        kinds = self.devices[device] if device else self.metrics
        return self.send("DDATA" if device else "NDATA", device,
                         [metric(None, self.alias[device, n], t_ms, kinds[n][0], v, say_kind=False)
                          for n, v in values.items()])

    def die(self):
        """The connection breaks: the broker publishes the will."""
        self.client.loop_stop()
        self.client._sock_close()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def wait_asked(self, times):
        wait_for(lambda: self.rebirths >= times, 20, f"rebirth number {times} to be asked for")
