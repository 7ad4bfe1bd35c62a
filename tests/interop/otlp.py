#!/usr/bin/env python3
"""The official OpenTelemetry exporters of Python against the real server: spans and log records, over HTTP in protobuf and
over gRPC, while the server is stopped (SIGTERM) and killed (kill -9) and started again.

    tests/interop/otlp.py [--spans 2000] [--restarts 4]

Makes a virtual environment in a temporary folder and builds the server, unless INDELIBLE names one. Nothing may be lost and
nothing recorded twice: every span and record has a number, and each number is found once. Exit code 0 if so.
"""
import argparse, json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-interop-tests-0123456789"
PACKAGES = [
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "opentelemetry-exporter-otlp-proto-grpc==1.45.2",
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=2000, help="spans, and as many records, by each of the two ways")
    parser.add_argument("--restarts", type=int, default=4, help="every other one is a kill -9")
    args = parser.parse_args()
    try:
        import opentelemetry.exporter.otlp.proto.grpc  # noqa: F401
    except ImportError:
        return in_environment(sys.argv[1:])
    with tempfile.TemporaryDirectory() as place:
        return run(args, pathlib.Path(place))


def in_environment(arguments):
    """This script again, with what it needs."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        python = f"{place}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        return subprocess.run([python, __file__, *arguments]).returncode


def binary():
    if named := os.environ.get("INDELIBLE"):
        return named
    command = ["cargo", "build", "--workspace", "--bin", "indelible", "--locked", "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)
    told = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, check=True, capture_output=True)
    return json.loads(told.stdout)["target_directory"] + "/debug/indelible"


class Server:
    """The real server, on one port for all its lives."""

    def __init__(self, place):
        self.binary, self.data = binary(), place / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(place / "server.log", "ab")
        self.start()

    def start(self):
        command = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        environment = {**os.environ, "INDELIBLE_BOOTSTRAP_TOKEN": TOKEN}
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1).read()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"the server ended: {self.process.returncode}")
                time.sleep(0.1)
        sys.exit("the server does not answer")

    def again(self, how):
        self.process.send_signal(how)
        self.process.wait(60)
        self.start()

    def ask(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def providers(server):
    """A provider of spans and one of log records for each way, with the exporters as they come but for more patience."""
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    patience = 120
    http = {"headers": {"authorization": f"Bearer {TOKEN}"}, "timeout": patience, "compression": Compression.Gzip}
    grpc = {"headers": (("authorization", f"Bearer {TOKEN}"),), "timeout": patience, "endpoint": server.url, "insecure": True}
    ways = {
        "http": (HttpSpans(endpoint=f"{server.url}/v1/traces", **http), HttpLogs(endpoint=f"{server.url}/v1/logs", **http)),
        "grpc": (GrpcSpans(**grpc), GrpcLogs(**grpc)),
    }
    batches = {"max_queue_size": 1_000_000, "schedule_delay_millis": 100, "max_export_batch_size": 64}
    for way, (spans, logs) in ways.items():
        resource = Resource.create({"service.name": f"python-{way}", "service.version": "1"})
        tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
        tracers.add_span_processor(BatchSpanProcessor(spans, **batches))
        loggers.add_log_record_processor(BatchLogRecordProcessor(logs, **batches))
        yield way, tracers, loggers


def send(way, tracers, loggers, count):
    from opentelemetry._logs import LogRecord, SeverityNumber

    tracer, logger = tracers.get_tracer("interop"), loggers.get_logger("interop")
    for n in range(count):
        with tracer.start_as_current_span("chat m") as span:
            span.set_attributes({
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "m",
                "gen_ai.usage.input_tokens": n,
                "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"what nobody may read"}]}]',
                "app.n": n,
            })
        with tracer.start_as_current_span("GET /") as noise:
            noise.set_attribute("http.route", "/")
        now = time.time_ns()
        record = LogRecord(timestamp=now, observed_timestamp=now, event_name="auth.login",
                           severity_number=SeverityNumber.INFO, body="somebody came",
                           attributes={"user.id": f"user-{n}", "app.n": n})
        logger.emit(record)
        time.sleep(0.005)


def found(server, filter):
    """Numbers of the events that a filter holds for."""
    numbers, cursor = [], ""
    while True:
        page = server.ask(f"/v1/events?limit=1000&count=no&consistent=true&q={filter}{cursor}")
        numbers += [event["event"]["attributes"]["app.n"] if "event" in event else event["attributes"]["app.n"] for event in page["events"]]
        if not page.get("next"):
            return numbers
        cursor = f"&cursor={page['next']}"


def run(args, place):
    server = Server(place)
    sources = list(providers(server))
    senders = [threading.Thread(target=send, args=(*source, args.spans)) for source in sources]
    began = time.time()
    for sender in senders:
        sender.start()
    for n in range(args.restarts):
        time.sleep(2.5)
        how = signal.SIGKILL if n % 2 else signal.SIGTERM
        server.again(how)
        print(f"{time.time() - began:5.1f} s: {how.name}, and started again", flush=True)
    for sender in senders:
        sender.join()
    for _, tracers, loggers in sources:
        tracers.force_flush(120_000)
        loggers.force_flush(120_000)
        tracers.shutdown()
        loggers.shutdown()
    failed = 0
    for way, _, _ in sources:
        for what, kind in (("spans", "llm.completion"), ("records", "auth.login")):
            numbers = found(server, f"type:{kind}%20AND%20producer:python-{way}")
            lost, doubled = args.spans - len(set(numbers)), len(numbers) - len(set(numbers))
            failed += lost != 0 or doubled != 0
            print(f"{way} {what}: {len(numbers)} recorded, {lost} lost, {doubled} doubled")
    metrics = urllib.request.Request(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    for line in urllib.request.urlopen(metrics).read().decode().splitlines():
        if line.startswith(("indelible_http_events_total", "indelible_otlp_dropped_total")) and not line.endswith(" 0"):
            print(line)
    conflicts = server.ask("/v1/events?limit=1&q=type:audit.conflict")["events"]
    failed += bool(conflicts)
    print(f"conflicts: {len(conflicts)}")
    server.process.terminate()
    server.process.wait(60)
    if failed:
        kept = pathlib.Path(tempfile.gettempdir()) / "otlp-interop-server.log"
        shutil.copy(place / "server.log", kept)
        print(f"FAILED; the server's log is in {kept}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
