//! Revocation: every target of [`Target`].

use std::collections::BTreeSet;

use super::realm::{self, RealmRows};
use super::row::{ReadRows, Rows};
use super::{epoch, log, session, table};
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{Fact, Revocation, Revoked, Session, Target, TokenRecord};
use crate::store::shared::operation::Cause;
use crate::store::shared::registry::TokenNode;

/// Revokes a target, and logs it. The end of a key is logged in every namespace.
///
/// # Errors
/// The engine failed.
pub fn revoke<R: Rows>(
    rows: &mut RealmRows<R>,
    revocation: Revocation,
    now: Timestamp,
) -> Result<Revoked, Cause> {
    let moves_mark = revocation.moves_mark();
    let mut done = Revoked::default();
    if let Some(subject) = revocation.target.subject() {
        epoch::touch(rows, subject, now)?;
    }
    let tokens = match &revocation.target {
        Target::Token(jti) => vec![*jti],
        Target::Tree(root) => TokenNode::tree(*root, &table::nodes(rows)?),
        _ => Vec::new(),
    };
    for sid in ended(rows, &revocation, &tokens, now)? {
        end_session(rows, sid, &revocation, now, &mut done)?;
    }
    for jti in tokens {
        let key = table::token_key(jti);
        let row = rows.get::<TokenRecord>(&key)?;
        let revoked_at = row.as_ref().and_then(|(_, row)| row.revoked_at);
        if let Some((end, mut row)) = row.filter(|(_, row)| row.revoked_at.is_none()) {
            row.revoked_at = Some(now);
            rows.put(&key, end, row)?;
            done.tokens += 1;
        }
        let until = revocation.until_for(revoked_at, now);
        let entry = log::write_end(rows, Fact::Token(jti), until, now)?;
        done.entries.extend(entry);
    }
    if let Target::Key(key) = &revocation.target {
        realm::end_key_elsewhere(rows, key, revocation.until)?;
    }
    if let Some(fact) = epoch::bump(rows, revocation.target, moves_mark)? {
        done.entries.push(log::write(rows, fact, revocation.until)?);
    }
    Ok(done)
}

/// Ends a session if it exists, and logs its end if the target has entries for sessions.
pub(super) fn end_session(
    rows: &mut impl Rows,
    sid: SessionId,
    revocation: &Revocation,
    now: Timestamp,
    done: &mut Revoked,
) -> Result<(), Cause> {
    let mut until = revocation.until;
    if let Some(mut row) = session::session(rows, sid)? {
        until = revocation.until_for(row.revoked.map(|(at, _)| at), now);
        done.sessions += u64::from(row.end(revocation.reason, now));
        table::put_session(rows, row)?;
    }
    if revocation.target.logs_sessions() {
        let entry = log::write_end(rows, Fact::Session(sid), until, now)?;
        done.entries.extend(entry);
    }
    Ok(())
}

/// Returns the sessions that a revocation ends, whether or not they exist.
fn ended(
    rows: &impl ReadRows,
    revocation: &Revocation,
    tokens: &[TokenId],
    now: Timestamp,
) -> Result<BTreeSet<SessionId>, Cause> {
    let mut sids = BTreeSet::new();
    let mut visit =
        |row: &Session| sids.extend(Some(row.sid).filter(|_| revocation.ends(row, now)));
    match &revocation.target {
        Target::RefreshOf(subject) | Target::Subject(subject) | Target::Others { subject, .. } => {
            for sid in table::sessions_of(rows, subject)? {
                session::session(rows, sid)?.iter().for_each(&mut visit);
            }
        }
        Target::Client(_) | Target::Everything => table::sessions(rows, visit)?,
        Target::Session(sid) => sids.extend([*sid]),
        Target::Tree(_) => {
            for jti in tokens {
                let row = rows.get::<TokenRecord>(&table::token_key(*jti))?;
                sids.extend(row.and_then(|(_, row)| row.sid));
            }
        }
        Target::AccessOf(_) | Target::Token(_) | Target::Key(_) => {}
    }
    Ok(sids)
}
