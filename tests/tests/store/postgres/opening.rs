//! Connecting to PostgreSQL: what is refused, with a message that names the place and never the
//! password.

use std::error::Error as _;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tollgate::error::{Error, ErrorKind};
use tollgate::store::{PostgresOptions, PostgresStore, SessionStore as _};
use tollgate_tests::support::postgres::{PASSWORD, Server};

use crate::postgres::{execute, opened};
use crate::record::{NOW, advance, hash, new, sid};

/// Everything that is said of a refusal.
async fn refusal(url: &str) -> String {
    let options = PostgresStore::options(url).acquire_timeout(Duration::from_millis(500));
    let shown = format!("{options:?}");
    let error = options.connect().await.expect_err("it was connected to");
    assert_eq!(error.kind(), ErrorKind::Store);
    let text = format!("{} / {error:?} / {shown}", whole(&error));
    for secret in [PASSWORD, "s3cret", "s3%63ret"] {
        assert!(!text.contains(secret), "the password is shown: {text}");
    }
    println!("{}", whole(&error));
    text
}

fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn a_text_that_is_no_url_of_postgresql_is_refused() {
    for (url, why) in [
        ("", "postgres://"),
        ("mysql://ada:s3cret@db/app", "does not begin with"),
        ("host=db user=ada password=s3cret", "does not begin with"),
        ("postgres://ada:s3cret@db:port/app", "cannot be read"),
        ("postgres://ada:s3/cret@db/app", "cannot be read"),
        (
            "postgres://ada:s3cret@db/app?sslmode=verify",
            "cannot be read",
        ),
        (
            "postgres://ada:s3cret@db/app?sslmod=verify-full",
            "`sslmod`",
        ),
        ("postgres://ada:12?s3cret@db/app", "%3F"),
        (
            "postgres://ada:s3cret@db/app?sslmode=require&channel_binding=require",
            "`channel_binding`",
        ),
        (
            "postgres://ada:s3cret@db/app?target_session_attrs=standby",
            "`target_session_attrs`",
        ),
        ("postgres://ada:s3cret@one,two/app", "several hosts"),
    ] {
        let text = refusal(url).await;
        assert!(text.contains(why), "{url}: {text}");
    }
}

#[tokio::test]
async fn a_name_that_no_schema_can_have_is_refused() {
    let long = "x".repeat(64);
    for name in [
        "",
        "1st",
        "two words",
        "quo\"ted",
        "semi;colon",
        "ümlaut",
        "public,other",
        long.as_str(),
    ] {
        let error = PostgresStore::options("postgres://ada:s3cret@db/app")
            .schema(name)
            .connect()
            .await
            .unwrap_err();
        assert!(error.to_string().contains("schema"), "{error}");
    }
}

#[tokio::test]
async fn a_host_where_nobody_listens_is_refused_at_once() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let start = Instant::now();
    let text = refusal(&format!("postgres://ada:s3cret@{free}/app")).await;
    assert!(
        text.contains("cannot be reached") && text.contains(&format!("ada@{free}/app")),
        "{text}"
    );
    assert!(
        start.elapsed() < Duration::from_millis(400),
        "{:?}",
        start.elapsed()
    );
    assert!(
        refusal("postgres://ada:s3%63ret@no-such-host.invalid/app")
            .await
            .contains("cannot be reached")
    );
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let start = Instant::now();
    let text = refusal(&format!(
        "postgres://ada:s3cret@{}/app",
        silent.local_addr().unwrap()
    ))
    .await;
    assert!(text.contains("no answer in time"), "{text}");
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
}

/// `connect_timeout` of the URL counts where the program says nothing else.
#[test]
fn the_url_says_how_long_connecting_may_take() {
    let url = "postgres://ada:s3cret@db/app";
    let within = |options: PostgresOptions| format!("{options:?}");
    let said = PostgresStore::options(&format!("{url}?connect_timeout=7"));
    assert!(within(said.clone()).contains("acquire_timeout: 7s"));
    let overruled = said.acquire_timeout(Duration::from_secs(3));
    assert!(within(overruled).contains("acquire_timeout: 3s"));
    assert!(within(PostgresStore::options(url)).contains("acquire_timeout: 2s"));
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_database_are_refused() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let wrong = refusal(&database.url.replace(PASSWORD, "s3cret")).await;
    assert!(
        wrong.contains("refuses this user") && wrong.contains("tollgate@127.0.0.1:"),
        "{wrong}"
    );
    let missing = refusal(&format!(
        "{}_missing",
        database.url.split('?').next().unwrap()
    ))
    .await;
    assert!(missing.contains("does not exist"), "{missing}");
    // A missing user is told like a wrong password.
    let unknown = refusal(&database.url.replace("tollgate:", "nobody:")).await;
    assert!(unknown.contains("refuses this user"), "{unknown}");
}

