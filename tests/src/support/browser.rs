//! Chromium for the tests, driven by `chromedriver` over its own protocol (W3C WebDriver).

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A browser without a window. It ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts a browser. Returns `None` where Chromium or its driver is missing, which is a failure
    /// where `REQUIRE_INTEROP` is 1.
    pub async fn start() -> Option<Self> {
        Self::start_with(&json!({})).await
    }

    /// Starts a browser that runs no script of a page.
    pub async fn start_without_scripts() -> Option<Self> {
        let prefs = json!({ "profile.managed_default_content_settings.javascript": 2 });
        Self::start_with(&prefs).await
    }

    /// Starts a browser with preferences.
    async fn start_with(prefs: &Value) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(driver) = driver else {
            super::interop::skipped("chromedriver is missing");
            return None;
        };
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
        };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Its own user runs the tests' machine: a sandbox inside a container is not to be had.
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1000,800",
        ];
        let options = json!({ "args": args, "prefs": prefs });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let session = browser.ask("POST", "/session", &wanted).await;
        session["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{session}"))
            .clone_into(&mut browser.session);
        Some(browser)
    }

    /// Opens an address and waits until the page is there.
    pub async fn open(&self, url: &str) {
        let answer = self
            .ask(
                "POST",
                &format!("/session/{}/url", self.session),
                &json!({ "url": url }),
            )
            .await;
        assert_eq!(answer, Value::Null, "{url}");
    }

    /// Runs the body of an async function in the page, and returns its result.
    pub async fn run(&self, body: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then(done, (error) => done(`failed: ${{error}}`));"
        );
        let path = format!("/session/{}/execute/async", self.session);
        self.ask("POST", &path, &json!({ "script": script, "args": [] }))
            .await
    }

    /// Waits until an expression in the page is true.
    pub async fn wait_for(&self, expression: &str) {
        for _ in 0..100 {
            if self.run(&format!("return Boolean({expression});")).await == json!(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "it never came to {expression}: {}",
            self.run("return document.documentElement.outerHTML;").await
        );
    }

    /// Asks the driver about the session.
    async fn of_session(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        self.ask(method, &path, body).await
    }

    /// Waits for the first element that a selector finds, and returns its id.
    async fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        for _ in 0..200 {
            let found = self.of_session("POST", "element", &wanted).await;
            if let Some(id) = found[ELEMENT].as_str() {
                return id.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let source = self.of_session("GET", "source", &Value::Null).await;
        panic!(
            "there never was {selector} at {}: {source}",
            self.address().await
        )
    }

    /// Types into a field, in place of what is in it.
    pub async fn fill(&self, selector: &str, text: &str) {
        let id = self.element(selector).await;
        self.of_session("POST", &format!("element/{id}/clear"), &json!({}))
            .await;
        let path = format!("element/{id}/value");
        let answer = self
            .of_session("POST", &path, &json!({ "text": text }))
            .await;
        assert_eq!(answer, Value::Null, "{selector}");
    }

    /// Clicks on an element, and waits until a page that this opens is there.
    pub async fn click(&self, selector: &str) {
        let id = self.element(selector).await;
        let path = format!("element/{id}/click");
        let answer = self.of_session("POST", &path, &json!({})).await;
        assert_eq!(answer, Value::Null, "{selector}");
    }

    /// Waits until the text of the page holds these words.
    pub async fn sees(&self, words: &str) {
        let mut text = String::new();
        for _ in 0..200 {
            text = self.text().await;
            if text.contains(words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("`{words}` never came at {}:\n{text}", self.address().await)
    }

    /// Returns what a person reads on the page.
    pub async fn text(&self) -> String {
        let id = self.element("body").await;
        let text = self
            .of_session("GET", &format!("element/{id}/text"), &Value::Null)
            .await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Returns the address of the page.
    pub async fn address(&self) -> String {
        let address = self.of_session("GET", "url", &Value::Null).await;
        address.as_str().unwrap_or_default().to_owned()
    }

    /// Goes back to the page before.
    pub async fn back(&self) {
        self.of_session("POST", "back", &json!({})).await;
    }

    /// Opens a tab, and goes on there. Returns the handle of the tab before.
    pub async fn new_tab(&self) -> String {
        let before = self.of_session("GET", "window", &Value::Null).await;
        let tab = self
            .of_session("POST", "window/new", &json!({ "type": "tab" }))
            .await;
        self.switch(tab["handle"].as_str().unwrap()).await;
        before.as_str().unwrap().to_owned()
    }

    /// Goes on in another tab.
    pub async fn switch(&self, tab: &str) {
        let answer = self
            .of_session("POST", "window", &json!({ "handle": tab }))
            .await;
        assert_eq!(answer, Value::Null);
    }

    /// Sends a command of the DevTools protocol.
    pub async fn command(&self, name: &str, params: Value) {
        let wanted = json!({ "cmd": name, "params": params });
        let answer = self.of_session("POST", "goog/cdp/execute", &wanted).await;
        assert_eq!(answer, json!({}), "{name}");
    }

    /// Takes the network away from the page, or gives it back.
    pub async fn set_offline(&self, is_offline: bool) {
        self.command("Network.enable", json!({})).await;
        let conditions = json!({
            "offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.command("Network.emulateNetworkConditions", conditions)
            .await;
    }

    /// Drops a cookie, as the browser does when its time is out.
    pub async fn drop_cookie(&self, name: &str) {
        let answer = self
            .of_session("DELETE", &format!("cookie/{name}"), &json!({}))
            .await;
        assert_eq!(answer, Value::Null, "{name}");
    }

    /// Writes pictures of the page as it is, on a telephone, and in the dark.
    pub async fn pictures(&self, name: &str) {
        if std::env::var_os("SCREENSHOTS").is_none() {
            return;
        }
        self.picture(name).await;
        let telephone =
            json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
        self.command("Emulation.setDeviceMetricsOverride", telephone)
            .await;
        self.picture(&format!("{name}-telephone")).await;
        self.command("Emulation.clearDeviceMetricsOverride", json!({}))
            .await;
        for (scheme, shown) in [("dark", true), ("", false)] {
            let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
            self.command(
                "Emulation.setEmulatedMedia",
                json!({ "features": features }),
            )
            .await;
            if shown {
                self.picture(&format!("{name}-dark")).await;
            }
        }
    }

    /// Writes a picture of the page into the folder that `SCREENSHOTS` names, where it is set.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("SCREENSHOTS") else {
            return;
        };
        let picture = self.of_session("GET", "screenshot", &Value::Null).await;
        let path = std::path::Path::new(&folder).join(format!("{name}.base64"));
        std::fs::write(path, picture.as_str().unwrap_or_default()).unwrap();
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let asked = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            let body = match method {
                "GET" => String::new(),
                _ => body.to_string(),
            };
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-type: \
                 application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                self.port,
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).await.unwrap();
            // The driver keeps the connection open, whatever it is asked.
            let mut answer = Vec::new();
            loop {
                let text = String::from_utf8_lossy(&answer);
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
                    let length =
                        fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
                    let length: usize = length.unwrap().1.trim().parse().unwrap();
                    if body.len() >= length {
                        break serde_json::from_str::<Value>(body).unwrap()["value"].clone();
                    }
                }
                assert_ne!(
                    stream.read_buf(&mut answer).await.unwrap(),
                    0,
                    "the driver hung up"
                );
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asked)
            .await
            .expect("the browser does not answer")
    }
}

/// The member that names an element (W3C WebDriver section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser when it is asked to end the session, and not when it is
        // killed.
        if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", self.port)) {
            use std::io::{Read as _, Write as _};
            let head = format!(
                "DELETE /session/{} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n",
                self.session
            );
            _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            _ = stream.write_all(head.as_bytes());
            _ = stream.read(&mut [0; 1024]);
        }
        _ = self.driver.kill();
        _ = self.driver.wait();
    }
}
