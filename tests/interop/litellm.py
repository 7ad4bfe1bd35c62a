#!/usr/bin/env python3
"""A real LiteLLM proxy, without a licence and without a database, against the real server: by its `generic_api` callback, and in
a second run by OpenTelemetry. Models are mocks of the proxy's own, and one that nobody answers for.

    tests/interop/litellm.py [--calls 24] [--by generic_api|otlp]

Calls, streamed calls, calls that fail and calls with keys that are none must each be found once, though the server takes fewer
requests than the proxy sends and is killed (kill -9) and started again meanwhile. By `generic_api` there are no calls while a batch
is on its way: 1.105.3 forgets those (`async_send_batch` clears the queue at its end, with all that came since its beginning), and
that is not what is tested here. And nothing of a prompt or an answer may be in
an event, in the quarantine, in a file of the server's or in what it says.

Makes a virtual environment in a temporary folder, or uses the one that LITELLM_VENV names, and builds the server, unless
INDELIBLE names one. If something is wrong, everything is kept in the folder that INTEROP_KEEP names. Exit code 77 if the
packages can't be had.
"""
import argparse
import atexit
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if ready := os.environ.get("LITELLM_VENV"):
    os.environ["INTEROP_VENV"] = ready

import server as interop  # noqa: E402

folder = interop.folder()
interop.packages(
    folder,
    "litellm[proxy]==1.105.3",
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
)
# Words that stand nowhere else: in what a model is told, in what it says, in what is sent beside it.
PROMPT, ANSWER, HEADER = "zebra-told-7f3a", "giraffe-said-9c1e", "okapi-header-5d2b"
# Seconds from the end of a batch to the next.
FLUSH = 25
JSON = {"content-type": "application/json"}
MASTER = "sk-" + secrets.token_hex(24)


class Proxy:
    """The proxy, with one callback."""

    def __init__(self, by, server, token, place):
        self.port, self.token = interop.free_port(), token
        self.url = f"http://127.0.0.1:{self.port}"
        config = {
            "model_list": [
                {"model_name": "fake-gpt", "litellm_params": {
                    "model": "openai/fake-gpt", "api_key": "none", "mock_response": f"It is {ANSWER}, I think"}},
                {"model_name": "broken", "litellm_params": {
                    "model": "openai/broken", "api_key": "none", "api_base": "http://127.0.0.1:9/v1", "max_retries": 0}},
            ],
            "general_settings": {"master_key": MASTER},
            "litellm_settings": {"callbacks": ["indelible" if by == "generic_api" else "otel"], "num_retries": 0},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        }
        environment = dict(
            os.environ, LITELLM_LOCAL_MODEL_COST_MAP="True", DEFAULT_FLUSH_INTERVAL_SECONDS=str(FLUSH), NO_PROXY="127.0.0.1")
        for name in ("LITELLM_LICENSE", "DATABASE_URL"):
            environment.pop(name, None)
        if by == "generic_api":
            config["callback_settings"] = {"indelible": {
                "callback_type": "generic_api", "endpoint": server.url + "/ingest/litellm", "log_format": "ndjson",
                "headers": {"Authorization": f"Bearer {token}"}, "max_retries": 6, "retry_delay": 0.5, "timeout": 20}}
        else:
            environment.update(
                OTEL_EXPORTER="otlp_http", OTEL_ENDPOINT=server.url + "/v1/traces", OTEL_BSP_SCHEDULE_DELAY="500",
                OTEL_EXPORTER_OTLP_TIMEOUT="60", OTEL_HEADERS=f"authorization=Bearer {token}")
        self.said = place / "proxy.log"
        (place / "config.yaml").write_text(json.dumps(config))
        self.log = open(self.said, "wb")
        # What its own command does, which lies elsewhere if the environment has the package from another.
        command = [sys.executable, "-c", "import litellm; litellm.run_server()"]
        command += ["--config", place / "config.yaml", "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=environment, cwd=place, stdout=self.log, stderr=self.log)
        atexit.register(self.process.kill)
        for _ in range(600):
            try:
                urllib.request.urlopen(self.url + "/health/liveliness", timeout=5).read()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.5)
        print(self.said.read_text()[-4000:], file=sys.stderr)
        raise SystemExit("the proxy does not get ready")

    def use_up(self, server, until):
        """Asks with the proxy's own key until it may ask no more, and goes on until it is said that this was seen."""
        for _ in range(20 * FLUSH):
            if until():
                return
            request = urllib.request.Request(server.url + "/v1/whoami", headers={"authorization": f"Bearer {self.token}"})
            try:
                urllib.request.urlopen(request, timeout=20).read()
            except urllib.error.HTTPError as error:
                error.read()
            time.sleep(0.1)
        raise SystemExit("the proxy was never told to come again later")

    def call(self, path, body, key=MASTER):
        """The status, and the id that the proxy gave the call."""
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "x-note": HEADER}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                answer.read()
                return answer.status, answer.headers.get("x-litellm-call-id")
        except urllib.error.HTTPError as error:
            error.read()
            return error.code, error.headers.get("x-litellm-call-id")

    def wait_to_say(self, words, before):
        """Until it has said something more than so many times."""
        for _ in range(4 * FLUSH):
            if self.said.read_text().count(words) > before:
                return
            time.sleep(0.5)
        raise SystemExit(f"the proxy did not say {words!r}")

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)
        self.log.close()


