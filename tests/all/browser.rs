//! A browser that does what a person does: Debian's chromium, driven by its chromedriver (W3C WebDriver) over loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::Value;

use crate::program::{parse, text};

/// Longest that anything on a page is waited for.
const PATIENCE: Duration = Duration::from_secs(40);
const MISSING: &str =
    "chromium and chromedriver are needed (Debian: chromium, chromium-driver); ./test installs them";
/// The name of an element's id in answers (W3C WebDriver, 11).
const ELEMENT: &str = "/element-6066-11e4-a52e-4f735466cecf";

pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// How a browser looks at pages.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) is_dark: bool,
}

impl Browser {
    pub(crate) fn start() -> Browser {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver = driver.unwrap_or_else(|error| panic!("{MISSING}: {error}"));
        let mut lines = BufReader::new(driver.stdout.take().expect("piped"));
        let port = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).is_ok_and(|n| n > 0), "chromedriver ended; {MISSING}");
            if let Some((_, port)) =
                line.trim_end_matches(['.', '\n']).split_once("started successfully on port ")
            {
                break port.parse().expect("a port");
            }
        };
        let mut browser = Browser { driver, port, session: String::new() };
        let arguments = r#"["--headless=new","--no-sandbox","--disable-gpu","--disable-dev-shm-usage","--force-device-scale-factor=1"]"#;
        let options = format!(
            r#"{{"capabilities":{{"alwaysMatch":{{"goog:chromeOptions":{{"args":{arguments}}},"goog:loggingPrefs":{{"browser":"ALL"}}}}}}}}"#
        );
        let session = browser.ask("POST", "/session", &options);
        browser.session = format!("/session/{}", text(&session, "/sessionId"));
        browser.look(Look { width: 1280, height: 900, is_dark: false });
        browser
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Value<'static> {
        self.answer(method, path, body).unwrap_or_else(|| panic!("{method} {path}: the page has replaced it"))
    }

    /// Nothing if it is about an element in whose place the page has put another since it was found.
    fn answer(&self, method: &str, path: &str, body: &str) -> Option<Value<'static>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a timeout");
        let path = format!("{}{path}", self.session);
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("chromedriver takes requests");
        let mut answer = String::new();
        // It may keep the connection although it was asked not to: the length decides.
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("chromedriver answers");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        reader.take(length).read_to_string(&mut answer).expect("a whole answer");
        let answer = parse(&answer);
        let value = answer.pointer("/value").cloned().unwrap_or(Value::Null);
        if text(&value, "/error") == "stale element reference" {
            return None;
        }
        assert!(
            value.pointer("/error").is_none() || value.pointer("/stacktrace").is_none(),
            "{method} {path}: {} {}",
            text(&value, "/error"),
            text(&value, "/message")
        );
        Some(value)
    }

    fn command(&self, name: &str, parameters: &str) -> Value<'static> {
        self.ask("POST", "/goog/cdp/execute", &format!(r#"{{"cmd":"{name}","params":{parameters}}}"#))
    }

    /// How wide and how dark.
    pub(crate) fn look(&self, look: Look) {
        let Look { width, height, is_dark } = look;
        let size = format!(r#"{{"width":{width},"height":{height},"deviceScaleFactor":1,"mobile":false}}"#);
        self.command("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if is_dark { "dark" } else { "light" };
        let scheme = format!(r#"{{"features":[{{"name":"prefers-color-scheme","value":"{scheme}"}}]}}"#);
        self.command("Emulation.setEmulatedMedia", &scheme);
    }

    /// Whoever looks wants nothing to move, from here on.
    pub(crate) fn still(&self) {
        let motion = r#"{"features":[{"name":"prefers-reduced-motion","value":"reduce"}]}"#;
        self.command("Emulation.setEmulatedMedia", motion);
    }

    /// Whether pages may run scripts from here on.
    pub(crate) fn scripts(&self, may: bool) {
        self.command("Emulation.setScriptExecutionDisabled", &format!(r#"{{"value":{}}}"#, !may));
    }

    pub(crate) fn go(&self, address: &str) {
        self.ask("POST", "/url", &object("url", address));
    }

    pub(crate) fn address(&self) -> String {
        text(&self.ask("GET", "/url", ""), "")
    }

    fn element(&self, selector: &str) -> Option<String> {
        let body = format!(r#"{{"using":"css selector","value":{}}}"#, quoted(selector));
        let found = self.ask("POST", "/elements", &body);
        let first = found.as_array().and_then(<[_]>::first)?;
        Some(text(first, ELEMENT)).filter(|id| !id.is_empty())
    }

    /// Waits until there is such an element that can be seen, and asks something of it.
    #[track_caller]
    fn with(&self, selector: &str, method: &str, what: &str, body: &str) -> Value<'static> {
        self.until(selector, || {
            let id = self.element(selector)?;
            let is_seen = self.answer("GET", &format!("/element/{id}/displayed"), "")? == Value::from(true);
            is_seen.then(|| self.answer(method, &format!("/element/{id}/{what}"), body))?
        })
    }

    #[track_caller]
    pub(crate) fn press(&self, selector: &str) {
        self.with(selector, "POST", "click", "{}");
    }

    /// Types into an element; keys for the page go to `body`.
    #[track_caller]
    pub(crate) fn keys(&self, selector: &str, keys: &str) {
        self.with(selector, "POST", "value", &object("text", keys));
    }

    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        text(&self.with(selector, "GET", "text", ""), "")
    }

    #[track_caller]
    pub(crate) fn attribute(&self, selector: &str, name: &str) -> String {
        text(&self.with(selector, "GET", &format!("attribute/{name}"), ""), "")
    }

    /// What a script of ours gives, run in the page.
    pub(crate) fn run(&self, script: &str) -> Value<'static> {
        self.ask("POST", "/execute/sync", &format!(r#"{{"script":{},"args":[]}}"#, quoted(script)))
    }

    /// Waits until a script of ours gives true.
    #[track_caller]
    pub(crate) fn wait(&self, condition: &str) {
        let script = format!("return Boolean({condition})");
        self.until(condition, || (self.run(&script) == Value::from(true)).then_some(()));
    }

    #[track_caller]
    fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "{what} did not come about on {}", self.address());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the browser complained about since it was asked last; answers that are refused are not meant.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let all = self.ask("POST", "/se/log", r#"{"type":"browser"}"#);
        let all = all.as_array().unwrap_or_default().iter().map(|entry| text(entry, "/message"));
        all.filter(|message| !message.contains("Failed to load resource")).collect()
    }

    /// Keeps a picture of the page, in the folder of what was built.
    pub(crate) fn picture(&self, name: &str) {
        let picture = text(&self.ask("GET", "/screenshot", ""), "");
        let bytes = STANDARD.decode(picture).expect("base64");
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 4000, "{name} is no picture");
        let folder = pictures();
        std::fs::create_dir_all(&folder).expect("the folder of what was built is ours");
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("there is room for a picture");
    }
}

/// Beside what was built: TARGET/screenshots.
fn pictures() -> PathBuf {
    let this = std::env::current_exe().expect("we are running");
    let target = this.ancestors().nth(3).expect("TARGET/PROFILE/deps/all-0123");
    target.join("screenshots")
}

fn quoted(text: &str) -> String {
    String::from_utf8(Value::from(text).to_jcs()).expect("JSON is text")
}

fn object(name: &str, value: &str) -> String {
    format!("{{{}:{}}}", quoted(name), quoted(value))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Not `ask`, which panics. It ends the browser, too.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = write!(
                stream,
                "DELETE {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
                self.session
            );
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.read(&mut [0; 512]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
