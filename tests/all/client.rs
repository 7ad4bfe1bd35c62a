//! As much of HTTP as the tests need, over one kept-alive connection to loopback.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use event::Value;

use crate::program::{TOKEN, parse};

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client::with_token(address, TOKEN)
    }

    pub(crate) fn with_token(address: SocketAddr, token: &str) -> Client {
        Client::connect(address, token).expect("the server listens")
    }

    pub(crate) fn connect(address: SocketAddr, token: &str) -> Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream: BufReader::new(stream), token: token.to_owned() })
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, b"").expect("the server answers")
    }

    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> Reply {
        self.ask("POST", path, body).expect("the server answers")
    }

    /// An error is a connection that broke: nothing is known about the request then.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Reply> {
        let bearer = format!("Bearer {}", self.token);
        self.ask_with(method, path, &[("authorization", &bearer), ("content-type", "application/json")], body)
    }

    /// The same with headers of one's own, and no others than these and what HTTP wants.
    pub(crate) fn ask_with(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        let mut request = format!("{request}content-length: {}\r\n\r\n", body.len()).into_bytes();
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request)?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "closed before the answer"));
            }
        }
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        let len = head.lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|l| l.parse().ok());
        // There is nothing to say the length of.
        let len = if status == Some(204) { Some(0) } else { len };
        let (Some(status), Some(len)) = (status, len) else {
            return Err(Error::new(ErrorKind::InvalidData, head));
        };
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body)?;
        Ok(Reply { status, head, body })
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}{}", self.head, self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value<'static> {
        parse(&self.text())
    }
}

/// A text as a value in a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    let byte = |b: u8| match b.is_ascii_alphanumeric() {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
