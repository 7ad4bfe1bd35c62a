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
PROOF = re.compile(f"c2sp[.]org/tlog-proof@v1\nextra (\\S+)\nindex {DECIMAL}\n((?:\\S{{44}}\n){{,64}})\n(.*)", re.S)
Key = namedtuple("Key", "name keyid kind pub")                        # kind 1 Ed25519, 4 cosignature/v1
Checkpoint = namedtuple("Checkpoint", "text origin size root lines")
Proof = namedtuple("Proof", "index path checkpoint leaf sections keychain")
Leaf = namedtuple("Leaf", "kind id received_ms type sections body hash")

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
def parse_json(text):
    """An object without duplicate names and fractions, byte for byte as RFC 8785 writes it."""
    def pairs(items):
        need(len(dict(items)) == len(items), 10, "duplicate name in JSON")
        return dict(sorted(items, key=lambda item: item[0].encode("utf-16-be")))
    value = json.loads(text, object_pairs_hook=pairs, parse_float=number, parse_constant=number)
    same = json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text
    need(isinstance(value, dict) and same, 10, "not a JSON object in JCS form")
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
    x = x if x % 2 == sign else P - x
    eight = result = x, y, 1, x * y % P
    for _ in range(3):
        eight = add(eight, eight)
    need(len(raw) == 32 and y < P and x * x % P == xx and eight[0], 10, "a point not canonical or of small order")
    return result
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
    name, keyid, raw = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", text).groups()
    raw, keyid = unb64(raw, 33), bytes.fromhex(keyid)
    need(raw[0] == kind and sha256(name.encode(), b"\n", raw)[:4] == keyid, 10, "vkey: wrong type or key id")
    return point(raw[1:]) and Key(name, keyid, kind, raw[1:])
def parse_checkpoint(data):
    match = NOTE.fullmatch(data.decode())
    need(match and len(data) <= 10**6 and not re.search(rb"[\0-\t\v-\x1f]", data), 10, "malformed checkpoint")
    lines = [line.split(" ") for line in match[4][:-1].split("\n")]
    return Checkpoint(data[:data.index(b"\n\n") + 1], match[1], number(match[2]), unb64(match[3], 32),
                      [(name, unb64(sig)) for _, name, sig in lines])
def signers(cp, keys):
    """The keys that signed. One known key whose signature does not hold spoils the whole note."""
    found, known = set(), {(key.name, key.keyid): key for key in keys}
    for key, raw in [(known[name, raw[:4]], raw) for name, raw in cp.lines if (name, raw[:4]) in known]:
        time = b"cosignature/v1\ntime %d\n" % int.from_bytes(raw[4:12], "big") if key.kind == 4 else b""
        need(signature_holds(key.pub, time + cp.text, raw[12 if time else 4:]), 30, "bad signature of", key.name)
        found.add(key)
    return found
def parse_policy(text):
    """The logs by origin, the names (a witness key, or (k, members) of a group), the quorum's name."""
    logs, names, free, quorum = {}, {"none": (0, ())}, set(), None     # free: names in no group yet
    need(not re.search(r"[\0-\b\v-\x1f\x7f]", text), 10, "control character in policy")
    for word, *args in filter(None, (re.findall("[^ \t]+", line) for line in text.split("\n"))):
        new = args and args[0] not in names
        if word == "log" and len(args) in (1, 2):
            key = parse_vkey(args[0], 1)
            need(key.name not in logs and key.pub not in [k.pub for k in logs.values()], 10, "log twice")
            logs[key.name] = key
        elif word == "witness" and len(args) in (2, 3) and new:
            key = parse_vkey(args[1], 4)
            need(key.pub not in [n.pub for n in names.values() if isinstance(n, Key)], 10, "witness twice")
            names[args[0]], free = key, free | {args[0]}
        elif word == "group" and len(args) > 2 and new:
            name, k, *members = args
            k = {"any": 1, "all": len(members)}.get(k) or number(k)
            need(1 <= k <= len(members) == len(free & set(members)), 10, "bad group", name)
            names[name], free = (k, members), free - set(members) | {name}
        elif word == "quorum" and len(args) == 1 and not new and not quorum:
            quorum = args[0]
        else:
            need(word[0] == "#", 10, "policy line not understood:", word, *args)
    need(logs and quorum, 10, "policy without log or quorum")
    return logs, names, quorum
def identity(cp, logs, code=20):
    log, signed = logs.get(cp.origin), signers(cp, logs.values())
    need(log in signed, code, "no signature by a trusted key of", cp.origin)
    return log
