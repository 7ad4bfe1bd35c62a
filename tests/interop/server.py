"""The real server, for the programs beside this one: started, stopped, killed, asked what it holds."""

import json
import os
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
    """Goes on in an environment of its own in which packages of PyPI are installed."""
    if os.environ.get("INTEROP_INSTALLED"):
        return
    python = Path(folder) / "venv" / "bin" / "python"
    venv.create(python.parents[1], with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *names], check=True)
    environment = dict(os.environ, INTEROP_INSTALLED=str(folder))
    done = subprocess.run([python, *sys.argv], env=environment)
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(done.returncode)


def folder():
    return os.environ.get("INTEROP_INSTALLED") or tempfile.mkdtemp(prefix="indelible-interop-")


class Server:
    def __init__(self, program, data, *settings):
        self.program, self.data, self.port = program, Path(data) / "data", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings, self.process = settings, None

    def start(self):
        arguments = [self.program, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        arguments += ["--set", "log.level=warn", *self.settings]
        environment = dict(os.environ, INDELIBLE_BOOTSTRAP_TOKEN=TOKEN)
        self.process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                if urllib.request.urlopen(self.url + "/readyz", timeout=5).status == 200:
                    return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit("the server ended")
                time.sleep(0.1)
        raise SystemExit("the server does not get ready")

    def end(self, how=signal.SIGTERM):
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

    def events(self, filter_):
        """Every event that a filter holds for."""
        query = urllib.parse.urlencode({"q": filter_, "format": "ndjson", "consistent": "true"})
        status, body, _ = self.ask("GET", f"/v1/events/export?{query}")
        if status != 200:
            raise SystemExit(f"the export answered {status}: {body[:300]}")
        return [json.loads(line) for line in body.splitlines()]


def once(events, expected, word):
    """Says how many of the expected words are there not at all, and how many more than once."""
    seen = {}
    for event in events:
        for found in word(event):
            seen[found] = seen.get(found, 0) + 1
    lost = sorted(set(expected) - set(seen))
    doubled = sorted(name for name, count in seen.items() if count > 1)
    return lost, doubled
