//! The users: a table of this program's own, and the only functions that change it.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tollgate::action::{EmailVerification, PasswordReset, Proof};
use tollgate::password::{Checked, Stored};
use tollgate::prelude::*;
use totp_rs::{Builder, Secret as TotpSecret, Totp};
use uuid::Uuid;

use crate::email::Emails;

/// A user, as the table has it.
#[derive(Clone, JwtClaims)]
pub(crate) struct User {
    #[claim(sub)]
    pub(crate) id: Uuid,
    pub(crate) email: String,
    #[claim(skip)]
    password_hash: Option<Stored>,
    #[claim(skip)]
    is_disabled: bool,
    #[claim(skip)]
    totp: Option<Totp>,
    #[claim(skip)]
    totp_pending: Option<Totp>,
}

impl User {
    /// Returns whether the address was proved and the account is not disabled. Before the proof it
    /// has no password.
    pub(crate) fn is_active(&self) -> bool {
        self.password_hash.is_some() && !self.is_disabled
    }
}

/// The claim `acr` of a session that was opened with both factors.
const TWO_FACTORS: &str = "urn:example:two-factors";

/// Users who proved within the last five minutes who they are.
#[derive(Policy)]
#[policy(max_age = "5m")]
pub(crate) struct Fresh;

/// Users who used a second factor.
#[derive(Policy)]
#[policy(acr = "urn:example:two-factors")]
pub(crate) struct TwoFactors;

/// All users.
#[auth_backend(email, user = User)]
#[derive(Clone)]
pub(crate) struct Accounts {
    db: SqlitePool,
    pub(crate) passwords: Passwords,
    pub(crate) emails: Emails,
}

