//! The parts that ui cases share, so that each shows its one mistake and nothing else.

/// The operations of a `SessionStore` without `rotate`; none of them does anything.
#[macro_export]
macro_rules! every_operation_but_rotate {
    () => {
        fn realm(&self, _: &::tollgate::realm::RealmName) -> Self {
            Self
        }

        $crate::operations! {
            realms() -> Vec<::tollgate::store::RealmRecord>;
            claim_realm(
                expected: Option<::tollgate::store::RealmIdentity>,
                new: ::tollgate::store::RealmRecord,
                now: ::tollgate::clock::Timestamp,
            ) -> ::tollgate::store::RealmClaim;
            migrate(now: ::tollgate::clock::Timestamp) -> ();
            health(now: ::tollgate::clock::Timestamp) -> ::tollgate::store::StoreHealth;
            now() -> Option<::tollgate::clock::Timestamp>;
            open_session(new: ::tollgate::store::NewSession, now: ::tollgate::clock::Timestamp) -> ::tollgate::store::Opened;
            session(sid: ::tollgate::id::SessionId, now: ::tollgate::clock::Timestamp) -> Option<::tollgate::store::Session>;
            confirm(seen: Vec<(::tollgate::id::SessionId, u32)>, now: ::tollgate::clock::Timestamp) -> u64;
            revoke(revocation: ::tollgate::store::Revocation, now: ::tollgate::clock::Timestamp) -> ::tollgate::store::Revoked;
            sessions_of(subject: String, page: ::tollgate::store::SessionPage, now: ::tollgate::clock::Timestamp) -> Vec<::tollgate::store::Session>;
            subject(subject: String, client_id: String) -> ::tollgate::store::SubjectState;
            record_tokens(tokens: Vec<::tollgate::store::TokenRecord>, now: ::tollgate::clock::Timestamp) -> u64;
            tokens(query: ::tollgate::store::TokenQuery, now: ::tollgate::clock::Timestamp) -> Vec<::tollgate::store::TokenRecord>;
            log_since(cursor: ::tollgate::store::LogCursor, now: ::tollgate::clock::Timestamp) -> ::tollgate::store::LogPage;
            changed(cursor: ::tollgate::store::LogCursor, patience: ::std::time::Duration) -> ();
            archive(before: ::tollgate::clock::Timestamp, limit: u32, now: ::tollgate::clock::Timestamp) -> ::tollgate::store::Archived;
            consume_once(key: [u8; 32], until: ::tollgate::clock::Timestamp, now: ::tollgate::clock::Timestamp) -> bool;
            put_once(value: ::tollgate::store::OnceValue, now: ::tollgate::clock::Timestamp) -> bool;
            take_once(kind: String, hash: [u8; 32], now: ::tollgate::clock::Timestamp) -> Option<Vec<u8>>;
            read_once(kind: String, hash: [u8; 32], now: ::tollgate::clock::Timestamp) -> Option<Vec<u8>>;
            spend(key: String, cost: u32, limits: Vec<::tollgate::store::Limit>, now: ::tollgate::clock::Timestamp) -> ::tollgate::store::Spent;
            keys() -> ::tollgate::store::StoredKeys;
            swap_keys(expected: u64, ring: Vec<u8>, now: ::tollgate::clock::Timestamp) -> bool;
            reauthenticate(
                sid: ::tollgate::id::SessionId,
                auth_time: ::tollgate::clock::Timestamp,
                acr: Option<String>,
                takes: Option<::tollgate::store::OnceKey>,
                now: ::tollgate::clock::Timestamp,
            ) -> Option<::tollgate::store::Session>;
            attach(sid: ::tollgate::id::SessionId, device: ::tollgate::device::Device, now: ::tollgate::clock::Timestamp) -> bool;
            set_paused(paused: bool, now: ::tollgate::clock::Timestamp) -> ();
        }
    };
}

/// Operations of a store that do nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! operations {
    ($($name:ident($($arg:ident: $ty:ty),* $(,)?) -> $answer:ty;)*) => {$(
        async fn $name(&self, $($arg: $ty),*) -> Result<$answer, ::tollgate::store::StoreError> {
            Err(::tollgate::store::StoreError::new("this store does nothing"))
        }
    )*};
}
