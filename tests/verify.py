#!/usr/bin/env python3
"""Independent verifier of ledger evidence, written from docs/format.md part 1 alone (numbers below: its sections).
    verify.py PROOF_OR_FOLDER (--key VKEY | --policy FILE) [--known CHECKPOINT] [--require-seal]
One line per check, the last line is the verdict word. Exit codes (1.12): 0 verified, 2 usage, 10 cannot check (also
malformed), 20 incomplete, 30 tampered, 50 split view. HMAC tags (1.2) are not checked: that takes the secret."""
import argparse, base64, hashlib, json, os, re, sys  # noqa: E401
from collections import namedtuple

VERDICT = {0: "verified", 2: "usage", 10: "cannot check", 20: "incomplete", 11: "damaged", 30: "tampered",
           40: "rolled back", 50: "split view"}                       # gravity rises
DECIMAL = "(0|[1-9][0-9]{0,19})"
NOTE = re.compile(f"([^\n]+)\n{DECIMAL}\n(\\S{{44}})\n\n((?:\u2014 [^\\s+]+ \\S+\n){{1,100}})")
PROOF = re.compile(f"c2sp.org/tlog-proof@v1\n(?:extra (\\S+)\n)?index {DECIMAL}\n((?:\\S{{44}}\n)*)\n(.*)", re.S)
Key = namedtuple("Key", "name keyid kind pub")                        # kind 1 Ed25519, 4 cosignature/v1
Checkpoint = namedtuple("Checkpoint", "text origin size root lines")
Proof = namedtuple("Proof", "index path checkpoint leaf sections keychain")
Leaf = namedtuple("Leaf", "kind id received_ms type sections body")

class Finding(Exception):
    """(exit code, text): something does not hold. Any other exception means malformed input, which is code 10."""

def need(condition, code, *text):
    if not condition:
        raise Finding(code, " ".join(map(str, text)))

def sha256(*parts): return hashlib.sha256(b"".join(parts)).digest()

def node(left, right): return sha256(b"\x01", left, right)

def unb64(text, length=None):
    raw = base64.b64decode(text, validate=True)
    need(base64.b64encode(raw).decode() == text and length in (None, len(raw)), 10, "bad base64")
    return raw

def number(text):
    need(re.fullmatch(DECIMAL, text) and int(text) < 2**64, 10, "not a decimal u64")
    return int(text)

def parse_json(text, jcs=True):
    """An object without duplicate names and fractions; if jcs, byte for byte as RFC 8785 writes it."""
    def pairs(items):
        need(len(dict(items)) == len(items), 10, "duplicate name in JSON")
        return dict(sorted(items, key=lambda item: item[0].encode("utf-16-be")))
    value = json.loads(text, object_pairs_hook=pairs, parse_float=number, parse_constant=number)
    need(isinstance(value, dict), 10, "not a JSON object")
    need(not jcs or json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text, 10, "JSON is not JCS")
    return value

def read(path, missing=10):
    need(os.path.exists(path), missing, path, "is missing")
    need(os.path.isfile(path) and os.path.getsize(path) < 2**28, 10, path, "is not a file or too large")
    with open(path, "rb") as file:
        return file.read()

# Ed25519, RFC 8032 5.1.7, strict: canonical points, S < L, no point of small order, no cofactor.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT_M1 = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P

