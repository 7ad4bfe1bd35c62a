#!/usr/bin/env bash
# Every neighbour's own program against the real server, one after another: OpenTelemetry's exporters of Python and JavaScript, a
# client of Splunk's collector, the CloudEvents SDK, rsyslog over TLS, and a LiteLLM proxy.
#   tests/interop/all.sh BINARY
# Says at the end which could not be done here, since their packages can't be had, and then ends with 77; with 1 if one failed.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
INDELIBLE="$(realpath "${1:?the binary indelible}")"
export INDELIBLE PYTHONDONTWRITEBYTECODE=1
failed="" undone=""
run() {
    local name="$1" status
    shift
    printf '\n-- %s\n' "$name"
    "$@"
    status=$?
    case $status in
        0) ;;
        77) undone="$undone $name" ;;
        *) failed="$failed $name" ;;
    esac
}
run otlp-python python3 "$here/otlp.py"
if command -v npm >/dev/null; then run otlp-javascript node "$here/otlp.mjs"; else undone="$undone otlp-javascript"; fi
run hec python3 "$here/hec.py"
run cloudevents python3 "$here/cloudevents.py"
run syslog "$here/syslog.sh"
run litellm python3 "$here/litellm.py"
[ -z "$failed" ] || { echo "FAILED:$failed" >&2; exit 1; }
[ -z "$undone" ] || { echo "NOT DONE:$undone" >&2; exit 77; }
