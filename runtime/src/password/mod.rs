//! Passwords: argon2id on a bounded pool, one evaluation whether or not the account exists.

mod asked;
#[cfg(feature = "password-import")]
mod import;
mod pool;
mod rules;
mod stored;
mod watch;

pub(crate) use asked::asked;
pub use rules::{Listed, PasswordRejection, Rules};

/// The former name of [`PasswordRejection`].
#[deprecated(since = "0.1.0", note = "use `PasswordRejection`")]
pub type Unfit = PasswordRejection;

pub use stored::Stored;

use std::sync::Arc;

use argon2::Params;

use crate::clock::Clock;
use crate::error::{AuthError, Error, ErrorKind};
use crate::event::Emitter;
use crate::secret::{Password, fill_random, same};

use pool::{Memory, WorkerPool};
use stored::Recipe;
use watch::Watch;

/// Hashes and checks passwords with argon2id (RFC 9106), off the request path, on a pool with a
/// limited number of permits.
///
/// Clones share the pool. A permit is held until the work is done, even if the request that asked
/// for it is gone, so that memory stays below permits × [`Hashing::memory_kib`]; that memory is
/// kept and used again. Where too many wait already, the answer is [`AuthError::Unavailable`].
///
/// Passwords are taken byte for byte as the client sent them: never trimmed, folded, normalised or
/// cut.
///
/// # Examples
/// ```
/// # async fn example(row: Option<String>) -> Result<(), tollgate::error::AuthError> {
/// use tollgate::password::{Passwords, Stored};
/// use tollgate::secret::Password;
///
/// let passwords = Passwords::new();
/// let password = Password::new("correct horse battery staple");
///
/// let stored: Stored = passwords.hash(&password).await?; // sign-up: keep `stored.as_str()`
///
/// let stored = row.map(Stored::from); // sign-in: what the table has, or nothing
/// let checked = passwords.check(&password, stored.as_ref()).await?;
/// if let Some(better) = checked.rehash {
///     // UPDATE users SET password_hash = $better WHERE id = $id AND password_hash = $stored
///     drop((better, checked.stored))
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Passwords {
    params: Params,
    pool: Arc<WorkerPool>,
    rules: Rules,
    watch: Arc<Watch>,
}

/// The cost of a password hash, and the number of those that are computed at a time.
///
/// # Examples
/// ```
/// use tollgate::password::{Hashing, Passwords};
///
/// let mut hashing = Hashing::default();
/// hashing.memory_kib = 64 * 1024;
/// let passwords = Passwords::with(hashing)?;
/// # Ok::<(), tollgate::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Hashing {
    /// The memory of one evaluation, in KiB. By default 19 456 (19 MiB), the first choice of the
    /// OWASP password storage cheat sheet.
    pub memory_kib: u32,
    /// The number of passes over that memory. By default 2.
    pub passes: u32,
    /// The number of lanes. By default 1; they are computed one after the other.
    pub lanes: u32,
    /// The number of evaluations that run at a time. By default the number of cores.
    pub permits: usize,
    /// The number of further evaluations that may wait. By default 64 for each permit, which takes
    /// a second or two.
    pub waiting: usize,
    weak: bool,
}

impl Default for Hashing {
    fn default() -> Self {
        let permits = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
            permits,
            waiting: permits * 64,
            weak: false,
        }
    }
}

impl Hashing {
    /// Returns costs that are next to nothing, and protect nothing: for tests that sign in often.
    #[must_use]
    pub fn cheap_dangerous() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
            weak: true,
            ..Self::default()
        }
    }

    fn params(&self) -> Result<Params, Error> {
        let refuse = |why: &str| {
            Err(Error::new(
                ErrorKind::Usage,
                format!("password hashing is set up wrongly: {why}"),
            ))
        };
        if self.permits == 0 {
            return refuse("it needs at least one permit");
        }
        // All choices of the cheat sheet, from 46 MiB once to 7 MiB five times, satisfy this.
        if !self.weak
            && (self.memory_kib < 7 * 1024
                || u64::from(self.memory_kib) * u64::from(self.passes) < 35 * 1024)
        {
            return refuse(
                "less than 7 MiB, or less than 35 MiB over all passes, makes attacks too cheap",
            );
        }
        match Params::new(
            self.memory_kib,
            self.passes,
            self.lanes,
            Some(Params::DEFAULT_OUTPUT_LEN),
        ) {
            Ok(params) => Ok(params),
            Err(error) => refuse(&error.to_string()),
        }
    }
}

