#!/usr/bin/env node
// The official OpenTelemetry exporters of JavaScript (HTTP, JSON) against the real server, which takes fewer
// requests than they send, and is stopped (SIGTERM) and killed (kill -9) in the middle.
//
//     tests/interop/otlp.mjs [spans]
//
// Installs its packages in a temporary folder and builds the server, unless INDELIBLE names one. Every span and record has a
// number, and each number must be found once. Exit code 0 if so, 77 if the packages can't be had.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

const HERE = fileURLToPath(import.meta.url);
const TOKEN = "a-token-of-the-interop-tests-0123456789";
const PACKAGES = [
  "@opentelemetry/api@1",
  "@opentelemetry/exporter-logs-otlp-http@0.223",
  "@opentelemetry/exporter-trace-otlp-http@0.223",
  "@opentelemetry/resources@2",
  "@opentelemetry/sdk-logs@0.223",
  "@opentelemetry/sdk-trace-base@2",
];
const RESTARTS = ["SIGTERM", "SIGKILL", "SIGTERM"];

if (process.env.OTLP_INTEROP_INSIDE === undefined) {
  const place = mkdtempSync(join(tmpdir(), "otlp-interop-"));
  writeFileSync(join(place, "package.json"), '{"private":true,"type":"module"}');
  try {
    execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", ...PACKAGES], { cwd: place, stdio: "inherit" });
  } catch {
    console.error("NOT DONE, since its packages can't be installed here");
    rmSync(place, { recursive: true, force: true });
    process.exit(77);
  }
  copyFileSync(HERE, join(place, "otlp.mjs"));
  const env = { ...process.env, OTLP_INTEROP_INSIDE: place, INDELIBLE: process.env.INDELIBLE ?? build() };
  const inside = spawn(process.execPath, [join(place, "otlp.mjs"), ...process.argv.slice(2)], { env, stdio: "inherit" });
  const code = await new Promise((done) => inside.on("exit", done));
  rmSync(place, { recursive: true, force: true });
  process.exit(code ?? 1);
}

function build() {
  const root = resolve(dirname(HERE), "../..");
  execFileSync("cargo", ["build", "--workspace", "--bin", "indelible", "--locked", "--quiet"], { cwd: root, stdio: "inherit" });
  const told = execFileSync("cargo", ["metadata", "--format-version", "1", "--no-deps"], { cwd: root, maxBuffer: 1 << 26 });
  return join(JSON.parse(told).target_directory, "debug/indelible");
}

const count = Number(process.argv[2] ?? 2000);
const place = process.env.OTLP_INTEROP_INSIDE;
const port = await new Promise((done) => {
  const free = createServer().listen(0, "127.0.0.1", () => {
    const { port } = free.address();
    free.close(() => done(port));
  });
});
const url = `http://127.0.0.1:${port}`;
const headers = { authorization: `Bearer ${TOKEN}` };
// Too little for what the two exporters send: more is answered 503.
const RATE = "server.rate.per_key=8/1s";
const log = openSync(join(place, "server.log"), "a");

async function start() {
  const env = { ...process.env, INDELIBLE_BOOTSTRAP_TOKEN: TOKEN };
  const flags = ["serve", "--data", join(place, "data"), "--listen", `127.0.0.1:${port}`, "--set", RATE];
  const server = spawn(process.env.INDELIBLE, flags, { env, stdio: ["ignore", log, log] });
  const ended = new Promise((done) => server.on("exit", done));
  for (let n = 0; n < 300; n++) {
    try {
      if ((await fetch(`${url}/healthz`)).ok) return { server, ended };
    } catch {
      await sleep(100);
    }
  }
  throw new Error("the server does not answer");
}

// What is answered in the end to somebody who asks again when told to.
async function patiently(path) {
  for (;;) {
    const answer = await fetch(url + path, { headers });
    const text = await answer.text();
    if (answer.ok) return text;
    if (![429, 503].includes(answer.status)) throw new Error(`${path} answered ${answer.status}: ${text}`);
    await sleep(100);
  }
}

