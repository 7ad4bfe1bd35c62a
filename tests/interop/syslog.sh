#!/usr/bin/env bash
# Debian's rsyslog sends over TLS to the real server, which reads nothing for a while, is stopped (SIGTERM) and started again,
# and then killed (SIGKILL) and started again, while it sends. rsyslog keeps what it can't send in a queue on the disk.
#
#   tests/interop/syslog.sh [messages]
#
# Installs rsyslog, rsyslog-gnutls and openssl if they are not there, and builds the server, unless INDELIBLE names one.
# Says how many messages were lost and doubled. With orderly stops none may be; how many a kill costs is said and not
# judged, as syslog has no acknowledgements.
set -euo pipefail
cd "$(dirname "$0")/../.."
messages="${1:-6000}"
for tool in rsyslogd openssl; do
    if ! command -v "$tool" >/dev/null 2>&1 && ! [ -x "/usr/sbin/$tool" ]; then
        echo "installing rsyslog, rsyslog-gnutls and openssl"
        apt-get install -y -qq rsyslog rsyslog-gnutls openssl >/dev/null \
            || { echo "NOT DONE, since rsyslog can't be installed here" >&2; exit 77; }
    fi
done
PATH="$PATH:/usr/sbin"
program="${INDELIBLE:-}"
if [ -z "$program" ]; then
    cargo build --workspace --locked --quiet --bin indelible
    program="${CARGO_TARGET_DIR:-target}/debug/indelible"
fi
program="$(realpath "$program")"

dir="$(mktemp -d)"
server="" rsyslog=""
finish() {
    for process in $server $rsyslog; do kill "$process" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
http="$(port)" tls="$(port)" local="$(port)"
token="interop-0123456789abcdef0123456789abcdef"

# An authority, a certificate of the server and one of the sender.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=interop \
    -keyout "$dir/ca.key" -out "$dir/ca.crt" 2>/dev/null
for name in server sender; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
        -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
    printf 'subjectAltName=DNS:%s,IP:127.0.0.1\n' "$name" > "$dir/$name.ext"
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
        -extfile "$dir/$name.ext" -out "$dir/$name.crt" 2>/dev/null
done

cat > "$dir/indelible.toml" <<TOML
data = "$dir/data"
[server]
listen = "127.0.0.1:$http"
[server.limits]
drain_time = "1m"
[server.tls]
certificate = "$dir/server.crt"
key = "file:$dir/server.key"
[syslog]
tls_listen = [{ address = "127.0.0.1:$tls", organisation = "default", producer = "rsyslog" }]
client_ca = "$dir/ca.crt"
[log]
level = "warn"
TOML

start() {
    INDELIBLE_BOOTSTRAP_TOKEN="$token" "$program" serve --config "$dir/indelible.toml" > "$dir/server.log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        if curl -sk "https://127.0.0.1:$http/readyz" -o /dev/null; then return; fi
        kill -0 "$server" || { cat "$dir/server.log" >&2; exit 1; }
        sleep 0.1
    done
    echo "the server does not get ready" >&2
    exit 1
}
end() {
    kill "-$1" "$server"
    wait "$server" 2>/dev/null || true
}

mkdir "$dir/queue"
cat > "$dir/rsyslog.conf" <<CONF
global(workDirectory="$dir/queue" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="$dir/ca.crt"
    defaultNetstreamDriverCertFile="$dir/sender.crt" defaultNetstreamDriverKeyFile="$dir/sender.key")
module(load="imptcp")
input(type="imptcp" address="127.0.0.1" port="$local")
action(type="omfwd" target="127.0.0.1" port="$tls" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"
    TCP_Framing="octet-counted" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
    StreamDriverPermittedPeers="server" action.resumeRetryCount="-1" action.resumeInterval="1"
    queue.type="LinkedList" queue.filename="forward" queue.maxDiskSpace="200m" queue.saveOnShutdown="on")
CONF

start
rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/rsyslog.pid" > "$dir/rsyslog.log" 2>&1 &
rsyslog=$!
for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$local") 2>/dev/null; then break; fi
    sleep 0.1
done

# Messages to rsyslog, spread over some seconds; to that one nothing is lost, as it stays alive.
send() {
    python3 - "$local" "$1" "$messages" <<'PY'
import socket, sys, time
port, word, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with socket.create_connection(("127.0.0.1", port)) as out:
    for n in range(count):
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}Z"
        out.sendall(f"<134>1 {stamp} sender interop - - - {word}-{n} {'.' * 2000}\n".encode())
        if n % 20 == 0:
            time.sleep(0.03)
PY
}

# How many of the messages of a word are there, and how often: lost and doubled.
count() {
    TOKEN="$token" python3 - "https://127.0.0.1:$http" "$1" "$messages" <<'PY'
import collections, json, os, ssl, sys, time, urllib.parse, urllib.request
url, word, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
context = ssl._create_unverified_context()
def seen():
    query = urllib.parse.urlencode({"q": "producer:rsyslog", "format": "ndjson", "consistent": "true"})
    request = urllib.request.Request(f"{url}/v1/events/export?{query}", headers={"authorization": "Bearer " + os.environ["TOKEN"]})
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        texts = [json.loads(line).get("message", "").split(" ")[0] for line in answer]
    return collections.Counter(text for text in texts if text.startswith(word + "-"))
before, quiet = None, 0
while quiet < 6:
    counts = seen()
    if len(counts) == count:
        break
    # As long as more comes, rsyslog is still at its queue; and for some seconds it may wait before it tries again.
    quiet = quiet + 1 if counts == before else 0
    before = counts
    time.sleep(3)
print(count - len(counts), sum(1 for n in counts.values() if n > 1))
PY
}

send orderly & sending=$!
for _ in 1 2 3; do sleep 2; end TERM; sleep 1; start; done
# More than the buffers of the connection take: rsyslog has to wait.
kill -STOP "$server"; sleep 5; kill -CONT "$server"
wait "$sending"
read -r lost doubled < <(count orderly)
echo "$messages messages, 3 orderly restarts, 5 s in which nothing was read: $lost lost, $doubled doubled"

send killed & sending=$!
for _ in 1 2 3; do sleep 2; end KILL; sleep 1; start; done
wait "$sending"
read -r lost_killed doubled_killed < <(count killed)
echo "$messages messages, 3 kills: $lost_killed lost, $doubled_killed doubled"

[ "$lost" = 0 ] && [ "$doubled" = 0 ] && [ "$doubled_killed" = 0 ] || { cat "$dir/rsyslog.log" "$dir/server.log" >&2; exit 1; }