def point(raw):
    y, sign = int.from_bytes(raw, "little") % 2**255, raw[31] >> 7
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    x = x if x * x % P == xx else x * ROOT_M1 % P
    need(len(raw) == 32 and y < P and x * x % P == xx and (x or not sign), 10, "not a canonical point")
    x = x if x % 2 == sign else P - x
    twice = add((x, y, 1, x * y % P), (x, y, 1, x * y % P))
    need(add(add(twice, twice), add(twice, twice))[0], 10, "a point of small order")
    return x, y, 1, x * y % P

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def signature_holds(pub, message, sig):
    try:
        a, r, s = point(pub), point(sig[:32]), int.from_bytes(sig[32:], "little")
    except (Finding, IndexError):
        return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + pub + message).digest(), "little") % L
    total, minus_a = (0, 1, 1, 0), (P - a[0], a[1], 1, P - a[3])
    table = total, BASE, minus_a, add(BASE, minus_a)
    for bit in range(252, -1, -1):                                    # total = [S]B - [k]A, which must be R
        total = add(add(total, total), table[(s >> bit & 1) + 2 * (k >> bit & 1)])
    same = (total[0] - r[0] * total[2]) % P == 0 == (total[1] - r[1] * total[2]) % P
    return same and s < L and len(sig) == 64

# 1.6 keys, notes, checkpoints; 1.10 policy
def parse_vkey(text, kind):
    name, keyid, b64 = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", text).groups()
    raw, keyid = unb64(b64, 33), bytes.fromhex(keyid)
    need(raw[0] == kind and sha256(name.encode(), b"\n", raw)[:4] == keyid, 10, "vkey: wrong type or key id")
    return point(raw[1:]) and Key(name, keyid, kind, raw[1:])

def parse_checkpoint(data):
    match = NOTE.fullmatch(data.decode())
    need(match and len(data) <= 10**6 and not re.search(rb"[\0-\t\v-\x1f]", data), 10, "malformed checkpoint")
    origin, size, root, tail = match.groups()
    lines = [line.split(" ") for line in tail[:-1].split("\n")]
    return Checkpoint(data[:data.index(b"\n\n") + 1], origin, number(size), unb64(root, 32),
                      [(name, unb64(b64)) for _, name, b64 in lines])

def signers(checkpoint, keys):
    """The keys that signed. One known key whose signature does not hold spoils the whole note."""
    found, known = set(), {(key.name, key.keyid): key for key in keys}
    for name, raw in checkpoint.lines:
        key, sig, message = known.get((name, raw[:4])), raw[4:], checkpoint.text
        if key and key.kind == 4:
            message, sig = b"cosignature/v1\ntime %d\n" % int.from_bytes(raw[4:12], "big") + message, raw[12:]
        need(not key or signature_holds(key.pub, message, sig), 30, "signature of", name, "does not hold")
        found |= {key} - {None}
    return found

class Policy:
    def __init__(self, text):
        self.logs, self.witnesses, self.groups, self.quorum = {}, {}, {}, None
        free = set()                                                  # names defined and not yet in a group
        need(not re.search(r"[\0-\b\v-\x1f\x7f]", text), 10, "control character in policy")
        for word, *args in filter(None, (re.findall("[^ \t]+", line) for line in text.split("\n"))):
            defined = self.witnesses.keys() | self.groups.keys() | {"none"}
            if word == "log" and len(args) in (1, 2):
                key = parse_vkey(args[0], 1)
                need(key.name not in self.logs and all(key.pub != k.pub for k in self.logs.values()), 10, "log twice")
                self.logs[key.name] = key
            elif word == "witness" and len(args) in (2, 3) and args[0] not in defined:
                key = parse_vkey(args[1], 4)
                need(all(key.pub != k.pub for k in self.witnesses.values()), 10, "witness twice")
                self.witnesses[args[0]] = free.add(args[0]) or key
            elif word == "group" and args[0] not in defined and len(args) > 2:
                k = {"any": 1, "all": len(args) - 2}.get(args[1]) or number(args[1])
                need(1 <= k <= len(args) - 2 == len(free & set(args[2:])), 10, "bad group", args[0])
                self.groups[args[0]], free = (k, args[2:]), free - set(args[2:]) | {args[0]}
            elif word == "quorum" and args[0] in defined and args[1:] == [] and not self.quorum:
                self.quorum = args[0]
            else:
                need(word[0] == "#", 10, "policy line not understood:", word, *args)
        need(self.logs and self.quorum, 10, "policy without log or quorum")

    def identity(self, checkpoint):
        log = self.logs.get(checkpoint.origin)
        need(log and log in signers(checkpoint, [log]), 20, "no signature by a trusted key of", checkpoint.origin)
        return log

    def check_quorum(self, checkpoint):
        signed = signers(checkpoint, self.witnesses.values())
        def reached(name):
            k, members = self.groups.get(name, (1, ()))
            return name == "none" or self.witnesses.get(name) in signed or sum(map(reached, members)) >= k
        need(reached(self.quorum), 20, "quorum", self.quorum, "is not reached")
        return f"{self.quorum}, {len(signed)} known witness(es)"