def check_quorum(cp, names, quorum):
    signed = signers(cp, [n for n in names.values() if isinstance(n, Key)])
    def reached(n): return n in signed if isinstance(n, Key) else sum(reached(names[m]) for m in n[1]) >= n[0]
    need(reached(names[quorum]), 20, "quorum", quorum, "is not reached")
    return f"{quorum}, cosigned by {len(signed)} known witness(es)"

# 1.2 leaf, 1.4 sections
def decode_leaf(raw, position):
    at = 0
    def take(count):                                                  # may overrun; that shows at the end
        nonlocal at
        at += count
        return raw[at - count:at]
    def integer(size): return int.from_bytes(take(size), "big")
    def word(alphabet): return re.fullmatch(alphabet, take(integer(1)).decode("ascii"))[0]
    version, kind, ident, _, received_ms, _ = integer(1), integer(1), take(16), take(8), integer(8), take(5)
    leaf_type, _, _ = word("[a-z0-9_.]{1,64}"), word("[A-Za-z0-9._:/-]{0,64}"), take(8)
    sections = [(word("[a-z_]{1,16}"), take(32)) for _ in range(integer(1))]
    body = parse_json(take(integer(2)).decode()) if kind == 2 else {}
    has_mac = integer(1)
    need(version == 1 and kind in (1, 2) and len(sections) <= 8 * (kind == 1) and has_mac < 2
         and at + 40 * has_mac == len(raw) < 65536 and [name for name, _ in sections] == sorted(dict(sections)), 10,
         "leaf", position, "is not a leaf of version 1")
    need((kind == 2 and leaf_type == "ledger.genesis") == (position == 0), 30, "genesis is not at 0 or not only")
    return Leaf(kind, ident, received_ms, leaf_type, dict(sections), body, sha256(b"\0", raw))
def check_sections(leaf, shown):
    for name, part in shown.items():
        need(part.keys() == {"body", "salt"}, 10, "section", name, "is not body and salt")
        need(name in leaf.sections, 30, "section", name, "is not the leaf's")
        label, body, salt = name.encode(), part["body"].encode(), unb64(part["salt"], 16)
        want = sha256(b"indelible/section/v1\0", salt, bytes([len(label)]), label, len(body).to_bytes(8, "big"), body)
        need(want == leaf.sections[name], 30, "section", name, "does not hash to its commitment")
    return f"shown {sorted(shown)}, withheld or erased {sorted(leaf.sections.keys() - shown.keys())}"

# 1.8 tlog-proof
def parse_proof(data):
    extra, index, path, note = PROOF.fullmatch(data.decode()).groups()
    extra = parse_json(unb64(extra).decode())
    need(extra.keys() <= {"keychain", "leaf", "sections"}, 10, "unknown member in extra")
    return Proof(number(index), [unb64(line, 32) for line in path.split()], parse_checkpoint(note.encode()),
                 unb64(extra["leaf"]), extra["sections"], [text.encode() for text in extra.get("keychain", [])])
def root_by(path, index, size, leaf_hash):
    need(index < size and (size == 1) == (not path), 30, "index or inclusion proof does not fit the tree size")
    if size == 1:
        return leaf_hash
    k = 1 << (size - 1).bit_length() - 1
    if index < k:
        return node(root_by(path[:-1], index, k, leaf_hash), path[-1])
    return node(path[-1], root_by(path[:-1], index - k, size - k, leaf_hash))
def check_inclusion(proof):
    root = root_by(proof.path, proof.index, proof.checkpoint.size, sha256(b"\0", proof.leaf))
    need(root == proof.checkpoint.root, 30, "the leaf is not in the checkpoint's tree")
    return f"position {proof.index} of {proof.checkpoint.size}"