#[tokio::test]
async fn what_cannot_be_written_to_or_holds_no_unicode_is_refused() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let mut admin = server.connect().await;
    execute(
        &mut admin,
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0",
    )
    .await;
    execute(&mut admin, "CREATE DATABASE frozen").await;
    execute(
        &mut admin,
        "ALTER DATABASE frozen SET default_transaction_read_only = on",
    )
    .await;
    let name = database
        .url
        .split('?')
        .next()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    assert!(
        refusal(&database.url.replace(name, "latin"))
            .await
            .contains("has the encoding LATIN1")
    );
    assert!(
        refusal(&database.url.replace(name, "frozen"))
            .await
            .contains("is read-only")
    );
}

/// The settings of others do not weaken durability and the conditional writes.
#[tokio::test]
async fn settings_of_the_database_and_the_url_do_not_weaken_the_store() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let name = database
        .url
        .split('?')
        .next()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let mut admin = server.connect().await;
    for setting in [
        "synchronous_commit = off",
        "default_transaction_isolation = 'serializable'",
        "lock_timeout = 0",
    ] {
        let sql = sqlx::AssertSqlSafe(format!("ALTER DATABASE {name} SET {setting}"));
        sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
    }
    let url = format!(
        "{}&options[synchronous_commit]=off&options[statement_timeout]=0",
        database.url
    );
    let store = opened(&url).await;
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    assert_eq!(
        store.session(sid(1), NOW).await.unwrap().unwrap().current,
        hash(0)
    );
    store.rotate(advance(1, 0), NOW).await.unwrap();
}

#[tokio::test]
async fn a_store_is_shown_without_its_password() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let shown = format!(
        "{:?} {:?}",
        opened(&database.url).await,
        PostgresStore::options(&database.url)
    );
    assert!(shown.contains('@') && !shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn the_stores_clock_is_the_servers() {
    let Some(server) = Server::shared() else {
        return;
    };
    let store = opened(&server.database().await.url).await;
    let (before, told, after) = (
        tollgate::clock::Clock::system().now(),
        store.now().await.unwrap().unwrap(),
        tollgate::clock::Clock::system().now(),
    );
    assert!(
        before <= told.plus(Duration::from_secs(60)) && told <= after.plus(Duration::from_secs(60)),
        "{told:?}"
    );
}

/// PostgreSQL's text has every character but one.
#[tokio::test]
async fn names_with_the_character_0_read_back() {
    let Some(server) = Server::shared() else {
        return;
    };
    let store = opened(&server.database().await.url).await;
    let mut opening = new(1, "a\0da\u{1a}0");
    opening.client_id = "we\0b".to_owned();
    opening.acr = Some("\0".to_owned());
    opening.device =
        tollgate::device::Device::new(Some("my\0phone".to_owned()), Some("\u{1a}".to_owned()));
    store.open_session(opening.clone(), NOW).await.unwrap();
    let row = store.session(sid(1), NOW).await.unwrap().unwrap();
    assert_eq!(
        (row.subject, row.client_id),
        (opening.subject.clone(), opening.client_id.clone())
    );
    assert_eq!((row.acr, row.device), (opening.acr, opening.device));
    assert_eq!(
        store
            .sessions_of(
                opening.subject.clone(),
                tollgate::store::SessionPage::ALL,
                NOW
            )
            .await
            .unwrap()
            .len(),
        1
    );
    let mut expected = Vec::new();
    for target in [
        tollgate::store::Target::Subject(opening.subject),
        tollgate::store::Target::Client(opening.client_id),
        tollgate::store::Target::Key("\0k".to_owned()),
    ] {
        expected.extend(
            store
                .revoke(crate::record::revocation(target), NOW)
                .await
                .unwrap()
                .entries,
        );
    }
    assert_eq!(
        store
            .log_since(tollgate::store::LogCursor::START, NOW)
            .await
            .unwrap()
            .entries,
        expected
    );
    store
        .spend("\0".to_owned(), 1, Vec::new(), NOW)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_store_is_opened_from_settings() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let file = "[store]\nconnections = 3\nconnect_timeout = '20s'\nlock_timeout = \
                '20s'\nstatement_timeout = '20s'\nschema = 'by_settings'";
    let mut settings =
        tollgate::settings::Settings::from_sources(Some(("tollgate.toml", file)), [])
            .unwrap()
            .store;
    settings.url = Some(tollgate::settings::StoreUrl::new(&*database.url));
    let store = tollgate::store::Store::open(&settings).await.unwrap();
    tollgate_tests::App::on(store, tollgate::settings::Settings::default())
        .await
        .sign_in("ada@example.com")
        .await;
    let sql = "SELECT count(*) FROM by_settings.tg_session";
    assert_eq!(
        crate::postgres::number(&mut database.connect().await, sql).await,
        1
    );

    // A server that cannot prove itself is refused where it must, whatever the URL lets pass.
    settings.tls = tollgate::settings::StoreTls::Verify;
    let error = tollgate::store::Store::open(&settings).await.unwrap_err();
    assert!(error.to_string().contains("TLS"), "{error}");
}
