#!/usr/bin/env node
// A certified OpenID provider (npm's oidc-provider) and the real server: somebody signs in as a browser would, gets the
// roles of their groups, loses them with the groups, and is kept out with somebody else's answer.
//
//     tests/interop/oidc.mjs
//
// Installs its package in a temporary folder and builds the server, unless INDELIBLE names one. Takes a little more than a
// minute: keys that are rotated are asked for again only after one. Exit code 0 if all of it holds.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

const HERE = fileURLToPath(import.meta.url);
const TOKEN = "a-token-of-the-interop-tests-0123456789";
const SECRET = "a secret & of %the client: 0123456789";

if (process.env.OIDC_INTEROP_INSIDE === undefined) {
  const place = mkdtempSync(join(tmpdir(), "oidc-interop-"));
  writeFileSync(join(place, "package.json"), '{"private":true,"type":"module"}');
  execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "oidc-provider@9"], { cwd: place, stdio: "inherit" });
  copyFileSync(HERE, join(place, "oidc.mjs"));
  const env = { ...process.env, OIDC_INTEROP_INSIDE: place, INDELIBLE: process.env.INDELIBLE ?? build() };
  const inside = spawn(process.execPath, [join(place, "oidc.mjs")], { env, stdio: "inherit" });
  const code = await new Promise((done) => inside.on("exit", done));
  rmSync(place, { recursive: true, force: true });
  process.exit(code ?? 1);
}

function build() {
  const root = resolve(dirname(HERE), "../..");
  execFileSync("cargo", ["build", "--workspace", "--bin", "indelible", "--locked", "--quiet"], { cwd: root, stdio: "inherit" });
  return join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug", "indelible");
}

const freePort = () =>
  new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

const { default: Provider } = await import("oidc-provider");
const place = process.env.OIDC_INTEROP_INSIDE;
const [providerPort, port] = [await freePort(), await freePort()];
const [issuer, ours] = [`http://localhost:${providerPort}`, `http://localhost:${port}`];
const groups = { kim: ["audit-team", "staff"], eve: ["staff"], lee: ["acme-people"] };

/** A provider with a key of its own. */
function provide(kid, kind) {
  const made = kind === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...made.privateKey.export({ format: "jwk" }), kid, use: "sig", alg: kind };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "indelible",
        client_secret: SECRET,
        redirect_uris: [`${ours}/login/oidc/return`],
        post_logout_redirect_uris: [`${ours}/login`],
        id_token_signed_response_alg: kind,
      },
    ],
    pkce: { required: () => true },
    jwks: { keys: [key] },
    cookies: { keys: ["interop"] },
    // Claims in the identity token, as most providers are set up; the strict reading has them only at userinfo.
    conformIdTokenClaims: false,
    claims: { openid: ["sub", "groups"], profile: ["name"], email: ["email", "email_verified"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id} of Acme`, email: `${id}@acme.example`, email_verified: true, groups: groups[id] }),
    }),
  });
  return new Promise((done) => {
    const server = provider.listen(providerPort, "localhost", () => done(server));
  });
}

/** A browser: cookies for each origin, and redirections followed by hand. */
class Browser {
  jars = new Map();

  async ask(address, form) {
    const url = new URL(address);
    const jar = this.jars.get(url.origin) ?? new Map();
    this.jars.set(url.origin, jar);
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "), accept: "text/html" };
    if (form) Object.assign(headers, { origin: url.origin, "content-type": "application/x-www-form-urlencoded" });
    const answer = await fetch(url, { method: form ? "POST" : "GET", headers, body: form && new URLSearchParams(form), redirect: "manual" });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === "" || /max-age=0|expires=thu, 01 jan 1970/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
    const location = answer.headers.get("location");
    return { status: answer.status, location: location && new URL(location, url).href, text: await answer.text(), url: url.href };
  }

  /** Goes to an address, and on wherever it leads, as far as `until` says. */
  async go(address, until = () => false) {
    let answer = await this.ask(address);
    for (let step = 0; answer.location && step < 20; step++) {
      if (until(answer.location)) return answer;
      answer = await this.ask(answer.location);
    }
    return answer;
  }

  /** Signs in at the provider, and gives the address at which the answer comes back. */
  async comeBack(who, begin = `${ours}/login/oidc?next=${encodeURIComponent("/search?q=type:auth.*")}`) {
    const isBack = (location) => location.startsWith(`${ours}/login/oidc/return`);
    let answer = await this.go(begin, isBack);
    for (let step = 0; !(answer.location && isBack(answer.location)) && step < 4; step++) {
      const action = new URL(/action="([^"]+)"/.exec(answer.text)[1], answer.url).href;
      const prompt = /name="prompt" value="([^"]+)"/.exec(answer.text)[1];
      const sent = await this.ask(action, prompt === "login" ? { prompt, login: who, password: "any" } : { prompt });
      answer = sent.location && isBack(sent.location) ? sent : await this.go(sent.location, isBack);
    }
    return answer.location;
  }

  async signIn(who) {
    return this.ask(await this.comeBack(who));
  }
}

async function api(path) {
  const answer = await fetch(`${ours}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return answer.json();
}
const rolesOf = async (id) => (await api("/v1/users")).users.find((user) => user.id === id)?.roles.map((role) => `${role.role} ${role.organisation}`);
const recorded = async (q, organisation = "system") => (await api(`/v1/events?organisation=${organisation}&consistent=true&q=${encodeURIComponent(q)}`)).events;

