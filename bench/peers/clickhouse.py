"""ClickHouse's engine in process (chdb), class V: an insert is answered from the page cache."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from chdb import session

import measure

TABLE = """
CREATE TABLE bench.events (
    seq UInt64, source_id UUID, time DateTime64(3, 'UTC'), type LowCardinality(String), status LowCardinality(String),
    action LowCardinality(String), actor String, address IPv4, model LowCardinality(String), micros Nullable(UInt64),
    words String, event String CODEC(ZSTD(1)),
    INDEX by_id source_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_actor actor TYPE bloom_filter GRANULARITY 1,
    INDEX by_address address TYPE minmax GRANULARITY 1,
    INDEX by_words words TYPE text(tokenizer = splitByNonAlpha)
) ENGINE = MergeTree ORDER BY seq
"""
# What it is made for: few, large inserts.
BATCH = 20_000


def row(line):
    event = json.loads(line)
    actor, llm = event["actor"], event.get("llm", {})
    row.seq += 1
    return json.dumps({
        "seq": row.seq, "source_id": event["source_id"], "time": event["time"].rstrip("Z").replace("T", " "),
        "type": event["type"], "status": event["status"], "action": event["action"], "actor": actor["id"],
        "address": actor["ip"], "model": llm.get("model", ""),
        "micros": int(llm["cost"].replace(".", "")) if "cost" in llm else None,
        "words": measure.text_of(event), "event": line.decode(),
    })


row.seq = 0


class Asker:
    def __init__(self, path, asked):
        self.asked = asked
        self.session = session.Session(path)

    def rows(self, sql):
        answer = self.session.query(sql, "JSONCompact").bytes()
        return json.loads(answer)["data"]

    def counted(self, where):
        self.rows(f"SELECT event FROM bench.events WHERE {where} ORDER BY seq DESC LIMIT 100")
        return int(self.rows(f"SELECT count() FROM bench.events WHERE {where}")[0][0])

    def answer(self, name, run):
        asked = self.asked
        if name == "rare_actor":
            return self.counted(f"actor = '{asked[name]['actor']}'")
        if name == "type_status":
            since, until = (f"parseDateTime64BestEffort('{asked[name][end]}', 3)" for end in ("from", "to"))
            return self.counted(f"type = 'llm.completion' AND status = 'failure' AND time >= {since} AND time < {until}")
        if name == "two_words":
            one, two = asked[name]["words"]
            return self.counted(f"hasToken(words, '{one}') AND hasToken(words, '{two}')")
        if name == "network":
            first = asked[name]["network"].removesuffix("0/24")
            return self.counted(f"address BETWEEN toIPv4('{first}0') AND toIPv4('{first}255')")
        if name == "cost_by_actor":
            sql = "SELECT actor, sum(micros) AS cost FROM bench.events GROUP BY actor ORDER BY cost DESC NULLS LAST LIMIT 10"
            return int(self.rows(sql)[0][1])
        if name == "histogram":
            rows = self.rows("SELECT toStartOfHour(time) AS hour, type, count() FROM bench.events GROUP BY hour, type")
            return sum(int(count) for _, _, count in rows)
        if name == "by_id":
            ids = asked[name]["ids"]
            return len(self.rows(f"SELECT event FROM bench.events WHERE source_id = '{ids[run % len(ids)]}'"))
        if name == "deep_page":
            middle = asked["events"] // 2
            return len(self.rows(f"SELECT event FROM bench.events WHERE seq < {middle} ORDER BY seq DESC LIMIT 100"))
        return len(self.rows("SELECT event FROM bench.events ORDER BY seq DESC LIMIT 100"))


def cold(path, name):
    """One question in a process that has just begun; starting it is not counted."""
    asked = json.loads(sys.stdin.read())
    asker = Asker(path, asked)
    started = time.perf_counter()
    asker.answer(name, 150)
    print(1e3 * (time.perf_counter() - started))


def main():
    if sys.argv[1:2] == ["--cold"]:
        return cold(*sys.argv[2:4])
    args = measure.arguments("clickhouse")
    asked = measure.questions(args)
    blobs = ("\n".join(batch) for batch in measure.batches(map(row, measure.events(args)), BATCH))
    folder = tempfile.mkdtemp(prefix="peer-clickhouse-", dir=args.dir)
    try:
        asker = Asker(folder, asked)
        asker.session.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        asker.session.query(TABLE)
        clock = measure.Clock()
        for blob in clock.each(blobs):
            asker.session.query("INSERT INTO bench.events FORMAT JSONEachRow " + blob)
        # Merges go on after the answers; they are part of the price.
        asker.session.query("OPTIMIZE TABLE bench.events FINAL")
        cpu = clock.processor_seconds()
        count = int(asker.rows("SELECT count() FROM bench.events")[0][0])
        assert count == args.events, f"{count} stored"
        parts = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'bench' AND table = 'events'"
        size = int(asker.rows(parts)[0][0])
        version = asker.rows("SELECT version()")[0][0]

        state = {"open": True}

        def reopen(name):
            if state.pop("open", False):
                asker.session.close()
            measure.drop_page_cache()
            command = [sys.executable, os.path.abspath(__file__), "--cold", folder, name]
            done = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=True)
            return float(done.stdout)

        figures = measure.ask(args, asked, asker.answer, reopen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    how = f"in process, {BATCH} an insert, JSON rows ready beforehand"
    measure.save(args, asked, (f"ClickHouse {version}, in process", "V"), how, clock.seconds, cpu, size, figures)


if __name__ == "__main__":
    main()
