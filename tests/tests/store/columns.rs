//! Roles, scopes, ids and password hashes in rows of sqlx, on SQLite and on PostgreSQL.

use sqlx::{Database, Decode, Encode, PgPool, SqlitePool, Type};
use tollgate::ClaimValue;
use tollgate::id::{SessionId, TokenId};
use tollgate::password::Stored;
use tollgate_tests::support::postgres::Server;

/// Its strings are the ones of the token, whatever the variants are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
#[claim_value(sqlx, rename_all = "kebab-case")]
enum Role {
    Admin,
    ChiefEditor,
    #[claim_value(rename = "guest!")]
    Visitor,
}

/// Names that the expansion uses itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
#[claim_value(sqlx, text)]
enum Text {
    Type,
    Encode,
    r#Self_,
}

type Row = (i64, Role, Option<Role>, Text, SessionId, TokenId, Stored);

const TABLE: &str = "CREATE TABLE people (id BIGINT PRIMARY KEY, role TEXT NOT NULL, other TEXT,
     said VARCHAR(20) NOT NULL, session TEXT NOT NULL, token TEXT NOT NULL, hash TEXT NOT NULL)";
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";

async fn sqlite() -> SqlitePool {
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    sqlx::query(TABLE).execute(&pool).await.unwrap();
    pool
}

/// Runs the same statements on a pool of each database.
macro_rules! holds_on {
    ($pool:expr) => {{
        let pool = $pool;
        let (session, token) = (SessionId::from_bytes([7; 16]), TokenId::from_bytes([9; 16]));
        let others = [None, Some(Role::Visitor), Some(Role::Admin)];
        for (id, role, other) in [Role::Admin, Role::ChiefEditor, Role::Visitor]
            .into_iter()
            .zip(others)
            .zip(1_i64..)
            .map(|((role, other), id)| (id, role, other))
        {
            sqlx::query("INSERT INTO people VALUES ($1, $2, $3, $4, $5, $6, $7)")
                .bind(id)
                .bind(role)
                .bind(other)
                .bind(&Text::r#Self_)
                .bind(session)
                .bind(token)
                .bind(Stored::from(HASH))
                .execute(&pool)
                .await
                .unwrap();
        }
        let texts: Vec<(String, Option<String>, String, String, String, String)> = sqlx::query_as(
            "SELECT role, other, said, session, token, hash FROM people ORDER BY id",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let roles: Vec<&str> = texts.iter().map(|row| row.0.as_str()).collect();
        assert_eq!(roles, ["admin", "chief-editor", "guest!"]);
        let others: Vec<Option<&str>> = texts.iter().map(|row| row.1.as_deref()).collect();
        assert_eq!(others, [None, Some("guest!"), Some("admin")]);
        assert_eq!(texts[0].2, "self_");
        assert_eq!(
            (&texts[0].3, &texts[0].4),
            (&session.to_string(), &token.to_string())
        );
        assert_eq!(texts[0].5, HASH);

        let row: Row = sqlx::query_as(
            "SELECT id, role, other, said, session, token, hash FROM people WHERE role = $1",
        )
        .bind(Role::ChiefEditor)
        .fetch_one(&pool)
        .await
        .unwrap();
        let hash = Stored::from(HASH);
        let visitor = Some(Role::Visitor);
        assert_eq!(
            row,
            (
                2,
                Role::ChiefEditor,
                visitor,
                Text::r#Self_,
                session,
                token,
                hash
            )
        );
    }};
}

/// Reads a text that the program writes no more, and returns the error with its causes.
macro_rules! refusal_of {
    ($pool:expr, $column:ty, $text:expr) => {{
        let read = sqlx::query_scalar::<_, $column>("SELECT $1").bind($text);
        format!("{:?}", read.fetch_one($pool).await.unwrap_err())
    }};
}

macro_rules! refuses_on {
    ($pool:expr) => {{
        let pool = $pool;
        for text in ["root", "", "Admin", "admin "] {
            let refused = refusal_of!(&pool, Role, text);
            assert!(refused.contains("UnknownValue"), "{refused}");
            assert!(!refused.contains("root"), "{refused}");
        }
        for text in ["", "AAAAAAAAAAAAAAAAAAAAAB", "BwcHBwcHBwcHBwcHBwcHBw="] {
            let refused = refusal_of!(&pool, SessionId, text);
            assert!(refused.contains("IdError"), "{refused}");
            let refused = refusal_of!(&pool, TokenId, text);
            assert!(refused.contains("IdError"), "{refused}");
        }
    }};
}

#[tokio::test]
async fn roles_ids_and_hashes_are_columns_in_sqlite() {
    holds_on!(sqlite().await);
}

#[tokio::test]
async fn a_text_that_is_no_role_is_an_error_in_sqlite() {
    refuses_on!(sqlite().await);
    let pool = sqlite().await;
    let number = sqlx::query_scalar::<_, Role>("SELECT 1");
    assert!(number.fetch_one(&pool).await.is_err());
    let null = sqlx::query_scalar::<_, Role>("SELECT NULL");
    assert!(null.fetch_one(&pool).await.is_err());
}

#[tokio::test]
async fn roles_ids_and_hashes_are_columns_in_postgres() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let pool = PgPool::connect(&database.url).await.unwrap();
    sqlx::query(TABLE).execute(&pool).await.unwrap();
    holds_on!(pool.clone());
    // The texts of a list have the types of a column too.
    sqlx::query("CREATE TABLE teams (roles TEXT[] NOT NULL)")
        .execute(&pool)
        .await
        .unwrap();
    let roles = vec![Role::Visitor, Role::Admin];
    let insert = sqlx::query("INSERT INTO teams VALUES ($1)").bind(&roles);
    insert.execute(&pool).await.unwrap();
    let read: Vec<Role> = sqlx::query_scalar("SELECT roles FROM teams")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(read, roles);
    pool.close().await;
}

#[tokio::test]
async fn a_text_that_is_no_role_is_an_error_in_postgres() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let pool = PgPool::connect(&database.url).await.unwrap();
    refuses_on!(pool.clone());
    let number = sqlx::query_scalar::<_, Role>("SELECT 1::bigint");
    let refused = number.fetch_one(&pool).await.unwrap_err().to_string();
    assert!(refused.contains("not compatible"), "{refused}");
    pool.close().await;
}

/// A function over every database compiles, as it does with a text.
#[test]
fn a_role_is_a_column_of_every_database_that_has_texts() {
    fn takes<'a, D: Database, T: Type<D> + Encode<'a, D> + Decode<'a, D>>() {}
    fn both<'a, D: Database>()
    where
        String: Type<D> + Encode<'a, D> + Decode<'a, D>,
    {
        takes::<D, Role>();
        takes::<D, SessionId>();
        takes::<D, Stored>();
    }
    both::<sqlx::Sqlite>();
    both::<sqlx::Postgres>();
}
