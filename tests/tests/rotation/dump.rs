//! A thief with a dump of the store, and one with nothing but session ids: neither gets in, and
//! neither ends anybody's session.
//!
//! `FORGERIES` says how many tokens are forged; `scripts/deep` takes a million.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::types::Value as Column;
use serde_json::{Value, json};
use sqlx::Row as _;
use tollgate::prelude::*;
use tollgate_tests::support::redis;

use crate::world::{Kind, Rules, Visit, World, client};

/// Every value that the store keeps, as bytes.
async fn dump(world: &World, visits: &[Visit]) -> Vec<Vec<u8>> {
    match world.kind {
        // Nothing is at rest there. The rows stand for it.
        Kind::Memory => {
            let mut values = Vec::new();
            for visit in visits {
                let row = world.row(visit).await;
                values.extend([
                    row.sid.to_string().into_bytes(),
                    row.current.to_vec(),
                    row.subject.into_bytes(),
                ]);
                values.extend(row.previous.map(|previous| previous.hash.to_vec()));
                values.extend(row.sealed_successor);
                values.extend(row.context.map(|context| context.to_vec()));
            }
            values
        }
        Kind::Sqlite => of_sqlite(world),
        Kind::Postgres => of_postgres(world).await,
        Kind::Redis => of_redis(),
    }
}

fn of_sqlite(world: &World) -> Vec<Vec<u8>> {
    let db = rusqlite::Connection::open(world.folder.path().join("tollgate.db")).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'tg%'")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut values = Vec::new();
    for table in tables {
        let mut rows = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            values.extend(
                (0..columns).filter_map(|column| match row.get(column).unwrap() {
                    Column::Text(text) => Some(text.into_bytes()),
                    Column::Blob(bytes) => Some(bytes),
                    Column::Null | Column::Integer(_) | Column::Real(_) => None,
                }),
            );
        }
    }
    values
}

