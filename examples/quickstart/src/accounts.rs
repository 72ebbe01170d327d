//! The users: a table of this program's own, of which tollgate knows nothing.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tollgate::password::{Checked, Stored};
use tollgate::prelude::*;
use uuid::Uuid;

/// The roles of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
#[claim_value(text)]
pub(crate) enum Role {
    Admin,
    Editor,
}

/// A user, as the table has it. A token carries what is not skipped.
#[derive(Clone, JwtClaims)]
pub(crate) struct User {
    #[claim(sub)]
    id: Uuid,
    email: String,
    #[claim(roles)]
    roles: Vec<Role>,
    #[claim(skip)]
    password_hash: Stored,
    #[claim(skip)]
    disabled: bool,
}

/// The readers of the report.
#[derive(Policy)]
#[policy(role = Role::Admin)]
pub(crate) struct Admin;

/// All users. They sign in with an email address and a password.
#[auth_backend(email, user = User)]
pub(crate) struct Accounts {
    db: SqlitePool,
    passwords: Passwords,
}

impl Accounts {
    /// Opens the table, and fills it the first time.
    pub(crate) async fn open(file: &Path, passwords: Passwords) -> Result<Self, AuthError> {
        // The journal stays as SQLite makes it: its change waits for no other process, and one that
        // starts at the same moment would be refused.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true);
        let accounts = Self {
            db: SqlitePool::connect_with(options).await?,
            passwords,
        };
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS users (
                id            TEXT PRIMARY KEY,
                email         TEXT NOT NULL UNIQUE,
                role          TEXT NOT NULL CHECK (role IN ('admin', 'editor')),
                password_hash TEXT NOT NULL,
                disabled      INTEGER NOT NULL DEFAULT 0
            ) STRICT",
        )
        .execute(&accounts.db)
        .await?;
        accounts.fill().await?;
        Ok(accounts)
    }

    /// Adds the first users to a table that has none. A user who was deleted does not come back at
    /// the next start, with a password that everybody can read here.
    async fn fill(&self) -> Result<(), AuthError> {
        let count = "SELECT count(*) FROM users";
        let users: i64 = sqlx::query_scalar(count).fetch_one(&self.db).await?;
        if users > 0 {
            return Ok(());
        }
        // Another process that starts at the same moment waits here, and then finds the users.
        let mut change = self.db.begin_with("BEGIN IMMEDIATE").await?;
        let users: i64 = sqlx::query_scalar(count).fetch_one(&mut *change).await?;
        if users > 0 {
            return Ok(());
        }
        for (email, role, disabled) in [
            ("ada@example.com", Role::Admin, false),
            ("grace@example.com", Role::Editor, false),
            ("mallory@example.com", Role::Editor, true),
        ] {
            let password = Password::new("correct horse battery staple");
            let hash = self.passwords.hash(&password).await?;
            sqlx::query(
                "INSERT INTO users (id, email, role, password_hash, disabled) VALUES (?, ?, ?, ?, \
                 ?)",
            )
            .bind(Uuid::new_v4().to_string())
            .bind(email)
            .bind(role.as_str())
            .bind(hash.as_str())
            .bind(disabled)
            .execute(&mut *change)
            .await?;
        }
        Ok(change.commit().await?)
    }

    async fn by_email(&self, email: &str) -> Result<Option<User>, AuthError> {
        let query = sqlx::query_as(
            "SELECT id, email, role, password_hash, disabled FROM users WHERE email = ?",
        );
        query
            .bind(email)
            .fetch_optional(&self.db)
            .await?
            .map(user)
            .transpose()
    }

    async fn by_id(&self, id: &Uuid) -> Result<Option<User>, AuthError> {
        let query = sqlx::query_as(
            "SELECT id, email, role, password_hash, disabled FROM users WHERE id = ?",
        );
        query
            .bind(id.to_string())
            .fetch_optional(&self.db)
            .await?
            .map(user)
            .transpose()
    }

    /// Keeps a better hash of the password that was checked, only in place of the hash that it was
    /// checked against: a password that was set since then stays.
    async fn keep_rehash(&self, user: &User, checked: &Checked) -> Result<(), AuthError> {
        if let Some(better) = &checked.rehash {
            let query = sqlx::query(
                "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
            );
            query
                .bind(better.as_str())
                .bind(user.id.to_string())
                .bind(checked.stored.as_str())
                .execute(&self.db)
                .await?;
        }
        Ok(())
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _client: &Client) -> Result<User, AuthError> {
        let user = self.by_email(&login.email).await?;
        // Every attempt costs one hash: a stranger cannot tell which addresses have an account.
        let checked = self
            .passwords
            .check(
                &login.password,
                user.as_ref().map(|user| &user.password_hash),
            )
            .await?;
        let user = user.ok_or(AuthError::Invalid)?;
        if user.disabled {
            return Err(AuthError::Disabled);
        }
        self.keep_rehash(&user, &checked).await?;
        Ok(user)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &Uuid, _client: &Client) -> Result<User, AuthError> {
        let user = self.by_id(id).await?.ok_or(AuthError::Gone)?;
        if user.disabled {
            Err(AuthError::Disabled)
        } else {
            Ok(user)
        }
    }
}

type Row = (String, String, String, String, bool);

