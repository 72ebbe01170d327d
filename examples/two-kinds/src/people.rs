//! The users of both kinds: a table for each, of which tollgate knows nothing.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, SqliteExecutor, SqlitePool};
use tollgate::gate::normalize_identifier;
use tollgate::password::Stored;
use tollgate::prelude::*;

/// The password of the people who are there from the start.
const PASSWORD: &str = "correct horse battery staple";

/// A customer of the shop.
#[derive(Clone, JwtClaims)]
pub(crate) struct Customer {
    #[claim(sub)]
    id: i64,
    email: String,
}

/// Somebody who works at the desk.
#[derive(Clone, JwtClaims)]
pub(crate) struct Employee {
    #[claim(sub)]
    id: i64,
    email: String,
    desk: String,
}

/// The customers, who sign in at `/auth`.
#[auth_backend(email, user = Customer, prefix = "/auth")]
#[derive(Clone)]
pub(crate) struct Shop(pub(crate) People);

/// The staff, who sign in at `/staff/auth`.
#[auth_backend(email, user = Employee, prefix = "/staff/auth")]
#[derive(Clone)]
pub(crate) struct Desk(pub(crate) People);

/// The tables of both.
#[derive(Clone)]
pub(crate) struct People {
    db: SqlitePool,
    passwords: Passwords,
}

/// A row of either table.
type Row = (i64, String, String);

impl People {
    /// Opens the tables, and fills them the first time.
    pub(crate) async fn open(file: &Path, passwords: Passwords) -> Result<Self, AuthError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let db = SqlitePool::connect_with(options).await?;
        let people = Self { db, passwords };
        for (table, first) in [
            ("customers", "ada@example.com"),
            ("employees", "grace@example.com"),
        ] {
            let make = format!(
                "CREATE TABLE IF NOT EXISTS {table} (
                    id            INTEGER PRIMARY KEY,
                    email         TEXT NOT NULL UNIQUE,
                    password_hash TEXT NOT NULL
                ) STRICT"
            );
            sqlx::query(AssertSqlSafe(make)).execute(&people.db).await?;
            people.fill(table, first).await?;
        }
        Ok(people)
    }

    /// Adds the first person to a table that has none. Somebody who was deleted does not come back
    /// at the next start, with a password that everybody can read here.
    async fn fill(&self, table: &str, first: &str) -> Result<(), AuthError> {
        if count(&self.db, table).await? > 0 {
            return Ok(());
        }
        // Another process that starts at the same moment waits here, and then finds the person.
        let mut change = self.db.begin_with("BEGIN IMMEDIATE").await?;
        if count(&mut *change, table).await? == 0 {
            let hash = self.passwords.hash(&Password::new(PASSWORD)).await?;
            add(&mut *change, table, first, &hash).await?;
        }
        Ok(change.commit().await?)
    }

    async fn by_email(&self, table: &str, email: &str) -> Result<Option<Row>, AuthError> {
        let find = format!("SELECT id, email, password_hash FROM {table} WHERE email = ?");
        let query = sqlx::query_as(AssertSqlSafe(find));
        Ok(query.bind(email).fetch_optional(&self.db).await?)
    }

    async fn by_id(&self, table: &str, id: i64) -> Result<Option<Row>, AuthError> {
        let find = format!("SELECT id, email, password_hash FROM {table} WHERE id = ?");
        let query = sqlx::query_as(AssertSqlSafe(find));
        Ok(query.bind(id).fetch_optional(&self.db).await?)
    }

    /// Finds somebody by address and password, at the same cost where there is nobody.
    async fn sign_in(&self, table: &str, login: &EmailLogin) -> Result<(i64, String), AuthError> {
        let row = self.by_email(table, &login.email).await?;
        let stored = row.as_ref().map(|(_, _, hash)| Stored::from(hash.clone()));
        let checked = self
            .passwords
            .check(&login.password, stored.as_ref())
            .await?;
        let (id, email, _) = row.ok_or(AuthError::Invalid)?;
        if let Some(better) = &checked.rehash {
            let keep =
                format!("UPDATE {table} SET password_hash = ? WHERE id = ? AND password_hash = ?");
            sqlx::query(AssertSqlSafe(keep))
                .bind(better.as_str())
                .bind(id)
                .bind(checked.stored.as_str())
                .execute(&self.db)
                .await?;
        }
        Ok((id, email))
    }
}