/// The result of a check in which the password was right.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Checked {
    /// The password hashed with the present parameters, where the stored hash is weaker: store it
    /// in place of [`stored`](Self::stored), and only if the table still has that:
    /// `UPDATE … WHERE id = ? AND password_hash = ?`. Another password may have been set since the
    /// hash was read, and a write without the condition would bring the old one back.
    pub rehash: Option<Stored>,
    /// The stored hash that was checked, as it was given.
    pub stored: Stored,
}

impl Passwords {
    /// Makes a pool with the defaults of [`Hashing`].
    #[must_use]
    pub fn new() -> Self {
        let hashing = Hashing::default();
        Self::of(Params::DEFAULT, hashing.permits, hashing.waiting)
    }

    /// Makes a pool with other costs, or of another size.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`]: argon2 does not accept the costs, or they are too low; there is no
    /// permit.
    pub fn with(hashing: Hashing) -> Result<Self, Error> {
        Ok(Self::of(
            hashing.params()?,
            hashing.permits,
            hashing.waiting,
        ))
    }

    fn of(params: Params, permits: usize, waiting: usize) -> Self {
        let kept = params.block_count();
        Self {
            watch: Arc::new(Watch::new(params.clone())),
            params,
            pool: Arc::new(WorkerPool::new(permits, waiting, kept)),
            rules: Rules::single_factor(),
        }
    }

    /// Sets the rules for new passwords: [`Rules::single_factor`] by default. The pool stays the
    /// same.
    #[must_use]
    pub fn rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Hashes a password that a user chose, if it satisfies the [`Rules`]: at sign-up, and at every
    /// change. `names` are well-known words of the account and the service, such as the email
    /// address.
    ///
    /// # Errors
    /// The rule that the password breaks; [`PasswordRejection::Undecided`] where this could not be
    /// decided.
    ///
    /// # Examples
    /// ```
    /// # async fn example() -> Result<(), tollgate::password::PasswordRejection> {
    /// use tollgate::password::{Passwords, PasswordRejection};
    /// use tollgate::secret::Password;
    ///
    /// let passwords = Passwords::new();
    /// let chosen = Password::new("correct horse battery staple");
    /// let stored = passwords.set(&chosen, &["ada@example.com"]).await?;
    /// assert!(matches!(
    ///     passwords.set(&Password::new("hunter2"), &[]).await,
    ///     Err(PasswordRejection::TooShort { .. })
    /// ));
    /// # drop(stored);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set(
        &self,
        password: &Password,
        names: &[&str],
    ) -> Result<Stored, PasswordRejection> {
        self.rules.keep(password, names).await?;
        self.hash(password)
            .await
            .map_err(PasswordRejection::Undecided)
    }

    /// Hashes a password for the table of users without checking the rules: for a password that the
    /// program chose. For one that a user chose call [`set`](Self::set).
    ///
    /// # Errors
    /// [`AuthError::Unavailable`]: too many wait, or there is no memory or no randomness.
    pub async fn hash(&self, password: &Password) -> Result<Stored, AuthError> {
        let (password, params) = (password.clone(), self.params.clone());
        self.pool
            .run(move |memory| hash(params, &password, memory))
            .await?
    }

    /// Checks a password against the stored hash, or against nothing if there is no such
    /// account.
    ///
    /// Look up the account first, then call this in every case, then check whether the account is
    /// disabled: so every caller waits for exactly one evaluation. Only a right password whose hash
    /// is weaker than the present parameters costs a second one, for [`Checked::rehash`].
    ///
    /// A wrong password and an account that does not exist cost the work of the costliest
    /// parameters: the present ones, or those of a costlier stored hash that was checked, up to
    /// four times as much. For a weaker hash the rest of that work is done too. So changed
    /// parameters, higher or lower, do not reveal which accounts exist.
    ///
    /// A stored text that is not a hash costs the same, and is refused like a wrong password. Marks
    /// of an account without a password (`!…`, `*`, the empty text) are allowed. Every other such
    /// text is reported once an hour a subject: as the event
    /// [`PasswordHashUnreadable`](crate::event::EventKind::PasswordHashUnreadable) where the gate
    /// was given the passwords ([`GateBuilder::passwords`](crate::gate::GateBuilder::passwords)),
    /// and otherwise in the log; [`Stored::of`] names the subject.
    ///
    /// With the feature `password-import`, `stored` may also be a hash of bcrypt (`$2a$`, `$2b$`,
    /// `$2y$`), or of Django (`pbkdf2_sha256$…`, `pbkdf2_sha1$…`, `bcrypt$…`, `bcrypt_sha256$…`,
    /// `argon2$…`): a right password brings a [`Checked::rehash`] of argon2id. bcrypt reads only 72
    /// bytes: a longer password is never right for its hash, instead of being cut, so its owner
    /// must set a new one. Such evaluations take another time than those for other accounts, so the
    /// time reveals an imported account until its password is replaced.
    ///
    /// # Errors
    /// [`AuthError::Invalid`]: the password is wrong, or `stored` is `None` or not a hash that is
    /// understood. [`AuthError::Unavailable`]: too many wait, or there is no memory.
    pub async fn check(
        &self,
        password: &Password,
        stored: Option<&Stored>,
    ) -> Result<Checked, AuthError> {
        let held = stored.map(|stored| (stored.clone(), HeldHash::parse(stored)));
        if let Some((stored, hash)) = &held {
            match hash {
                HeldHash::Argon2(recipe) => self.watch.saw(recipe),
                #[cfg(feature = "password-import")]
                HeldHash::Imported(_) => self.watch.saw_other(stored, true),
                HeldHash::Unreadable => self.watch.saw_other(stored, stored.is_unusable()),
            }
        }
        let (password, params) = (password.clone(), self.params.clone());
        let costliest = self.watch.costliest();
        let checked = self
            .pool
            .run(move |memory| check(&params, &costliest, &password, held, memory))
            .await?;
        if let (Err(AuthError::Invalid), Some(owner)) = (&checked, stored.and_then(Stored::owner)) {
            asked::note_wrong(owner);
        }
        checked
    }

    /// Sends the reports of stored hashes that cannot be read to the events of a gate.
    pub(crate) fn attach(&self, events: &Emitter, clock: &Clock) {
        self.watch.attach(events.clone(), clock.clone());
    }

    /// Returns how many stored texts were neither a hash that is understood nor the mark of an
    /// account without a password, over all clones.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.watch.unreadable()
    }

    /// Returns whether more than one in a hundred of the last stored texts were unreadable.
    pub(crate) fn is_degraded(&self) -> bool {
        self.watch.is_degraded()
    }

    /// Returns how many evaluations run at the moment, over all clones: at most as many as there
    /// are permits.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.pool.busy()
    }

    /// Returns how many evaluations there were, over all clones.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.pool.evaluations()
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// The kinds of stored text.
enum HeldHash {
    Argon2(Recipe),
    #[cfg(feature = "password-import")]
    Imported(import::ImportedHash),
    /// Not a hash, or one that cannot be evaluated here.
    Unreadable,
}

