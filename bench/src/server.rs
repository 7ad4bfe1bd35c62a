//! The server that is measured: a process of its own, watched from outside.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::client::Connection;
use crate::meter;

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(120);
/// Longest that work in the background is waited for.
const QUIET: Duration = Duration::from_secs(180);

/// The part of the data folder that is no measure of what an event takes.
pub(crate) const JOURNALS: &str = "journals kept open";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    /// Those of a server that we started, or were told.
    pub(crate) pid: Option<u32>,
    pub(crate) data: Option<PathBuf>,
    child: Option<Child>,
}

impl Server {
    /// Starts `program` on a free port, and waits until it answers. What it says about itself is added to `log`.
    pub(crate) fn start(program: &Path, data: &Path, log: &Path) -> Result<Server> {
        let log = fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut random = [0; 24];
        fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut command = Command::new(program);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INDELIBLE_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("INDELIBLE_BOOTSTRAP_TOKEN", &token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("couldn't start {}", program.display()))?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        // It says where it listens before it answers.
        let address = loop {
            let Some(line) = lines.next().transpose()? else { bail!("the server ended before it listened") };
            if let Some(address) = line.split("http://").nth(1) {
                break address.trim().parse().with_context(|| format!("not an address: {line}"))?;
            }
        };
        thread::spawn(move || lines.for_each(drop));
        let server =
            Server { address, token, pid: Some(child.id()), data: Some(data.to_owned()), child: Some(child) };
        server.wait(START)?;
        Ok(server)
    }

    /// A server that runs already.
    pub(crate) fn running(url: &str, token: &str, pid: Option<u32>, data: Option<&Path>) -> Result<Server> {
        let address =
            url.strip_prefix("http://").context("expected http://ADDRESS:PORT")?.trim_end_matches('/');
        let server = Server {
            address: address.parse().context("expected an address and a port, no name")?,
            token: token.to_owned(),
            pid,
            data: data.map(Path::to_owned),
            child: None,
        };
        server.wait(START)?;
        Ok(server)
    }

    fn wait(&self, most: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            let healthy =
                self.connect().and_then(|mut connection| Ok(connection.get("/healthz")?.status == 200));
            match healthy {
                Ok(true) => return Ok(()),
                _ if started.elapsed() > most => bail!("the server does not answer at {}", self.address),
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    pub(crate) fn connect(&self) -> Result<Connection> {
        Ok(Connection::open(self.address, &self.token)?)
    }

    /// Processor time of all its threads since it started.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        self.pid.map(meter::cpu_of)
    }

    /// Bytes of the largest resident set.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        self.pid.map(meter::peak_memory_of)
    }

    pub(crate) fn reset_peak_memory(&self) {
        if let Some(pid) = self.pid {
            meter::reset_peak_memory_of(pid);
        }
    }

    /// Waits until what goes on behind the answers (sealing, indexing) is done: two seconds of next to no processor time.
    pub(crate) fn wait_until_quiet(&self) {
        let started = Instant::now();
        let mut quiet = 0;
        while let Some(before) = self.cpu().filter(|_| quiet < 2 && started.elapsed() < QUIET) {
            thread::sleep(Duration::from_secs(1));
            let used = self.cpu().unwrap_or_default().saturating_sub(before);
            quiet = if used < Duration::from_millis(50) { quiet + 1 } else { 0 };
        }
    }

    /// Bytes on the disk by what they are for.
    pub(crate) fn folders(&self) -> Result<BTreeMap<&'static str, u64>> {
        let mut folders = BTreeMap::new();
        if let Some(data) = &self.data {
            add(data, data, &mut folders)?;
        }
        Ok(folders)
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        ensure!(told.success(), "couldn't tell the server to stop");
        let started = Instant::now();
        while started.elapsed() < STOP {
            if let Some(status) = child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        child.kill()?;
        bail!("the server did not stop")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn add(root: &Path, dir: &Path, folders: &mut BTreeMap<&'static str, u64>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        // Files come and go while the server works.
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            add(root, &path, folders)?;
        } else {
            *folders.entry(part(path.strip_prefix(root)?)).or_default() += about.len();
        }
    }
    Ok(())
}

/// What a file in the data folder is for.
fn part(path: &Path) -> &'static str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let under = |folder: &str| path.components().any(|part| part.as_os_str() == folder);
    match () {
        () if name.starts_with("journal-") || name == "spare" => JOURNALS,
        () if under("ledgers") => "ledger",
        () if under("index") => "index",
        () if under("views") => "state",
        () => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_parts() {
        let check = |path: &str, expect: &str| assert_eq!(part(Path::new(path)), expect, "{path}");
        check("ledgers/default/journal-00000000000000000501", JOURNALS);
        check("ledgers/default/segment-00000000000000000001", "ledger");
        check("views/index/default/meta.json", "index");
        check("views/state.sqlite", "state");
        check("kek", "other");
    }
}
