//! The contract over rows under keys: every operation as a function, for a store over an engine
//! that has transactions and keeps its keys in order.
//!
//! Such a store implements [`ReadRows`] and [`Rows`] for a transaction of its engine, and each
//! operation of [`SessionStore`] by the function of the same name, called in one transaction:
//!
//! * Rows that a function reads must not change until its writes are committed. The simplest way is
//!   one writing transaction at a time.
//! * If a function returns an error, the transaction is rolled back.
//! * The store answers after the commit.
//! * Its handle holds the [`Namespace`] of its realm, and gives the functions the rows of that
//!   namespace: [`Namespace::rows`].
//!
//! An operation that the engine can do better by itself, such as a conditional write of a single
//! row, need not use its function. `MemoryStore` is made of these functions, and so is the example
//! `own-store`, whose rows are in a file.
//!
//! | key | row |
//! |---|---|
//! | `session/{sid}`, `token/{jti}` | the session, the token |
//! | `of/{subject}/{sid}` | the id of a subject's session |
//! | `subject/{subject}` | its epoch, and the time of its last change |
//! | `unmarked/{subject}` | the part of its epoch that is not part of its mark |
//! | `log/{number}` | kind, key and value of a fact |
//! | `end/{kind}/{id}` | the number of the entry of a session's or a token's end |
//! | `lasting/{kind}/{key}` | the present value of a lasting fact, and the number of its entry |
//! | `once/{hash}` | nothing, for a consumed key |
//! | `once/{hash}/{kind}` | the payload of a value, and the mark to which it is bound |
//! | `budget/{burst}/{period}/{key}` | the fraction; the row ends when the budget is full |
//! | `logged`, `checked` | the number of the last entry, the last check |
//! | `ring` | the key ring |
//! | `realm/{name}` | the record of a realm that was claimed; the default one's has no name |
//! | `namespace/@{name}/` | nothing: the namespace exists |
//!
//! The keys of a named realm begin with `@{name}/`. The ring, the records and the names of the
//! namespaces exist only once, beside the default realm's keys.
//!
//! [`SessionStore`]: super::SessionStore

mod archive;
mod epoch;
mod log;
mod once;
mod realm;
mod revoke;
mod row;
mod session;
mod table;
mod token;

pub use super::shared::operation::Cause;
pub use archive::archive;
pub use epoch::subject;
pub(in crate::store) use log::last_logged;
pub use log::{log_since, set_paused};
pub use once::{consume_once, keys, put_once, read_once, spend, swap_keys, take_once};
pub use realm::{Namespace, RealmRows, claim_realm, migrate, realms};
pub use revoke::revoke;
pub use row::{ReadRows, RowValue, Rows};
pub use session::{
    attach, confirm, health, open_session, reauthenticate, rotate, session, sessions_of,
};
pub use token::{record_tokens, tokens};