impl HeldHash {
    fn parse(stored: &Stored) -> Self {
        #[cfg(feature = "password-import")]
        if let Some(imported) = import::ImportedHash::parse(stored) {
            return Self::Imported(imported);
        }
        #[cfg(feature = "password-import")]
        let stored = &import::unwrapped(stored);
        Recipe::parse(stored).map_or(Self::Unreadable, Self::Argon2)
    }
}

fn check(
    params: &Params,
    costliest: &Params,
    password: &Password,
    held: Option<(Stored, HeldHash)>,
    memory: &mut Memory<'_>,
) -> Result<Checked, AuthError> {
    let (stored, is_weaker) = match held {
        Some((stored, HeldHash::Argon2(recipe))) => {
            if !same(&recipe.evaluate(password, memory)?, recipe.expected()) {
                recipe.top_up(costliest, password, memory)?;
                return Err(AuthError::Invalid);
            }
            (stored, recipe.is_weaker_than(params))
        }
        #[cfg(feature = "password-import")]
        Some((stored, HeldHash::Imported(imported))) => {
            let Ok(is_right) = imported.matches(password) else {
                Recipe::nobody(costliest.clone()).evaluate(password, memory)?;
                return Err(AuthError::Invalid);
            };
            memory.count();
            if !is_right {
                return Err(AuthError::Invalid);
            }
            (stored, true)
        }
        Some((_, HeldHash::Unreadable)) | None => {
            Recipe::nobody(costliest.clone()).evaluate(password, memory)?;
            return Err(AuthError::Invalid);
        }
    };
    // A sign-in does not fail because its hash could not be renewed.
    let rehash = is_weaker
        .then(|| hash(params.clone(), password, memory).ok())
        .flatten();
    Ok(Checked { rehash, stored })
}

fn hash(params: Params, password: &Password, memory: &mut Memory<'_>) -> Result<Stored, AuthError> {
    let mut salt = [0; argon2::RECOMMENDED_SALT_LEN];
    fill_random(&mut salt)?;
    let recipe = Recipe::new(params, &salt);
    let output = recipe.evaluate(password, memory)?;
    recipe.stored(&output)
}

#[cfg(test)]
mod tests;
