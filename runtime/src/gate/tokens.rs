//! The registry of tokens as an application sees it.

use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::{SessionId, TokenId};
use crate::session::{ANY, Engine, family};
use crate::store::{StoredTokenKind, TokenQuery, TokenRecord};

use super::{AuthBackend, Gate, failed};

/// Tokens of the registry: returned by [`Gate::tokens`]. All conditions that are given must hold.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until `page` or `get`"]
pub struct TokenList<'a> {
    engine: &'a Engine,
    query: TokenQuery,
    /// The first time of issue.
    since: Option<Timestamp>,
    /// The time before which they were issued.
    before: Option<Timestamp>,
    kind: Option<StoredTokenKind>,
}

impl<'a> TokenList<'a> {
    pub(super) const fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            query: ANY,
            since: None,
            before: None,
            kind: None,
        }
    }

    /// Selects the tokens that are valid: neither expired nor revoked, nor of a session that has
    /// ended. Epochs and generations are not looked at: tokens that
    /// [`Revoke::access_of`](crate::session::Revoke::access_of) or `access.on_refresh = "revoke"`
    /// ended may be listed, and are refused all the same.
    pub const fn active(mut self) -> Self {
        self.query.active = Some(true);
        self
    }

    /// Selects the tokens that are not valid.
    pub const fn expired(mut self) -> Self {
        self.query.active = Some(false);
        self
    }

    /// Selects the tokens of a subject.
    pub fn of(mut self, subject: impl std::fmt::Display) -> Self {
        self.query.subject = Some(subject.to_string());
        self
    }

    /// Selects the tokens of sessions with this device id, which their client gave.
    pub fn on_device(mut self, device_id: impl Into<String>) -> Self {
        self.query.device_id = Some(device_id.into());
        self
    }

    /// Selects a token and those made from it, those made from them, and so on.
    pub const fn tree(mut self, jti: TokenId) -> Self {
        self.query.tree = Some(jti);
        self
    }

    /// Selects the tokens of a session, and those made from them.
    pub const fn tree_of(self, sid: SessionId) -> Self {
        self.tree(family(sid))
    }

    /// Selects the tokens that were issued at this time or later. For a session's row of refresh
    /// tokens this is the sign-in.
    pub const fn issued_since(mut self, at: Timestamp) -> Self {
        self.since = Some(at);
        self
    }

    /// Selects the tokens that were issued before this time.
    pub const fn issued_before(mut self, at: Timestamp) -> Self {
        self.before = Some(at);
        self
    }

    /// Selects the tokens of one kind. Those of the other kind are read too, and left out.
    pub const fn of_kind(mut self, kind: StoredTokenKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Returns how many there are. It reads them all, a thousand at a time, so select few of them,
    /// or ask at a quiet time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn count(&self) -> Result<u64, Error> {
        let (mut count, mut last) = (0, None);
        loop {
            let page = self.page(PAGE, last.as_ref()).await?;
            count += page.len() as u64;
            match page.into_iter().last() {
                Some(end) => last = Some(end),
                None => return Ok(count),
            }
        }
    }

    /// Returns at most `limit` of them, oldest first, after the last one of the page before. An
    /// empty page is the end.
    ///
    /// # Errors
    /// The store cannot be read.
    ///
    /// # Examples
    /// ```
    /// # use tollgate::gate::{AuthBackend, Gate};
    /// # async fn example<B: AuthBackend>(gate: &Gate<B>) -> Result<(), tollgate::error::Error> {
    /// let mut last = None;
    /// loop {
    ///     let page = gate.tokens().of(42).active().page(100, last.as_ref()).await?;
    ///     for token in &page {
    ///         println!("{} until {:?}", token.jti, token.expires_at);
    ///     }
    ///     let Some(end) = page.into_iter().last() else { break };
    ///     last = Some(end);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn page(
        &self,
        limit: u32,
        after: Option<&TokenRecord>,
    ) -> Result<Vec<TokenRecord>, Error> {
        let mut after = after.map(|row| (row.issued_at, row.jti)).max(self.start());
        let (mut found, most) = (Vec::new(), limit as usize);
        loop {
            let query = TokenQuery {
                limit,
                after,
                ..self.query.clone()
            };
            let page = self.engine.store.tokens(query, self.engine.time.now());
            let page = page.await.map_err(failed("read the registry"))?;
            let is_last = page.len() < most;
            for row in page {
                if self.before.is_some_and(|before| row.issued_at >= before) {
                    return Ok(found);
                }
                after = Some((row.issued_at, row.jti));
                if self.kind.is_none_or(|kind| row.kind == kind) {
                    found.push(row);
                }
                if found.len() == most {
                    return Ok(found);
                }
            }
            if is_last || most == 0 {
                return Ok(found);
            }
        }
    }

    /// Returns the place in the order of the list after which the selected tokens begin; `None`
    /// if they begin with the first one.
    fn start(&self) -> Option<(Timestamp, TokenId)> {
        let millis = self.since?.as_millis().checked_sub(1)?;
        Some((
            Timestamp::from_millis(millis),
            TokenId::from_bytes([u8::MAX; 16]),
        ))
    }

    /// Returns a token; `None` if the registry does not have it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn get(&self, jti: TokenId) -> Result<Option<TokenRecord>, Error> {
        let query = TokenQuery {
            jti: Some(jti),
            limit: 1,
            ..self.query.clone()
        };
        Ok(self
            .engine
            .store
            .tokens(query, self.engine.time.now())
            .await
            .map_err(failed("read the registry"))?
            .pop()
            .filter(|token| {
                self.kind.is_none_or(|kind| token.kind == kind)
                    && self.since.is_none_or(|since| token.issued_at >= since)
                    && self.before.is_none_or(|before| token.issued_at < before)
            }))
    }
}

/// The number of rows that a count reads at a time.
const PAGE: u32 = 1000;

impl<B: AuthBackend> Gate<B> {
    /// Returns the registry: the tokens of sessions, under
    /// [`Registry::Tokens`](crate::settings::Registry::Tokens), and those that were
    /// [registered](Self::register) by hand.
    ///
    /// All refresh tokens of a session are one row, whose id is the session's, at the root of its
    /// tree.
    pub fn tokens(&self) -> TokenList<'_> {
        TokenList::new(self.engine())
    }

    /// Enters a token of [`issue`](Self::issue) in the registry, below `parent` if one is given:
    /// then it ends with the tree of that token ([`Revoke::tree`](crate::session::Revoke::tree)),
    /// and with the session of that token if a client revokes it with `affect_tree`. A plain
    /// sign-out does not end it.
    ///
    /// A parent has to be registered before its children, so no circle can be made.
    ///
    /// # Errors
    /// The token is not a valid one of this gate, or is registered already; `parent` is not in the
    /// registry, or no longer valid; the store cannot decide. Do not hand the token out then.
    ///
    /// # Examples
    /// ```
    /// # use std::time::Duration;
    /// # use tollgate::gate::{AuthBackend, Gate};
    /// # use tollgate::id::TokenId;
    /// # use tollgate::error::Error;
    /// # async fn example<B: AuthBackend>(
    /// #     gate: &Gate<B>,
    /// #     user: &B::User,
    /// #     caller: TokenId,
    /// # ) -> Result<(), Error> {
    /// let download = gate.issue(user, Duration::from_secs(60)).await?;
    /// gate.register(&download, Some(caller)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn register(
        &self,
        token: &str,
        parent: Option<TokenId>,
    ) -> Result<TokenRecord, Error> {
        self.flows().register(token, parent).await
    }
}
