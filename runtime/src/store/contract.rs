//! The trait that every store implements.

use std::future::Future;
use std::time::Duration;

use super::record::{
    Archived, Limit, LogCursor, LogPage, NewSession, OnceKey, OnceValue, Opened, RealmClaim,
    RealmIdentity, RealmRecord, Revocation, Revoked, Rotated, RotationWrite, Session, SessionPage,
    Spent, StoreError, StoreHealth, StoredKeys, SubjectState, TokenQuery, TokenRecord,
};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::realm::RealmName;

/// A store of sessions, revocations and single-use values.
///
/// Every operation is one atomic, durable step: when it returns `Ok`, a crash does not undo it, and
/// no other operation sees half of it. Expected outcomes are values. A [`StoreError`] means that
/// the store could not decide and that nothing was changed (or, where the connection broke after
/// the commit was sent, that the caller cannot know). Time is never taken from the store's own
/// clock: each operation gets `now`.
///
/// No method has a default body, so a store that forgets one does not compile. The numbers are
/// those of the clauses of the `conformance` suite (feature `conformance`), which check each
/// operation.
///
/// # Writing a store
/// * An engine with transactions that keeps its keys in order needs the traits of [`rows`] only;
///   its operations are the functions of that module.
/// * Any other store decides by itself. [`Authenticated::has_moved`] and [`DeviceLimit::surplus`]
///   are the two decisions of [`open_session`](Self::open_session) that every store has to make in
///   the same way, and [`StoreOperation`] has the sentences for its errors.
///
/// [`rows`]: super::rows
/// [`Authenticated::has_moved`]: super::Authenticated::has_moved
/// [`DeviceLimit::surplus`]: super::DeviceLimit::surplus
/// [`StoreOperation`]: super::StoreOperation
/// [`NewSession::authenticated`]: super::NewSession::authenticated
pub trait SessionStore: Send + Sync + 'static {
    /// Returns the handle of a realm of this store, whatever realm this handle is of. It shares
    /// everything with this one (connections, threads, the file), and each of its operations works
    /// inside the realm's namespace alone, as if the store held nothing else. The namespace of the
    /// default realm holds two things for all realms: the key ring ([`keys`](Self::keys),
    /// [`swap_keys`](Self::swap_keys)) and the list of realms ([`realms`](Self::realms),
    /// [`claim_realm`](Self::claim_realm)). One thing is written into every namespace at once: the
    /// end of a key ([`Target::Key`](super::Target::Key)).
    ///
    /// It is cheap and does no I/O. The namespace is made by [`migrate`](Self::migrate).
    ///
    /// Clauses 138–140.
    fn realm(&self, realm: &RealmName) -> Self
    where
        Self: Sized;

    /// Lists the realms that were claimed, the default one first and the others by their names.
    ///
    /// Clause 141.
    fn realms(&self) -> impl Future<Output = Result<Vec<RealmRecord>, StoreError>> + Send;

    /// Writes the record of a realm, if the realm has the identity `expected` (or does not exist,
    /// for `None`), and if no other realm has the same issuer and audience. [`RealmRecord::claim`]
    /// decides, in the step that writes the record; if it refuses, nothing is written.
    ///
    /// Clauses 142–144.
    fn claim_realm(
        &self,
        expected: Option<RealmIdentity>,
        new: RealmRecord,
        now: Timestamp,
    ) -> impl Future<Output = Result<RealmClaim, StoreError>> + Send;

    /// Brings the tables to this version, once, however many nodes start together. `build()` calls
    /// it before anything else. The handle of a realm brings the default realm's namespace to this
    /// version first, then its own, which contains the end of every key from the beginning.
    ///
    /// Clause 1.
    /// Clause 147.
    fn migrate(&self, now: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Checks that the store can be written to (with a real write, rolled back or idempotent), and
    /// returns a summary of its contents.
    ///
    /// Clauses 2–3.
    /// Clause 148.
    fn health(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<StoreHealth, StoreError>> + Send;

    /// Returns the time of the store's own clock, or `None` if it has no clock but this
    /// machine's (memory, an embedded file).
    ///
    /// Clause 4.
    fn now(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Opens a session, under the subject's lock, in this order: compares the subject's
    /// `changed_at` with [`NewSession::authenticated`], counts the live sessions but those of
    /// [`NewSession::replaces`] against [`NewSession::limit`], takes [`NewSession::takes`] as
    /// [`take_once`](Self::take_once) does, evicts or refuses, ends those that it replaces, writes
    /// the session at generation 0 and [`NewSession::tokens`]. The sessions that it replaces end as
    /// [`revoke`](Self::revoke) ends them for each of [`NewSession::ends`], whatever subject they
    /// belong to, and also if they are over or do not exist. If the session is not opened, none of
    /// them ends. Evicted sessions are revoked with reason
    /// [`RevokeReason::DeviceLimit`](super::RevokeReason::DeviceLimit) and logged (`sid` until
    /// `log_until`) in the same step. Dead sessions are neither counted nor evicted. A subject that
    /// never changed has the `changed_at` 1970. A `sid` that exists already is an error.
    ///
    /// Clauses 5–23.
    /// Clause 149.
    /// Clauses 181–184.
    /// Clauses 196–201.
    fn open_session(
        &self,
        new: NewSession,
        now: Timestamp,
    ) -> impl Future<Output = Result<Opened, StoreError>> + Send;

    /// Reads a session, also a revoked or expired one, together with its effective epoch.
    ///
    /// Clauses 24–28.
    /// Clause 150.
    fn session(
        &self,
        sid: SessionId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;

    /// Rotates a session: the compare-and-swap of a refresh. See
    /// [`RotationStep`](super::RotationStep) for the conditions. If one does not hold, nothing is
    /// written and the answer is [`Rotated::Lost`].
    ///
    /// Clauses 32–48.
    /// Clause 151.
    /// Clauses 188–190.
    /// Clauses 193–195.
    fn rotate(
        &self,
        rotation: RotationWrite,
        now: Timestamp,
    ) -> impl Future<Output = Result<Rotated, StoreError>> + Send;

    /// Marks sessions as confirmed that are live and still at the given generation. Returns how
    /// many rows changed from unconfirmed to confirmed. Rows are locked in the order of `sid`,
    /// whatever the order of `seen`.
    ///
    /// Clauses 49–54.
    /// Clause 152.
    fn confirm(
        &self,
        seen: Vec<(SessionId, u32)>,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Revokes a target, and logs it in the same step. See [`Target`](super::Target).
    ///
    /// Clauses 55–77.
    /// Clause 153.
    /// Clauses 168–172.
    /// Clauses 175–176.
    fn revoke(
        &self,
        revocation: Revocation,
        now: Timestamp,
    ) -> impl Future<Output = Result<Revoked, StoreError>> + Send;

    /// Lists a page of the live sessions of a subject (neither revoked nor expired), oldest first
    /// by `created_at`, then `sid`.
    ///
    /// Clauses 29–31.
    /// Clause 154.
    /// Clauses 191–192.
    fn sessions_of(
        &self,
        subject: String,
        page: SessionPage,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Session>, StoreError>> + Send;

    /// Returns the state of a subject, for a client, all of one moment: its effective epoch, its
    /// effective mark, and the time of its last change.
    ///
    /// Clauses 131–132.
    /// Clause 155.
    /// Clause 174.
    fn subject(
        &self,
        subject: String,
        client_id: String,
    ) -> impl Future<Output = Result<SubjectState, StoreError>> + Send;

    /// Writes tokens that were issued by hand into the registry. A `jti` that exists already is
    /// left as it is. Returns how many were new.
    ///
    /// Clauses 78–79.
    /// Clause 156.
    fn record_tokens(
        &self,
        tokens: Vec<TokenRecord>,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Lists tokens of the registry, oldest first by `issued_at`, then `jti`, at most
    /// `query.limit`.
    ///
    /// Clauses 80–83.
    /// Clauses 133–134.
    /// Clause 157.
    fn tokens(
        &self,
        query: TokenQuery,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<TokenRecord>, StoreError>> + Send;

    /// Reads the revocations since `cursor`; from [`LogCursor::START`], everything that still
    /// matters: each entry with `until > now`, and the present value of every lasting one (`until`
    /// = [`Timestamp::MAX`]). An entry may come twice, but is never skipped: a lasting fact is
    /// found from every earlier cursor too, whatever was archived in between, and a cursor that the
    /// store cannot have given starts over.
    ///
    /// Clauses 84–91.
    /// Clause 158.
    fn log_since(
        &self,
        cursor: LogCursor,
        now: Timestamp,
    ) -> impl Future<Output = Result<LogPage, StoreError>> + Send;

    /// Waits until the log may have new entries, for at most `patience`: with it, nodes learn of
    /// each other's revocations at once instead of at their next read.
    ///
    /// It is a hint. It may return without a new entry, and where a connection breaks it may return
    /// late; its callers read the log from time to time in any case. An entry that
    /// [`revoke`](Self::revoke), [`open_session`](Self::open_session) or
    /// [`set_paused`](Self::set_paused) logs after the first poll of the future wakes it, whichever
    /// process logs it; an earlier entry after `cursor` may wake it.
    /// A store that cannot know returns after a quarter of a second, so that its caller reads the
    /// log.
    ///
    /// Clauses 135–137.
    /// Clause 159.
    /// Clause 202.
    fn changed(
        &self,
        cursor: LogCursor,
        patience: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Deletes at most `limit` rows of each kind that ended before `before`, which counts as `now`
    /// where it is later: sessions past their absolute expiry (a revoked one too stays until then,
    /// so that an old refresh token of it is still recognised); expired registry rows without a
    /// live session, except that one without any session stays while a token below it does, so that
    /// no tree is split; expired single-use values, and budgets that are full again. Entries of the
    /// log are deleted if they ended before `now`, whatever `before` is, because no reader needs
    /// them any more. Epochs, `changed_at` and lasting facts are never deleted.
    ///
    /// Clauses 94–101.
    /// Clause 160.
    /// Clause 173.
    fn archive(
        &self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> impl Future<Output = Result<Archived, StoreError>> + Send;

    /// Consumes a key until `until`: `true` for the first caller, `false` for every other one as
    /// long as `until > now`. If `until` is not after `now`, nothing is written, and the answer
    /// says whether the key is free.
    ///
    /// Clauses 102–103.
    /// Clause 145.
    /// Clause 161.
    fn consume_once(
        &self,
        key: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores a payload that can be taken once. Returns `false` and writes nothing if a live one
    /// of this kind and hash exists already. Values and the keys of
    /// [`consume_once`](Self::consume_once) do not conflict. If its `until` is not after `now`,
    /// nothing is written, and the answer says whether the place is free: a question that costs a
    /// read.
    ///
    /// Clauses 104–107.
    /// Clause 146.
    /// Clause 162.
    fn put_once(
        &self,
        value: OnceValue,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes a payload out: for one caller only, and only while its `until > now` and while the
    /// mark to which it is bound is the subject's. If the answer is `None`, the store may keep or
    /// delete the value, because it can never be taken again.
    ///
    /// Clauses 108–110.
    /// Clause 163.
    /// Clauses 177–178.
    fn take_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// Reads a payload that [`take_once`](Self::take_once) would take, and leaves it in place.
    ///
    /// Clauses 179–180.
    /// Clause 187.
    fn read_once(
        &self,
        kind: String,
        hash: [u8; 32],
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// Spends `cost` from the budget `key` under every limit, or under none of them. See [`Limit`].
    ///
    /// Clauses 115–124.
    /// Clause 164.
    fn spend(
        &self,
        key: String,
        cost: u32,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Spent, StoreError>> + Send;

    /// Reads the shared key ring: version 0 and no bytes if none was ever stored.
    ///
    /// Clause 111.
    fn keys(&self) -> impl Future<Output = Result<StoredKeys, StoreError>> + Send;

    /// Replaces the shared key ring where its version is still `expected`; the new version is
    /// `expected + 1`. Returns `false` and writes nothing where another caller was faster.
    ///
    /// Clauses 112–114.
    fn swap_keys(
        &self,
        expected: u64,
        ring: Vec<u8>,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes a fresh `auth_time` and `acr` (or its absence) into a live session, which counts as
    /// seen at `now`, and takes the value `takes` as [`take_once`](Self::take_once) does. Returns
    /// the session after the change. If there is no such live session or no such value, it returns
    /// `None`, and nothing is written.
    ///
    /// Clauses 125–128.
    /// Clause 165.
    /// Clauses 185–186.
    fn reauthenticate(
        &self,
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        takes: Option<OnceKey>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;

    /// Replaces the device of a live session. Returns `false` and writes nothing if there is no
    /// such live session.
    ///
    /// Clauses 129–130.
    /// Clause 166.
    fn attach(
        &self,
        sid: SessionId,
        device: Device,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Pauses or resumes the deployment, durably, and logs it. A version grows with each call.
    ///
    /// Clauses 92–93.
    /// Clause 167.
    fn set_paused(
        &self,
        paused: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
