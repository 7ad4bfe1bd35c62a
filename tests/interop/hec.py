#!/usr/bin/env python3
"""A client library of Splunk's HTTP Event Collector (PyPI `splunk_handler`) and one that waits for acknowledgements send to
the real server, which takes fewer requests than they send, and is killed and started again meanwhile. Nothing may be lost, and
nothing doubled.

    tests/interop/hec.py

Makes a virtual environment in a temporary folder and builds the server, unless INDELIBLE names one.
"""

import gzip
import json
import logging
import random
import signal
import threading
import time
import urllib.error
import urllib.request
import uuid

import server as interop

LOGGED, BATCHES, BATCH = 3000, 120, 25

folder = interop.folder()
interop.packages(folder, "splunk_handler==3.0.0")

import splunk_handler  # noqa: E402

# 503 and code 9 for every request beyond it.
server = interop.Server(interop.binary(), folder, "server.rate.per_key=25/1s")
server.start()


def log():
    """Lines of a logger of Python, retried by the library: for each connection that breaks, and each 5xx."""
    handler = splunk_handler.SplunkHandler(
        host="127.0.0.1", port=server.port, token=interop.TOKEN, index="main", protocol="http", verify=False,
        flush_interval=0.05, queue_size=0, retry_count=200, retry_backoff=0.05, sourcetype="interop", hostname="logger")
    logger = logging.getLogger("interop")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    for n in range(LOGGED):
        logger.info("logged-%d", n)
        time.sleep(0.002)
    handler.close()


def collect(path, body):
    headers = {"Authorization": f"Splunk {interop.TOKEN}", "X-Splunk-Request-Channel": CHANNEL}
    if path.endswith("event"):
        body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
    request = urllib.request.Request(server.url + path, body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


CHANNEL = str(uuid.uuid4())
resent = 0


def acknowledge():
    """Batches that are sent until their acknowledgement is seen, and every fifth of them twice for nothing."""
    global resent
    for n in range(BATCHES):
        began = time.time()
        body = b"".join(
            json.dumps({"time": f"{began:.6f}", "host": "acker", "event": {"n": f"acked-{n}-{i}"}}).encode()
            for i in range(BATCH))
        is_done, sent = False, 0
        while not is_done:
            try:
                told = collect("/services/collector/event", body)
                assert told["code"] == 0, told
                sent += 1
                acks = collect("/services/collector/ack", json.dumps({"acks": [told["ackId"]]}).encode())
                is_done = acks["acks"][str(told["ackId"])] and (n % 5 or sent > 1)
            except (OSError, urllib.error.HTTPError):
                time.sleep(0.1)
        resent += sent - 1
        time.sleep(0.03)


threads = [threading.Thread(target=log), threading.Thread(target=acknowledge)]
for thread in threads:
    thread.start()
kills = 0
while any(thread.is_alive() for thread in threads):
    time.sleep(random.uniform(0.8, 1.6))
    if kills < 4:
        server.end(signal.SIGKILL if kills % 2 == 0 else signal.SIGTERM)
        time.sleep(0.3)
        server.start()
        kills += 1
for thread in threads:
    thread.join()

events = server.events("type:log.entry")
expected = [f"logged-{n}" for n in range(LOGGED)]
expected += [f"acked-{n}-{i}" for n in range(BATCHES) for i in range(BATCH)]


def words(event):
    return [event.get("message") or event["attributes"]["event"]["n"]]


lost, doubled = interop.once(events, expected, words)
later = server.said_later()
server.end()
print(f"{len(expected)} events of 2 clients, {kills} restarts (every other by SIGKILL), {resent} batches sent again: "
      f"told {later} times to send again later; {len(lost)} lost, {len(doubled)} doubled")
assert later > 0, "there was no back-pressure"
assert kills >= 2, "the server was not restarted while they sent"
assert not lost and not doubled, (lost[:10], doubled[:10])