// How often the server said "later", as it is alive.
async function later() {
  const metrics = await patiently("/metrics");
  const lines = metrics.matchAll(/^indelible_http_requests_total\{method="POST",.*status="[45]xx"\} (\d+)$/gm);
  return [...lines].reduce((sum, line) => sum + Number(line[1]), 0);
}

async function found(filter) {
  const numbers = [];
  for (let cursor = ""; ; ) {
    const page = JSON.parse(await patiently(`/v1/events?limit=1000&count=no&consistent=true&q=${encodeURIComponent(filter)}${cursor}`));
    numbers.push(...page.events.map((event) => (event.event ?? event).attributes["app.n"]));
    if (!page.next) return numbers;
    cursor = `&cursor=${page.next}`;
  }
}

const { SpanKind } = await import("@opentelemetry/api");
const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
const { OTLPLogExporter } = await import("@opentelemetry/exporter-logs-otlp-http");
const { resourceFromAttributes } = await import("@opentelemetry/resources");
const { BatchSpanProcessor, BasicTracerProvider } = await import("@opentelemetry/sdk-trace-base");
const { BatchLogRecordProcessor, LoggerProvider } = await import("@opentelemetry/sdk-logs");

let { server, ended } = await start();
const resource = resourceFromAttributes({ "service.name": "javascript" });
const options = { headers, timeoutMillis: 60_000, concurrencyLimit: 1000 };
const batches = { maxQueueSize: 1_000_000, maxExportBatchSize: 64, scheduledDelayMillis: 100, exportTimeoutMillis: 60_000 };
const spans = new BasicTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ ...options, url: `${url}/v1/traces` }), batches)],
});
const exporter = new OTLPLogExporter({ ...options, url: `${url}/v1/logs` });
const processor = new BatchLogRecordProcessor({ exporter, ...batches });
const logs = new LoggerProvider({ resource, processors: [processor] });

async function send() {
  const tracer = spans.getTracer("interop");
  const logger = logs.getLogger("interop");
  for (let n = 0; n < count; n++) {
    const attributes = {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "m",
      "gen_ai.usage.input_tokens": n,
      "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"what nobody may read \ud83d"}]}]',
      "app.n": n,
    };
    tracer.startSpan("chat m", { kind: SpanKind.CLIENT, attributes }).end();
    logger.emit({ eventName: "auth.login", timestamp: Date.now(), body: "somebody came", attributes: { "user.id": `user-${n}`, "app.n": n } });
    await sleep(4);
  }
}

const began = Date.now();
let told = 0;
const sending = send();
for (const how of RESTARTS) {
  await sleep(2500);
  told += await later();
  server.kill(how);
  await ended;
  ({ server, ended } = await start());
  console.log(`${((Date.now() - began) / 1000).toFixed(1)} s: ${how}, and started again`);
}
await sending;
await spans.forceFlush();
await logs.forceFlush();
await spans.shutdown();
await logs.shutdown();

let failed = false;
for (const [what, kind] of [["spans", "llm.completion"], ["records", "auth.login"]]) {
  const numbers = await found(`type:${kind} AND producer:javascript`);
  const once = new Set(numbers).size;
  const [lost, doubled] = [count - once, numbers.length - once];
  failed ||= lost !== 0 || doubled !== 0;
  console.log(`http json ${what}: ${numbers.length} recorded, ${lost} lost, ${doubled} doubled`);
}
for (const line of (await patiently("/metrics")).split("\n")) {
  if (/^indelible_(http_events|otlp_dropped)_total.* [1-9]/.test(line)) console.log(line);
}
told += await later();
console.log(`told ${told} times to send again later`);
failed ||= told === 0;
server.kill("SIGTERM");
await ended;
process.exit(failed ? 1 : 0);