let provider = await provide("first", "ES256");
const file = join(place, "indelible.toml");
writeFileSync(
  file,
  `[oidc]
issuer = "${issuer}"
client_id = "indelible"
client_secret = "env.OIDC_SECRET"
public_url = "${ours}"
roles = [
  { group = "audit-team", role = "auditor", organisation = "*" },
  { group = "acme-people", role = "member", organisation = "acme" },
]
`,
);
const log = join(place, "server.log");
const server = spawn(process.env.INDELIBLE, ["serve", "--config", file, "--data", join(place, "data"), "--listen", `127.0.0.1:${port}`], {
  env: { ...process.env, OIDC_SECRET: SECRET, INDELIBLE_BOOTSTRAP_TOKEN: TOKEN },
  stdio: ["ignore", openSync(log, "w"), openSync(log, "a")],
});
let failed = 1;
try {
  for (let n = 0; ; n++) {
    if (await fetch(`${ours}/login`).then((answer) => answer.ok, () => false)) break;
    assert.ok(n < 200, "the server does not start");
    await sleep(100);
  }
  await fetch(`${ours}/v1/organisations`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: '{"id":"acme","name":"Acme"}',
  });

  const kim = new Browser();
  assert.match((await kim.ask(`${ours}/login`)).text, /Sign in with single sign-on/);
  const back = await kim.comeBack("kim");
  const entered = await kim.ask(back);
  assert.equal(entered.status, 200, entered.text);
  assert.match(entered.text, /url=\/search\?q=type:auth/);
  const page = await kim.ask(`${ours}/search?organisation=acme`);
  assert.match(page.text, /kim@acme\.example/);
  assert.match(page.text, /auditor everywhere/);
  assert.deepEqual(await rolesOf("kim"), ["auditor *"]);
  console.log("signed in, with the roles of the groups");

  assert.equal((await kim.ask(back)).status, 400, "an answer opens the door once");
  const stranger = new Browser();
  await stranger.go(`${ours}/login/oidc`, (location) => location.startsWith(issuer));
  assert.equal((await stranger.ask(await new Browser().comeBack("kim"))).status, 400, "an answer to another browser");
  const mine = new URL(await kim.comeBack("kim"));
  mine.searchParams.set("code", "made-up");
  assert.equal((await kim.ask(mine.href)).status, 401, "a code that the provider did not give");
  const from = new URL(await kim.comeBack("kim"));
  assert.equal(from.searchParams.get("iss"), issuer);
  from.searchParams.set("iss", "https://evil.example");
  assert.equal((await kim.ask(from.href)).status, 401, "an answer of another issuer");
  console.log("answers of others open nothing");

  const eve = await new Browser().signIn("eve");
  assert.equal(eve.status, 403);
  assert.match(eve.text, /none of your groups has a role here/);
  assert.equal(await rolesOf("eve"), undefined, "nobody is made a user for knocking");

  groups.kim = ["acme-people"];
  assert.equal((await new Browser().signIn("kim")).status, 200);
  assert.deepEqual(await rolesOf("kim"), ["member acme"]);
  // The session from before has the roles of now.
  assert.equal((await kim.ask(`${ours}/admin/users`)).status, 403);
  groups.kim = [];
  assert.equal((await new Browser().signIn("kim")).status, 403);
  assert.deepEqual(await rolesOf("kim"), []);
  for (const organisation of ["system", "acme"]) {
    for (const kind of ["config.role_granted", "config.role_revoked"]) {
      const found = await recorded(`type:${kind} actor.name:"single sign-on"`, organisation);
      assert.equal(found.length, 1, `${kind} in the ledger ${organisation}`);
    }
  }
  assert.ok((await recorded("type:auth.login_failed attributes.reason:no_role")).length >= 2);
  console.log("roles come and go with the groups, on record");

  groups.kim = ["audit-team"];
  const again = new Browser();
  await again.signIn("kim");
  const form = /name="form" value="([0-9a-f]+)"/.exec((await again.ask(`${ours}/search?organisation=acme`)).text)[1];
  const left = await again.go((await again.ask(`${ours}/logout`, { form })).location);
  const there = /href="(http[^"]*session\/end[^"]*)"/.exec(left.text)[1].replaceAll("&#38;", "&");
  assert.equal((await again.ask(there)).status, 200, "the provider knows this address");
  assert.equal((await again.ask(`${ours}/search`)).status, 303, "signed out");
  console.log("signed out");

  await new Promise((done) => provider.close(done));
  provider.closeAllConnections?.();
  const down = await new Browser().ask(`${ours}/login/oidc`);
  assert.ok([303, 503].includes(down.status), "its document is kept for a while");
  provider = await provide("second", "RS256");
  await sleep(61_000);
  assert.equal((await new Browser().signIn("kim")).status, 200, "rotated keys are asked for");
  console.log("keys were rotated");
  failed = 0;
} catch (error) {
  console.error(error);
  console.error(readFileSync(log, "utf8").slice(-4000));
} finally {
  server.kill("SIGTERM");
  provider.close();
  provider.closeAllConnections?.();
}
process.exit(failed);
