#!/usr/bin/env python3
"""Independent verifier of ledger evidence, written from docs/format.md part 1 alone (numbers below: its sections).
    verify.py PROOF_OR_FOLDER (--key VKEY | --policy FILE) [--require-seal]
One line per check, the last line is the verdict word. Exit codes (1.12): 0 verified, 2 usage, 10 cannot check (also
malformed), 20 incomplete, 30 tampered, 50 split view. Not checked: HMAC tags (1.2), consistency proofs (1.11)."""
import argparse, base64, hashlib, json, os, re, sys  # noqa: E401
from collections import namedtuple
VERDICT = {0: "verified", 10: "cannot check", 20: "incomplete", 30: "tampered", 50: "split view"}   # gravity rises
DECIMAL = "(0|[1-9][0-9]{0,19})"
NOTE = re.compile(f"(([^\0-\x1f]+)\n{DECIMAL}\n(\\S{{44}})\n)\n((?:\u2014 [^\0-\x20\\s+]+ \\S+\n){{1,100}})")
PROOF = re.compile(f"c2sp[.]org/tlog-proof@v1\nextra (\\S+)\nindex {DECIMAL}\n((?:\\S{{44}}\n){{,64}})\n(.*)", re.S)
Key = namedtuple("Key", "name keyid kind pub")                        # kind 1 Ed25519, 4 cosignature/v1
Checkpoint = namedtuple("Checkpoint", "text origin size root lines")
Proof = namedtuple("Proof", "index path checkpoint leaf sections keychain")
Leaf = namedtuple("Leaf", "id ms type sections body")

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
    value = json.loads(text)                                          # RFC 8785; a duplicate name would not come back
    same = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True) == text
    need(isinstance(value, dict) and same, 10, "not a JSON object in JCS form")
    return value
def read(path, missing=20):
    need(os.path.isfile(path), missing, path, "is missing")
    with open(path, "rb") as file:
        return file.read()

# Ed25519, RFC 8032 5.1.7, without the cofactor
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT_M1 = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
def add(p, q):
    k = D * p[0] * q[0] * p[1] * q[1]
    return ((p[0] * q[1] + p[1] * q[0]) * pow(1 + k, -1, P) % P, (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, -1, P) % P)
def point(raw):
    y, sign = int.from_bytes(raw, "little") % 2**255, raw[31] >> 7
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    x = x if x * x % P == xx else x * ROOT_M1 % P
    need(len(raw) == 32 and x * x % P == xx, 10, "not a point of the curve")
    return x if x % 2 == sign else P - x, y
BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
def times(n, p): return add(times(n // 2, add(p, p)), p if n % 2 else (0, 1)) if n else (0, 1)
def signature_holds(pub, message, sig):
    a, s = point(pub), int.from_bytes(sig[32:], "little")
    k = int.from_bytes(hashlib.sha512(sig[:32] + pub + message).digest(), "little") % L
    x, y = add(times(s % L, BASE), times(k, (P - a[0], a[1])))        # [S]B - [k]A, which must be R
    return len(sig) == 64 and s < L and (y + (x % 2 << 255)).to_bytes(32, "little") == sig[:32]

# 1.6 keys, notes, checkpoints; 1.10 policy
def parse_vkey(text, kind=1):
    name, keyid, raw = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", text).groups()
    raw, keyid = unb64(raw, 33), bytes.fromhex(keyid)
    need(raw[0] == kind and sha256(name.encode(), b"\n", raw)[:4] == keyid, 10, "vkey: wrong type or key id")
    return point(raw[1:]) and Key(name, keyid, kind, raw[1:])
def parse_checkpoint(note):
    text, origin, size, root, lines = NOTE.fullmatch(note).groups()
    lines = [(name, unb64(sig)) for name, sig in re.findall("\u2014 (\\S+) (\\S+)\n", lines)]
    return Checkpoint(text.encode(), origin, number(size), unb64(root, 32), lines)
def signers(cp, keys):
    """The keys that signed. One known key whose signature does not hold spoils the whole note."""
    found = {(key, raw) for key in keys for name, raw in cp.lines if (name, raw[:4]) == (key.name, key.keyid)}
    for key, raw in found:
        time = b"cosignature/v1\ntime %d\n" % int.from_bytes(raw[4:12], "big") if key.kind == 4 else b""
        need(signature_holds(key.pub, time + cp.text, raw[12 if time else 4:]), 30, "bad signature of", key.name)
    return {key for key, _ in found}
def parse_policy(text, cp):
    """The trusted keys that signed the checkpoint as its log, and whether it has the quorum."""
    logs, names, quorum = [], {"none": True}, None
    for word, *args in filter(None, map(str.split, text.split("\n"))):
        if word == "log":
            logs += [key for key in signers(cp, [parse_vkey(args[0])]) if key.name == cp.origin]
        elif word == "witness":
            names[args[0]] = bool(signers(cp, [parse_vkey(args[1], 4)]))
        elif word == "group":
            name, k, *members = args
            k = {"any": 1, "all": len(members)}.get(k) or number(k)
            need(1 <= k <= len(set(members)) == len(members), 10, "bad group", name)
            names[name] = sum(names[member] for member in members) >= k
        elif word == "quorum":
            quorum = names[args[0]]
        else:
            need(word[0] == "#", 10, "policy line not understood:", word, *args)
    return logs, quorum

# 1.2 leaf, 1.4 sections
def decode_leaf(raw, position):
    at = 0
    def take(count):                                                  # may overrun; that shows at the end
        nonlocal at
        at += count
        return raw[at - count:at]
    def integer(size): return int.from_bytes(take(size), "big")
    def word(alphabet): return re.fullmatch(alphabet, take(integer(1)).decode("ascii"))[0]
    version, kind, ident, _, ms, _ = integer(1), integer(1), take(16), take(8), integer(8), take(5)
    leaf_type, _, _ = word("[a-z0-9_.]{1,64}"), word("[A-Za-z0-9._:/-]{0,64}"), take(8)
    sections = [(word("[a-z_]{1,16}"), take(32)) for _ in range(integer(1))]
    body, has_mac = parse_json(take(integer(2)).decode()) if kind == 2 else {}, integer(1)
    need(version == 1 and kind in (1, 2) and len(sections) <= 8 * (kind == 1) and has_mac < 2 and at + 40 * has_mac
         == len(raw) < 65536 and [name for name, _ in sections] == sorted(dict(sections)), 10, "bad leaf", position)
    need((kind == 2 and leaf_type == "ledger.genesis") == (position == 0), 30, "genesis is not at 0 or not only")
    return Leaf(ident, ms, leaf_type, dict(sections), body)
def check_sections(leaf, shown):
    for name, part in shown.items():
        need(part.keys() == {"body", "salt"}, 10, "section", name, "is not body and salt")
        need(name in leaf.sections, 30, "section", name, "is not the leaf's")
        label, body, salt = name.encode(), part["body"].encode(), unb64(part["salt"], 16)
        want = sha256(b"indelible/section/v1\0", salt, bytes([len(label)]), label, len(body).to_bytes(8, "big"), body)
        need(want == leaf.sections[name], 30, "section", name, "does not hash to its commitment")

# 1.8 tlog-proof
def parse_proof(text):
    extra, index, path, note = PROOF.fullmatch(text).groups()
    extra = parse_json(unb64(extra).decode())
    need(extra.keys() <= {"keychain", "leaf", "sections"}, 10, "unknown member in extra")
    return Proof(number(index), [unb64(line, 32) for line in path.split()], parse_checkpoint(note),
                 unb64(extra["leaf"]), extra["sections"], extra.get("keychain", []))
def root_by(path, index, size, leaf_hash):
    need(index < size and (size == 1) == (not path), 30, "index or inclusion proof does not fit the tree size")
    if size == 1:
        return leaf_hash
    k = 1 << (size - 1).bit_length() - 1
    if index < k:
        return node(root_by(path[:-1], index, k, leaf_hash), path[-1])
    return node(path[-1], root_by(path[:-1], index - k, size - k, leaf_hash))
def included_leaf(proof):
    root = root_by(proof.path, proof.index, proof.checkpoint.size, sha256(b"\0", proof.leaf))
    need(root == proof.checkpoint.root, 30, "the leaf is not in the checkpoint's tree")
    return decode_leaf(proof.leaf, proof.index)

def check_keychain(texts, log, checkpoint, first, last, root):
    """1.7: the keychain, the checkpoint's seal, and the roots at the ends of the epochs the events belong to."""
    need(texts, 20, "there is none")
    proofs = list(map(parse_proof, texts))
    leaves = list(map(included_leaf, proofs))
    checkpoints = [proof.checkpoint for proof in proofs]
    keys = [parse_vkey(leaf.body["next" if epoch else "seal"]) for epoch, leaf in enumerate(leaves)]
    sizes = [0, *[cp.size for cp in checkpoints[1:]], 2**64]          # S_0.., the open epoch has no end
    need(leaves[0].body["format"] == 1, 10, "not a genesis of format 1")
    need(parse_vkey(leaves[0].body["identity"]) == log, 30, "the genesis names another identity key")
    for epoch, (proof, leaf, key) in enumerate(zip(proofs, leaves, keys)):
        rotated = leaf.type == "ledger.seal_rotated" and leaf.body["epoch"] == epoch and proof.index == sizes[epoch] - 1
        need(rotated or epoch == proof.index == 0, 30, "not the genesis or the handover of epoch", epoch)
        need(key.name == f"{log.name}/seal/{epoch + 1}", 30, "misnamed seal key", key.name)
    for cp in checkpoints + [checkpoint]:                             # also shows that sizes rise
        signed = signers(cp, keys + [log])
        need(log in signed and len(signed) > 1, 20, "size", cp.size, "is not signed by identity and seal")
        need(all(low < cp.size <= high for key, low, high in zip(keys, sizes, sizes[1:]) if key in signed), 30,
             "size", cp.size, "is sealed by the key of another epoch")
    for low, cp in zip([2**64] + sizes, checkpoints):                 # a handover's epoch began at low
        if cp.size == checkpoint.size or low <= last and first < cp.size < checkpoint.size:
            need(root(cp.size) == cp.root, 50 if root(cp.size) else 20, "no such root at size", cp.size)

def fold(hashes):
    return hashes[0] if len(hashes) == 1 else fold(list(map(node, hashes[::2], hashes[1::2])))
class Tree:
    """1.9: the tiles, each checked upward to the checkpoint's root before it is used."""
    def __init__(self, folder, cp):
        self.folder, self.size = folder, cp.size
        need(self.root(cp.size) == cp.root, 30, "the tiles do not hash to the checkpoint's root")
    def read(self, kind, n, width):
        name = re.sub("(...)(?=.)", r"x\1/", str(n).zfill(-(-len(str(n)) // 3) * 3))
        name += f".p/{width}" if width < 256 else ""
        return read(os.path.join(self.folder, "tile", str(kind), name))
    def tile(self, level, n):
        width = min(256, (self.size >> 8 * level) - 256 * n)
        data = self.read(level, n, width)
        hashes = [data[i:i + 32] for i in range(0, len(data), 32)]
        need(len(data) == 32 * width, 10, "tile", level, n, "has the wrong length")
        need(width < 256 or fold(hashes) == self.tile(level + 1, n >> 8)[n & 255], 30, "tile", level, n, "is wrong")
        return hashes
    def root(self, size):
        root = None
        for height in [h for h in range(64) if size >> h & 1]:        # complete subtrees, from the right
            first = (size >> height) - 1 << height % 8
            left = fold(self.tile(height // 8, first >> 8)[first & 255:][:1 << height % 8])
            root = node(left, root) if root else left
        return root or sha256()
    def leaves(self, first, last):                                    # all of the bundles that cover the range
        need(first <= last < self.size, 10, "range", first, last, "is not within the checkpoint")
        leaves = []
        for n in range(first >> 8, (last >> 8) + 1):
            hashes = self.tile(0, n)
            data = self.read("entries", n, len(hashes))
            for position, want in enumerate(hashes, n << 8):
                end = 2 + int.from_bytes(data[:2], "big")
                need(sha256(b"\0", data[2:end]) == want, 30 if len(data) >= end else 20, "leaf", position, "differs")
                leaf, data = decode_leaf(data[2:end], position), data[end:]
                need(not leaves or leaves[-1].id < leaf.id and leaves[-1].ms <= leaf.ms, 30, "disorder at", position)
                leaves.append(leaf)
            need(not data, 10, "bytes follow the last leaf of bundle", n)
        return dict(enumerate(leaves, first >> 8 << 8))
def check_disclosures(folder, leaves, first, last):
    for line in filter(None, read(os.path.join(folder, "disclosures.jsonl")).decode().split("\n")):
        row = parse_json(line)
        need(first <= number(row["position"]) <= last and len(row) == 2, 10, "bad disclosure", row["position"])
        check_sections(leaves[int(row["position"])], row["sections"])

CODES = [0]
def check(name, function, *inputs):                                   # one line; None if it does not hold
    try:
        result, code, text = function(*inputs), 0, "holds"
    except Exception as error:                                        # hostile input must not end in a traceback
        result, (code, text) = None, error.args if isinstance(error, Finding) else (10, f"malformed: {error!r:.90}")
    print(f"{'FAIL' if code else 'ok':4}  {name}: {text}".encode("ascii", "backslashreplace").decode())
    CODES.append(code)
    return result
def run(base, key, policy, require_seal):
    proof = None if os.path.isdir(base) else parse_proof(read(base, 10).decode())
    cp = proof.checkpoint if proof else parse_checkpoint(read(os.path.join(base, "checkpoint")).decode())
    logs, quorum = parse_policy(read(policy, 10).decode() if policy else f"log {key}\nquorum none", cp)
    need(logs, 20, "no signature by a trusted key of", cp.origin)
    check("quorum", need, quorum, 20, "not enough witnesses")
    if proof:
        first, last, keychain, leaf = proof.index, proof.index, proof.keychain, check("inclusion", included_leaf, proof)
        root = {cp.size: cp.root}.get                                 # a checkpoint of another epoch proves nothing
        check("sections", check_sections, leaf or decode_leaf(proof.leaf, proof.index), proof.sections)
    else:
        first, last = map(number, read(os.path.join(base, "range")).decode().removesuffix("\n").split(" "))
        tree = Tree(base, cp)
        root, keychain, leaves = tree.root, [], check(f"leaves {first} to {last}", tree.leaves, first, last)
        check("disclosures", check_disclosures, base, leaves or {}, first, last)
        while os.path.exists(path := os.path.join(base, "keychain", f"{len(keychain)}.tlog-proof")):
            keychain.append(read(path).decode())
    if keychain or require_seal or not proof:
        check("keychain and seal", check_keychain, keychain, logs[0], cp, first, last, root)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", metavar="PROOF_OR_FOLDER")
    trust = parser.add_mutually_exclusive_group(required=True)
    trust.add_argument("--key", metavar="VKEY")
    trust.add_argument("--policy", metavar="FILE")
    parser.add_argument("--require-seal", action="store_true")
    check("reading", run, *vars(parser.parse_args()).values())
    print(VERDICT[max(CODES)])
    sys.exit(max(CODES))
