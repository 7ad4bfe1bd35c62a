#!/bin/sh
# Ours and the peers, one after the other with the same data, and their figures in docs/performance.md:
#
#     bench/peers/all.sh [EVENTS [FOLDER]]
#
# Ten million take an hour and a half on two cores, and up to 25 GB in FOLDER; nothing else should run meanwhile. PYTHON is
# the interpreter that has psycopg and chdb-core; PostgreSQL is Debian's.
set -eu
events=${1:-10000000}
folder=${2:-${TMPDIR:-/tmp}}
cd "$(dirname "$0")/../.."
cargo build --release -p cli -p bench
bench=${CARGO_TARGET_DIR:-target}/release/bench

"$bench" http --events "$events" --connections 2 --dir "$folder" --save bench/figures/indelible-many-http.json
"$bench" queries --events "$events" --dir "$folder" --save bench/figures/indelible-queries.json
for peer in clickhouse postgresql sqlite; do
    "${PYTHON:-python3}" "bench/peers/$peer.py" --events "$events" --dir "$folder" --bench "$bench"
done
"$bench" docs
