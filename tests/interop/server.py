"""The real server, for the programs beside this one: started, stopped, killed, asked what it holds."""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "interop-0123456789abcdef0123456789abcdef"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binary():
    """The binary that INDELIBLE names, or a new one."""
    if named := os.environ.get("INDELIBLE"):
        return Path(named).resolve()
    command = ["cargo", "build", "--workspace", "--bin", "indelible", "--locked", "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "indelible"


def packages(folder, *names):
    """Goes on in an environment of its own in which packages of PyPI are installed, or in the one that INTEROP_VENV names.

    Where they can't be had it ends with 77, which means: not done."""
    if os.environ.get("INTEROP_INSTALLED"):
        return
    environment = Path(os.environ.get("INTEROP_VENV") or Path(folder) / "venv")
    python = environment / "bin" / "python"
    try:
        if not python.exists():
            venv.create(environment, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *names]
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"NOT DONE, since its packages can't be installed here: {error}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(77)
    done = subprocess.run([python, *sys.argv], env=dict(os.environ, INTEROP_INSTALLED=str(folder)))
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(done.returncode)


def folder():
    return os.environ.get("INTEROP_INSTALLED") or tempfile.mkdtemp(prefix="indelible-interop-")


class Server:
    """The real server, on one port for all its lives. Settings are those of `--set`.

    `later` is how often it said in all its lives that something should be sent again later, as far as that is known: what a
    life says in its last moments is not."""

    def __init__(self, program, data, *settings):
        self.program, self.data, self.port = program, Path(data) / "data", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings, self.process, self.later = settings, None, 0
        # However a test ends, it leaves no server behind.
        atexit.register(lambda: self.process and self.process.kill())

    def start(self, said=None):
        arguments = [self.program, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        for setting in ("log.level=warn", *self.settings):
            arguments += ["--set", setting]
        environment = dict(os.environ, INDELIBLE_BOOTSTRAP_TOKEN=TOKEN)
        self.process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        for _ in range(600):
            try:
                if urllib.request.urlopen(self.url + "/readyz", timeout=5).status == 200:
                    return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit("the server ended")
                time.sleep(0.1)
        raise SystemExit("the server does not get ready")

    def said_later(self):
        """How often it refused what was sent, in all its lives so far. Here that means 429 and 503, as nobody sends what is wrong;
        those of gRPC are not among them."""
        now = 0
        for line in self.patiently("/metrics").decode().splitlines():
            found = re.match(r'indelible_http_requests_total\{method="POST",.*status="[45]xx"\} (\d+)', line)
            now += int(found[1]) if found else 0
        return self.later + now

    def end(self, how=signal.SIGTERM):
        self.later = self.said_later()
        self.process.send_signal(how)
        self.process.wait(60)

    def ask(self, method, path, body=None, headers=()):
        headers = {"authorization": f"Bearer {TOKEN}", **dict(headers)}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers

    def patiently(self, path):
        """What is answered in the end to somebody who asks again when told to."""
        for _ in range(200):
            status, body, _ = self.ask("GET", path)
            if status not in (429, 503):
                break
            time.sleep(0.1)
        if status != 200:
            raise SystemExit(f"GET {path} answered {status}: {body[:300]}")
        return body

    def events(self, filter_):
        """Every event that a filter holds for."""
        query = urllib.parse.urlencode({"q": filter_, "format": "ndjson", "consistent": "true"})
        return [json.loads(line) for line in self.patiently(f"/v1/events/export?{query}").splitlines()]


def once(events, expected, word):
    """Says how many of the expected words are there not at all, and how many more than once."""
    seen = {}
    for event in events:
        for found in word(event):
            seen[found] = seen.get(found, 0) + 1
    lost = sorted(set(expected) - set(seen))
    doubled = sorted(name for name, count in seen.items() if count > 1)
    return lost, doubled
