//! Rude clients of the real binary: slow, greedy, lying, broken. Whoever is polite is answered meanwhile; no request breaks
//! the server, its memory stays within bounds, and nothing that is answered says that something broke, but for 503.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::client::Client;
use crate::kill::Chance;
use crate::program::{Place, Server, TOKEN, number, numbered, text};

/// Small limits, so that they are reached.
const SETTINGS: &[(&str, &str)] = &[
    ("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN),
    ("INDELIBLE__SERVER__LIMITS__HEAD_TIME", "2s"),
    ("INDELIBLE__SERVER__LIMITS__BODY_TIME", "3s"),
    ("INDELIBLE__SERVER__LIMITS__STALL_TIME", "2s"),
    ("INDELIBLE__SERVER__LIMITS__EVENTS_BODY_BYTES", "4MiB"),
    ("INDELIBLE__SERVER__LIMITS__LITELLM_BODY_BYTES", "4MiB"),
    ("INDELIBLE__SERVER__LIMITS__BODIES_BYTES", "16MiB"),
    ("INDELIBLE__SERVER__LIMITS__TREES_BYTES", "64MiB"),
    ("INDELIBLE__SERVER__RATE__PER_KEY", "1000000/1s"),
    ("INDELIBLE__SERVER__RATE__PER_ADDRESS", "1000000/1s"),
    ("INDELIBLE__SERVER__RATE__FAILED_LOGINS", "1000000/1s"),
];
/// What the server may take at most under these limits: what they allow, and 256 MiB for itself and what it answers.
const MEMORY: u64 = (16 + 64 + 256) << 20;
/// Longest that a polite client waits for an answer, whatever it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets `rude` loose on a server, with a polite client beside it; then looks what is left.
fn endure(more: &[(&str, &str)], rude: impl FnOnce(SocketAddr) + Send) {
    let place = Place::new();
    let server = Server::start_in(&place, &[SETTINGS, more].concat());
    let (address, is_over) = (server.address, AtomicBool::new(false));
    let polite = std::thread::scope(|scope| {
        let polite = scope.spawn(|| polite(address, &is_over));
        let rude = scope.spawn(move || rude(address));
        let ended = rude.join();
        is_over.store(true, Ordering::Relaxed);
        let polite = polite.join().expect("the polite client is answered");
        ended.expect("what was sent was answered well");
        polite
    });
    let peak = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10;
    let (status, printed) = server.stop();
    assert!(status.success(), "{printed}");
    assert!(!printed.contains("panicked") && !printed.contains("ERROR"), "{printed}");
    assert!(peak < MEMORY, "{} MiB were taken", peak >> 20);
    assert_eq!(place.verify(&[]).0, 0);
    let mut recorded: Vec<u64> = place
        .all()
        .iter()
        .filter(|event| text(event, "/producer") == "polite")
        .map(|event| number(event, "/source_id"))
        .collect();
    recorded.sort_unstable();
    assert_eq!(recorded, (0..polite).collect::<Vec<_>>(), "what was acknowledged is there, once");
    eprintln!("{polite} polite requests answered, {} MiB at most", peak >> 20);
}

/// Sends events as one should, each over a connection of its own: how many were recorded. After a 503 it tries again.
fn polite(address: SocketAddr, is_over: &AtomicBool) -> u64 {
    let mut sent = 0;
    while sent < 3 || !is_over.load(Ordering::Relaxed) {
        let event = numbered(sent).replace("\"producer\":\"test\"", "\"producer\":\"polite\"");
        let began = Instant::now();
        let reply = Client::new(address).post("/v1/events", event.as_bytes());
        assert!(began.elapsed() < PATIENCE, "an answer took {:?}", began.elapsed());
        match reply.status {
            503 => assert!(reply.head.contains("retry-after: "), "{}", reply.head),
            _ => {
                reply.is(200);
                sent += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    sent
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Everything that comes until the other end closes. Whoever is hung up on while sending may lose an answer: that is TCP.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert!(error.kind() != ErrorKind::WouldBlock, "neither an answer nor an end: {answer:?}");
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends bytes: the statuses that are answered, until the other end closes.
fn ask(address: SocketAddr, bytes: &[u8]) -> Vec<u16> {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    read_statuses(stream, bytes)
}

/// Sends bytes and says that no more come. Whoever does that in the middle of a request gets no answer to it.
fn say(address: SocketAddr, bytes: &[u8]) -> Vec<u16> {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    read_statuses(stream, bytes)
}

fn read_statuses(stream: TcpStream, bytes: &[u8]) -> Vec<u16> {
    let statuses = statuses(&rest(stream));
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    assert!(statuses.iter().all(|status| *status < 500 || *status == 503), "{statuses:?}: {shown}");
    statuses
}

fn statuses(answer: &str) -> Vec<u16> {
    answer.split("HTTP/1.1 ").skip(1).map(|head| head[..3].parse().expect("a status")).collect()
}

fn head(method: &str, path: &str, more: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n{more}\r\n").into_bytes()
}

fn post(path: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let length = format!("content-length: {}\r\nconnection: close\r\n{more}", body.len());
    [&head("POST", path, &length), body].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// So much of one byte, compressed, without ever being there.
fn gzip_bomb(byte: u8, mib: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    (0..mib).for_each(|_| encoder.write_all(&vec![byte; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

fn zstd_bomb(byte: u8, mib: usize) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 19).unwrap();
    (0..mib).for_each(|_| encoder.write_all(&vec![byte; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

#[test]
fn slow_clients_are_let_go_and_hold_nobody_up() {
    endure(&[], |address| {
        // Heads that go on for ever, a byte at a time; bodies that do; and bodies that are announced and never come.
        let head_of_one = head("GET", "/v1/events", "x-slow: yes\r\n");
        let body_of_one = head("POST", "/v1/events", "content-length: 100000\r\n");
        let nothing = head("POST", "/v1/events", "content-length: 4194304\r\n");
        let chunked = head("POST", "/ingest/litellm", "transfer-encoding: chunked\r\n");
        let began = Instant::now();
        let mut slow: Vec<(TcpStream, &[u8], usize)> = Vec::new();
        for (n, (bytes, at_once)) in [
            (&head_of_one, 10),
            (&body_of_one, body_of_one.len()),
            (&nothing, nothing.len()),
            (&chunked, chunked.len()),
        ]
        .iter()
        .cycle()
        .take(240)
        .enumerate()
        {
            let mut stream = connect(address);
            stream.write_all(&bytes[..*at_once]).unwrap_or_else(|e| panic!("{n}: {e}"));
            slow.push((stream, bytes, *at_once));
        }
        // All are trickling for longer than they may.
        while began.elapsed() < Duration::from_secs(8) {
            for (stream, bytes, sent) in &mut slow {
                let next = bytes.get(*sent).copied().unwrap_or(if bytes.ends_with(b"chunked\r\n\r\n") {
                    b'0'
                } else {
                    b' '
                });
                *sent += usize::from(stream.write_all(&[next]).is_ok());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        for (stream, bytes, _) in slow {
            let began = Instant::now();
            let answer = rest(stream);
            assert!(
                began.elapsed() < Duration::from_secs(1),
                "still held: {}",
                String::from_utf8_lossy(bytes)
            );
            let statuses = statuses(&answer);
            assert!(statuses.iter().all(|status| [400, 408, 503].contains(status)), "{answer}");
        }
    });
}

#[test]
fn slow_clients_take_every_place_and_give_it_back() {
    endure(&[("INDELIBLE__SERVER__LIMITS__CONNECTIONS", "8")], |address| {
        let silent: Vec<TcpStream> = (0..24).map(|_| connect(address)).collect();
        std::thread::sleep(Duration::from_secs(7));
        for stream in silent {
            assert_eq!(statuses(&rest(stream)), [0u16; 0]);
        }
    });
}

#[test]
fn who_takes_no_answer_is_let_go() {
    endure(&[("INDELIBLE__SERVER__LIMITS__EXPORTS", "16")], |address| {
        let mut client = Client::new(address);
        for n in 0..40 {
            let event = format!("{{\"type\":\"large.one\",\"message\":\"{}\"}}\n", "words ".repeat(9000));
            client
                .post(&format!("/v1/events?organisation=large-{}", n % 2), event.repeat(4).as_bytes())
                .is(200);
        }
        let mut greedy = Vec::new();
        for path in ["/v1/events/export", "/v1/events?limit=1000", "/v1/events/tail?at=0"] {
            for n in 0..8 {
                let mut stream = connect(address);
                stream
                    .write_all(&head(
                        "GET",
                        &format!(
                            "{path}{}organisation=large-{}",
                            if path.contains('?') { '&' } else { '?' },
                            n % 2
                        ),
                        "",
                    ))
                    .unwrap();
                greedy.push(stream);
            }
        }
        // Many requests in a row, and none of the answers taken.
        for _ in 0..8 {
            let mut stream = connect(address);
            stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
            let many = head("GET", "/v1/events?limit=1000&organisation=large-1", "").repeat(500);
            let _ = stream.write_all(&many);
            greedy.push(stream);
        }
        std::thread::sleep(Duration::from_secs(5));
        for stream in greedy {
            let taken = rest(stream);
            assert!(statuses(&taken).iter().all(|status| *status < 500 || *status == 503));
        }
    });
}

#[test]
fn heads_of_every_bad_kind_are_refused() {
    endure(&[], |address| {
        let with = |more: &str| head("GET", "/healthz", more);
        let floods: &[Vec<u8>] = &[
            with(&(0..5000).map(|n| format!("x-{n}: y\r\n")).collect::<String>()),
            with(&"x: y\r\n".repeat(200_000)),
            with(&format!("x: {}\r\n", "y".repeat(4 << 20))),
            with(&format!("{}: y\r\n", "x".repeat(1 << 20))),
            with(&format!("cookie: {}\r\n", "a=b; ".repeat(100_000))),
            head("GET", &format!("/{}", "x".repeat(1 << 20)), ""),
            head("GET", &format!("/v1/events?{}", "q=a&".repeat(50_000)), ""),
            head(&"X".repeat(1 << 20), "/", ""),
        ];
        for flood in floods {
            let statuses = say(address, flood);
            assert!(statuses.iter().all(|status| [400, 414, 431].contains(status)), "{statuses:?}");
        }
        let length = |text: &str| head("POST", "/v1/events", &format!("content-length: {text}\r\n"));
        let chunked = |more: &str, body: &str| {
            [
                head("POST", "/v1/events", &format!("transfer-encoding: chunked\r\n{more}")),
                body.as_bytes().to_vec(),
            ]
            .concat()
        };
        let broken: &[Vec<u8>] = &[
            length("-1"),
            length("18446744073709551616"),
            length("1e9"),
            length("5\r\ncontent-length: 6"),
            length("5, 6"),
            [length("9223372036854775807"), b"x".to_vec()].concat(),
            chunked("", "ffffffffffffffff1\r\nx"),
            chunked("", "-5\r\nhello\r\n0\r\n\r\n"),
            chunked("", "zz\r\n"),
            chunked("", &format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(1 << 20))),
            chunked("", &format!("5\r\nhello\r\n0\r\n{}\r\n", "x: y\r\n".repeat(10_000))),
            chunked("content-length: 3\r\n", "3\r\nabc\r\n0\r\n\r\n"),
            chunked("transfer-encoding: identity\r\n", "0\r\n\r\n"),
            head("POST", "/v1/events", "transfer-encoding: gzip\r\n"),
            b"GET / HTTP/1.1\r\n folded: x\r\n\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nx y: b\r\n\r\n".to_vec(),
            b"GET / HTTP/1.1\nhost: x\n\n".to_vec(),
            b"GET http://[::1 HTTP/1.1\r\n\r\n".to_vec(),
            b"GET \xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            b"GET / HTTP/3.0\r\n\r\n".to_vec(),
            b"GET /\r\n".to_vec(),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            b"TRACE /v1/events HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            head("GET", "/healthz", "upgrade: websocket\r\nconnection: upgrade\r\n"),
            head("GET", "/v1/events", "expect: 100-continue\r\ncontent-length: 10\r\n"),
            head("GET", "/%00/%ff/../../etc/passwd", ""),
            vec![0; 100_000],
        ];
        for bytes in broken {
            say(address, bytes);
        }
    });
}

#[test]
fn bombs_do_not_go_off() {
    endure(&[], |address| {
        let event = numbered(1_000_000);
        let event = event.trim_end();
        let mut text: Vec<u8> = Vec::new();
        let mut chance = Chance(1);
        text.resize_with(4_000_000, || b'a' + chance.below(26) as u8);
        // An event with a value that may be anything.
        let one =
            |value: &[u8]| [b"{\"type\":\"a.b\",\"attributes\":{\"n\":".as_slice(), value, b"}}"].concat();
        let plain: Vec<Vec<u8>> = vec![
            vec![b'['; 4 << 20],
            b"{\"a\":".repeat(800_000),
            [b"[".as_slice(), &b"0,".repeat(2_000_000)].concat(),
            [b"[".as_slice(), &b"{},".repeat(1_300_000)].concat(),
            [b"[".as_slice(), &b"[],".repeat(1_300_000)].concat(),
            b"\n".repeat(4 << 20),
            b"{}\n".repeat(1_300_000),
            format!("{event}\n").repeat(24_000).into_bytes(),
            one(&[b"\"", &text[..], b"\""].concat()),
            one(&vec![b'9'; 4_000_000]),
            one(&[b"1e".as_slice(), &vec![b'9'; 1 << 20]].concat()),
            one(&[b"\"".as_slice(), &b"\\ud83d\\ude00".repeat(300_000), b"\""].concat()),
            one(&[b"{".as_slice(), &b"\"a\":1,".repeat(600_000), b"\"b\":1}"].concat()),
            one(&[b"[".as_slice(), &b"\"r\",".repeat(900_000), b"1]"].concat()),
            one(format!("{{{}\"z\":1}}", (0..300_000).map(|n| format!("\"k{n}\":1,")).collect::<String>())
                .as_bytes()),
            vec![0xff; 4 << 20],
            vec![b'x'; 5 << 20],
        ];
        let packed: Vec<(&str, Vec<u8>)> = vec![
            ("gzip", gzip_bomb(b' ', 512)),
            ("gzip", gzip_bomb(b'[', 256)),
            ("gzip", gzip(&gzip_bomb(b' ', 64))),
            ("gzip", gzip(&text)),
            ("gzip, gzip", gzip(&gzip_bomb(b' ', 16))),
            ("gzip", gzip(event.as_bytes()).repeat(20_000)),
            ("zstd", zstd_bomb(b' ', 512)),
            ("zstd", zstd_bomb(b'[', 64)),
            ("deflate", gzip_bomb(b' ', 4)),
            ("zstd", b"\x28\xb5\x2f\xfd\xa0\xff\xff\xff\xff".to_vec()),
            ("gzip", b"\x1f\x8b".to_vec()),
        ];
        let mut sent = 0;
        std::thread::scope(|scope| {
            let mut senders = Vec::new();
            // Four of each kind at once: more than the limits have room for.
            for nth in 0..4 {
                let (plain, packed) = (&plain, &packed);
                senders.push(scope.spawn(move || {
                    let mut sent = 0;
                    for path in ["/v1/events", "/ingest/litellm"] {
                        let plain = plain.iter().map(|body| ("identity", body));
                        let all = plain.chain(packed.iter().map(|(encoding, body)| (*encoding, body)));
                        for (n, (encoding, body)) in all.enumerate() {
                            let more = format!("content-encoding: {encoding}\r\n");
                            let statuses = ask(address, &post(path, &more, body));
                            let expected = [400, 413, 415, 503];
                            // Empty lines are no events, and some that are compressed are few enough.
                            let may_be_good = [5, 22].contains(&n);
                            assert!(
                                statuses.iter().all(|s| expected.contains(s) || (may_be_good && *s == 200)),
                                "{n} of {nth} by {path}: {statuses:?}"
                            );
                            sent += 1;
                        }
                    }
                    sent
                }));
            }
            for sender in senders {
                sent += sender.join().expect("it was answered well");
            }
        });
        assert!(sent > 200);
    });
}

#[test]
fn requests_in_a_row_and_half_closed_connections_are_answered() {
    endure(&[], |address| {
        let get = head("GET", "/healthz", "");
        let last = head("GET", "/healthz", "connection: close\r\n");
        assert_eq!(ask(address, &[get.repeat(999), last.clone()].concat()), [200; 1000]);
        // A refused one in between does not put the others out of step.
        let bad = [head("POST", "/v1/events", "content-length: 1\r\n"), b"{".to_vec()].concat();
        let mixed = [get.clone(), head("GET", "/nothing", ""), bad, last.clone()];
        assert_eq!(ask(address, &mixed.concat()), [200, 404, 400, 200]);
        // What is sent behind a body that is not read is no request.
        let hidden = head("POST", "/v1/events", "content-encoding: br\r\ncontent-length: 30\r\n");
        let statuses = ask(address, &[hidden, last.clone()].concat());
        assert!([&[415][..], &[415, 400]].contains(&&statuses[..]), "{statuses:?}");
        // Half a head, half a body, half a chunk, and no more.
        let whole = post("/v1/events", "", b"{\"type\":\"a.b\"}");
        for half in [&get[..20], &whole[..whole.len() - 4]] {
            say(address, half);
        }
        let chunk =
            [head("POST", "/v1/events", "transfer-encoding: chunked\r\n"), b"ff\r\nhalf".to_vec()].concat();
        say(address, &chunk);
        // Gone without a word, while the answer is written, and before.
        for n in 0..500 {
            let mut stream = connect(address);
            let _ = stream.write_all(&get.repeat(20)[..20 * get.len() - n % 50]);
            if n % 3 == 0 {
                let _ = stream.read(&mut [0; 10]);
            }
        }
        assert_eq!(ask(address, &last), [200]);
    });
}

#[test]
fn noise_is_answered_and_breaks_nothing() {
    endure(&[], |address| {
        let body = numbered(2_000_000);
        let valid = [
            post("/v1/events?wait=durable", "content-type: application/json\r\n", body.as_bytes()),
            post(
                "/ingest/litellm",
                "idempotency-key: a\r\n",
                b"[{\"id\":\"x\",\"call_type\":\"acompletion\"}]",
            ),
            post("/v1/events", "content-encoding: gzip\r\n", &gzip(body.as_bytes())),
            head(
                "GET",
                "/v1/events?q=type:auth.*%20severity%3E%3Dhigh&limit=10&cursor=5",
                "connection: close\r\n",
            ),
            head("GET", "/v1/events/export?format=csv", "connection: close\r\n"),
        ];
        let mut chance = Chance(99);
        let mut answered = 0;
        for round in 0..3000 {
            let mut bytes = valid[round % valid.len()].clone();
            for _ in 0..1 + chance.below(4) {
                let at = chance.below(bytes.len() as u64) as usize;
                match chance.below(5) {
                    0 => bytes[at] = chance.below(256) as u8,
                    1 => bytes.truncate(at.max(1)),
                    2 => bytes.insert(at, chance.below(256) as u8),
                    3 => drop(bytes.remove(at)),
                    _ => bytes.splice(at..at, b"\r\n\r\n".iter().copied()).for_each(drop),
                }
                if bytes.is_empty() {
                    bytes.push(0);
                }
            }
            answered += usize::from(!say(address, &bytes).is_empty());
        }
        // The others are closed upon before they are read to the end.
        assert!(answered > 1000, "{answered}");
    });
}
