// Recomputes the proof of one event, step by step, from the description of the format (docs/format.md) and nothing else:
// section commitments, leaf hash, path to the root, checkpoint, signatures.
//
// It shows how the proof works. It can't convict the server that it comes from, and the page says so.

/** @typedef {{title: string, says: string, detail?: string[], verdict: "holds" | "fails" | "unknown"}} Step */

const enc = new TextEncoder();
/** @param {string} text */
const fromB64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
/** @param {Uint8Array} bytes */
const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
/** @param {Uint8Array} bytes */
const toB64 = (bytes) => btoa(String.fromCharCode(...bytes));
/** @param {Uint8Array} a @param {Uint8Array} b */
const same = (a, b) => hex(a) === hex(b);

/** @param {...Uint8Array} parts */
function join(...parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) (all.set(part, at), (at += part.length));
  return all;
}

/** @param {...Uint8Array} parts */
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));

/** An integer, big-endian. @param {number} value @param {number} width */
function integer(value, width) {
  const out = new Uint8Array(width);
  for (let n = width - 1, rest = BigInt(value); n >= 0; n--, rest >>= 8n) out[n] = Number(rest & 255n);
  return out;
}

/** A `.tlog-proof` (1.8). @param {string} text */
function parseProof(text) {
  const cut = text.indexOf("\n\n");
  const lines = text.slice(0, cut).split("\n");
  if (lines.shift() !== "c2sp.org/tlog-proof@v1") throw new Error("this is no tlog-proof");
  /** @type {any} */
  let extra = null;
  if (lines[0]?.startsWith("extra ")) extra = JSON.parse(new TextDecoder().decode(fromB64((lines.shift() ?? "").slice(6))));
  const index = Number((lines.shift() ?? "").replace(/^index /, ""));
  if (!Number.isSafeInteger(index) || !extra) throw new Error("the proof has no index, or no leaf");
  return { extra, leaf: fromB64(extra.leaf), index, path: lines.map(fromB64), note: text.slice(cut + 2) };
}

/** A leaf (1.2): the names and commitments of its sections, and the body of a control leaf. @param {Uint8Array} leaf */
function parseLeaf(leaf) {
  let at = 2 + 16 + 8 + 8 + 2 + 3;
  const take = (/** @type {number} */ n) => leaf.slice(at, (at += n));
  const kind = new TextDecoder().decode(take(take(1)[0]));
  take(take(1)[0]);
  take(8);
  const count = take(1)[0];
  /** @type {Map<string, Uint8Array>} */
  const sections = new Map();
  for (let n = 0; n < count; n++) sections.set(new TextDecoder().decode(take(take(1)[0])), take(32));
  let body = "";
  if (leaf[1] === 2) {
    const length = take(2);
    body = new TextDecoder().decode(take(length[0] * 256 + length[1]));
  }
  return { kind, sections, body };
}

/** A signed note (1.6). @param {string} note */
function parseNote(note) {
  const cut = note.indexOf("\n\n");
  const signed = note.slice(0, cut + 1);
  const [origin, size, root] = signed.split("\n");
  const signatures = note.slice(cut + 2).split("\n").filter(Boolean).map((line) => {
    const [, name, blob] = line.split(" ");
    const bytes = fromB64(blob);
    return { name, id: hex(bytes.slice(0, 4)), bytes: bytes.slice(4) };
  });
  return { signed, origin, size: Number(size), root: fromB64(root), signatures };
}

/**
 * The root that a path leads to (RFC 9162, 2.1.3.2), and what was hashed on the way.
 * @param {number} index @param {number} size @param {Uint8Array} leafHash @param {Uint8Array[]} path
 */
