#!/usr/bin/env python3
"""The official OpenTelemetry exporters of Python against the real server: spans and log records, over HTTP in protobuf and
over gRPC, while the server takes fewer requests than they send, is stopped (SIGTERM) and killed (kill -9) and started again.

    tests/interop/otlp.py [--spans 2000] [--restarts 4]

Makes a virtual environment in a temporary folder (or uses the one that INTEROP_VENV names) and builds the server, unless
INDELIBLE names one. Nothing may be lost and nothing recorded twice: every span and record has a number, and each number is found
once. Exit code 0 if so, 77 if the packages can't be had.
"""
import argparse
import logging
import signal
import sys
import threading
import time

import server as interop

folder = interop.folder()
interop.packages(
    folder,
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "opentelemetry-exporter-otlp-proto-grpc==1.45.2",
)
# With the four exporters together, too little for what they send.
RATE = "server.rate.per_key=8/1s"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=2000, help="spans, and as many records, by each of the two ways")
    parser.add_argument("--restarts", type=int, default=4, help="every other one is a kill -9")
    return run(parser.parse_args())


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
    http = {"headers": {"authorization": f"Bearer {interop.TOKEN}"}, "timeout": patience, "compression": Compression.Gzip}
    grpc = {"headers": (("authorization", f"Bearer {interop.TOKEN}"),), "timeout": patience, "endpoint": server.url, "insecure": True}
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


class Later(logging.Handler):
    """Counts how often the exporters over gRPC were told to send again later: the server's own figures have gRPC's answers as
    HTTP's, and those are all 200."""

    told = 0

    def emit(self, record):
        Later.told += "too many requests" in record.getMessage()


def run(args):
    logging.getLogger("opentelemetry.exporter.otlp.proto.grpc").addHandler(Later())
    server = interop.Server(interop.binary(), folder, RATE)
    server.start()
    sources = list(providers(server))
    senders = [threading.Thread(target=send, args=(*source, args.spans)) for source in sources]
    began = time.time()
    for sender in senders:
        sender.start()
    for n in range(args.restarts):
        time.sleep(2.5)
        how = signal.SIGKILL if n % 2 else signal.SIGTERM
        server.end(how)
        server.start()
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
            events = server.events(f"type:{kind} AND producer:python-{way}")
            lost, doubled = interop.once(events, range(args.spans), lambda event: [event["attributes"]["app.n"]])
            failed += bool(lost or doubled)
            print(f"{way} {what}: {len(events)} recorded, {len(lost)} lost, {len(doubled)} doubled")
            failed += any("nobody may read" in str(event) for event in events)
    for line in server.patiently("/metrics").decode().splitlines():
        if line.startswith(("indelible_http_events_total", "indelible_otlp_dropped_total")) and not line.endswith(" 0"):
            print(line)
    conflicts = server.events("type:audit.conflict")
    later = server.said_later()
    print(f"{len(conflicts)} conflicts; told {later} times over HTTP and {Later.told} times over gRPC to send again later")
    server.end()
    return 1 if failed or conflicts or not later or not Later.told else 0


if __name__ == "__main__":
    sys.exit(main())