def body(n, model="fake-gpt", **more):
    return {"model": model, "user": f"user-{n}", "messages": [{"role": "user", "content": f"{PROMPT} number {n}"}], **more}


def traffic(proxy, numbers, told):
    """Four kinds of calls, some at once. What the proxy said of each is added to what it told."""
    kinds = {
        "call": lambda n: proxy.call("/v1/chat/completions", body(n)),
        "streamed": lambda n: proxy.call("/v1/chat/completions", body(n, stream=True)),
        "failed": lambda n: proxy.call("/v1/chat/completions", body(n, "broken")),
        "bad key": lambda n: proxy.call("/v1/chat/completions", body(n), f"sk-{n:04}-" + "nobody-has-this-key"),
    }

    def one(n):
        for kind, how in kinds.items():
            told.setdefault(kind, []).append((n, *how(n)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, numbers))
    return told


def in_bursts(proxy, server, calls, said):
    """Bursts between two batches: one that is taken, one that finds nobody, one that is told to come again later."""
    told, retrying = {}, "Generic API Logger - retrying request"
    # One call, to know when batches are sent.
    proxy.call("/v1/chat/completions", body("first"))
    arrived(server, 1)
    for n in range(3):
        began = time.monotonic()
        traffic(proxy, range(n, calls, 3), told)
        took = time.monotonic() - began
        if took > FLUSH - 6:
            raise SystemExit(f"a burst took {took:.0f} s: this machine is too slow for this test, or --calls too many")
        # What the proxy logs, it logs a moment after it has answered.
        time.sleep(2)
        retries = proxy.said.read_text().count(retrying)
        if n == 1:
            server.end(signal.SIGKILL)
            proxy.wait_to_say(retrying, retries)
            server.start(said)
        if n == 2:
            # As many requests as its key may send now are used up by somebody else with the key.
            proxy.use_up(server, lambda: proxy.said.read_text().count(retrying) > retries)
        arrived(server, 1 + 4 * sum(len(range(m, calls, 3)) for m in range(n + 1)))
    return told


def all_the_time(proxy, server, calls, said):
    """Calls without a pause, while the server is killed."""
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(traffic, proxy, range(calls), {})
        for _ in range(2):
            time.sleep(3)
            server.end(signal.SIGKILL)
            time.sleep(1)
            server.start(said)
        return sent.result()


def arrived(server, count):
    """Waits until so many events are there."""
    for _ in range(4 * FLUSH):
        if len(server.events("producer:litellm")) >= count:
            return
        time.sleep(0.5)
    print(f"only {len(server.events('producer:litellm'))} of {count} events came", file=sys.stderr)


