#!/usr/bin/env python3
"""The official CloudEvents SDK of Python (PyPI `cloudevents`) against the real server, in all three modes, while the server
takes fewer requests than are sent, and is killed and started again. Nothing may be lost, and nothing doubled.

    tests/interop/cloudevents.py

Makes a virtual environment in a temporary folder and builds the server, unless INDELIBLE names one.
"""

import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

# This file has the name of the package.
sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]
sys.path.append(str(Path(__file__).resolve().parent))
import server as interop  # noqa: E402

EVENTS = 300

folder = interop.folder()
interop.packages(folder, "cloudevents==2.2.0")

from cloudevents.core.bindings.http import to_binary, to_structured  # noqa: E402
from cloudevents.core.formats.json import JSONFormat  # noqa: E402
from cloudevents.core.v1.event import CloudEvent  # noqa: E402

server = interop.Server(interop.binary(), folder, "server.rate.per_key=5/1s")
server.start()

status, _, headers = server.ask("OPTIONS", "/v1/events", headers={"WebHook-Request-Origin": "sdk.example"})
assert status == 200 and headers["WebHook-Allowed-Origin"] == "sdk.example", (status, headers)


def event(n):
    attributes = {
        "id": f"id-{n}", "source": "/sdk/python", "type": "com.example.thing", "subject": f"Größe {n} %",
        "time": datetime.now(timezone.utc), "datacontenttype": "application/json", "traceparent":
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    return CloudEvent(attributes=attributes, data={"n": n, "word": f"sdk-{n}"})


def deliver(headers, body):
    """Until it is answered that it is recorded; every seventh is delivered twice."""
    while True:
        try:
            status, text, _ = server.ask("POST", "/v1/events", body, headers)
            assert status in (200, 429, 503), (status, text)
            if status == 200:
                return
            time.sleep(0.05)
        except OSError:
            server.process.wait(60)
            server.start()


kills = 0
for n in range(EVENTS):
    if n % 3 == 2:
        body = b"[" + to_structured(event(n), JSONFormat()).body + b"]"
        message = ({"content-type": "application/cloudevents-batch+json"}, body)
    else:
        made = (to_structured if n % 3 else to_binary)(event(n), JSONFormat())
        message = (made.headers, made.body)
    for _ in range(2 if n % 7 == 0 else 1):
        deliver(*message)
    if n % 100 == 50:
        # The next delivery finds nobody there.
        server.end(signal.SIGKILL)
        kills += 1

events = server.events("type:com.example.thing")
expected = [f"sdk-{n}" for n in range(EVENTS)]
lost, doubled = interop.once(events, expected, lambda event: [event["attributes"]["data"]["word"]])
for one in events:
    n = one["attributes"]["data"]["n"]
    assert one["targets"][0]["id"] == f"Größe {n} %", one
    assert one["trace_id"] == "0af7651916cd43dd8448eb211c80319c", one
later = server.said_later()
server.end()
print(f"{EVENTS} events in 3 modes, {kills} kills, told {later} times to send again later: {len(lost)} lost, {len(doubled)} doubled")
assert not lost and not doubled, (lost[:10], doubled[:10])
assert later > 0, "there was no back-pressure"
