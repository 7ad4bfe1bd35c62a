//! HTTP/1.1 over one connection that is kept open. Small, so that the processor is left to the server.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longer than the server waits for anything.
const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) struct Connection {
    stream: TcpStream,
    token: String,
    /// Of the session, for pages; empty until somebody has signed in.
    cookie: String,
    /// What has come of the present answer: its head, and its body as it is decoded.
    received: Vec<u8>,
}

/// An answer, whole.
pub(crate) struct Answer<'c> {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// The first one that it sets: name and value.
    cookie: Option<String>,
    pub(crate) body: &'c [u8],
    /// Since the request was sent: the first byte, and the last.
    pub(crate) first_byte: Duration,
    pub(crate) total: Duration,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, token: &str) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let (token, cookie) = (token.to_owned(), String::new());
        Ok(Connection { stream, token, cookie, received: Vec::with_capacity(256 << 10) })
    }

    /// Signs in with the token, through the form that people fill in.
    pub(crate) fn sign_in(&mut self) -> io::Result<()> {
        let door = self.get("/login")?;
        let cookie = door.cookie.ok_or_else(|| broken("the door gives no cookie"))?;
        let page = String::from_utf8_lossy(door.body);
        let form = page.split_once("name=\"form\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        let form = form.ok_or_else(|| broken("the door has no form"))?.0.to_owned();
        self.cookie = cookie;
        let filled_in = format!("form={}&key={}", percent(&form), percent(&self.token));
        let inside = self.post("/login", "application/x-www-form-urlencoded", filled_in.as_bytes())?;
        self.cookie = inside.cookie.ok_or_else(|| broken("the door stays shut"))?;
        Ok(())
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer<'_>> {
        self.ask("GET", path, "", b"")
    }

    pub(crate) fn post_events(&mut self, lines: &[u8]) -> io::Result<Answer<'_>> {
        self.post("/v1/events", "application/x-ndjson", lines)
    }

    pub(crate) fn post(&mut self, path: &str, kind: &str, body: &[u8]) -> io::Result<Answer<'_>> {
        self.ask("POST", path, &format!("content-type: {kind}\r\n"), body)
    }

    /// After an error the connection is of no further use.
    fn ask(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> io::Result<Answer<'_>> {
        // Pages know people by their cookie, and everything else knows programs by their token.
        let who = match self.cookie.as_str() {
            "" => format!("authorization: Bearer {}", self.token),
            cookie => format!("cookie: {cookie}"),
        };
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\n{who}\r\n{more}content-length: {length}\r\n\r\n"
        );
        let started = Instant::now();
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body)?;
        self.received.clear();
        let end = loop {
            self.more()?;
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                break end + 4;
            }
            if self.received.len() > 64 << 10 {
                return Err(broken("the head of the answer does not end"));
            }
        };
        let first_byte = started.elapsed();
        let head = Head::read(&self.received[..end])?;
        let from = match head.length {
            Length::Bytes(bytes) => {
                while self.received.len() < end + bytes {
                    self.more()?;
                }
                end
            }
            Length::Chunks => self.chunks(end)?,
        };
        let total = started.elapsed();
        let Head { status, retry_after, cookie, .. } = head;
        Ok(Answer { status, retry_after, cookie, body: &self.received[from..], first_byte, total })
    }

    fn more(&mut self) -> io::Result<()> {
        let len = self.received.len();
        self.received.resize(len + (64 << 10), 0);
        let read = self.stream.read(&mut self.received[len..]);
        self.received.truncate(len + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => Err(broken("the server closed the connection")),
            _ => Ok(()),
        }
    }

    /// Puts the parts of a chunked body together, and says where it starts.
    fn chunks(&mut self, mut at: usize) -> io::Result<usize> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match find(&self.received[at..], b"\r\n") {
                    Some(len) => break at + len,
                    None => self.more()?,
                }
            };
            let text = std::str::from_utf8(&self.received[at..line]).unwrap_or_default();
            let size = text.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| broken("a chunk has no size"))?;
            let (from, to) = (line + 2, line + 2 + size);
            while self.received.len() < to + 2 {
                self.more()?;
            }
            body.extend_from_slice(&self.received[from..to]);
            at = to + 2;
            if size == 0 {
                self.received = body;
                return Ok(0);
            }
        }
    }
}

enum Length {
    Bytes(usize),
    Chunks,
}

struct Head {
    status: u16,
    length: Length,
    retry_after: Option<Duration>,
    cookie: Option<String>,
}

impl Head {
    fn read(head: &[u8]) -> io::Result<Head> {
        let text = std::str::from_utf8(head).map_err(|_| broken("the head is not text"))?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let mut head = Head {
            status: status.ok_or_else(|| broken("no status line"))?,
            length: Length::Bytes(0),
            retry_after: None,
            cookie: None,
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    head.length = Length::Bytes(value.parse().map_err(|_| broken("a length is no number"))?);
                }
                "transfer-encoding" => head.length = Length::Chunks,
                "set-cookie" if head.cookie.is_none() => {
                    head.cookie = value.split(';').next().map(str::to_owned);
                }
                "retry-after" => head.retry_after = value.parse().ok().map(Duration::from_secs),
                _ => {}
            }
        }
        Ok(head)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Text as it stands in a query string.
pub(crate) fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The whole number under a name in JSON that was written without spaces: the first one of that name.
pub(crate) fn member(json: &[u8], name: &str) -> Option<u64> {
    let key = format!("\"{name}\":");
    let at = find(json, key.as_bytes())? + key.len();
    let digits = json[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&json[at..at + digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn answer_of(bytes: &'static [u8]) -> io::Result<(u16, Vec<u8>)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).unwrap();
            // In pieces, as a network may do it.
            for piece in bytes.chunks(7) {
                stream.write_all(piece).unwrap();
                stream.flush().unwrap();
            }
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let mut connection = Connection::open(address, "secret").unwrap();
        let answer = connection.get("/v1/events?q=x").map(|answer| (answer.status, answer.body.to_vec()));
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /v1/events?q=x HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nauthorization: Bearer secret\r\n"), "{request}");
        answer
    }

    #[test]
    fn reads_bodies_of_stated_length_and_in_chunks() {
        let (status, body) = answer_of(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        assert_eq!((status, &body[..]), (200, &b"hello"[..]));
        let chunked = b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n";
        let (status, body) = answer_of(chunked).unwrap();
        assert_eq!((status, &body[..]), (503, &b"hello, world"[..]));
        assert!(answer_of(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort").is_err());
    }

    #[test]
    fn finds_numbers_and_writes_query_strings() {
        assert_eq!(member(br#"{"accepted":500,"duplicates":0}"#, "duplicates"), Some(0));
        assert_eq!(member(br#"{"accepted":500}"#, "accepted"), Some(500));
        assert_eq!(member(br#"{"accepted":"x"}"#, "accepted"), None);
        assert_eq!(percent("a:\"b\" é"), "a%3A%22b%22%20%C3%A9");
    }
}