async fn of_postgres(world: &World) -> Vec<Vec<u8>> {
    let mut db = world.database.as_ref().unwrap().connect().await;
    let tables = sqlx::query("SELECT tablename FROM pg_tables WHERE tablename LIKE 'tg%'")
        .fetch_all(&mut db)
        .await
        .unwrap();
    let mut values = Vec::new();
    for table in tables {
        let rows = format!(
            "SELECT row_to_json(t)::text FROM {} t",
            table.get::<String, _>(0)
        );
        for row in sqlx::query(sqlx::AssertSqlSafe(rows))
            .fetch_all(&mut db)
            .await
            .unwrap()
        {
            let row: Value = serde_json::from_str(&row.get::<String, _>(0)).unwrap();
            values.extend(
                row.as_object()
                    .unwrap()
                    .values()
                    .filter_map(Value::as_str)
                    .map(|text| match text.strip_prefix("\\x") {
                        Some(hex) => bytes(hex),
                        None => text.as_bytes().to_vec(),
                    }),
            );
        }
    }
    values
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn of_redis() -> Vec<Vec<u8>> {
    let mut db = ::redis::Client::open(redis::shared().unwrap())
        .unwrap()
        .get_connection()
        .unwrap();
    let keys: Vec<String> = ::redis::cmd("KEYS").arg("*").query(&mut db).unwrap();
    let mut values = Vec::new();
    for key in keys {
        let kind: String = ::redis::cmd("TYPE").arg(&key).query(&mut db).unwrap();
        let mut read = ::redis::cmd(match kind.as_str() {
            "string" => "GET",
            "hash" => "HGETALL",
            "set" => "SMEMBERS",
            "list" => "LRANGE",
            "zset" => "ZRANGE",
            "stream" => "XRANGE",
            other => panic!("{other}"),
        });
        read.arg(&key);
        match kind.as_str() {
            "list" | "zset" => _ = read.arg(0).arg(-1),
            "stream" => _ = read.arg("-").arg("+"),
            _ => {}
        }
        flatten(read.query(&mut db).unwrap(), &mut values);
        values.push(key.into_bytes());
    }
    values
}

fn flatten(value: ::redis::Value, values: &mut Vec<Vec<u8>>) {
    match value {
        ::redis::Value::BulkString(bytes) => values.push(bytes),
        ::redis::Value::Array(parts) | ::redis::Value::Set(parts) => {
            parts.into_iter().for_each(|part| flatten(part, values));
        }
        ::redis::Value::Map(parts) => parts.into_iter().for_each(|(key, value)| {
            flatten(key, values);
            flatten(value, values);
        }),
        _ => {}
    }
}

/// Returns what a thief would make of a value: the value itself, in every form that a token has,
/// and each piece of it in the place of a token's secret or of its MAC.
fn candidates(value: &[u8], genuine: &[u8]) -> Vec<String> {
    let encoded = URL_SAFE_NO_PAD.encode(value);
    let mut made = vec![encoded.clone(), format!("tgr1_{encoded}")];
    if let Ok(text) = std::str::from_utf8(value) {
        made.extend([text.to_owned(), format!("tgr1_{text}")]);
    }
    // ver, kid, sid, generation: 22 bytes; then secret and MAC, 16 each (rotation.md section 1).
    for piece in value.windows(16).take(64) {
        for at in [22, 38] {
            let mut token = genuine.to_vec();
            token[at..at + 16].copy_from_slice(piece);
            made.push(format!("tgr1_{}", URL_SAFE_NO_PAD.encode(token)));
        }
    }
    made
}

fn decoded(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(token.strip_prefix("tgr1_").unwrap())
        .unwrap()
}

/// R79: all rows of a dump, replayed against the API.
#[test]
pub(crate) fn r79_nothing_of_a_dump_gets_in() {
    crate::world::on_both_stores(Rules::AWARE, async |world| {
        let mut visits = vec![
            world.arrive().await,
            world.arrive().await,
            world.arrive().await,
        ];
        for visit in &mut visits[..2] {
            visit.tokens = world.refreshed(&visit.tokens.refresh).await.unwrap();
        }
        world.admits(0, &visits[0].tokens.access).await.unwrap();
        world.settle(0).await;
        world.revoke(0, Revoke::session(visits[2].sid)).await;
        let genuine: Vec<String> = visits
            .iter()
            .map(|visit| visit.tokens.refresh.clone())
            .collect();
        let mut before = Vec::new();
        for visit in &visits {
            before.push(world.row(visit).await);
        }

        let mut values = dump(&world, &visits).await;
        values.sort_unstable();
        values.dedup();
        assert!(
            values
                .iter()
                .any(|value| value.windows(32).any(|piece| piece == before[0].current)),
            "this is no dump"
        );
        let mut tried = 0;
        for value in &values {
            for (at, visit) in visits.iter().enumerate() {
                for token in candidates(value, &decoded(&genuine[at])) {
                    // A piece that a thief copies from a token proves nothing.
                    if genuine.contains(&token) {
                        continue;
                    }
                    tried += 1;
                    assert_eq!(
                        world
                            .refresh(1, &token, client(""))
                            .finish()
                            .await
                            .map_err(|refusal| refusal.code()),
                        Err(Code::InvalidGrant)
                    );
                    if tried % 16 == 0 {
                        assert!(world.admits(1, &token).await.is_err());
                        for (path, status) in [
                            ("/auth/verify", 401),
                            ("/auth/signout", 401),
                            ("/auth/revoke", 200),
                        ] {
                            let member = if path == "/auth/signout" {
                                "refresh_token"
                            } else {
                                "token"
                            };
                            let (answered, _) = world
                                .post(1, path, None, json!({ member: token }))
                                .finish()
                                .await;
                            assert_eq!(answered, status, "{path}");
                        }
                    }
                }
                assert_eq!(
                    world.row(visit).await,
                    before[at],
                    "a piece of the dump did something"
                );
            }
        }
        println!(
            "{:?}: {} values of a dump made {tried} tokens, none got in",
            world.kind,
            values.len()
        );
        assert!(tried > 500, "{tried}");
        for visit in &visits[..2] {
            world.refreshed(&visit.tokens.refresh).await.unwrap();
        }
    });
}

/// R77, R78: who knows no more than a session's id, or an old MAC key besides, cannot end it; and
/// asks the store nothing.
#[test]
pub(crate) fn r78_forgeries_end_no_session() {
    let count = std::env::var("FORGERIES").map_or(20_000, |number| number.parse::<u32>().unwrap());
    crate::world::on_both_stores(Rules::AWARE, async |world| {
        let mut visit = world.arrive().await;
        for _ in 0..3 {
            visit.tokens = world.refreshed(&visit.tokens.refresh).await.unwrap();
            world.wait(20_001);
        }
        let before = world.row(&visit).await;
        let asked = world.probe.count();
        let genuine = decoded(&visit.tokens.refresh);
        let mut chance = 1_u64;
        let mut random = move || {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u8::try_from(chance >> 56).unwrap()
        };
        for number in 0..count {
            let mut forged = genuine.clone();
            // The id stays, the generation is any up to the current one, and the rest is guessed.
            forged[18..22].copy_from_slice(&(number % 4).to_be_bytes());
            forged[22..].fill_with(&mut random);
            let token = format!("tgr1_{}", URL_SAFE_NO_PAD.encode(forged));
            let refused = world.nodes[0]
                .gate
                .refresh(&token, &client(""))
                .await
                .unwrap_err();
            assert_eq!(refused.code(), Code::InvalidGrant);
        }
        assert_eq!(world.probe.names(asked), [""; 0], "a forgery was looked up");
        // A retired MAC key makes genuine old generations of any session, and ends none.
        for generation in 0..=before.generation {
            for _ in 0..50 {
                let mut secret = [0; 16];
                secret.fill_with(&mut random);
                let token = world.mint(visit.sid, generation, &secret, true);
                assert_eq!(world.refreshed(&token).await, Err(Code::InvalidGrant));
            }
        }
        assert_eq!(world.row(&visit).await, before);
        println!(
            "{:?}: {count} forgeries ended no session and asked the store nothing",
            world.kind
        );
        world.refreshed(&visit.tokens.refresh).await.unwrap();
    });
}
