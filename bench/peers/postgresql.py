"""PostgreSQL, class D: one table with the columns of LiteLLM's audit log and spend logs, and the indexes that somebody
adds who asks these questions. A cluster of its own in a temporary folder, reached by a socket there.
"""

import glob
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

import psycopg

import measure

TABLE = """
CREATE TABLE audit_log (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    id text NOT NULL,
    updated_at timestamptz NOT NULL,
    type text NOT NULL,
    action text,
    status text,
    changed_by text,
    changed_by_api_key text,
    object_id text,
    before_value jsonb,
    updated_values jsonb,
    model text,
    custom_llm_provider text,
    spend numeric,
    prompt_tokens integer,
    completion_tokens integer,
    session_id text,
    requester_ip_address inet,
    metadata jsonb NOT NULL,
    words tsvector
)
"""
COLUMNS = (
    "id, updated_at, type, action, status, changed_by, changed_by_api_key, object_id, before_value, updated_values, model,"
    " custom_llm_provider, spend, prompt_tokens, completion_tokens, session_id, requester_ip_address, metadata, words"
)
INDEXES = [
    "CREATE UNIQUE INDEX ON audit_log (seq)",
    "CREATE UNIQUE INDEX ON audit_log (id)",
    "CREATE INDEX ON audit_log (updated_at)",
    "CREATE INDEX ON audit_log (changed_by, seq)",
    "CREATE INDEX ON audit_log (type, status, updated_at)",
    "CREATE INDEX ON audit_log (requester_ip_address)",
    "CREATE INDEX ON audit_log USING gin (words)",
]
SETTINGS = {
    "listen_addresses": "''", "shared_buffers": "1GB", "max_wal_size": "8GB", "work_mem": "64MB",
    # As they come; said aloud, since they are what makes this class D.
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
}
CONNECTIONS = 4


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        # PostgreSQL does not run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(folder, "postgres", "postgres")
        self.run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "bench", "--locale=C.UTF-8", "-E", "UTF8")
        with open(f"{folder}/data/postgresql.conf", "a") as settings:
            settings.write(f"unix_socket_directories = '{folder}'\n")
            settings.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
        self.start()

    def run(self, program, *words):
        subprocess.run([*self.user, f"{self.bin}/{program}", *words], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "start")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "fast", "-w", "stop")

    def connect(self):
        return psycopg.connect(host=self.folder, user="bench", dbname="postgres", autocommit=True)

    def cpu(self):
        with open(f"{self.folder}/data/postmaster.pid") as file:
            return measure.cpu_of(int(file.readline()))


def field(value):
    """A value as COPY takes it."""
    if value is None:
        return "\\N"
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def row(line):
    event = json.loads(line)
    actor, llm, changes = event["actor"], event.get("llm", {}), event.get("changes", {})
    # The words of the data are plain, so that a list of quoted ones is the tsvector that to_tsvector('simple', …) gives.
    words = " ".join(sorted({f"'{word}'" for word in measure.text_of(event).split(" ") if word}))
    values = [
        event["source_id"], event["time"], event["type"], event["action"], event["status"], actor["id"],
        actor.get("api_key_hash"), event.get("targets", [{}])[0].get("id"), changes.get("before"), changes.get("after"),
        llm.get("model"), llm.get("provider"), llm.get("cost"), llm.get("tokens_input"), llm.get("tokens_output"),
        actor["session_id"], actor["ip"], line.decode(), words,
    ]
    return "\t".join(field(value) for value in values)


def ingest(cluster, blobs):
    """Sends the batches, each in a transaction of its own."""
    waiting = iter(blobs)
    lock = threading.Lock()
    failures = []

    def work():
        try:
            with cluster.connect() as connection, connection.cursor() as cursor:
                while True:
                    with lock:
                        blob = next(waiting, None)
                    if blob is None:
                        return
                    with cursor.copy(f"COPY audit_log ({COLUMNS}) FROM STDIN") as copy:
                        copy.write(blob)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


