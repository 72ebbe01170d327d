//! Ends the tokens that the application registered below the access tokens that a refresh ends
//! (`access.on_refresh = "revoke"`).

use std::collections::HashMap;

use crate::id::{SessionId, TokenId};
use crate::session::family;
use crate::settings::OnRefresh;
use crate::store::{RevokeReason, StoreError, Target, TokenQuery, TokenRecord};

use super::Flows;

impl Flows {
    /// Ends the tokens that belong to no session and were registered below access tokens of a
    /// session from before a generation. Those of the session itself end with their generation.
    ///
    /// It runs after the rotation, when nothing more can be registered below them, and again when a
    /// client repeats a refresh whose answer it did not get.
    pub(super) async fn end_below(
        &self,
        sid: SessionId,
        generation: u32,
    ) -> Result<(), StoreError> {
        if self.engine.settings.access.on_refresh != OnRefresh::Revoke {
            return Ok(());
        }
        let rows = self.active_tree(sid).await?;
        let by_id: HashMap<TokenId, &TokenRecord> = rows.iter().map(|row| (row.jti, row)).collect();
        for row in rows.iter().filter(|row| row.sid != Some(sid)) {
            if !hangs_on_current(row, &by_id, sid, generation) {
                let target = Target::Token(row.jti);
                self.engine.revoke(target, RevokeReason::Requested).await?;
            }
        }
        Ok(())
    }

    /// Returns the rows of a session's tree that are still valid.
    async fn active_tree(&self, sid: SessionId) -> Result<Vec<TokenRecord>, StoreError> {
        let engine = &*self.engine;
        let mut rows: Vec<TokenRecord> = Vec::new();
        loop {
            let query = TokenQuery {
                jti: None,
                subject: None,
                sid: None,
                device_id: None,
                tree: Some(family(sid)),
                active: Some(true),
                after: rows.last().map(|row| (row.issued_at, row.jti)),
                limit: PAGE,
            };
            let page = engine.store.tokens(query, engine.time.now()).await?;
            let is_last = page.len() < PAGE as usize;
            rows.extend(page);
            if is_last {
                return Ok(rows);
            }
        }
    }
}

/// Returns whether the nearest token of the session above a row is of the current generation. A
/// token whose row is missing is no longer valid.
fn hangs_on_current(
    row: &TokenRecord,
    by_id: &HashMap<TokenId, &TokenRecord>,
    sid: SessionId,
    generation: u32,
) -> bool {
    let mut above = row.parent;
    // A tree has no circles; the bound holds even if the rows of a store had one.
    for _ in 0..by_id.len() {
        match above.and_then(|jti| by_id.get(&jti)) {
            Some(row) if row.sid == Some(sid) => {
                return row.jti != family(sid) && row.generation >= Some(generation);
            }
            Some(row) => above = row.parent,
            None => return false,
        }
    }
    false
}

const PAGE: u32 = 500;
