//! The users and their notes: tables of this program's own, of which tollgate knows nothing.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tollgate::password::{Checked, Stored};
use tollgate::prelude::*;
use totp_rs::{Builder, Secret as TotpSecret, Totp};
use uuid::Uuid;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
#[claim_value(text)]
pub enum Role {
    /// Sees where everybody is signed in.
    Admin,
    /// Writes notes.
    Writer,
}

/// A user, as the table has it. A token carries what is not skipped.
#[derive(Clone, JwtClaims)]
pub struct User {
    #[claim(sub)]
    id: Uuid,
    email: String,
    #[claim(roles)]
    roles: Vec<Role>,
    #[claim(skip)]
    password_hash: Stored,
    #[claim(skip)]
    disabled: bool,
    #[claim(skip)]
    factor: Option<Totp>,
    #[claim(skip)]
    proposed_factor: Option<Totp>,
}

impl User {
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn email(&self) -> &str {
        &self.email
    }
}

/// A caller who may see where others are signed in.
#[derive(Policy)]
#[policy(role = Role::Admin)]
pub(crate) struct Admin;

/// A caller who proved within the last five minutes who they are.
#[derive(Policy)]
#[policy(max_age = "5m")]
pub(crate) struct Fresh;

/// A line of somebody's logbook.
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) text: String,
}

/// All users. They sign in with an email address and a password, and with a second factor if they
/// set one up.
#[auth_backend(email, user = User)]
pub struct Accounts {
    db: SqlitePool,
    passwords: Passwords,
}