# 1.2 leaf, 1.4 sections
def decode_leaf(raw):
    at = 0
    def take(count):
        nonlocal at
        at += count
        need(at <= len(raw) <= 65535, 10, "leaf is cut short or too long")
        return raw[at - count:at]
    def integer(size): return int.from_bytes(take(size), "big")
    def word(alphabet): return re.fullmatch(alphabet, take(integer(1)).decode("ascii"))[0]
    version, kind, ident, _, received_ms, _ = integer(1), integer(1), take(16), take(8), integer(8), take(5)
    leaf_type, _, _ = word("[a-z0-9_.]{1,64}"), word("[A-Za-z0-9._:/-]{0,64}"), take(8)
    sections = [(word("[a-z_]{1,16}"), take(32)) for _ in range(integer(1))]
    body = parse_json(take(integer(2)).decode()) if kind == 2 else {}
    has_mac = integer(1)
    take(40 * has_mac)
    need(version == 1 and kind in (1, 2) and len(sections) <= 8 * (kind == 1) and has_mac < 2 and at == len(raw)
         and [name for name, _ in sections] == sorted(dict(sections)), 10, "not a version 1 leaf")
    return Leaf(kind, ident, received_ms, leaf_type, dict(sections), body)

def check_sections(leaf, shown):
    for name, part in shown.items():
        need(name in leaf.sections and part.keys() == {"body", "salt"}, 30, "section", name, "is not the leaf's")
        label, body, salt = name.encode(), part["body"].encode(), unb64(part["salt"], 16)
        want = sha256(b"indelible/section/v1\0", salt, bytes([len(label)]), label, len(body).to_bytes(8, "big"), body)
        need(want == leaf.sections[name], 30, "section", name, "does not hash to its commitment")
    return f"shown {sorted(shown)}, withheld or erased {sorted(leaf.sections.keys() - shown.keys())}"

# 1.8 tlog-proof; inclusion as in RFC 9162 2.1.3.2
def parse_proof(data):
    extra, index, path, note = PROOF.fullmatch(data.decode()).groups()
    need(extra, 20, "the proof has no extra line, hence no leaf")
    extra = parse_json(unb64(extra).decode())
    need(extra.keys() <= {"keychain", "leaf", "sections"}, 10, "unknown member in extra")
    return Proof(number(index), [unb64(line, 32) for line in path.split()], parse_checkpoint(note.encode()),
                 unb64(extra["leaf"]), extra.get("sections", {}), [t.encode() for t in extra.get("keychain", [])])

def check_inclusion(proof):
    fn, sn, root = proof.index, proof.checkpoint.size - 1, sha256(b"\0", proof.leaf)
    need(fn <= sn, 30, "index is not below the tree size")
    for sibling in proof.path:
        need(sn, 30, "inclusion proof is too long")
        root = node(sibling, root) if fn & 1 or fn == sn else node(root, sibling)
        while fn == sn and fn and not fn & 1:
            fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and root == proof.checkpoint.root, 30, "the leaf is not in the checkpoint's tree")
    return f"position {proof.index} of {proof.checkpoint.size}"

def check_event(proof):
    leaf = decode_leaf(proof.leaf)
    need((leaf.kind == 2 and leaf.type == "ledger.genesis") == (proof.index == 0), 30, "genesis is not at 0")
    return check_sections(leaf, proof.sections) and leaf
