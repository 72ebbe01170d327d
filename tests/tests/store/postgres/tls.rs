//! TLS to PostgreSQL, as the URL asks for it.

use std::path::Path;
use std::process::Command;

use sqlx::{AssertSqlSafe, raw_sql};
use tollgate::store::{PostgresStore, SessionStore as _};
use tollgate_tests::support::postgres::Server;
use tollgate_tests::support::skipped;

use crate::postgres::{execute, number};
use crate::record::NOW;

/// Makes an authority, and a certificate of it for `localhost`. Whether `openssl` is there to do
/// it.
fn made_certificates(folder: &Path) -> bool {
    let script = r#"
        new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "$@"; }
        new -x509 -keyout authority.key -out authority.crt -subj "/CN=an authority of the tests" &&
        new -x509 -keyout other.key -out other.crt -subj "/CN=another authority of the tests" &&
        new -keyout server.key -out server.csr -subj /CN=localhost &&
        printf 'subjectAltName = DNS:localhost\nbasicConstraints = CA:FALSE\n' >server.ext &&
        openssl x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 -extfile server.ext \
            -out server.crt && chmod 600 server.key
    "#;
    Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .unwrap()
        .status
        .success()
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

    server.adopt(&[&folder.join("server.key"), &folder.join("server.crt")]);
    let mut admin = server.connect().await;
    for (name, value) in [
        ("ssl_cert_file", folder.join("server.crt")),
        ("ssl_key_file", folder.join("server.key")),
    ] {
        let sql = AssertSqlSafe(format!("ALTER SYSTEM SET {name} = '{}'", value.display()));
        raw_sql(sql).execute(&mut admin).await.unwrap();
    }
    execute(&mut admin, "ALTER SYSTEM SET ssl = on").await;
    execute(&mut admin, "SELECT pg_reload_conf()").await;
    for _ in 0..500 {
        // Each new connection begins with the settings as they are then.
        if number(
            &mut server.connect().await,
            "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'on'",
        )
        .await
            == 1
        {
            break;
        }
    }

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
