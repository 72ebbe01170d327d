//! The example with two issuers, one of which is another program of another library: `jose` on
//! node.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Method;
use serde_json::{Value, json};
use tollgate::clock::{Clock, Timestamp};
use tollgate_tests::support::interop::{copied, node_of, skipped};
use tollgate_tests::{Answer, request};
use tower::ServiceExt as _;

use crate::guard::issuer::Key;

const ISSUER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/external-issuers/issuer"
);

/// Returns the issuer's script, beside which its library is installed.
fn installed() -> Result<PathBuf, String> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = node_of(kept, "external-issuers", Path::new(ISSUER))?;
    Ok(copied(&Path::new(ISSUER).join("issuer.mjs"), &folder))
}

/// The issuer, running.
struct Issuer {
    process: Child,
    url: String,
}

impl Issuer {
    fn start(script: &Path) -> Result<Self, String> {
        let mut process = Command::new("node")
            .arg(script)
            .arg("0")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut url)
            .map_err(|error| error.to_string())?;
        assert!(url.starts_with("http://"), "{url}");
        Ok(Self {
            process,
            url: url.trim().to_owned(),
        })
    }

    /// Asks the issuer itself.
    fn ask(&self, method: &str, path: &str) -> Value {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn token(&self, scope: &str) -> (String, String) {
        let said = self.ask("POST", &format!("/token?sub=ada&scope={scope}"));
        (
            said["access_token"].as_str().unwrap().to_owned(),
            said["kid"].as_str().unwrap().to_owned(),
        )
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn started() -> Option<(Issuer, Clock)> {
    match installed().and_then(|script| Issuer::start(&script)) {
        Ok(issuer) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            Some((issuer, Clock::manual(Timestamp::from_secs(now.as_secs()))))
        }
        Err(why) => {
            skipped(&format!("jose: {why}"));
            None
        }
    }
}

async fn get(app: &axum::Router, path: &str, token: &str) -> Answer {
    Answer::of(
        app.clone()
            .oneshot(request(Method::GET, path, Some(token), None))
            .await
            .unwrap(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_two_issuers_read_their_orders() {
    let Some((issuer, clock)) = started() else {
        return;
    };
    let partner = external_issuers::partner();
    let key = Key::new("partner-1");
    partner.set_public_keys([key.public()]).unwrap();
    let app = external_issuers::app(
        external_issuers::guards(&issuer.url, partner, clock.clone()).unwrap(),
    );

    let (token, kid) = issuer.token("orders:read");
    let who = get(&app, "/whoami", &token).await.json();
    assert_eq!(
        who,
        json!({"guard": "provider", "issuer": issuer.url, "subject": "ada", "key": kid})
    );
    let ada = json!({"issuer": issuer.url, "subject": "ada"});
    assert_eq!(get(&app, "/orders", &token).await.json()[0]["of"], ada);
    get(&app, "/orders", &issuer.token("other").0)
        .await
        .assert_problem(403, "insufficient_scope");
    get(&app, "/orders", &format!("{token}A"))
        .await
        .assert_problem(401, "invalid_token");

    let now = clock.now().as_secs();
    let theirs = json!({"iss": external_issuers::PARTNER, "sub": "bolts-ltd", "aud": external_issuers::AUDIENCE,
                        "exp": now + 60, "iat": now, "scope": "orders:read"});
    assert_eq!(
        get(&app, "/whoami", &key.token(&theirs)).await.json()["guard"],
        "partner"
    );
    // The partner's user with the same subject has the partner's orders.
    let mut same = theirs.clone();
    same["sub"] = json!("ada");
    let orders = get(&app, "/orders", &key.token(&same)).await.json();
    let of = json!({"issuer": external_issuers::PARTNER, "subject": "ada"});
    assert_eq!(orders[0]["of"], of);
    // Each by its own keys.
    let mut posing = theirs;
    posing["iss"] = json!(issuer.url);
    get(&app, "/whoami", &key.token(&posing))
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(
        get(&app, "/health", "").await.json()[0],
        json!({"name": "provider", "is_well": true, "keys": 1})
    );
}

/// The issuer rotates its keys, announced and not, while requests run: none is refused that should
/// not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_at_the_issuer_is_survived_while_requests_run() {
    let Some((issuer, clock)) = started() else {
        return;
    };
    let issuer = Arc::new(issuer);
    let app = external_issuers::app(
        external_issuers::guards(&issuer.url, external_issuers::partner(), clock.clone()).unwrap(),
    );
    let ask = async |method: &'static str, path: &'static str| {
        let issuer = Arc::clone(&issuer);
        tokio::task::spawn_blocking(move || issuer.ask(method, path))
            .await
            .unwrap()
    };
    let first = issuer.token("orders:read").0;
    assert_eq!(get(&app, "/orders", &first).await.status, 200);

    let (stop, served) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let traffic = {
        let (app, issuer, stop, served) = (
            app.clone(),
            Arc::clone(&issuer),
            Arc::clone(&stop),
            Arc::clone(&served),
        );
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let issuer = Arc::clone(&issuer);
                let (token, kid) = tokio::task::spawn_blocking(move || issuer.token("orders:read"))
                    .await
                    .unwrap();
                for _ in 0..5 {
                    let answer = get(&app, "/orders", &token).await;
                    assert_eq!(answer.status, 200, "{kid}: {}", answer.text);
                    served.fetch_add(1, Ordering::SeqCst);
                }
            }
        })
    };
    let during = async || {
        let before = served.load(Ordering::SeqCst);
        while served.load(Ordering::SeqCst) < before + 20 && !traffic.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for round in 0..3 {
        during().await;
        if round == 0 {
            // Announced: the next key is published before it signs, and found when the keys are
            // renewed.
            ask("POST", "/publish").await;
            clock.advance(Duration::from_secs(600));
            during().await;
        } else {
            // Not announced: the first token of the new key has them fetched.
            clock.advance(Duration::from_secs(31));
        }
        ask("POST", "/rotate").await;
        during().await;
    }
    stop.store(true, Ordering::SeqCst);
    traffic.await.unwrap();
    // The key that signed first is gone since the second rotation.
    get(&app, "/orders", &first)
        .await
        .assert_problem(401, "invalid_token");
    let fetched = ask("GET", "/fetched").await;
    println!(
        "{} requests over three rotations, none refused; the keys were fetched {fetched} times",
        served.load(Ordering::SeqCst)
    );
    assert_eq!(fetched, 4);
}
