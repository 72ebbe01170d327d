//! The pages of the example in a real browser, with scripts and without them, with access tokens
//! that last two seconds.

use std::time::Duration;

use tempfile::TempDir;
use tollgate::prelude::*;
use tollgate_tests::PASSWORD;
use tollgate_tests::serve::Server;
use tollgate_tests::support::browser::Browser;
use totp_rs::{Builder, Secret};

/// The example, served at `localhost`.
struct Site {
    _server: Server,
    _folder: TempDir,
    origin: String,
}

impl Site {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut settings = Settings::default();
        settings.access.ttl = Duration::from_secs(2);
        let (app, _) = ::pages::app(folder.path(), settings).await.unwrap();
        let server = Server::start(app).await;
        let origin = format!("http://localhost:{}", server.address.port());
        Self {
            _server: server,
            _folder: folder,
            origin,
        }
    }
}

/// A person at a browser.
struct Person<'s> {
    browser: Browser,
    site: &'s Site,
}

impl<'s> Person<'s> {
    async fn at(site: &'s Site, runs_scripts: bool) -> Option<Self> {
        let browser = if runs_scripts {
            Browser::start().await?
        } else {
            Browser::start_without_scripts().await?
        };
        Some(Self { browser, site })
    }

    async fn open(&self, path: &str) {
        self.browser
            .open(&format!("{}{path}", self.site.origin))
            .await;
    }

    async fn sign_in(&self, email: &str, password: &str) {
        self.browser.fill("[name=email]", email).await;
        self.browser.fill("[name=password]", password).await;
        self.browser.click("main button").await;
    }

