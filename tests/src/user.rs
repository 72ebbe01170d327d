//! The users of the tests' application, whom a test can change under way.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tollgate::prelude::*;
use uuid::Uuid;

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
pub enum Role {
    /// May do everything.
    Admin,
    /// May write.
    Editor,
}

/// A scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
pub enum Scope {
    /// May read.
    Read,
    /// May write.
    Write,
}

/// A user of the tests.
#[derive(Clone, Debug, JwtClaims)]
pub struct User {
    #[claim(sub)]
    id: Uuid,
    /// The address that the user signs in with.
    pub email: String,
    #[claim(roles)]
    roles: Vec<Role>,
    #[claim(scope)]
    scope: Vec<Scope>,
    #[claim(skip)]
    password: String,
    #[claim(skip)]
    is_disabled: bool,
}

/// Administrators.
#[derive(Policy)]
#[policy(role = Role::Admin)]
pub struct Admins;

/// Administrators, checked against the store each time.
#[derive(Policy)]
#[policy(role = Role::Admin, consistency = strict)]
pub struct StrictAdmins;

/// Administrators who signed in within the last five minutes.
#[derive(Policy)]
#[policy(role = Role::Admin, max_age = "5m")]
pub struct FreshAdmins;

/// Those who may write.
#[derive(Policy)]
#[policy(scope = Scope::Write)]
pub struct Writers;

/// A future that a test runs in the middle of an operation.
pub type HookFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Work that a test puts into the middle of an operation.
#[derive(Clone, Default)]
pub struct Hook(Arc<Mutex<Option<MakeFuture>>>);

type MakeFuture = Box<dyn Fn() -> HookFuture + Send>;

impl Hook {
    /// Sets what happens, until it is cleared.
    pub fn set<F: Future<Output = ()> + Send + 'static>(
        &self,
        step: impl Fn() -> F + Send + 'static,
    ) {
        *self.0.lock().unwrap() = Some(Box::new(move || Box::pin(step())));
    }

    /// Lets nothing happen any more.
    pub fn clear(&self) {
        *self.0.lock().unwrap() = None;
    }

    /// Runs the work, where there is any.
    pub async fn run(&self) {
        let step = self.0.lock().unwrap().as_ref().map(|make| make());
        if let Some(step) = step {
            step.await;
        }
    }
}

/// A backend whose users live in memory.
#[auth_backend(email, user = User)]
#[derive(Clone, Default)]
pub struct Accounts {
    /// The users by id.
    pub users: Arc<Mutex<HashMap<Uuid, User>>>,
    /// Runs after a user was looked up for a sign-in, before the answer.
    pub in_authenticate: Hook,
    /// Runs after a user was loaded for a refresh, before the answer.
    pub in_refresh: Hook,
    /// The number of attempts to authenticate.
    pub authentications: Arc<AtomicU64>,
    /// True while the database is down.
    pub is_down: Arc<std::sync::atomic::AtomicBool>,
}

impl Accounts {
    /// Returns a backend with Ada, an administrator, Grace, an editor, and Mallory, who is
    /// disabled.
    #[must_use]
    pub fn seeded() -> Self {
        let accounts = Self::default();
        accounts.add(
            "ada@example.com",
            vec![Role::Admin],
            vec![Scope::Read, Scope::Write],
            false,
        );
        accounts.add(
            "grace@example.com",
            vec![Role::Editor],
            vec![Scope::Read],
            false,
        );
        accounts.add("mallory@example.com", vec![], vec![], true);
        accounts
    }

    /// Adds a user.
    pub fn add(&self, email: &str, roles: Vec<Role>, scope: Vec<Scope>, is_disabled: bool) -> Uuid {
        let id = Uuid::new_v4();
        let user = User {
            id,
            email: email.into(),
            roles,
            scope,
            password: PASSWORD.into(),
            is_disabled,
        };
        self.users.lock().unwrap().insert(id, user);
        id
    }

    /// Returns the id of the user with this address.
    #[must_use]
    pub fn id_of(&self, email: &str) -> Uuid {
        self.users
            .lock()
            .unwrap()
            .values()
            .find(|user| user.email == email)
            .unwrap()
            .id
    }

    /// Returns a copy of the user with this address.
    #[must_use]
    pub fn user(&self, email: &str) -> User {
        self.users
            .lock()
            .unwrap()
            .values()
            .find(|user| user.email == email)
            .unwrap()
            .clone()
    }

    /// Changes a user.
    pub fn change(&self, email: &str, change: impl FnOnce(&mut User)) {
        change(
            self.users
                .lock()
                .unwrap()
                .values_mut()
                .find(|user| user.email == email)
                .unwrap(),
        );
    }

    /// Replaces a user's roles.
    pub fn set_roles(&self, email: &str, roles: Vec<Role>) {
        self.change(email, |user| user.roles = roles);
    }

    /// Disables or enables a user.
    pub fn set_disabled(&self, email: &str, is_disabled: bool) {
        self.change(email, |user| user.is_disabled = is_disabled);
    }

    /// Replaces a user's password.
    pub fn set_password(&self, email: &str, password: &str) {
        self.change(email, |user| user.password = password.into());
    }

    /// Removes a user.
    pub fn remove(&self, email: &str) {
        self.users
            .lock()
            .unwrap()
            .retain(|_, user| user.email != email);
    }

    fn check_up(&self) -> Result<(), AuthError> {
        if self.is_down.load(Ordering::SeqCst) {
            Err(AuthError::unavailable("the database is down"))
        } else {
            Ok(())
        }
    }
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _client: &Client) -> Result<User, AuthError> {
        self.check_up()?;
        self.authentications.fetch_add(1, Ordering::SeqCst);
        let user = self
            .users
            .lock()
            .unwrap()
            .values()
            .find(|user| user.email == login.email)
            .cloned();
        self.in_authenticate.run().await;
        let user = user
            .filter(|user| user.password == login.password.expose())
            .ok_or(AuthError::Invalid)?;
        if user.is_disabled {
            Err(AuthError::Disabled)
        } else {
            Ok(user)
        }
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, subject: &Uuid, _client: &Client) -> Result<User, AuthError> {
        self.check_up()?;
        let user = self.users.lock().unwrap().get(subject).cloned();
        self.in_refresh.run().await;
        let user = user.ok_or(AuthError::Gone)?;
        if user.is_disabled {
            Err(AuthError::Disabled)
        } else {
            Ok(user)
        }
    }
}

/// The password of every user.
pub const PASSWORD: &str = "correct horse battery staple";
