//! The four flows of `docs/guide/flows.md` over HTTP, with tokens in bodies and in cookies: by curl
//! and by a browser.

use std::process::Command;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Query;
use axum::response::Redirect;
use axum::routing::get;
use serde_json::{Value, json};
use tollgate::prelude::*;
use tollgate_tests::flows::{Members, app};
use tollgate_tests::serve::Server;
use tollgate_tests::support::browser::Browser;
use tollgate_tests::support::interop::skipped;

const EMAIL: &str = "new@example.com";

/// The application, with an OAuth provider on another site, which sends everybody back.
struct Served {
    origin: String,
    members: Members,
    has_cookies: bool,
    _servers: [Server; 2],
}

impl Served {
    async fn start(has_cookies: bool) -> Self {
        let origin: Arc<OnceLock<String>> = Arc::default();
        let back = Arc::clone(&origin);
        let authorize = async move |Query(query): Query<Value>| {
            let (origin, state) = (back.get().unwrap(), query["state"].as_str().unwrap());
            Redirect::to(&format!("{origin}/callback?state={state}&code={EMAIL}"))
        };
        let provider = Server::start(Router::new().route("/authorize", get(authorize))).await;
        let address = format!("http://127.0.0.1:{}", provider.address.port());
        let members = Members::new(address);
        let mut settings = Settings::default();
        settings.issuer = Some("https://accounts.example.com".to_owned());
        settings.audience = Some("https://api.example.com".to_owned());
        settings.cookies.path = has_cookies.then(|| "/auth".to_owned());
        let server = Server::start(app(members.clone(), settings).await.unwrap()).await;
        origin
            .set(format!("http://localhost:{}", server.address.port()))
            .unwrap();
        Self {
            origin: origin.get().unwrap().clone(),
            members,
            has_cookies,
            _servers: [server, provider],
        }
    }

    fn letter(&self) -> String {
        let mut letters = self.members.letters.lock().unwrap();
        let (email, token) = letters.pop().unwrap();
        assert_eq!(email, EMAIL);
        token
    }
}

/// Curl, with a jar for the cookies.
struct Curl<'a> {
    served: &'a Served,
    jar: tempfile::NamedTempFile,
}

impl Curl<'_> {
    /// Sends a request, follows where it leads, and answers the last status and body.
    fn send(&self, path: &str, token: Option<&str>, arguments: &[&str]) -> (u16, String) {
        let (origin, jar) = (&self.served.origin, self.jar.path());
        let mut curl = Command::new("curl");
        curl.args(["-sSL", "-w", "\n%{http_code}", "-b"]).arg(jar);
        curl.arg("-c").arg(jar).args(arguments);
        if self.served.has_cookies {
            let own = format!("Origin: {origin}");
            curl.args(["-H", &own, "-H", "Sec-Fetch-Mode: cors"]);
        }
        if let Some(token) = token {
            curl.arg("-H").arg(format!("Authorization: Bearer {token}"));
        }
        let output = curl.arg(format!("{origin}{path}")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path}: {said}");
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    /// Signs in so, and answers the token where it is in the body. Whom the token or the cookie
    /// names is asked in any case.
    fn sign_in(&self, path: &str, arguments: &[&str]) -> Option<String> {
        let (status, body) = self.send(path, None, arguments);
        assert_eq!(status, 200, "{path}: {body}");
        let token = (!self.served.has_cookies).then(|| {
            let answer: Value = serde_json::from_str(&body).unwrap();
            answer["access_token"].as_str().unwrap().to_owned()
        });
        assert!(token.is_some() || !body.contains("_token"), "{body}");
        assert_eq!(
            self.send("/me", token.as_deref(), &[]),
            (200, EMAIL.to_owned())
        );
        token
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_four_flows_by_curl() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("curl is missing");
    }
    for has_cookies in [false, true] {
        let served = Served::start(has_cookies).await;
        let curl = Curl {
            served: &served,
            jar: tempfile::NamedTempFile::new().unwrap(),
        };
        let form = [
            "--data-urlencode",
            &format!("email={EMAIL}"),
            "--data-urlencode",
            "password=correct horse battery staple",
        ];
        curl.sign_in("/register", &form);
        let (status, body) = curl.send("/register", None, &form);
        assert_eq!(status, 401, "the address is taken: {body}");

        let asked = curl.send("/link/ask", None, &form[..2]);
        assert_eq!(asked.0, 202, "{}", asked.1);
        let token = format!("token={}", served.letter());
        curl.sign_in("/link", &["--data-urlencode", &token]);
        let (status, body) = curl.send("/link", None, &["--data-urlencode", &token]);
        assert_eq!(status, 401, "a link counts once: {body}");

        let access = curl.sign_in("/leave", &[]);

        let (status, body) = curl.send("/close", access.as_deref(), &["-X", "POST"]);
        assert_eq!((status, body.as_str()), (204, ""));
        let (status, _) = curl.send("/me", access.as_deref(), &[]);
        assert_eq!(status, 401, "the account is closed");
    }
}

/// Asks whom the browser is signed in as, with the token that it has, or with its cookies.
const ME: &str = "const me = async () => {
    const token = sessionStorage.getItem('token');
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    return await (await fetch('/me', { headers })).text();
};
const post = async (path, body) => {
    const token = sessionStorage.getItem('token');
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch(path, { method: 'POST', body: new URLSearchParams(body), headers });
    const text = await answer.text();
    if (text.includes('access_token')) {
        sessionStorage.setItem('token', JSON.parse(text).access_token);
    }
    return answer.status;
};";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_four_flows_in_a_browser() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    for has_cookies in [false, true] {
        let served = Served::start(has_cookies).await;
        let origin = &served.origin;
        let run = async |script: &str| browser.run(&format!("{ME} {script}")).await;
        browser.open(&format!("{origin}/link")).await;
        let register = format!(
            "const status = await post('/register', {{ email: '{EMAIL}', password: 'correct horse \
             battery staple' }});
             return [status, await me(), sessionStorage.getItem('token') === null, \
             document.cookie];"
        );
        assert_eq!(run(&register).await, json!([200, EMAIL, has_cookies, ""]));

        let ask = format!("return await post('/link/ask', {{ email: '{EMAIL}' }});");
        assert_eq!(run(&ask).await, 202);
        let token = served.letter();
        browser.open(&format!("{origin}/link#{token}")).await;
        // The page of a new document: the same one would not run its script again.
        run("sessionStorage.clear(); location.reload();").await;
        browser.wait_for("document.forms[0]?.token.value").await;
        run("document.forms[0].submit();").await;
        arrived(&browser, has_cookies).await;

        browser.open(&format!("{origin}/leave")).await;
        arrived(&browser, has_cookies).await;

        let closed = run("return [await post('/close', {}), await me()];").await;
        assert_eq!(closed[0], 204);
        assert!(closed[1].as_str().unwrap().contains("token"), "{closed}");
    }
}

/// The page after a sign-in by navigation: `/me`, or the tokens themselves.
async fn arrived(browser: &Browser, has_cookies: bool) {
    let shown = if has_cookies {
        browser.wait_for("location.pathname === '/me'").await;
        browser.run("return document.body.innerText;").await
    } else {
        browser
            .wait_for("document.body.innerText.includes('access_token')")
            .await;
        let keep =
            "sessionStorage.setItem('token', JSON.parse(document.body.innerText).access_token);";
        browser
            .run(&format!("{keep} {ME} return await me();"))
            .await
    };
    assert_eq!(shown, EMAIL);
}