async fn count(db: impl SqliteExecutor<'_>, table: &str) -> Result<i64, AuthError> {
    let count = format!("SELECT count(*) FROM {table}");
    let query = sqlx::query_scalar(AssertSqlSafe(count));
    Ok(query.fetch_one(db).await?)
}

/// Adds somebody, unless the address is taken; answers the id.
async fn add(
    db: impl SqliteExecutor<'_>,
    table: &str,
    email: &str,
    hash: &Stored,
) -> Result<Option<i64>, AuthError> {
    let add = format!(
        "INSERT INTO {table} (email, password_hash) VALUES (?, ?)
         ON CONFLICT (email) DO NOTHING RETURNING id"
    );
    let query = sqlx::query_scalar(AssertSqlSafe(add));
    let query = query.bind(email).bind(hash.as_str());
    Ok(query.fetch_optional(db).await?)
}

impl Shop {
    /// Opens an account; `None` where the address is taken.
    pub(crate) async fn register(
        &self,
        email: &str,
        password: &Password,
    ) -> Result<Option<Customer>, AuthError> {
        let email = normalize_identifier(email);
        let hash = self.0.passwords.set(password, &[&email]).await?;
        let id = add(&self.0.db, "customers", &email, &hash).await?;
        Ok(id.map(|id| Customer { id, email }))
    }
}

fn employee((id, email): (i64, String)) -> Employee {
    let desk = "returns".to_owned();
    Employee { id, email, desk }
}

impl Authenticate for Shop {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<Customer, AuthError> {
        let (id, email) = self.0.sign_in("customers", &login).await?;
        Ok(Customer { id, email })
    }
}

impl Refresh for Shop {
    async fn refresh(&self, id: &i64, _: &Client) -> Result<Customer, AuthError> {
        let row = self.0.by_id("customers", *id).await?;
        let (id, email, _) = row.ok_or(AuthError::Gone)?;
        Ok(Customer { id, email })
    }
}

impl Authenticate for Desk {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<Employee, AuthError> {
        self.0.sign_in("employees", &login).await.map(employee)
    }
}

impl Refresh for Desk {
    async fn refresh(&self, id: &i64, _: &Client) -> Result<Employee, AuthError> {
        let row = self.0.by_id("employees", *id).await?;
        let (id, email, _) = row.ok_or(AuthError::Gone)?;
        Ok(employee((id, email)))
    }
}

#[cfg(test)]
mod tests {
    use tollgate::password::Hashing;

    use super::*;

    #[tokio::test]
    async fn somebody_who_was_deleted_does_not_come_back_at_the_next_start() {
        let folder = std::env::temp_dir().join(format!("two-kinds-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let open = async || {
            let passwords = Passwords::with(Hashing::cheap_dangerous()).unwrap();
            let people = People::open(&folder.join("app.db"), passwords).await;
            people.unwrap()
        };
        let people = open().await;
        let shop = Shop(people.clone());
        let password = Password::new("a long and quiet sentence");
        let registered = shop.register("new@example.com", &password).await;
        assert!(registered.unwrap().is_some());
        for table in ["customers", "employees"] {
            let delete = format!("DELETE FROM {table} WHERE id = 1");
            let query = sqlx::query(AssertSqlSafe(delete));
            query.execute(&people.db).await.unwrap();
        }

        // The desk is empty, and is filled again; the shop is not.
        let people = open().await;
        let ada = people.by_email("customers", "ada@example.com").await;
        assert!(ada.unwrap().is_none());
        let grace = people.by_email("employees", "grace@example.com").await;
        assert!(grace.unwrap().is_some());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