class Asker:
    def __init__(self, cluster, asked):
        self.cluster, self.asked = cluster, asked
        self.connection = cluster.connect()

    def rows(self, sql, *values):
        return self.connection.execute(sql, values).fetchall()

    def counted(self, where, *values):
        """A page, and how many there are."""
        self.rows(f"SELECT metadata FROM audit_log WHERE {where} ORDER BY seq DESC LIMIT 100", *values)
        return self.rows(f"SELECT count(*) FROM audit_log WHERE {where}", *values)[0][0]

    def answer(self, name, run):
        asked = self.asked
        if name == "rare_actor":
            return self.counted("changed_by = %s", asked[name]["actor"])
        if name == "type_status":
            where = "type = 'llm.completion' AND status = 'failure' AND updated_at >= %s AND updated_at < %s"
            return self.counted(where, asked[name]["from"], asked[name]["to"])
        if name == "two_words":
            return self.counted("words @@ plainto_tsquery('simple', %s)", " ".join(asked[name]["words"]))
        if name == "network":
            return self.counted("requester_ip_address << %s::inet", asked[name]["network"])
        if name == "cost_by_actor":
            sql = "SELECT changed_by, sum(spend) AS cost FROM audit_log GROUP BY 1 ORDER BY cost DESC NULLS LAST LIMIT 10"
            return int(self.rows(sql)[0][1] * 1_000_000)
        if name == "histogram":
            sql = "SELECT date_trunc('hour', updated_at), type, count(*) FROM audit_log GROUP BY 1, 2"
            return sum(count for _, _, count in self.rows(sql))
        if name == "by_id":
            ids = asked[name]["ids"]
            return len(self.rows("SELECT metadata FROM audit_log WHERE id = %s", ids[run % len(ids)]))
        if name == "deep_page":
            sql = "SELECT metadata FROM audit_log WHERE seq < %s ORDER BY seq DESC LIMIT 100"
            return len(self.rows(sql, asked["events"] // 2))
        return len(self.rows("SELECT metadata FROM audit_log ORDER BY seq DESC LIMIT 100"))

    def reopen(self, name):
        self.connection.close()
        self.cluster.stop()
        measure.drop_page_cache()
        self.cluster.start()
        self.connection = self.cluster.connect()
        started = time.perf_counter()
        self.answer(name, 150)
        return 1e3 * (time.perf_counter() - started)


def main():
    args = measure.arguments("postgresql")
    asked = measure.questions(args)
    blobs = (
        ("\n".join(batch) + "\n").encode() for batch in measure.batches(map(row, measure.events(args)), args.batch)
    )
    folder = tempfile.mkdtemp(prefix="peer-postgresql-", dir=args.dir)
    try:
        cluster = Cluster(folder)
        with cluster.connect() as connection:
            for statement in [TABLE, *INDEXES]:
                connection.execute(statement)
        cpu = cluster.cpu()
        clock = measure.Clock()
        for piece in clock.each(measure.batches(blobs, 400)):
            ingest(cluster, piece)
        with cluster.connect() as connection:
            # What autovacuum and the checkpointer would do soon after, and readers profit from.
            connection.execute("VACUUM ANALYZE audit_log")
            connection.execute("CHECKPOINT")
            count = connection.execute("SELECT count(*) FROM audit_log").fetchone()[0]
            assert count == args.events, f"{count} stored"
            size = connection.execute("SELECT pg_total_relation_size('audit_log')").fetchone()[0]
            version = connection.execute("SHOW server_version").fetchone()[0].split(" ")[0]
        cpu = cluster.cpu() - cpu
        asker = Asker(cluster, asked)
        figures = measure.ask(args, asked, asker.answer, asker.reopen)
        asker.connection.close()
        cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    how = f"COPY, {args.batch} a transaction, {CONNECTIONS} connections; seven indexes, rows ready beforehand"
    measure.save(args, asked, (f"PostgreSQL {version}", "D"), how, clock.seconds, cpu, size, figures)


if __name__ == "__main__":
    main()