class Keychain:
    """1.7: the seal keys 1.., the sizes S_0.., and the genesis' and handovers' (index, leaf, checkpoint)."""
    def __init__(self, texts, log):
        self.keys, self.sizes, self.entries = [], [0], []
        for epoch, proof in enumerate(map(parse_proof, texts)):
            check_inclusion(proof)
            cp, leaf = proof.checkpoint, decode_leaf(proof.leaf, proof.index)
            need(log == identity(cp, {log.name: log}) and not proof.keychain, 10, "a keychain in a keychain")
            if epoch == 0:
                need(proof.index == 0 and leaf.body["origin"] == log.name
                     and parse_vkey(leaf.body["identity"], 1) == log, 30, "not the genesis of this ledger")
                need(leaf.body["format"] == 1, 10, "format is not 1")
            else:
                need(self.keys[-1] in signers(cp, self.keys), 20, "handover", epoch, "is not signed by its seal key")
                need(leaf.kind == 2 and leaf.type == "ledger.seal_rotated" and leaf.body["epoch"] == epoch
                     and proof.index == cp.size - 1 >= self.sizes[-1], 30, "not the handover of epoch", epoch)
                self.sizes.append(cp.size)
            self.keys.append(parse_vkey(leaf.body["next" if epoch else "seal"], 1))
            self.entries.append((proof.index, leaf, cp))
            need(self.keys[-1].name == f"{log.name}/seal/{epoch + 1}", 30, "seal key has the wrong name")
            check_sections(leaf, proof.sections)
        need(self.keys, 20, "there is none")
        need(all([self.epochs(cp) for _, _, cp in self.entries]), 20, "the checkpoint of the genesis is not sealed")
    def epochs(self, cp):
        """The epochs whose keys sealed the checkpoint. The rule: S_(e-1) < size <= S_e."""
        signed, until = signers(cp, self.keys), self.sizes[1:] + [2**64]
        epochs = [e + 1 for e, key in enumerate(self.keys) if key in signed]
        for e in epochs:
            need(self.sizes[e - 1] < cp.size <= until[e - 1], 30, "size", cp.size, "is sealed by the key of epoch", e)
        return epochs
    def check(self, cp, position):
        epochs = self.epochs(cp)
        need(epochs, 20, "no seal by a key of the keychain")
        own = sum(size <= position for size in self.sizes)
        weak = f" (worth less: position {position} is of epoch {own}, whose end seals it better)"
        return f"by epoch {epochs[0]}{weak if own < epochs[0] else ''}; genesis leaf {self.entries[0][1].hash.hex()}"

def fold(hashes):
    while len(hashes) > 1:
        hashes = list(map(node, hashes[::2], hashes[1::2]))
    return hashes[0]
