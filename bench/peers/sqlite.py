"""SQLite with FTS5, class D: in process, write-ahead log, synced at each commit."""

import ipaddress
import json
import os
import shutil
import sqlite3
import tempfile
import time

import measure

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -262144;
CREATE TABLE audit_log (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, time TEXT NOT NULL, type TEXT NOT NULL, status TEXT, action TEXT, actor TEXT,
    address INTEGER, model TEXT, micros INTEGER, event TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX by_id ON audit_log (id);
CREATE INDEX by_time ON audit_log (time);
CREATE INDEX by_actor ON audit_log (actor, seq);
CREATE INDEX by_type ON audit_log (type, status, time);
CREATE INDEX by_address ON audit_log (address);
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', tokenize = 'unicode61');
"""


def row(line):
    event = json.loads(line)
    actor, llm = event["actor"], event.get("llm", {})
    # Always six digits after the point.
    micros = int(llm["cost"].replace(".", "")) if "cost" in llm else None
    event_row = (
        event["source_id"], event["time"], event["type"], event["status"], event["action"], actor["id"],
        int(ipaddress.ip_address(actor["ip"])), llm.get("model"), micros, line.decode(),
    )
    return event_row, measure.text_of(event)


class Asker:
    def __init__(self, path, asked):
        self.path, self.asked = path, asked
        self.connection = self.open()

    def open(self):
        connection = sqlite3.connect(self.path)
        connection.execute("PRAGMA cache_size = -262144")
        return connection

    def rows(self, sql, *values):
        return self.connection.execute(sql, values).fetchall()

    def counted(self, where, *values):
        self.rows(f"SELECT event FROM audit_log WHERE {where} ORDER BY seq DESC LIMIT 100", *values)
        return self.rows(f"SELECT count(*) FROM audit_log WHERE {where}", *values)[0][0]

    def answer(self, name, run):
        asked = self.asked
        if name == "rare_actor":
            return self.counted("actor = ?", asked[name]["actor"])
        if name == "type_status":
            where = "type = 'llm.completion' AND status = 'failure' AND time >= ? AND time < ?"
            return self.counted(where, asked[name]["from"], asked[name]["to"])
        if name == "two_words":
            words = " AND ".join(asked[name]["words"])
            self.rows(
                "SELECT event FROM words JOIN audit_log ON seq = words.rowid WHERE words MATCH ?"
                " ORDER BY words.rowid DESC LIMIT 100",
                words,
            )
            return self.rows("SELECT count(*) FROM words WHERE words MATCH ?", words)[0][0]
        if name == "network":
            network = ipaddress.ip_network(asked[name]["network"])
            return self.counted("address BETWEEN ? AND ?", int(network[0]), int(network[-1]))
        if name == "cost_by_actor":
            # In the order of by_actor each row would be read from another page: seven minutes for ten million.
            sql = "SELECT actor, sum(micros) AS cost FROM audit_log NOT INDEXED GROUP BY 1 ORDER BY cost DESC LIMIT 10"
            return self.rows(sql)[0][1]
        if name == "histogram":
            rows = self.rows("SELECT substr(time, 1, 13), type, count(*) FROM audit_log GROUP BY 1, 2")
            return sum(count for _, _, count in rows)
        if name == "by_id":
            ids = asked[name]["ids"]
            return len(self.rows("SELECT event FROM audit_log WHERE id = ?", ids[run % len(ids)]))
        if name == "deep_page":
            sql = "SELECT event FROM audit_log WHERE seq < ? ORDER BY seq DESC LIMIT 100"
            return len(self.rows(sql, asked["events"] // 2))
        return len(self.rows("SELECT event FROM audit_log ORDER BY seq DESC LIMIT 100"))

    def reopen(self, name):
        self.connection.close()
        measure.drop_page_cache()
        self.connection = self.open()
        started = time.perf_counter()
        self.answer(name, 150)
        return 1e3 * (time.perf_counter() - started)


def main():
    args = measure.arguments("sqlite")
    asked = measure.questions(args)
    rows = map(row, measure.events(args))
    folder = tempfile.mkdtemp(prefix="peer-sqlite-", dir=args.dir)
    try:
        path = os.path.join(folder, "audit.db")
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript(SCHEMA)
        clock = measure.Clock()
        seq = 0
        for batch in clock.each(measure.batches(rows, args.batch)):
            connection.execute("BEGIN")
            numbers = range(seq + 1, seq + 1 + len(batch))
            connection.executemany(
                "INSERT INTO audit_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((number, *event) for number, (event, _) in zip(numbers, batch)),
            )
            connection.executemany(
                "INSERT INTO words (rowid, text) VALUES (?, ?)",
                ((number, text) for number, (_, text) in zip(numbers, batch) if text),
            )
            connection.execute("COMMIT")
            seq += len(batch)
        cpu = clock.processor_seconds()
        assert connection.execute("SELECT count(*) FROM audit_log").fetchone()[0] == args.events
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
        connection.close()
        size = os.path.getsize(path)
        asker = Asker(path, asked)
        figures = measure.ask(args, asked, asker.answer, asker.reopen)
        asker.connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    how = f"in process, {args.batch} a transaction, WAL; four indexes and FTS5, rows ready beforehand"
    system = (f"SQLite {sqlite3.sqlite_version}, FTS5", "D")
    measure.save(args, asked, system, how, clock.seconds, cpu, size, figures)


if __name__ == "__main__":
    main()
