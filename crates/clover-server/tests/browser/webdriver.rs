//! A browser, told what to do by the W3C's WebDriver protocol: JSON over HTTP to `chromedriver`.
//!
//! The test needs ten of its commands and one connection at a time. The crates for it (`fantoccini`,
//! `thirtyfour`) are asynchronous clients of the whole protocol and would bring an HTTP client along.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(90);
/// What an element is called in the protocol's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys without a character of their own.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const RIGHT: &str = "\u{e014}";
pub(crate) const LEFT: &str = "\u{e012}";

/// A window of a headless Chromium.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one that reaches this machine alone; none where no driver or no browser is installed.
    pub(crate) fn start() -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(driver.stdout.take()?).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        })?;
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            _profile: profile,
        };
        let profile = format!("--user-data-dir={}", browser._profile.path().display());
        let arguments = [
            "--headless=new",
            // The kernel's sandbox is not there in a container; the pages are our own.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-default-apps",
            "--disable-sync",
            "--disable-domain-reliability",
            "--no-pings",
            "--no-proxy-server",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--mute-audio",
            "--lang=en",
            "--window-size=1280,900",
            &profile,
        ];
        let asked = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.command("POST", "/session", Some(asked)).ok()?;
        browser.session = session["sessionId"].as_str()?.to_owned();
        Some(browser)
    }

    pub(crate) fn open(&self, url: &str) {
        self.ask("POST", "/url", Some(json!({ "url": url })));
    }

    /// What a script returns, whose `arguments` are these; in it, `$` finds an element by its id.
    pub(crate) fn script(&self, script: &str, arguments: Value) -> Value {
        let script = format!("const $ = (id) => document.getElementById(id);\n{script}");
        let body = json!({"script": script, "args": arguments});
        self.ask("POST", "/execute/sync", Some(body))
    }

    /// What an expression is.
    pub(crate) fn value(&self, expression: &str) -> Value {
        self.script(&format!("return {expression};"), json!([]))
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&self, expression: &str) {
        let started = Instant::now();
        while self.value(&format!("Boolean({expression})")) != json!(true) {
            assert!(
                started.elapsed() < TIMEOUT,
                "never true: {expression}\nstatus: {}\nlog: {}",
                self.value("document.body.innerText.slice(0, 2000)"),
                self.log(),
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.ask(
            "POST",
            &format!("/element/{element}/click"),
            Some(json!({})),
        );
    }

    /// Types into an element, or gives a file's path to one that takes files.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        let body = json!({ "text": text });
        self.ask("POST", &format!("/element/{element}/value"), Some(body));
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.ask("POST", "/actions", Some(keyboard));
    }

    /// Moves the pointer over an element.
    pub(crate) fn point_at(&self, selector: &str) {
        let origin = json!({ELEMENT: self.element(selector)});
        let moves =
            json!([{"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin}]);
        let pointer = json!({"actions": [{"type": "pointer", "id": "mouse", "actions": moves}]});
        self.ask("POST", "/actions", Some(pointer));
    }

    /// Another width, and `light` or `dark`.
    pub(crate) fn look(&self, width: u32, scheme: &str) {
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", scheme);
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// Writes an image of the window, where a folder for such was given.
    pub(crate) fn screenshot(&self, name: &str) {
        let Some(folder) = std::env::var_os("CLOVER_SCREENSHOTS") else {
            return;
        };
        let size = json!({"format": "png"});
        let taken = self.devtools("Page.captureScreenshot", size);
        let image = BASE64_STANDARD
            .decode(taken["data"].as_str().unwrap())
            .unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), image).unwrap();
    }

    /// What the browser complained of: scripts that failed, and what the content security policy refused.
    pub(crate) fn log(&self) -> Value {
        self.ask("POST", "/se/log", Some(json!({"type": "browser"})))
    }

    fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.ask("POST", "/goog/cdp/execute", Some(body))
    }

    fn element(&self, selector: &str) -> String {
        let body = json!({"using": "css selector", "value": selector});
        let element = self.ask("POST", "/element", Some(body));
        element[ELEMENT].as_str().unwrap().to_owned()
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let path = format!("/session/{}{path}", self.session);
        self.command(method, &path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn command(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let failed = |error: std::io::Error| error.to_string();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(failed)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .map_err(failed)?;
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).map_err(failed)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(|_| line.clone())?;
            }
        }
        let mut text = vec![0; length];
        answer.read_exact(&mut text).map_err(failed)?;
        let mut answer: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        match answer["value"]["error"].is_string() {
            true => Err(answer["value"]["message"].to_string()),
            false => Ok(answer["value"].take()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.command("DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
