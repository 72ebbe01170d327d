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
    /// where `REQUIRE_INTEROP` is set.
    pub async fn start() -> Option<Self> {
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
            assert!(
                std::env::var_os("REQUIRE_INTEROP").is_none(),
                "chromedriver is missing"
            );
            println!("skipped: chromedriver is missing");
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
        let options = json!({ "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
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

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let asked = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            let body = body.to_string();
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