impl Accounts {
    /// Opens the tables, and fills them the first time.
    pub(crate) async fn open(file: &Path, passwords: Passwords) -> Result<Self, AuthError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true);
        let accounts = Self {
            db: SqlitePool::connect_with(options).await?,
            passwords,
        };
        for table in TABLES {
            sqlx::query(table).execute(&accounts.db).await?;
        }
        accounts.fill().await?;
        Ok(accounts)
    }

    /// Adds the first users to a table that has none. A user who was deleted does not come back at
    /// the next start, with a password that everybody can read here.
    async fn fill(&self) -> Result<(), AuthError> {
        let users: i64 = sqlx::query_scalar(COUNT).fetch_one(&self.db).await?;
        if users > 0 {
            return Ok(());
        }
        // Another process that starts at the same moment waits here, and then finds the users.
        let mut change = self.db.begin_with("BEGIN IMMEDIATE").await?;
        let users: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut *change).await?;
        if users > 0 {
            return Ok(());
        }
        for (email, role, disabled) in [
            ("ada@example.com", Role::Admin, false),
            ("grace@example.com", Role::Writer, false),
            ("mallory@example.com", Role::Writer, true),
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
        let query = sqlx::query_as(BY_EMAIL);
        let found = query.bind(email).fetch_optional(&self.db).await?;
        found.map(user).transpose()
    }

    pub(crate) async fn by_id(&self, id: &Uuid) -> Result<Option<User>, AuthError> {
        let query = sqlx::query_as(BY_ID);
        let found = query.bind(id.to_string()).fetch_optional(&self.db).await?;
        found.map(user).transpose()
    }

    pub(crate) async fn everybody(&self) -> Result<Vec<User>, AuthError> {
        let query = sqlx::query_as(EVERYBODY);
        let found: Vec<Row> = query.fetch_all(&self.db).await?;
        found.into_iter().map(user).collect()
    }

    /// Keeps a better hash of the password that was checked, only in place of the hash that it was
    /// checked against: a password that was set since then stays.
    async fn keep_rehash(&self, user: &User, checked: &Checked) -> Result<(), AuthError> {
        if let Some(better) = &checked.rehash {
            sqlx::query("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?")
                .bind(better.as_str())
                .bind(user.id.to_string())
                .bind(checked.stored.as_str())
                .execute(&self.db)
                .await?;
        }
        Ok(())
    }

    /// The row of a caller. Their token outlives an account that is deleted.
    async fn caller(&self, id: &Uuid) -> Result<User, Rejection> {
        let user = self.by_id(id).await?;
        user.ok_or_else(|| Code::InvalidToken.into())
    }

    pub(crate) async fn has_factor(&self, id: &Uuid) -> Result<bool, Rejection> {
        Ok(self.caller(id).await?.factor.is_some())
    }

    /// The second factor that was proposed, until it is turned on.
    pub(crate) async fn proposed_factor(
        &self,
        user: &Auth<User, Fresh>,
    ) -> Result<Option<Totp>, Rejection> {
        Ok(self.caller(user.subject()).await?.proposed_factor)
    }

    /// Proposes a second factor, in place of one that its owner has not used yet.
    pub(crate) async fn propose_factor(&self, user: &Auth<User, Fresh>) -> Result<(), AuthError> {
        let proposed = self.propose(user.subject(), user.claims().email());
        proposed.await.map(drop)
    }

    async fn propose(&self, id: &Uuid, email: &str) -> Result<Totp, AuthError> {
        let factor = totp(TotpSecret::generate(), email)?;
        sqlx::query("UPDATE users SET proposed_factor = ? WHERE id = ?")
            .bind(factor.secret().to_base32())
            .bind(id.to_string())
            .execute(&self.db)
            .await?;
        Ok(factor)
    }

    /// The proposed factor counts from the first code on that was right. Returns whether this one
    /// was.
    pub(crate) async fn confirm_factor(
        &self,
        user: &Auth<User, Fresh>,
        code: &str,
    ) -> Result<bool, Rejection> {
        let Some(proposed) = self.proposed_factor(user).await? else {
            return Ok(false);
        };
        match proposed.check_current(code) {
            Some(used) => Ok(self.turn_on(user.subject(), &proposed, used).await?),
            None => Ok(false),
        }
    }

    /// Turns on the factor whose code was checked, and no other: where another one was proposed
    /// meanwhile, nothing changes. Returns whether it did.
    async fn turn_on(&self, id: &Uuid, checked: &Totp, used: u64) -> Result<bool, AuthError> {
        let query = sqlx::query(
            "UPDATE users SET factor = proposed_factor, proposed_factor = NULL, factor_used = ?
             WHERE id = ? AND proposed_factor = ?",
        );
        let done = query
            .bind(used as i64)
            .bind(id.to_string())
            .bind(checked.secret().to_base32())
            .execute(&self.db)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn remove_factor(&self, user: &Auth<User, Fresh>) -> Result<(), AuthError> {
        sqlx::query("UPDATE users SET factor = NULL, proposed_factor = NULL WHERE id = ?")
            .bind(user.subject().to_string())
            .execute(&self.db)
            .await?;
        Ok(())
    }

    pub(crate) async fn notes(&self, user: &Uuid) -> Result<Vec<Note>, AuthError> {
        let query = sqlx::query_as("SELECT id, text FROM notes WHERE owner = ? ORDER BY id DESC");
        let rows: Vec<(i64, String)> = query.bind(user.to_string()).fetch_all(&self.db).await?;
        Ok(rows
            .into_iter()
            .map(|(id, text)| Note { id, text })
            .collect())
    }

    pub(crate) async fn add_note(&self, user: &Uuid, text: &str) -> Result<(), AuthError> {
        sqlx::query("INSERT INTO notes (owner, text) VALUES (?, ?)")
            .bind(user.to_string())
            .bind(text)
            .execute(&self.db)
            .await?;
        Ok(())
    }

    pub(crate) async fn delete_note(&self, user: &Uuid, id: i64) -> Result<(), AuthError> {
        sqlx::query("DELETE FROM notes WHERE owner = ? AND id = ?")
            .bind(user.to_string())
            .bind(id)
            .execute(&self.db)
            .await?;
        Ok(())
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<User, AuthError> {
        let user = self.by_email(&login.email).await?;
        // Every attempt waits for one hash: a stranger cannot tell which addresses have an account.
        let stored = user.as_ref().map(|user| &user.password_hash);
        let checked = self.passwords.check(&login.password, stored).await?;
        let user = user.ok_or(AuthError::Invalid)?;
        if user.disabled {
            return Err(AuthError::Disabled);
        }
        self.keep_rehash(&user, &checked).await?;
        match user.factor {
            Some(_) => Err(SignInStep::new(user.id, "totp").into()),
            None => Ok(user),
        }
    }

    async fn step(
        &self,
        step: &SignInStep,
        answer: &StepAnswer,
        _: &Client,
    ) -> Result<User, AuthError> {
        let user = self.by_id(&step.subject.parse()?).await?;
        let user = user.ok_or(AuthError::Gone)?;
        if user.disabled {
            return Err(AuthError::Disabled);
        }
        let code = answer.code().ok_or(AuthError::Invalid)?;
        let factor = user.factor.as_ref().ok_or(AuthError::Invalid)?;
        let used = factor.check_current(code).ok_or(AuthError::Invalid)?;
        // A code counts once, also where two present it at the same time (RFC 6238 section 5.2), and
        // only while its factor is the one that was checked.
        let query = sqlx::query(
            "UPDATE users SET factor_used = ?1
             WHERE id = ?2 AND factor_used < ?1 AND factor = ?3",
        );
        let done = query
            .bind(used as i64)
            .bind(user.id.to_string())
            .bind(factor.secret().to_base32())
            .execute(&self.db)
            .await?;
        if done.rows_affected() == 1 {
            Ok(user)
        } else {
            Err(AuthError::Invalid)
        }
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &Uuid, _: &Client) -> Result<User, AuthError> {
        let user = self.by_id(id).await?.ok_or(AuthError::Gone)?;
        if user.disabled {
            Err(AuthError::Disabled)
        } else {
            Ok(user)
        }
    }
}

const COUNT: &str = "SELECT count(*) FROM users";
const BY_EMAIL: &str = "SELECT id, email, role, password_hash, disabled, factor, proposed_factor \
                        FROM users WHERE email = ?";
const BY_ID: &str = "SELECT id, email, role, password_hash, disabled, factor, proposed_factor \
                     FROM users WHERE id = ?";
const EVERYBODY: &str = "SELECT id, email, role, password_hash, disabled, factor, \
                         proposed_factor FROM users ORDER BY email";

type Row = (
    String,
    String,
    String,
    String,
    bool,
    Option<String>,
    Option<String>,
);

fn user(row: Row) -> Result<User, AuthError> {
    let (id, email, role, password_hash, disabled, factor, proposed_factor) = row;
    let read = |secret: Option<String>| -> Result<Option<Totp>, AuthError> {
        let Some(text) = secret else { return Ok(None) };
        let secret = TotpSecret::try_from_base32(text)
            .map_err(|_| AuthError::unavailable("a secret is no base32"))?;
        totp(secret, &email).map(Some)
    };
    let (factor, proposed_factor) = (read(factor)?, read(proposed_factor)?);
    // A hash that cannot be read is reported with the id.
    let password_hash = Stored::from(password_hash).of(&id);
    Ok(User {
        id: id.parse()?,
        email,
        // A role that this program does not know is an error, not the least of those it knows.
        roles: vec![role.parse()?],
        password_hash,
        disabled,
        factor,
        proposed_factor,
    })
}

/// Six digits, thirty seconds, one step of tolerance, SHA-1: what every authenticator understands
/// (RFC 6238).
fn totp(secret: TotpSecret, email: &str) -> Result<Totp, AuthError> {
    let builder = Builder::new()
        .with_secret(secret)
        .with_account_name(email)
        .with_issuer(Some("Logbook"));
    builder
        .build()
        .map_err(|error| AuthError::unavailable(error.to_string()))
}

const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS users (
        id              TEXT PRIMARY KEY,
        email           TEXT NOT NULL UNIQUE,
        role            TEXT NOT NULL CHECK (role IN ('admin', 'writer')),
        password_hash   TEXT NOT NULL,
        disabled        INTEGER NOT NULL DEFAULT 0,
        factor          TEXT,
        proposed_factor TEXT,
        factor_used     INTEGER NOT NULL DEFAULT 0
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS notes (
        id    INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        text  TEXT NOT NULL
    ) STRICT",
];

#[cfg(test)]
mod tests {
    use tollgate::password::Hashing;

    use super::*;

    async fn open(folder: &Path) -> Accounts {
        let passwords = Passwords::with(Hashing::cheap_dangerous()).unwrap();
        Accounts::open(&folder.join("app.db"), passwords)
            .await
            .unwrap()
    }

    fn folder() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(Uuid::new_v4().to_string());
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    #[tokio::test]
    async fn a_deleted_user_does_not_come_back_at_the_next_start() {
        let folder = folder();
        let accounts = open(&folder).await;
        sqlx::query("DELETE FROM users WHERE email = 'ada@example.com'")
            .execute(&accounts.db)
            .await
            .unwrap();
        drop(accounts);

        let accounts = open(&folder).await;
        assert!(
            accounts
                .by_email("ada@example.com")
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(accounts.everybody().await.unwrap().len(), 2);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_role_that_is_not_known_is_an_error() {
        let row = |role: &str| -> Row {
            let id = Uuid::nil().to_string();
            let email = "ada@example.com".to_owned();
            let hash = String::new();
            (id, email, role.to_owned(), hash, false, None, None)
        };
        assert_eq!(user(row("admin")).unwrap().roles, [Role::Admin]);
        assert_eq!(user(row("writer")).unwrap().roles, [Role::Writer]);
        for role in ["owner", "Admin", "admin ", ""] {
            let refused = user(row(role));
            assert!(matches!(refused, Err(AuthError::Unavailable(_))), "{role}");
        }
    }

    /// Two windows set up a factor: the code of the first is checked, and the second proposes its
    /// factor before the first one's is turned on.
    #[tokio::test]
    async fn a_factor_whose_code_was_not_checked_is_not_turned_on() {
        let folder = folder();
        let accounts = open(&folder).await;
        let email = "grace@example.com";
        let grace = async || accounts.by_email(email).await.unwrap().unwrap();
        let id = grace().await.id;
        let checked = accounts.propose(&id, email).await.unwrap();
        let other = accounts.propose(&id, email).await.unwrap();

        assert!(!accounts.turn_on(&id, &checked, 1).await.unwrap());
        let user = grace().await;
        assert!(user.factor.is_none());
        let proposed = user.proposed_factor.unwrap().secret().to_base32();
        assert_eq!(proposed, other.secret().to_base32());

        assert!(accounts.turn_on(&id, &other, 1).await.unwrap());
        let again = accounts.turn_on(&id, &other, 1).await.unwrap();
        assert!(!again, "only once");
        let factor = grace().await.factor.unwrap().secret().to_base32();
        assert_eq!(factor, other.secret().to_base32());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