async function climb(index, size, leafHash, path) {
  if (index >= size) return null;
  let [fn, sn, hash] = [index, size - 1, leafHash];
  const detail = [];
  for (const sibling of path) {
    if (sn === 0) return null;
    const isRight = fn % 2 === 1 || fn === sn;
    hash = isRight ? await sha256(integer(1, 1), sibling, hash) : await sha256(integer(1, 1), hash, sibling);
    detail.push(`${isRight ? "left " : "right"} ${hex(sibling).slice(0, 16)}…  →  ${hex(hash).slice(0, 16)}…`);
    if (isRight) while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 ? { hash, detail } : null;
}

/** `name+keyid+b64(type || key)` (1.6). @param {string} vkey */
async function parseKey(vkey) {
  const parts = vkey.split("+");
  const [name, id] = parts;
  const bytes = fromB64(parts.slice(2).join("+"));
  const expect = hex((await sha256(enc.encode(`${name}\n`), bytes)).slice(0, 4));
  return { name, id, isRight: id === expect && bytes[0] === 1, key: bytes.slice(1) };
}

/** The keys that the ledger's own history names: the identity, and the seal of each epoch. @param {any} extra */
function namedKeys(extra) {
  /** @type {string[]} */
  const keys = [];
  for (const link of extra.keychain ?? []) {
    const body = JSON.parse(parseLeaf(parseProof(link).leaf).body || "{}");
    for (const name of ["identity", "seal", "next"]) if (typeof body[name] === "string") keys.push(body[name]);
  }
  return keys;
}

/** @param {string} text @param {string} shownHash @returns {AsyncGenerator<Step>} */
export async function* steps(text, shownHash) {
  const proof = parseProof(text);
  const leaf = parseLeaf(proof.leaf);
  const note = parseNote(proof.note);

  const detail = [];
  let isWhole = true;
  for (const [name, commitment] of leaf.sections) {
    const section = proof.extra.sections?.[name];
    if (!section) {
      detail.push(`${name}: not in this file (erased, or not for you); its commitment stays`);
      continue;
    }
    const body = enc.encode(section.body);
    const prefix = join(enc.encode("indelible/section/v1"), integer(0, 1), fromB64(section.salt));
    const found = await sha256(prefix, integer(name.length, 1), enc.encode(name), integer(body.length, 8), body);
    const holds = same(found, commitment);
    isWhole &&= holds;
    detail.push(`${name}: ${hex(found).slice(0, 24)}… ${holds ? "=" : "≠"} ${hex(commitment).slice(0, 24)}…`);
  }
  for (const name of Object.keys(proof.extra.sections ?? {})) isWhole &&= leaf.sections.has(name);
  yield {
    title: "What the event says is what its leaf commits to",
    says: leaf.sections.size ? `Each of its ${leaf.sections.size} sections, hashed with its salt.` : "This leaf was written by the ledger itself and has no sections.",
    detail,
    verdict: isWhole ? "holds" : "fails",
  };

  const leafHash = await sha256(integer(0, 1), proof.leaf);
  const isShown = !shownHash || shownHash === `sha256:${hex(leafHash)}` || shownHash === `sha256:${toB64(leafHash)}`;
  yield {
    title: "The leaf has the hash that this page shows",
    says: `SHA-256 of a zero byte and the leaf’s ${proof.leaf.length} bytes.`,
    detail: [hex(leafHash)],
    verdict: isShown ? "holds" : "fails",
  };

  const climbed = await climb(proof.index, note.size, leafHash, proof.path);
  yield {
    title: `At position ${proof.index}, it leads to the root of a tree of ${note.size} leaves`,
    says: `${proof.path.length} hashes of neighbours, each hashed together with what came before.`,
    detail: climbed ? climbed.detail : ["the path does not fit this position"],
    verdict: climbed && same(climbed.hash, note.root) ? "holds" : "fails",
  };

  yield {
    title: "The root is the one in the checkpoint",
    says: `Checkpoint of ${note.origin}.`,
    detail: [`root ${hex(note.root)}`, `size ${note.size}`],
    verdict: climbed && same(climbed.hash, note.root) ? "holds" : "fails",
  };

  const keys = await Promise.all(namedKeys(proof.extra).map(parseKey));
  if (keys.length === 0) {
    yield { title: "Signatures", says: "The file names no keys (the ledger has many epochs): check it with the keys you keep.", verdict: "unknown" };
  }
  for (const signature of note.signatures) {
    const key = keys.find((key) => key.name === signature.name && key.id === signature.id && key.isRight);
    if (!key) {
      if (keys.length) yield { title: `Signed by ${signature.name}`, says: "A key that this file does not name: a witness, perhaps. It is passed over.", verdict: "unknown" };
      continue;
    }
    /** @type {Step["verdict"]} */
    let verdict = "unknown";
    try {
      const imported = await crypto.subtle.importKey("raw", key.key, "Ed25519", false, ["verify"]);
      verdict = (await crypto.subtle.verify("Ed25519", imported, signature.bytes, enc.encode(note.signed))) ? "holds" : "fails";
    } catch {
      yield { title: `Signed by ${signature.name}`, says: "This browser can’t check Ed25519 signatures.", verdict };
      continue;
    }
    yield {
      title: `Signed by ${signature.name}`,
      says: "Ed25519. The key is the one that the ledger’s own first records name; compare it with the one you keep.",
      detail: [`${key.name}+${key.id}+${toB64(join(integer(1, 1), key.key))}`],
      verdict,
    };
  }
}

const WORDS = { holds: "holds", fails: "does not hold", unknown: "not checked" };
const SHAPES = { holds: "i-success", fails: "i-failed", unknown: "i-pending" };

/** @param {Element} list @param {Step} step */
function add(list, step) {
  const item = document.createElement("li");
  item.dataset.verdict = step.verdict;
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${SHAPES[step.verdict]}`);
  shape.setAttribute("class", "i");
  shape.setAttribute("aria-hidden", "true");
  shape.append(use);
  const title = Object.assign(document.createElement("b"), { textContent: step.title });
  const word = Object.assign(document.createElement("span"), { className: "verdict", textContent: WORDS[step.verdict] });
  const says = Object.assign(document.createElement("p"), { textContent: step.says });
  item.append(shape, title, word, says);
  if (step.detail?.length) item.append(Object.assign(document.createElement("pre"), { textContent: step.detail.join("\n") }));
  list.append(item);
}

/** @param {HTMLElement} panel */
export async function verify(panel) {
  const list = /** @type {HTMLElement} */ (panel.querySelector(".steps"));
  const button = /** @type {HTMLButtonElement} */ (panel.querySelector("[data-verify]"));
  list.replaceChildren();
  list.hidden = false;
  panel.removeAttribute("data-verdict");
  if (!globalThis.crypto?.subtle) {
    add(list, {
      title: "Your browser keeps its cryptography back",
      says: "It gives it only to pages that came over https, or from this machine. Open the page over https, or download the proof and check it with the command below.",
      verdict: "unknown",
    });
    return;
  }
  button.disabled = true;
  let verdict = "holds";
  try {
    const answer = await fetch(panel.dataset.proof ?? "");
    if (!answer.ok) throw new Error(answer.status === 503 ? "not under a signed checkpoint yet; try again in a second" : `the server answered ${answer.status}`);
    for await (const step of steps(await answer.text(), panel.dataset.leaf ?? "")) {
      add(list, step);
      if (step.verdict === "fails") verdict = "fails";
    }
  } catch (error) {
    verdict = "unknown";
    add(list, { title: "The proof could not be read", says: `${error instanceof Error ? error.message : error}`, verdict: "unknown" });
  }
  panel.dataset.verdict = verdict;
  button.disabled = false;
}