    /// Waits until the access token ran out. Its cookie goes with it.
    async fn wait(&self) {
        let seconds = std::env::var("PAGES_WAIT").map_or(3, |text| text.parse().unwrap());
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    async fn is_at(&self, path: &str) {
        let address = self.browser.address().await;
        assert_eq!(address, format!("{}{path}", self.site.origin));
    }
}

/// Signs in, clicks when the access token ran out, in two tabs, signs out, and goes back.
async fn a_day(runs_scripts: bool) {
    let site = Site::start().await;
    let Some(ada) = Person::at(&site, runs_scripts).await else {
        return;
    };
    let browser = &ada.browser;
    ada.open("/sessions").await;
    ada.is_at("/login?next=%2Fsessions").await;
    browser.picture("login").await;
    ada.sign_in("ada@example.com", "wrong").await;
    browser
        .sees("The email address or the password is not right.")
        .await;
    ada.is_at("/login?reason=refused&next=%2Fsessions").await;
    browser.picture("wrong").await;
    ada.sign_in("ada@example.com", PASSWORD).await;
    browser.sees("this device").await;
    ada.is_at("/sessions").await;
    browser.picture("sessions").await;

    browser.click("nav a[href='/']").await;
    browser.sees("No notes yet").await;
    ada.wait().await;
    browser.fill("[name=text]", "the <b>first</b> one").await;
    browser.click("main button").await;
    browser.sees("the <b>first</b> one").await;
    browser.picture("notes").await;
    ada.wait().await;
    browser.click("nav a[href='/sessions']").await;
    browser.sees("this device").await;

    // Two tabs renew one after the other, and go on side by side.
    let first = browser.new_tab().await;
    ada.wait().await;
    ada.open("/").await;
    browser.sees("the <b>first</b> one").await;
    browser.switch(&first).await;
    browser.click("nav a[href='/admin']").await;
    browser.sees("grace@example.com").await;
    browser.picture("people").await;
    ada.wait().await;
    browser.click("nav a[href='/']").await;
    browser.sees("the <b>first</b> one").await;

    browser.click(".who button").await;
    browser.sees("Email address").await;
    browser.back().await;
    browser.sees("Email address").await;
    assert!(
        !browser.text().await.contains("first"),
        "the old page is back"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_stays_signed_in_with_scripts() {
    a_day(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_stays_signed_in_without_scripts() {
    a_day(false).await;
}

/// A browser keeps pages in memory for its back button. Whether a sign-out discards them depends on how
/// the page was loaded: by the redirection of a sign-in or of a renewal, or by a link.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_back_button_after_signing_out_shows_no_old_page() {
    let site = Site::start().await;
    let Some(ada) = Person::at(&site, false).await else {
        return;
    };
    let browser = &ada.browser;
    for way in ["sign-in", "renewal", "link", "renewals"] {
        ada.open("/").await;
        ada.sign_in("ada@example.com", PASSWORD).await;
        browser.sees("Sign out").await;
        match way {
            "renewal" => ada.wait().await,
            "renewals" => {
                for path in ["/account", "/sessions"] {
                    ada.wait().await;
                    browser.click(&format!("nav a[href='{path}']")).await;
                }
                ada.wait().await;
            }
            _ => {}
        }
        if way != "sign-in" {
            browser.click("nav a[href='/admin']").await;
            browser.sees("grace@example.com").await;
        }
        browser.click(".who button").await;
        browser.sees("Email address").await;
        browser.back().await;
        browser.sees("Email address").await;
        assert!(
            !browser.text().await.contains("Sign out"),
            "{way}: the old page is back"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_set_up_and_asked_for() {
    let site = Site::start().await;
    let Some(grace) = Person::at(&site, false).await else {
        return;
    };
    let browser = &grace.browser;
    grace.open("/account").await;
    grace.sign_in("grace@example.com", PASSWORD).await;
    browser.sees("Set up a second factor").await;
    browser.picture("account").await;
    grace.wait().await;
    browser.click("main button").await;
    browser.sees("Add this key").await;
    browser.picture("factor").await;
    let text = browser.text().await;
    let word = |line: &&str| line.len() > 20 && line.bytes().all(|b| b.is_ascii_alphanumeric());
    let secret = text.lines().find(word).unwrap();
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new()
        .with_secret(secret)
        .with_account_name("grace@example.com");
    let totp = totp.with_issuer(Some("Logbook")).build().unwrap();
    let code = |at: u64| totp.generate(at).to_string();
    let now = || tollgate::clock::Clock::system().now().as_secs();
    browser.fill("[name=code]", "000000").await;
    browser.click("main button").await;
    browser.sees("That code is not right.").await;
    grace.is_at("/account/factor?wrong").await;
    browser.fill("[name=code]", &code(now())).await;
    browser.click("main button").await;
    browser.sees("Remove the second factor").await;

    browser.click(".who button").await;
    browser.sees("Email address").await;
    grace.open("/sessions").await;
    grace.sign_in("grace@example.com", PASSWORD).await;
    browser.sees("six digits").await;
    grace.is_at("/login/step?next=%2Fsessions").await;
    browser.fill("[name=code]", "000000").await;
    browser.click("main button").await;
    browser.sees("That code is not right.").await;
    browser.picture("step").await;
    // The code of before was used: the next one is asked for ahead of its time.
    browser.fill("[name=code]", &code(now() + 30)).await;
    browser.click("main button").await;
    browser.sees("this device").await;
    grace.is_at("/sessions").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_ends_a_session_and_the_other_browser_is_out() {
    let site = Site::start().await;
    let (Some(ada), Some(grace)) = (Person::at(&site, true).await, Person::at(&site, true).await)
    else {
        return;
    };
    for (person, email) in [(&ada, "ada@example.com"), (&grace, "grace@example.com")] {
        person.open("/").await;
        person.sign_in(email, PASSWORD).await;
        person.browser.sees("No notes yet").await;
    }
    grace.open("/admin").await;
    grace.browser.sees("Not for you").await;
    grace.browser.picture("forbidden").await;
    grace.open("/").await;
    ada.browser.click("nav a[href='/admin']").await;
    ada.browser.click("li:nth-child(2) .button").await;
    ada.browser
        .sees("Where grace@example.com is signed in")
        .await;
    ada.browser.picture("devices").await;
    ada.wait().await;
    ada.browser.click(".list .danger").await;
    ada.browser.sees("Not signed in anywhere.").await;
    grace.browser.fill("[name=text]", "am I still here?").await;
    grace.browser.click("main button").await;
    grace.browser.sees("Email address").await;
    grace.is_at("/login?next=%2F").await;
}