class Tree:
    """1.9: the tiles, each checked upward to the checkpoint's root before it is used."""
    def __init__(self, folder, cp):
        self.folder, self.size, self.tiles = folder, cp.size, {}
        need(self.root(cp.size) == cp.root, 30, "the tiles do not hash to the checkpoint's root")
    def read(self, kind, n, width):
        digits = str(n).zfill(-(-len(str(n)) // 3) * 3)
        name = re.sub("(...)(?=.)", r"x\1/", digits) + (f".p/{width}" if width < 256 else "")
        return read(os.path.join(self.folder, "tile", str(kind), name), 20)
    def tile(self, level, n):
        if (level, n) not in self.tiles:
            width = min(256, (self.size >> 8 * level) - 256 * n)
            data = self.read(level, n, width)
            hashes = [data[i:i + 32] for i in range(0, len(data), 32)]
            need(len(data) == 32 * width, 10, "tile", level, n, "has the wrong length")
            need(width < 256 or fold(hashes) == self.tile(level + 1, n >> 8)[n & 255], 30,   # narrower: in the root
                 "tile", level, n, "does not hash to its place in the tile above")
            self.tiles[level, n] = hashes
        return self.tiles[level, n]
    def root(self, size):
        root = None
        for height in [h for h in range(64) if size >> h & 1]:        # complete subtrees, from the right
            first = (size >> height) - 1 << height % 8
            left = fold(self.tile(height // 8, first >> 8)[first & 255:][:1 << height % 8])
            root = node(left, root) if root else left
        return root or sha256()
    def leaves(self, first, last):
        """All leaves of the bundles that cover the range, by position."""
        need(first <= last < self.size, 10, "range", first, last, "is not within the checkpoint")
        leaves = []
        for n in range(first >> 8, (last >> 8) + 1):
            hashes = self.tile(0, n)
            data = self.read("entries", n, len(hashes))
            for position, want in enumerate(hashes, n << 8):
                end = 2 + int.from_bytes(data[:2], "big")
                need(len(data) >= end, 10 if data else 20, "the bundle ends before or within leaf", position)
                need(sha256(b"\0", data[2:end]) == want, 30, "leaf", position, "is not the one in the tree")
                leaf, data = decode_leaf(data[2:end], position), data[end:]
                need(not leaves or leaves[-1].received_ms <= leaf.received_ms and leaves[-1].id < leaf.id, 30,
                     "received_ms falls or id does not rise at", position)
                leaves.append(leaf)
            need(not data, 10, "bytes follow the last leaf of bundle", n)
        return dict(enumerate(leaves, first >> 8 << 8))

def check_disclosures(data, leaves, first, last):
    seen = set()
    for line in data.decode().removesuffix("\n").split("\n") if data else []:
        row = parse_json(line)
        position = number(row["position"])
        need(len(row) == 2 and first <= position <= last and position not in seen, 10, "bad disclosure", position)
        seen.add(position)
        check_sections(leaves[position], row["sections"])
    return f"{len(seen)} event(s)"
def compare(cp, other, tree):
    """50 if both cannot be true; 20 if that cannot be told without a consistency proof (1.11)."""
    need(other.size == cp.size or other.size < cp.size and tree, 20, "no consistency proof with size", other.size)
    need(other.root == (cp.root if other.size == cp.size else tree.root(other.size)), 50, "other root at", other.size)
    return f"the one of size {other.size} agrees"

class Run:
    def __init__(self):
        self.code = 0
    def check(self, name, function, *inputs, optional=False):
        """Run one check, print its line, keep the gravest code; None if it does not hold."""
        result, code = None, 0
        try:
            result = function(*inputs)
            line = f"ok    {name}: {result if isinstance(result, str) else 'holds'}"
        except Exception as error:                                    # hostile input must not end in a traceback
            code, text = error.args if isinstance(error, Finding) else (10, f"malformed: {error!r:.90}")
            code = 0 if optional and code == 20 else code
            line = f"FAIL  {name}: {text} ({VERDICT[code]})" if code else f"note  {name}: not checked, {text}"
        print(line.encode("ascii", "backslashreplace").decode())
        self.code = max(self.code, code, key=list(VERDICT).index)
        return result
    def run(self, base, key, policy, known, require_seal):
        check, folder, keychain, tree = self.check, os.path.isdir(base), [], None
        def parse(parser, *path): return parser(read(os.path.join(*path), 20 if path[1:] else 10))
        trusted = check("policy", lambda: parse_policy(read(policy).decode("utf-8", "surrogateescape"))) if policy \
            else check("key", lambda: ({parse_vkey(key, 1).name: parse_vkey(key, 1)}, {"none": (0, ())}, "none"))
        proof = None if folder else check("proof file", parse, parse_proof, base)
        cp = check("checkpoint file", parse, parse_checkpoint, base, "checkpoint") if folder \
            else proof and proof.checkpoint
        log = trusted and cp and check("identity signature", identity, cp, trusted[0])
        if not log:
            return
        check("quorum", check_quorum, cp, *trusted[1:])
        if folder:
            tree = check("tiles", Tree, base, cp)
            bounds = check("range file", lambda: [number(n) for n in re.fullmatch(
                "(.+) (.+)\n", read(os.path.join(base, "range"), 20).decode()).groups()])
            leaves = tree and bounds and check("leaves", tree.leaves, *bounds) or {}
            if leaves:
                first, last = [leaves[position] for position in bounds]
                print(f"note  range {bounds}, received_ms {first.received_ms} to {last.received_ms}: as you asked?")
                path = os.path.join(base, "disclosures.jsonl")
                check("disclosures", lambda: check_disclosures(read(path, 20), leaves, *bounds))
            while os.path.exists(path := os.path.join(base, "keychain", f"{len(keychain)}.tlog-proof")):
                keychain.append(read(path))
        else:
            keychain = proof.keychain
            included = check("inclusion", check_inclusion, proof)
            leaf = check("leaf", decode_leaf, proof.leaf, proof.index)
            leaves = {proof.index: leaf} if leaf and included else {}
            if leaf:
                check("sections", check_sections, leaf, proof.sections)
        chain = check("keychain", Keychain, keychain, log, optional=not (keychain or require_seal or folder))
        if chain:
            check("seal", chain.check, cp, proof.index if proof else cp.size - 1)   # a folder: S_e are compared
        for index, leaf, other in chain.entries if chain else []:
            check(f"keychain checkpoint {other.size}", compare, cp, other, tree, optional=True)
            if index in leaves:
                check(f"keychain leaf {index}", need, leaf.hash == leaves[index].hash, 50, "evidence has another")
        other = known and check("known checkpoint", parse, parse_checkpoint, known)
        if other and check("known signature", identity, other, {log.name: log}, 10):
            if chain:
                check("known seal", chain.epochs, other)
            check("known against evidence", compare, cp, other, tree)

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", metavar="PROOF_OR_FOLDER")
    trust = parser.add_mutually_exclusive_group(required=True)
    trust.add_argument("--key", metavar="VKEY")
    trust.add_argument("--policy", metavar="FILE")
    parser.add_argument("--known", metavar="CHECKPOINT")
    parser.add_argument("--require-seal", action="store_true")
    run, args = Run(), parser.parse_args()
    try:
        run.run(**vars(args))
    except Exception as error:                                        # a file or folder that cannot be read
        print(f"FAIL  cannot read: {error!r:.90}".encode("ascii", "backslashreplace").decode())
        run.code = max(run.code, 10, key=list(VERDICT).index)
    print(VERDICT[run.code])
    return run.code

if __name__ == "__main__":
    sys.exit(main())