fn user((id, email, role, password_hash, disabled): Row) -> Result<User, AuthError> {
    // A hash that cannot be read is reported with the id.
    let password_hash = Stored::from(password_hash).of(&id);
    Ok(User {
        id: id.parse()?,
        email,
        // A role that this program does not know is an error, not the least of those it knows.
        roles: vec![role.parse()?],
        password_hash,
        disabled,
    })
}

#[cfg(test)]
mod tests {
    use tollgate::password::Hashing;

    use super::*;

    fn cheap() -> Passwords {
        Passwords::with(Hashing::cheap_dangerous()).unwrap()
    }

    async fn sign_in(accounts: &Accounts, email: &str, password: &str) -> Result<User, AuthError> {
        let login = EmailLogin {
            email: email.to_owned(),
            password: Password::new(password),
        };
        accounts.authenticate(login, &Client::unknown()).await
    }

    #[tokio::test]
    async fn the_seeded_users_survive_a_restart_and_only_the_right_ones_come_in() {
        let folder = std::env::temp_dir().join(Uuid::new_v4().to_string());
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("app.db");
        let ada = sign_in(
            &Accounts::open(&file, cheap()).await.unwrap(),
            "ada@example.com",
            "correct horse battery staple",
        )
        .await
        .unwrap();

        let accounts = Accounts::open(&file, cheap()).await.unwrap();
        assert_eq!(
            accounts
                .refresh(&ada.id, &Client::unknown())
                .await
                .unwrap()
                .roles,
            [Role::Admin]
        );
        let grace = sign_in(
            &accounts,
            "grace@example.com",
            "correct horse battery staple",
        )
        .await
        .unwrap();
        assert_eq!(grace.roles, [Role::Editor]);
        for (email, password) in [
            ("ada@example.com", "wrong"),
            ("mallory@example.com", "correct horse battery staple"),
            ("eve@example.com", "correct horse battery staple"),
        ] {
            let before = accounts.passwords.evaluations();
            assert!(
                matches!(
                    sign_in(&accounts, email, password).await,
                    Err(AuthError::Invalid | AuthError::Disabled)
                ),
                "{email}"
            );
            assert_eq!(accounts.passwords.evaluations() - before, 1, "{email}");
        }
        let mallory = accounts
            .by_email("mallory@example.com")
            .await
            .unwrap()
            .unwrap();
        assert!(matches!(
            accounts.refresh(&mallory.id, &Client::unknown()).await,
            Err(AuthError::Disabled)
        ));
        assert!(matches!(
            accounts.refresh(&Uuid::nil(), &Client::unknown()).await,
            Err(AuthError::Gone)
        ));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_deleted_user_does_not_come_back_at_the_next_start() {
        let folder = std::env::temp_dir().join(Uuid::new_v4().to_string());
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("app.db");
        let accounts = Accounts::open(&file, cheap()).await.unwrap();
        sqlx::query("DELETE FROM users WHERE email = 'ada@example.com'")
            .execute(&accounts.db)
            .await
            .unwrap();
        drop(accounts);

        let accounts = Accounts::open(&file, cheap()).await.unwrap();
        assert!(
            accounts
                .by_email("ada@example.com")
                .await
                .unwrap()
                .is_none()
        );
        let grace = accounts.by_email("grace@example.com").await.unwrap();
        assert!(grace.is_some());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_role_that_is_not_known_is_an_error() {
        let row = |role: &str| {
            let id = Uuid::nil().to_string();
            let email = "ada@example.com".to_owned();
            (id, email, role.to_owned(), String::new(), false)
        };
        assert_eq!(user(row("admin")).unwrap().roles, [Role::Admin]);
        assert_eq!(user(row("editor")).unwrap().roles, [Role::Editor]);
        for role in ["owner", "Admin", "admin ", ""] {
            let refused = user(row(role));
            assert!(matches!(refused, Err(AuthError::Unavailable(_))), "{role}");
        }
    }

    /// Another password is set between the check of the old one and the write of its better hash.
    #[tokio::test]
    async fn a_rehash_replaces_only_the_hash_that_was_checked() {
        let folder = std::env::temp_dir().join(Uuid::new_v4().to_string());
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("app.db");
        drop(Accounts::open(&file, cheap()).await.unwrap());
        let mut hashing = Hashing::cheap_dangerous();
        hashing.memory_kib *= 2;
        let raised = Passwords::with(hashing).unwrap();
        let accounts = Accounts::open(&file, raised).await.unwrap();
        let ada = async || accounts.by_email("ada@example.com").await.unwrap().unwrap();
        let old = Password::new("correct horse battery staple");
        let user = ada().await;
        let check = accounts.passwords.check(&old, Some(&user.password_hash));
        let checked = check.await.unwrap();
        assert!(checked.rehash.is_some());

        let new = Password::new("another long and quiet sentence");
        let set = cheap().hash(&new).await.unwrap();
        sqlx::query("UPDATE users SET password_hash = ? WHERE id = ?")
            .bind(set.as_str())
            .bind(user.id.to_string())
            .execute(&accounts.db)
            .await
            .unwrap();
        accounts.keep_rehash(&user, &checked).await.unwrap();
        assert!(ada().await.password_hash == set, "the new password stays");

        let password = "another long and quiet sentence";
        sign_in(&accounts, "ada@example.com", password)
            .await
            .unwrap();
        let kept = ada().await.password_hash;
        assert!(kept != set, "hashed again with today's cost");
        let checked = accounts.passwords.check(&new, Some(&kept)).await.unwrap();
        assert!(checked.rehash.is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
