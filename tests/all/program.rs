//! The binary `indelible`: built, run, started as a server, stopped.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use event::{Limits, Value, json};
use tempfile::TempDir;

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// As long as the server demands, and nothing else.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace")
}

/// The binary as the tests were built, or optimised. Cargo is asked for it, so that it is never an old one: it is no
/// part of this package, and a test run does not build it by itself.
fn build(optimised: bool) -> PathBuf {
    // TARGET/PROFILE/deps/all-0123
    let this = std::env::current_exe().expect("we are running");
    let profile = this.parent().and_then(Path::parent).expect("cargo put us here");
    let target = profile.parent().expect("cargo put us here");
    let optimised = optimised || profile.ends_with("release");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--quiet", "--workspace", "--bin", "indelible", "--target-dir"]);
    cargo.arg(target).args(optimised.then_some("--release")).current_dir(root());
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = target.join(if optimised { "release" } else { "debug" }).join("indelible");
    assert!(path.is_file(), "{} was not built", path.display());
    path
}

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build(false))
}

/// A command of a binary, in an environment without settings of ours.
fn command(binary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("INDELIBLE_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// What a command answered.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// It ended as it should.
    #[track_caller]
    pub(crate) fn is(self, code: i32) -> Answer {
        assert_eq!(self.code, code, "\nstandard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// Its output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value<'static> {
        parse(self.out.trim_end())
    }
}

#[track_caller]
pub(crate) fn parse(text: &str) -> Value<'static> {
    let limits = Limits { max_bytes: 1 << 30, max_depth: 128 };
    match json::parse(text.as_bytes(), &limits) {
        Ok(value) => value.into_owned(),
        Err(refusal) => panic!("{refusal}: {text:.2000}"),
    }
}

/// A member as text, whatever its type; empty if it is not there.
pub(crate) fn text(value: &Value<'_>, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.to_string(),
        Some(other) => String::from_utf8(other.to_jcs()).expect("JSON is text"),
    }
}

/// A member as a number.
#[track_caller]
pub(crate) fn number(value: &Value<'_>, pointer: &str) -> u64 {
    text(value, pointer).parse().unwrap_or_else(|_| panic!("no number at {pointer} of {}", text(value, "")))
}

