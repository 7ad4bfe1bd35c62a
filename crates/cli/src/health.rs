//! `health`: asks a server whether it works, for containers that have no other program to ask with.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use crate::output::line;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(crate) struct Health {
    /// Where the server is; plain HTTP only
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
}

impl Health {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Some(rest) = self.url.strip_prefix("http://") else {
            anyhow::bail!(
                "--url: expected http://HOST:PORT; ask a server with TLS by curl --fail URL/healthz"
            );
        };
        let host = rest.trim_end_matches('/');
        anyhow::ensure!(
            !host.is_empty() && !host.contains(['/', '@', '?', '#']) && !host.contains(char::is_whitespace),
            "--url: expected http://HOST:PORT"
        );
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let place = if has_port { host.to_owned() } else { format!("{host}:80") };
        let status = ask(&place, host).with_context(|| format!("no answer from {place}"))?;
        match status.split(' ').nth(1) {
            Some("200") => {
                line("the server works");
                Ok(ExitCode::SUCCESS)
            }
            _ => anyhow::bail!("the server says {status}"),
        }
    }
}

/// The first line of the answer to `GET /healthz`.
fn ask(place: &str, host: &str) -> anyhow::Result<String> {
    let mut last = None;
    for address in place.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Err(error) => last = Some(error),
            Ok(mut stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                write!(stream, "GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
                let mut answer = Vec::new();
                // Its beginning is enough, whatever sits there.
                stream.take(4096).read_to_end(&mut answer)?;
                let answer = String::from_utf8_lossy(&answer);
                return Ok(answer.lines().next().unwrap_or_default().chars().take(80).collect());
            }
        }
    }
    Err(last.map_or_else(|| anyhow::anyhow!("{host} has no address"), Into::into))
}
