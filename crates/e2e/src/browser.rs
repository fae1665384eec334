//! Chromium, driven over the `WebDriver` protocol (<https://www.w3.org/TR/webdriver2/>).
//!
//! The few calls that the tests need are made here: a whole client would bring a hundred crates' worth of features with
//! it, one of which changes how the app under test writes its JSON.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{PATIENCE, Process};
use crate::tool;

/// What the protocol calls the Enter key.
pub const ENTER: &str = "\u{e007}";

/// What it calls the Tab key.
pub const TAB: &str = "\u{e004}";

/// How wide and high a phone is, in CSS pixels.
pub const PHONE: (u32, u32) = (390, 844);

/// The name under which the protocol hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one empty tab and a profile of its own, gone with this value.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    port: u16,
    session: String,
    // In the order in which they have to go.
    _driver: Process,
    _profile: TempDir,
}

/// A message in the browser's console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `network` for an answer that is an error, `security` for a breach of the Content-Security-Policy, `javascript`
    /// and others.
    pub source: String,
    /// What it says.
    pub text: String,
}

impl Browser {
    /// Starts a browser; `None` where none is installed.
    pub async fn start() -> Option<Self> {
        let browser = tool::find(&["chromium", "chromium-browser", "google-chrome", "chrome"])?;
        let driver = tool::find(&["chromedriver"])?;
        let driver = Process::start("chromedriver", Command::new(driver).arg("--port=0")).with_children();
        let port = driver.wait_for(|line| {
            line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        let profile = tempfile::Builder::new().prefix("ab-e2e-browser-").tempdir().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-dev-shm-usage",
            "--disable-sync",
            "--window-size=1280,900",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": browser, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let client = Client::builder().no_proxy().build().unwrap();
        let mut this = Self { client, port, session: String::new(), _driver: driver, _profile: profile };
        let session = this.call(Method::POST, "/session", &capabilities).await.unwrap();
        this.session = session["sessionId"].as_str().unwrap().to_owned();
        // Leaves the browser's own first page, and forgets what that asked for.
        this.open("about:blank").await;
        this.requested().await;
        this.messages().await;
        Some(this)
    }

    /// Opens an address and waits until it is loaded.
    pub async fn open(&self, url: &str) {
        self.command("/url", &json!({ "url": url })).await;
    }

    /// Prefers `light` or `dark` from now on.
    pub async fn colour_scheme(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
    }

    /// Shows pages as a phone does from now on: [`PHONE`] wide and high, upright, with a finger for a mouse.
    pub async fn emulate_phone(&self) {
        let (width, height) = PHONE;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        self.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true })).await;
    }

    /// Makes the window as narrow as a phone, beside a mouse and a keyboard.
    pub async fn narrow(&self) {
        let (width, height) = PHONE;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Runs a script in each page from now on, before any of the page's own.
    pub async fn run_first(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Forgets the files that pages have loaded.
    pub async fn forget_files(&self) {
        self.devtools("Network.clearBrowserCache", json!({})).await;
    }

    /// Runs the body of a JavaScript function and gives what it returns. `arguments` are its arguments.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.command("/execute/sync", &json!({ "script": script, "args": arguments })).await
    }

    /// Waits until a JavaScript expression is true, or anything that counts as such, and gives it.
    pub async fn until(&self, expression: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let script = format!("return {expression};");
        loop {
            let value = self.run(&script, &[]).await;
            if !matches!(&value, Value::Null | Value::Bool(false)) && value != json!("") && value != json!(0)
            {
                return value;
            }
            if Instant::now() > deadline {
                let text = self.run("return document.body.innerText;", &[]).await;
                panic!("not in time: {expression}\nThe page says:\n{}", text.as_str().unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The text of the element that a CSS selector finds, as a person sees it.
    pub async fn text(&self, selector: &str) -> String {
        let text =
            self.run("return document.querySelector(arguments[0])?.innerText;", &[selector.into()]).await;
        text.as_str().unwrap_or_else(|| panic!("no element is {selector:?}")).to_owned()
    }

    /// Clicks the element that a CSS selector finds, as a person would: it has to be in sight.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.command(&format!("/element/{element}/click"), &json!({})).await;
    }

    /// Types into the element that a CSS selector finds, key by key.
    pub async fn enter(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.command(&format!("/element/{element}/value"), &json!({ "text": text })).await;
    }

    /// Presses keys one after another, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let press =
            |key: char| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }));
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.command("/actions", &json!({ "actions": [keyboard] })).await;
    }

    /// Taps the middle of the element that a CSS selector finds, with a finger: it has to be in sight.
    pub async fn tap(&self, selector: &str) {
        let origin = json!({ ELEMENT: self.element(selector).await });
        let actions = [
            json!({ "type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0 }),
            json!({ "type": "pointerDown", "button": 0 }),
            json!({ "type": "pointerUp", "button": 0 }),
        ];
        let finger = json!({
            "type": "pointer", "id": "finger", "parameters": { "pointerType": "touch" }, "actions": actions,
        });
        self.command("/actions", &json!({ "actions": [finger] })).await;
    }

    /// The console's errors and warnings since the last call.
    pub async fn messages(&self) -> Vec<Message> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = self.log("browser").await.into_iter();
        let bad = entries.filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")));
        bad.map(|entry| Message { source: text(&entry["source"]), text: text(&entry["message"]) }).collect()
    }

    /// The addresses that pages have asked for since the last call.
    pub async fn requested(&self) -> Vec<String> {
        let entries = self.log("performance").await.into_iter();
        let url = |entry: Value| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let sent = event["message"]["method"] == "Network.requestWillBeSent";
            sent.then(|| event["message"]["params"]["request"]["url"].as_str().map(str::to_owned))?
        };
        entries.filter_map(url).collect()
    }

    /// Fails the test if a page complained of anything, its policy was breached, or it asked another origin than `origin`
    /// for something. Answers of the app that are errors are a test's own business.
    pub async fn assert_clean(&self, origin: &str) {
        let complaints: Vec<Message> =
            self.messages().await.into_iter().filter(|message| message.source != "network").collect();
        assert_eq!(complaints, []);
        let own = format!("{origin}/");
        let requested = self.requested().await;
        assert!(
            requested.iter().any(|url| url.starts_with(&own)),
            "nothing was asked of {own}: {requested:?}"
        );
        let foreign: Vec<&String> = requested.iter().filter(|url| !url.starts_with(&own)).collect();
        assert!(foreign.is_empty(), "asked of others than {own}: {foreign:?}");
    }

    async fn element(&self, selector: &str) -> String {
        let found = self.command("/element", &json!({ "using": "css selector", "value": selector })).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("no element is {selector:?}")).to_owned()
    }

    /// Runs a command of the browser's own protocol (<https://chromedevtools.github.io/devtools-protocol/>).
    async fn devtools(&self, command: &str, parameters: Value) {
        self.command("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await;
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        match self.command("/se/log", &json!({ "type": kind })).await {
            Value::Array(entries) => entries,
            other => panic!("the log {kind} is {other}"),
        }
    }

    async fn command(&self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        self.call(Method::POST, &path, body).await.unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }

    /// What the driver answers, or its error.
    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.client.request(method, format!("http://127.0.0.1:{}{path}", self.port));
        let response = request.body(body.to_string()).send().await.map_err(|error| error.to_string())?;
        let ok = response.status().is_success();
        let text = response.text().await.map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        if ok { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser itself, which the driver would leave behind. There is no runtime to wait with here.
        let request = format!(
            "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
            self.session
        );
        if let Ok(mut driver) = TcpStream::connect(("127.0.0.1", self.port))
            && driver.set_read_timeout(Some(Duration::from_secs(10))).is_ok()
            && driver.write_all(request.as_bytes()).is_ok()
        {
            // The answer comes when it is done.
            let _ = std::io::copy(&mut driver, &mut std::io::sink());
        }
    }
}
