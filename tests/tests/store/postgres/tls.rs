//! TLS to PostgreSQL, as the URL asks for it.

use std::path::Path;
use std::process::Command;

use sqlx::{AssertSqlSafe, raw_sql};
use tollgate::settings::Settings;
use tollgate::store::{PostgresStore, SessionStore as _, Store};
use tollgate_tests::support::postgres::Server;
use tollgate_tests::support::skipped;

use crate::postgres::{execute, number};
use crate::record::NOW;

/// Makes an authority, and certificates of it for `localhost` and for clients. Returns whether
/// `openssl` is there to do it.
fn made_certificates(folder: &Path) -> bool {
    let script = r#"
        new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "$@"; }
        new -x509 -keyout authority.key -out authority.crt -subj "/CN=an authority of the tests" &&
        new -x509 -keyout other.key -out other.crt -subj "/CN=another authority of the tests" &&
        new -keyout server.key -out server.csr -subj /CN=localhost &&
        printf 'subjectAltName = DNS:localhost\nbasicConstraints = CA:FALSE\n' >server.ext &&
        openssl x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 -extfile server.ext \
            -out server.crt && chmod 600 server.key &&
        printf 'basicConstraints = CA:FALSE\n' >client.ext &&
        client() {
            new -keyout $1.key -out $1.csr -subj /CN=$2 &&
            openssl x509 -req -in $1.csr -CA $3.crt -CAkey $3.key -CAcreateserial -days 2 \
                -extfile client.ext -out $1.crt
        }
        client app app authority && client ada ada authority && client forged app other
    "#;
    Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .unwrap()
        .status
        .success()
}

/// Turns TLS on, with the certificates of the folder, and waits until new connections have it.
async fn encrypt(server: &Server) {
    let file = |name: &str| server.folder().join(name);
    server.adopt(&[
        &file("server.key"),
        &file("server.crt"),
        &file("authority.crt"),
    ]);
    let mut admin = server.connect().await;
    for (name, value) in [
        ("ssl_cert_file", file("server.crt")),
        ("ssl_key_file", file("server.key")),
        ("ssl_ca_file", file("authority.crt")),
    ] {
        let sql = AssertSqlSafe(format!("ALTER SYSTEM SET {name} = '{}'", value.display()));
        raw_sql(sql).execute(&mut admin).await.unwrap();
    }
    execute(&mut admin, "ALTER SYSTEM SET ssl = on").await;
    execute(&mut admin, "SELECT pg_reload_conf()").await;
    for _ in 0..500 {
        // Each new connection begins with the settings as they are then.
        let is_on = "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'on'";
        if number(&mut server.connect().await, is_on).await == 1 {
            return;
        }
    }
    panic!("the server does not turn TLS on");
}

#[tokio::test]
async fn a_connection_is_encrypted_and_its_server_proven_as_the_url_says() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let (folder, port) = (server.folder().to_owned(), server.port());
    let url = |host: &str, mode: &str, authority: &str| {
        let plain = database
            .url
            .split('?')
            .next()
            .unwrap()
            .replace("127.0.0.1", host);
        format!(
            "{plain}?sslmode={mode}&sslrootcert={}",
            folder.join(authority).display()
        )
    };
    if !made_certificates(&folder) {
        skipped("`openssl` is not installed");
        return;
    }

    let error = PostgresStore::connect(&url("localhost", "require", "authority.crt"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("TLS"),
        "a server without TLS was accepted: {error}"
    );

    encrypt(&server).await;
    let mut admin = server.connect().await;

    for (host, mode, authority, connects) in [
        ("localhost", "require", "authority.crt", true),
        ("localhost", "verify-ca", "authority.crt", true),
        ("127.0.0.1", "verify-ca", "authority.crt", true),
        ("localhost", "verify-full", "authority.crt", true),
        ("127.0.0.1", "verify-full", "authority.crt", false),
        ("localhost", "verify-ca", "other.crt", false),
        ("localhost", "verify-full", "other.crt", false),
    ] {
        let connected = PostgresStore::connect(&url(host, mode, authority)).await;
        assert_eq!(
            connected.is_ok(),
            connects,
            "{host}:{port} {mode} {authority}: {connected:?}"
        );
        let Ok(store) = connected else { continue };
        store.migrate(NOW).await.unwrap();
        let plain = "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
            WHERE a.application_name = 'tollgate' AND NOT s.ssl";
        assert_eq!(number(&mut admin, plain).await, 0, "{mode}");
        let encrypted = "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
            WHERE a.application_name = 'tollgate' AND s.ssl";
        assert!(number(&mut admin, encrypted).await > 0, "{mode}");
    }
}

/// A role that the server lets in by its certificate alone.
#[tokio::test]
async fn a_client_shows_the_certificate_that_it_was_given() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    if !made_certificates(server.folder()) {
        skipped("`openssl` is not installed");
        return;
    }
    let name = database.url.rsplit('/').next().unwrap();
    let name = name.split('?').next().unwrap();
    let mut admin = server.connect().await;
    let role = format!("CREATE ROLE app LOGIN; ALTER DATABASE {name} OWNER TO app");
    raw_sql(AssertSqlSafe(role))
        .execute(&mut admin)
        .await
        .unwrap();
    let rules = server.folder().join("data/pg_hba.conf");
    let others = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(
        &rules,
        format!("hostssl all app 127.0.0.1/32 cert\n{others}"),
    )
    .unwrap();
    encrypt(&server).await;

    let file = |name: &str| server.folder().join(name).display().to_string();
    let url = format!(
        "postgres://app@localhost:{}/{name}?sslmode=verify-full&sslrootcert={}",
        server.port(),
        file("authority.crt")
    );
    let shown = |who: &str| {
        let (certificate, key) = (file(&format!("{who}.crt")), file(&format!("{who}.key")));
        PostgresStore::options(&url).client_certificate(certificate, key)
    };
    // None, one of another role, and one of an authority that the server does not know.
    for options in [PostgresStore::options(&url), shown("ada")] {
        let refused = options.connect().await.unwrap_err();
        let said = refused.to_string();
        assert!(said.contains("`store.client_certificate`"), "{refused:?}");
    }
    shown("forged").connect().await.unwrap_err();

    let by_options = shown("app").connect().await.unwrap();
    let by_url = format!(
        "{url}&sslcert={}&sslkey={}",
        file("app.crt"),
        file("app.key")
    );
    let by_url = PostgresStore::connect(&by_url).await.unwrap();
    for store in [by_options, by_url] {
        store.migrate(NOW).await.unwrap();
        store.health(NOW).await.unwrap();
        let shown = "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
            WHERE a.usename = 'app' AND s.client_dn LIKE '%CN=app'";
        assert!(number(&mut admin, shown).await > 0);
    }
    let text = format!(
        "[store]\nurl = '{url}'\nclient_certificate = '{}'\nclient_key = '{}'",
        file("app.crt"),
        file("app.key")
    );
    let settings = Settings::from_sources(Some(("tollgate.toml", &text)), []).unwrap();
    Store::open(&settings.store).await.unwrap();
}
