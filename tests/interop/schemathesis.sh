#!/usr/bin/env bash
# Schemathesis against the real server, by the server's own OpenAPI document: every operation, no server error, no answer
# that the document does not have. Needs Python 3 with venv, and the Python package index for the first run.
#   tests/interop/schemathesis.sh BINARY [EXAMPLES]
# EXAMPLES is how many requests are made up for each operation, 20 if left out; from 10 on boundary values are tried as well. SCHEMATHESIS_VENV is an environment that
# holds it already. Without pip it says so and ends with 77, which means: not done.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
binary="$(realpath "${1:?the binary indelible}")"
examples="${2:-20}"

venv="${SCHEMATHESIS_VENV:-}"
if [ -z "$venv" ]; then
    venv="${CARGO_TARGET_DIR:-$here/../../target}/interop-venv"
    if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
        echo "schemathesis: installing it into $venv"
        python3 -m venv --clear "$venv" >/dev/null 2>&1 \
            && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" \
            || { echo "schemathesis: NOT DONE, since pip can't install it here" >&2; exit 77; }
        cp "$here/requirements.txt" "$venv/installed.txt"
    fi
fi

folder="$(mktemp -d)"
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
token="schemathesis-0123456789abcdef0123456789abcdef"
# Nothing is asked too often, so that no 429 hides an answer; and an index from the first event on.
env -i PATH="$PATH" INDELIBLE_BOOTSTRAP_TOKEN="$token" \
    INDELIBLE__SERVER__RATE__PER_KEY=1000000/1s INDELIBLE__SERVER__RATE__PER_ADDRESS=1000000/1s \
    INDELIBLE__SERVER__RATE__FAILED_LOGINS=1000000/1s INDELIBLE__INDEX__SCAN_BELOW=0 \
    "$binary" serve --data "$folder/data" --listen 127.0.0.1:0 >"$folder/out" 2>"$folder/err" &
server=$!
for _ in $(seq 300); do
    grep -q '^Indelible listens' "$folder/out" && break
    kill -0 "$server" 2>/dev/null || { cat "$folder/err" >&2; exit 1; }
    sleep 0.1
done
url="$(sed -n 's/^Indelible listens on //p' "$folder/out")"

export INTEROP_URL="$url" INTEROP_TOKEN="$token" PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1
python3 "$here/hooks.py" prepare
# The phase with boundary values of each member of an event takes minutes by itself.
phases=examples,fuzzing,stateful
[ "$examples" -lt 10 ] || phases="coverage,$phases"
status=0
(
    cd "$folder"
    export SCHEMATHESIS_HOOKS=hooks INTEROP_CALLS=yes
    "$venv/bin/schemathesis" run "$url/openapi.json" \
        --header "Authorization: Bearer $token" \
        --phases "$phases" --exclude-path-regex 'audit-logs/reports$' \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        --max-examples "$examples" --seed 20261122 --generation-database none --request-timeout 20 \
        --warnings off --no-color --output-truncate false
) || status=$?
python3 "$here/hooks.py" look || status=1
kill -TERM "$server"
wait "$server" || { echo "schemathesis: the server did not stop in order" >&2; status=1; }
server=
if grep -E 'panicked|ERROR' "$folder/err" >&2; then
    echo "schemathesis: the server's log has errors" >&2
    status=1
fi
exit "$status"