/// A folder for one test: `data` in it is the data folder of its commands, the rest is the test's.
pub(crate) struct Place {
    dir: TempDir,
    binary: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { dir: TempDir::new().expect("there is room for a folder"), binary: binary().to_owned() }
    }

    /// For so much data that only the optimised binary is quick enough.
    pub(crate) fn optimised() -> Place {
        Place { dir: TempDir::new().expect("there is room for a folder"), binary: build(true) }
    }

    /// With a ledger of `events` numbered events (`source_id` "1" and so on).
    pub(crate) fn with_events(events: u64) -> Place {
        let place = Place::new();
        place.run(&["init"]).is(0);
        place.append(1..=events);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A path as an argument.
    pub(crate) fn arg(&self, name: &str) -> String {
        self.path(name).to_str().expect("temporary folders have plain names").to_owned()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Folder of the default organisation's ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.data().join("ledgers/default")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).expect("the folder is ours");
        self.arg(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// A command on the data folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        self.feed(arguments, b"")
    }

    /// The same, with standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> Answer {
        self.feed_in(arguments, input, &[])
    }

    /// The same, in an environment.
    pub(crate) fn feed_in(&self, arguments: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Answer {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("piped");
        let output = std::thread::scope(|scope| {
            // Commands that do not read it close it, which is no error of ours.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().expect("the binary ends")
        });
        Answer {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("output is text"),
            err: String::from_utf8(output.stderr).expect("errors are text"),
        }
    }

    /// A command on the data folder that the test starts itself.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.binary, arguments);
        command.env("INDELIBLE_DATA", self.data()).current_dir(self.dir.path());
        command
    }

    /// Appends numbered events.
    pub(crate) fn append(&self, numbers: std::ops::RangeInclusive<u64>) {
        let lines: Vec<u8> = numbers.flat_map(|n| numbered(n).into_bytes()).collect();
        self.feed(&["append"], &lines).is(0);
    }

    /// The verdict on the data folder: an exit code, with which the words agree.
    #[track_caller]
    pub(crate) fn verify(&self, more: &[&str]) -> (i32, Value<'static>) {
        let answer = self.run(&[&["verify", "--json"], more].concat());
        if answer.out.is_empty() {
            return (answer.code, Value::from(answer.err));
        }
        let value = answer.json();
        assert_eq!(answer.code as u64, number(&value, "/exit_code"), "{}", answer.out);
        (answer.code, value)
    }

    /// The newest checkpoint, kept in a file: as someone outside would.
    pub(crate) fn keep_checkpoint(&self, name: &str) -> String {
        self.run(&["checkpoint", "-o", &self.arg(name)]).is(0);
        self.arg(name)
    }

    /// The line that names the log's key, as a policy file.
    pub(crate) fn policy(&self, name: &str) -> String {
        let stats = self.run(&["stats", "--json", "--organisation", "default"]).is(0).json();
        self.write(name, format!("log {}\nquorum none\n", text(&stats, "/0/key")))
    }

    /// The text of [`Place::policy`].
    pub(crate) fn read_policy(&self) -> String {
        fs::read_to_string(self.policy("policy")).expect("it was written just now")
    }

    /// Every event of the default organisation, oldest first, as `tail --json` shows them.
    pub(crate) fn all(&self) -> Vec<Value<'static>> {
        let answer = self.run(&["tail", "--json", "-n", "10000000"]).is(0);
        answer.out.lines().map(parse).collect()
    }

    /// Runs our Python verifier, which was written from docs/format.md.
    pub(crate) fn python(&self, arguments: &[&str]) -> Answer {
        let output = Command::new("python3")
            .arg(root().join("tests/verify.py"))
            .args(arguments)
            .current_dir(self.dir.path())
            .output()
            .expect("Python 3 is installed");
        Answer {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// An event of which every part is known.
pub(crate) fn numbered(n: u64) -> String {
    format!(
        "{{\"source_id\":\"{n}\",\"producer\":\"test\",\"type\":\"auth.login\",\"status\":\"success\",\
         \"message\":\"event {n}\",\"actor\":{{\"type\":\"user\",\"id\":\"user-{}\"}}}}\n",
        n % 7
    )
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Puts a copy in the place of a folder.
pub(crate) fn restore(from: &Path, to: &Path) {
    fs::remove_dir_all(to).unwrap();
    copy(from, to);
}

/// Every file below a folder.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all.sort();
    all
}

/// A running server. It is killed if the test forgets it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Everything it has printed so far, to both channels.
    printed: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts it with the token that clients here use, and waits until it listens.
    pub(crate) fn start(place: &Place) -> Server {
        Server::start_in(place, &[("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN)])
    }

    pub(crate) fn start_in(place: &Place, environment: &[(&str, &str)]) -> Server {
        Server::start_with(place, &[], environment)
    }

    pub(crate) fn start_with(place: &Place, more: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut command = place.command(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
        command.envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let printed = Arc::new(Mutex::new(String::new()));
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (first, lines) = listen_to(out, printed.clone());
        let (second, _) = listen_to(err, printed.clone());
        let address = ([127, 0, 0, 1], 0).into();
        let mut server = Server { child, address, printed, readers: vec![first, second] };
        // The demonstration's week is recorded first, on machines that may be busy with other tests.
        let deadline = Instant::now() + 4 * PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(left) else {
                panic!("the server did not start: {}", server.printed.lock().unwrap());
            };
            if let Some(address) = line.strip_prefix("Indelible listens on http://") {
                server.address = address.trim().parse().expect("an address and a port");
                return server;
            }
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("there is a kill command");
        assert!(sent.success(), "the server was gone before it was stopped");
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("it is our child") {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("the server does not stop"),
                // There is no waiting for a child with a limit in the standard library.
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        (status, self.printed())
    }

    /// `kill -9`: no destructor, no flush, no last word.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
        self.printed()
    }

    /// All that it printed, once it has ended.
    fn printed(&mut self) -> String {
        self.readers.drain(..).for_each(|reader| reader.join().expect("readers do not panic"));
        self.printed.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps what a channel says, and hands it on line by line.
fn listen_to(
    channel_: impl Read + Send + 'static,
    printed: Arc<Mutex<String>>,
) -> (JoinHandle<()>, Receiver<String>) {
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        let mut input = BufReader::new(channel_);
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            printed.lock().unwrap().push_str(&text);
            let _ = sender.send(text);
            line.clear();
        }
    });
    (reader, lines)
}
