"""What the programs beside this one have in common: the data, the questions, the clock, and the file of figures.

`all.sh` runs them and ours, one after the other. They need:

    postgresql.py   Debian's postgresql, and psycopg from PyPI
    sqlite.py       SQLite as it comes with Python, with FTS5
    clickhouse.py   chdb-core from PyPI: ClickHouse's engine in process

Every system stores the same events (`bench data`), answers the same questions (`bench questions`), and must find as many
as there are. Classes: D+ synced and tamper-evident, D synced, V volatile.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments(name):
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=500, help="events of a transaction")
    parser.add_argument("--runs", type=int, default=100, help="times that a question is asked, at most for 20 s or 5 times")
    parser.add_argument("--bench", default=str(ROOT / "target/release/bench"), help="the program `bench`")
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="where a folder for the data is made, and removed")
    parser.add_argument("--save", default=str(ROOT / f"bench/figures/{name}.json"))
    return parser.parse_args()


def events(args):
    """The events as lines of JSON."""
    command = [args.bench, "data", "--events", str(args.events), "--seed", str(args.seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        for line in program.stdout:
            yield line.rstrip(b"\n")
    assert program.returncode == 0, "bench data failed"


def batches(rows, size):
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class Clock:
    """The seconds of taking events in, without those of making them. It stands while the next are made, and what a system
    does in its background goes on."""

    def __init__(self):
        self.seconds = 0.0
        self.processor = time.process_time()

    def each(self, items):
        items = iter(items)
        while True:
            processor = time.thread_time()
            item = next(items, None)
            self.processor += time.thread_time() - processor
            if item is None:
                return
            started = time.monotonic()
            yield item
            self.seconds += time.monotonic() - started

    def processor_seconds(self):
        """Of this process, for systems that are in it."""
        return time.process_time() - self.processor


def questions(args):
    command = [args.bench, "questions", "--events", str(args.events), "--seed", str(args.seed)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def text_of(event):
    """What the search for words looks at."""
    attributes = event["attributes"]
    texts = [event.get("message"), attributes.get("subject"), attributes.get("query")]
    return " ".join([text for text in texts if text] + [target["name"] for target in event.get("targets", [])])


def drop_page_cache():
    """Only root may; whoever else runs this gets a warmer cold."""
    subprocess.run(["sync"], check=True)
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
    except OSError:
        print("the page cache could not be dropped", file=sys.stderr)


def cpu_of(pid):
    """Processor seconds of a process and of all its children, dead or alive."""
    def of(pid, fields):
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return 0.0
        numbers = stat.rsplit(")", 1)[1].split()
        return sum(int(numbers[field]) for field in fields) / 100
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return of(pid, range(11, 15)) + sum(of(int(child), range(11, 15)) for child in children)


def machine():
    model = next(line for line in open("/proc/cpuinfo") if line.startswith("model name"))
    return f"{model.split(':', 1)[1].strip()}, {len(list(pathlib.Path('/sys/devices/system/cpu').glob('cpu[0-9]*')))} cores"


def ask(args, asked, answer, reopen):
    """Asks each question many times warm, then once cold. `answer(name, run)` gives a number to compare, or None;
    `reopen()` makes everything cold."""
    expected = {
        "rare_actor": asked["rare_actor"]["count"],
        "type_status": asked["type_status"]["count"],
        "two_words": asked["two_words"]["count"],
        "network": asked["network"]["count"],
        "cost_by_actor": asked["cost_by_actor"]["micros"],
        "histogram": asked["events"],
        "by_id": 1,
        "deep_page": 100,
        "newest": 100,
    }
    counted = ("rare_actor", "type_status", "two_words", "network")
    figures = {}
    for name, number in expected.items():
        found = answer(name, 0)
        assert found == number, f"{name}: {found} found, {number} expected"
        # Asked once already, to see that the answer is right; what is quick is asked a few times more before it counts.
        until = time.monotonic() + 1
        for run in range(5):
            if time.monotonic() < until:
                answer(name, run)
        times = []
        until = time.monotonic() + 20
        for run in range(args.runs):
            if len(times) >= 5 and time.monotonic() > until:
                break
            started = time.perf_counter()
            answer(name, run)
            times.append(1e3 * (time.perf_counter() - started))
        times.sort()
        at = lambda share: round(times[min(len(times) - 1, int(share * len(times)))], 3)
        figures[name] = {"p50_ms": at(0.5), "p99_ms": at(0.99), "answer": number if name in counted else None}
        print(f"{name:15} {at(0.5):10.2f} {at(0.99):10.2f} ms", file=sys.stderr)
    for name in expected:
        cold = reopen(name)
        figures[name]["cold_ms"] = round(cold, 3)
        print(f"{name:15} {cold:10.2f} ms cold", file=sys.stderr)
    return figures


def save(args, asked, system, how, seconds, cpu_seconds, size, figures):
    count = asked["events"]
    found = {
        "system": system[0], "class": system[1], "machine": machine(),
        "events": count, "seed": args.seed, "hash": asked["hash"],
        "ingest": {
            "how": how,
            "events_per_second": round(count / seconds, 1),
            "cpu_seconds_per_million": round(1e6 * cpu_seconds / count, 2),
            "bytes_per_event": round(size / count, 1),
        },
        "queries": figures,
    }
    path = pathlib.Path(args.save)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, sort_keys=True) + "\n")
    print(json.dumps(found["ingest"]), file=sys.stderr)
