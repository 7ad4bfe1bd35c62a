#!/usr/bin/env python3
"""A real LiteLLM proxy, without a licence and without a database, against the real server: by its `generic_api` callback, and in
a second run by OpenTelemetry. Models are mocks of the proxy's own, and one that nobody answers for.

    tests/interop/litellm.py [--calls 40] [--by generic_api|otlp]

Calls, streamed calls, calls that fail and calls with keys that are none must each be found once, though the server takes fewer
requests than the proxy sends and is killed (kill -9) and started again meanwhile; and nothing of a prompt or an answer may be in
an event, in the quarantine, in a file of the server's or in what it says.

Makes a virtual environment in a temporary folder, or uses the one that LITELLM_VENV names, and builds the server, unless
INDELIBLE names one. Exit code 77 if the packages can't be had.
"""
import argparse
import atexit
import json
import os
import secrets
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
MASTER = "sk-" + secrets.token_hex(24)


class Proxy:
    """The proxy, with one callback."""

    def __init__(self, by, server, place):
        self.port = interop.free_port()
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
            os.environ, LITELLM_LOCAL_MODEL_COST_MAP="True", DEFAULT_FLUSH_INTERVAL_SECONDS="1", NO_PROXY="127.0.0.1")
        for name in ("LITELLM_LICENSE", "DATABASE_URL"):
            environment.pop(name, None)
        if by == "generic_api":
            config["callback_settings"] = {"indelible": {
                "callback_type": "generic_api", "endpoint": server.url + "/ingest/litellm", "log_format": "ndjson",
                "headers": {"Authorization": f"Bearer {interop.TOKEN}"}, "max_retries": 6, "retry_delay": 0.5, "timeout": 20}}
        else:
            environment.update(
                OTEL_EXPORTER="otlp_http", OTEL_ENDPOINT=server.url + "/v1/traces", OTEL_BSP_SCHEDULE_DELAY="500",
                OTEL_EXPORTER_OTLP_TIMEOUT="60", OTEL_HEADERS=f"authorization=Bearer {interop.TOKEN}")
        (place / "config.yaml").write_text(json.dumps(config))
        self.log = open(place / "proxy.log", "wb")
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
        print((place / "proxy.log").read_text()[-4000:], file=sys.stderr)
        raise SystemExit("the proxy does not get ready")

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


def traffic(proxy, calls):
    """Four kinds of calls, some at once. What the proxy said of each."""
    kinds = {
        "call": lambda n: proxy.call("/v1/chat/completions", body(n)),
        "streamed": lambda n: proxy.call("/v1/chat/completions", body(n, stream=True)),
        "failed": lambda n: proxy.call("/v1/chat/completions", body(n, "broken")),
        "bad key": lambda n: proxy.call("/v1/chat/completions", body(n), f"sk-{n:04}-" + "nobody-has-this-key"),
    }
    told = {kind: [] for kind in kinds}

    def one(n):
        for kind, how in kinds.items():
            told[kind].append((n, *how(n)))
            time.sleep(0.1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(calls)))
    return told


def settled(server, filter_, count):
    """The events of a filter, when there are so many, or no more come."""
    seen, quiet = [], 0
    while len(seen) < count and quiet < 45:
        now = server.events(filter_)
        quiet = quiet + 1 if len(now) == len(seen) else 0
        seen = now
        time.sleep(1)
    # Nothing comes twice, even late.
    time.sleep(8)
    return server.events(filter_)


def run(by, calls):
    place = Path(folder) / by
    place.mkdir()
    server = interop.Server(interop.binary(), place, "server.rate.per_key=3/1s", "log.level=debug")
    said = open(place / "server.log", "ab")
    server.start(said)
    proxy = Proxy(by, server, place)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(traffic, proxy, calls)
        for _ in range(2):
            time.sleep(3)
            server.end(signal.SIGKILL)
            time.sleep(1)
            server.start(said)
        told = sent.result()
    for kind, statuses in (("call", {200}), ("streamed", {200}), ("failed", {500, 502, 503}), ("bad key", {400, 401})):
        got = {status for _, status, _ in told[kind]}
        assert got <= statuses, f"the proxy answered {kind} with {got}"
    management, _ = proxy.call("/key/generate", {"key_alias": "interop"})
    events = settled(server, "producer:litellm", 4 * calls)
    proxy.end()
    events = server.events("producer:litellm") if by == "otlp" else events

    wrong = check(by, events, told, calls)
    found = server.events(f"actor.on_behalf_of.id:user-3 AND llm.model:fake-gpt AND type:llm.completion AND status:success")
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
    print(f"{by}: {4 * calls} calls in 4 kinds, 2 kills, told {later} times to send again later; a management call was answered "
          f"{management}; {len(events)} events: {kinds}", flush=True)
    for line in wrong:
        print(f"{by}: {line}")
    if wrong and os.environ.get("INTEROP_KEEP"):
        Path(os.environ["INTEROP_KEEP"]).write_text("\n".join(json.dumps(event) for event in events))
    return not wrong


def for_whom(event):
    """The user that a call named."""
    return [one["id"] for one in event["actor"].get("on_behalf_of", [])]


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
    hashes = {event["actor"].get("api_key_hash") for event in refused}
    if len(refused) != calls or (by == "generic_api" and len(hashes) != calls):
        wrong.append(f"bad key: {len(refused)} events with {len(hashes)} keys for {calls} calls")
    return wrong


def secrets_in(text, where):
    words = (PROMPT, ANSWER, HEADER, MASTER, "nobody-has-this-key")
    return [f"{word} is in {where}" for word in words if word in text]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=40, help="of each kind")
    parser.add_argument("--by", choices=["generic_api", "otlp"], help="one of the two runs only")
    args = parser.parse_args()
    done = [run(by, args.calls) for by in ([args.by] if args.by else ["generic_api", "otlp"])]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