def run(by, calls):
    place = Path(folder) / by
    place.mkdir()
    server = interop.Server(interop.binary(), place, "server.rate.per_key=1/1s", "log.level=debug")
    said = open(place / "server.log", "ab")
    server.start(said)
    made = server.ask("POST", "/v1/keys", b'{"name":"proxy","organisation":"*","role":"writer"}', JSON)
    token = json.loads(made[1])["secret"]
    proxy = Proxy(by, server, token, place)
    told = (in_bursts if by == "generic_api" else all_the_time)(proxy, server, calls, said)
    for kind, statuses in (("call", {200}), ("streamed", {200}), ("failed", {500, 502, 503}), ("bad key", {400, 401})):
        got = {status for _, status, _ in told[kind]}
        assert got <= statuses, f"the proxy answered {kind} with {got}"
    management, _ = proxy.call("/key/generate", {"key_alias": "interop"})
    if by == "otlp":
        arrived(server, 4 * calls)
    # Nothing comes twice, even late; what is left is sent when the proxy ends.
    time.sleep(3)
    proxy.end()
    events = server.events("producer:litellm")

    wrong = check(by, events, told, calls)
    found = server.events("actor.on_behalf_of.id:user-3 AND llm.requested_model:fake-gpt AND type:llm.completion AND status:success")
    if len(found) != 2:
        wrong.append(f"a search for the calls of one user finds {len(found)} events, not 2")
    aside = server.patiently("/v1/quarantine").decode()
    if json.loads(aside)["entries"]:
        wrong.append(f"something was refused: {aside[:2000]}")
    later = server.said_later()
    if not later:
        wrong.append("there was no back-pressure")
    kinds = {}
    for event in events:
        kinds[event["type"], event.get("status")] = kinds.get((event["type"], event.get("status")), 0) + 1
    all_ = server.events("")
    server.end()
    said.close()
    wrong += secrets_in(json.dumps(all_) + aside, "an event or the quarantine")
    for file in [place / "server.log", *(file for file in server.data.rglob("*") if file.is_file())]:
        wrong += secrets_in(file.read_bytes().decode("latin-1"), file.relative_to(place))
    print(f"{by}: {4 * calls} calls in 4 kinds, kills between them, told {later} times to send again later; a management call was "
          f"answered {management}; {len(events)} events: {kinds}", flush=True)
    for line in wrong:
        print(f"{by}: {line}")
    if wrong and os.environ.get("INTEROP_KEEP"):
        kept = Path(os.environ["INTEROP_KEEP"]) / by
        shutil.copytree(place, kept, dirs_exist_ok=True)
        (kept / "events.ndjson").write_text("\n".join(json.dumps(event) for event in events))
    return not wrong


def for_whom(event):
    """The user that a call named."""
    return [one["id"] for one in event.get("actor", {}).get("on_behalf_of", [])]


def check(by, events, told, calls):
    """What is lost and doubled, kind by kind."""
    wrong = []
    for kind, type_, status, ours in (
        ("call", "llm.completion", "success", lambda event: not event.get("llm", {}).get("stream")),
        ("streamed", "llm.completion", "success", lambda event: event.get("llm", {}).get("stream")),
        ("failed", "llm.completion", "failed", lambda event: True),
    ):
        mine = [event for event in events if event["type"] == type_ and event.get("status") == status]
        if by == "generic_api":
            ids = {identity for _, _, identity in told[kind] if identity}
            mine = [event for event in mine if event["source_id"].split(":")[0] in ids]
        else:
            mine = [event for event in mine if ours(event)]
        names = [f"user-{n}" for n in range(calls)]
        lost, doubled = interop.once(mine, names, for_whom)
        if lost or doubled or len(mine) != calls:
            wrong.append(f"{kind}: {len(mine)} events, {len(lost)} lost, {len(doubled)} doubled: {lost[:5]} {doubled[:5]}")
    refused = [event for event in events if event["type"] == "auth.failed_attempt"]
    hashes = {event.get("actor", {}).get("api_key_hash") for event in refused}
    if len(refused) != calls or (by == "generic_api" and len(hashes) != calls):
        wrong.append(f"bad key: {len(refused)} events with {len(hashes)} keys for {calls} calls")
    return wrong


def secrets_in(text, where):
    words = (PROMPT, ANSWER, HEADER, MASTER, "nobody-has-this-key")
    return [f"{word} is in {where}" for word in words if word in text]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=24, help="of each kind")
    parser.add_argument("--by", choices=["generic_api", "otlp"], help="one of the two runs only")
    args = parser.parse_args()
    done = [run(by, args.calls) for by in ([args.by] if args.by else ["generic_api", "otlp"])]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