impl Accounts {
    pub(crate) async fn open(
        file: &Path,
        passwords: Passwords,
        emails: Emails,
    ) -> Result<Self, AuthError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let db = SqlitePool::connect_with(options).await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS users (
                id            TEXT PRIMARY KEY,
                email         TEXT NOT NULL UNIQUE,
                password_hash TEXT,
                is_disabled   INTEGER NOT NULL DEFAULT 0,
                totp          TEXT,
                totp_pending  TEXT,
                totp_last     INTEGER NOT NULL DEFAULT 0
            ) STRICT",
        )
        .execute(&db)
        .await?;
        Ok(Self {
            db,
            passwords,
            emails,
        })
    }

    /// Returns the account with this address, and opens it if there is no such account yet. It has
    /// no password before its address is proved.
    pub(crate) async fn open_account(&self, email: &str) -> Result<User, AuthError> {
        sqlx::query("INSERT INTO users (id, email) VALUES (?, ?) ON CONFLICT (email) DO NOTHING")
            .bind(Uuid::new_v4().to_string())
            .bind(email)
            .execute(&self.db)
            .await?;
        self.by_email(email).await?.ok_or(AuthError::Gone)
    }

    /// The first password, chosen by the reader of the emails: a stranger who opened the account
    /// for this address knows none.
    pub(crate) async fn activate(
        &self,
        proof: &Proof<EmailVerification, Uuid>,
        hash: &Stored,
    ) -> Result<(), AuthError> {
        let query = "UPDATE users SET password_hash = ? WHERE id = ? AND email = ? AND \
                     password_hash IS NULL AND is_disabled = 0";
        self.write(query, hash, proof.subject(), proof.address())
            .await
    }

    /// Writes a password without the old one, for the reader of the emails to the address that the
    /// account has today. The second factor stays.
    pub(crate) async fn reset(
        &self,
        proof: &Proof<PasswordReset, Uuid>,
        hash: &Stored,
    ) -> Result<(), AuthError> {
        let query =
            "UPDATE users SET password_hash = ? WHERE id = ? AND email = ? AND is_disabled = 0";
        self.write(query, hash, proof.subject(), proof.address())
            .await
    }

    /// Writes another password for a user who just proved who they are: nobody else has an
    /// `Auth<User, Fresh>`.
    pub(crate) async fn change(
        &self,
        user: &Auth<User, Fresh>,
        hash: &Stored,
    ) -> Result<(), AuthError> {
        let query =
            "UPDATE users SET password_hash = ? WHERE id = ? AND email = ? AND is_disabled = 0";
        self.write(query, hash, user.subject(), user.claims().email())
            .await
    }

    /// Checks a password, at the same cost where there is no such account.
    pub(crate) async fn check(
        &self,
        password: &Password,
        user: Option<&User>,
    ) -> Result<Checked, AuthError> {
        let stored = user.and_then(|user| user.password_hash.as_ref());
        self.passwords.check(password, stored).await
    }

    /// Keeps a better hash of the password that was checked, only in place of the hash that it was
    /// checked against: a password that was set since then stays.
    pub(crate) async fn keep_rehash(
        &self,
        user: &User,
        checked: &Checked,
    ) -> Result<(), AuthError> {
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

    async fn write(
        &self,
        query: &'static str,
        hash: &Stored,
        id: &Uuid,
        email: &str,
    ) -> Result<(), AuthError> {
        let done = sqlx::query(query)
            .bind(hash.as_str())
            .bind(id.to_string())
            .bind(email)
            .execute(&self.db)
            .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(AuthError::Gone)
        }
    }

    /// A second factor that its owner has not used yet.
    pub(crate) async fn propose_totp(&self, user: &Auth<User, Fresh>) -> Result<Totp, AuthError> {
        let totp = totp(TotpSecret::generate(), user.claims().email())?;
        let query = sqlx::query("UPDATE users SET totp_pending = ? WHERE id = ?");
        query
            .bind(totp.secret().to_base32())
            .bind(user.subject().to_string())
            .execute(&self.db)
            .await?;
        Ok(totp)
    }

    /// The proposed factor counts from the first code on that was right.
    pub(crate) async fn confirm_totp(
        &self,
        user: &Auth<User, Fresh>,
        code: &str,
    ) -> Result<(), AuthError> {
        let stored = self.by_id(user.subject()).await?.ok_or(AuthError::Gone)?;
        let pending = stored.totp_pending.ok_or(AuthError::Invalid)?;
        let step = pending.check_current(code).ok_or(AuthError::Invalid)?;
        self.turn_on(user.subject(), &pending, step).await
    }

    /// Turns on the factor whose code was checked, and no other: where another one was proposed
    /// meanwhile, nothing changes and the user is told.
    pub(crate) async fn turn_on(
        &self,
        id: &Uuid,
        checked: &Totp,
        step: u64,
    ) -> Result<(), AuthError> {
        let query = "UPDATE users SET totp = totp_pending, totp_pending = NULL, totp_last = ?
                     WHERE id = ? AND totp_pending = ?";
        let done = sqlx::query(query)
            .bind(step as i64)
            .bind(id.to_string())
            .bind(checked.secret().to_base32())
            .execute(&self.db)
            .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(AuthError::Invalid)
        }
    }

    #[cfg(test)]
    pub(crate) async fn disable(&self, email: &str) {
        sqlx::query("UPDATE users SET is_disabled = 1 WHERE email = ?")
            .bind(email)
            .execute(&self.db)
            .await
            .unwrap();
    }

    pub(crate) async fn by_email(&self, email: &str) -> Result<Option<User>, AuthError> {
        let query = "SELECT id, email, password_hash, is_disabled, totp, totp_pending FROM users \
                     WHERE email = ?";
        sqlx::query_as(query)
            .bind(email)
            .fetch_optional(&self.db)
            .await?
            .map(user)
            .transpose()
    }

    async fn by_id(&self, id: &Uuid) -> Result<Option<User>, AuthError> {
        let query = "SELECT id, email, password_hash, is_disabled, totp, totp_pending FROM users \
                     WHERE id = ?";
        sqlx::query_as(query)
            .bind(id.to_string())
            .fetch_optional(&self.db)
            .await?
            .map(user)
            .transpose()
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<User, AuthError> {
        let user = self.by_email(&login.email).await?;
        let checked = self.check(&login.password, user.as_ref()).await?;
        let user = user.ok_or(AuthError::Invalid)?;
        if !user.is_active() {
            return Err(AuthError::Disabled);
        }
        self.keep_rehash(&user, &checked).await?;
        if user.totp.is_none() {
            return Ok(user);
        }
        let mut step = SignInStep::new(user.id, "totp");
        step.acr = Some(TWO_FACTORS.to_owned());
        Err(step.into())
    }

    async fn step(
        &self,
        step: &SignInStep,
        answer: &StepAnswer,
        _: &Client,
    ) -> Result<User, AuthError> {
        let user = self
            .by_id(&step.subject.parse()?)
            .await?
            .ok_or(AuthError::Gone)?;
        if !user.is_active() {
            return Err(AuthError::Disabled);
        }
        let code = answer.code().ok_or(AuthError::Invalid)?;
        let matched = user
            .totp
            .as_ref()
            .and_then(|totp| totp.check_current(code))
            .ok_or(AuthError::Invalid)?;
        // A code counts once, also where two present it at the same time (RFC 6238 section 5.2).
        let query = sqlx::query("UPDATE users SET totp_last = ?1 WHERE id = ?2 AND totp_last < ?1");
        let done = query
            .bind(matched as i64)
            .bind(user.id.to_string())
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
        if user.is_active() {
            Ok(user)
        } else {
            Err(AuthError::Disabled)
        }
    }
}

type Row = (
    String,
    String,
    Option<String>,
    bool,
    Option<String>,
    Option<String>,
);

fn user((id, email, password_hash, is_disabled, current, pending): Row) -> Result<User, AuthError> {
    let read = |secret: Option<String>| -> Result<Option<Totp>, AuthError> {
        let Some(text) = secret else { return Ok(None) };
        let secret = TotpSecret::try_from_base32(text)
            .map_err(|_| AuthError::unavailable("a secret is no base32"))?;
        totp(secret, &email).map(Some)
    };
    let (current, pending) = (read(current)?, read(pending)?);
    // A hash that cannot be read is reported with the id.
    let password_hash = password_hash.map(|hash| Stored::from(hash).of(&id));
    Ok(User {
        id: id.parse()?,
        email,
        password_hash,
        is_disabled,
        totp: current,
        totp_pending: pending,
    })
}

/// Six digits, thirty seconds, one step of tolerance, SHA-1: what every authenticator understands
/// (RFC 6238).
fn totp(secret: TotpSecret, email: &str) -> Result<Totp, AuthError> {
    let builder = Builder::new()
        .with_secret(secret)
        .with_account_name(email)
        .with_issuer(Some("accounts"));
    builder
        .build()
        .map_err(|error| AuthError::unavailable(error.to_string()))
}
