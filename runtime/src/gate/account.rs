//! The methods by which an application tells the gate that an account changed. A required argument
//! says which sessions end.

#[cfg(feature = "axum")]
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::SessionId;
use crate::store::{RevokeReason, Revoked, Target};
use crate::token::JwtClaims;

use super::{AuthBackend, Gate, Renew as _, failed};

/// The subject of a backend's users.
pub(super) type SubjectOf<B> = <<B as AuthBackend>::User as JwtClaims>::Subject;

/// The sessions that end because a user's credentials changed: a password, an email address, a
/// second factor.
///
/// There is no choice that ends none of the other sessions (OWASP ASVS 5.0, 7.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSessions {
    /// Every session, with every access token, those of [`Gate::issue`] included. The user signs in
    /// again.
    All,
    /// Every session but this one, with their access tokens. The tokens of the session that is kept
    /// stay valid.
    ///
    /// Tokens of [`Gate::issue`] belong to no session: they stay valid until they expire, within
    /// `access.max_ttl`.
    Others {
        /// The session of the request that changed the credentials: `auth.token().sid()`.
        keep: SessionId,
    },
}

/// The former name of [`EndSessions`].
#[deprecated(since = "0.1.0", note = "use `EndSessions`")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// [`EndSessions::All`].
    EndAll,
    /// [`EndSessions::Others`].
    EndOthers {
        /// The session of the request that changed the credentials.
        keep: SessionId,
    },
}

#[allow(deprecated, reason = "converts the former name into the present one")]
impl From<Sessions> for EndSessions {
    fn from(sessions: Sessions) -> Self {
        match sessions {
            Sessions::EndAll => Self::All,
            Sessions::EndOthers { keep } => Self::Others { keep },
        }
    }
}

/// The treatment of access tokens whose roles, scopes or other claims are no longer those of the
/// user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They are revoked at once. Clients refresh, and get tokens with the claims of today; no user
    /// is signed out.
    ///
    /// Where the backend refreshes from stored claims, the sessions end too, because a refresh
    /// would bring the old claims back.
    RefreshNow,
    /// They keep their old claims until they expire, within `access.max_ttl`. The next refresh
    /// brings the claims of today.
    ///
    /// Where the backend refreshes from stored claims, the sessions end, because a refresh would
    /// bring the old claims back; their access tokens stay valid until they expire.
    UntilExpiry,
}

impl<B: AuthBackend> Gate<B> {
    /// Ends sessions because the credentials of a user changed. Call it after the change is
    /// written: a sign-in that began with the old credentials then gets no session. Action tokens
    /// that were sent and sign-ins that wait for a step end with it, whichever sessions do.
    ///
    /// When this returns, the store has it on record and this node refuses the ended sessions;
    /// every node that reaches the store does within about a second.
    ///
    /// # Errors
    /// The store cannot be written to, and no session ended: answer 503, so that the change is made
    /// again.
    ///
    /// # Examples
    /// ```
    /// use axum::Json;
    /// use axum::extract::State;
    /// use axum::http::StatusCode;
    /// use tollgate::gate::EndSessions;
    /// use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// # #[auth_backend(email, user = User)] struct Accounts;
    /// # impl Accounts {
    /// #     async fn write_password(&self, _: &u64, _: &Password) -> Result<(), std::io::Error> {
    /// #         Ok(())
    /// #     }
    /// # }
    /// # impl Authenticate for Accounts {
    /// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Invalid)
    /// #     }
    /// # }
    /// # impl Refresh for Accounts {
    /// #     async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError> {
    /// #         Ok(User { id: *id })
    /// #     }
    /// # }
    ///
    /// /// Only for those who proved within the last five minutes who they are.
    /// #[derive(Policy)]
    /// #[policy(max_age = "5m")]
    /// struct Fresh;
    ///
    /// async fn change_password(
    ///     user: Auth<User, Fresh>,
    ///     State(gate): State<Gate<Accounts>>,
    ///     Json(password): Json<Password>,
    /// ) -> Result<StatusCode, StatusCode> {
    ///     let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    ///     gate.backend().write_password(user.subject(), &password).await.map_err(unavailable)?;
    ///     let keep = user.token().sid();
    ///     let end = keep.map_or(EndSessions::All, |keep| EndSessions::Others { keep });
    ///     let ended = gate.credentials_changed(user.subject(), end).await;
    ///     ended.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    ///     Ok(StatusCode::NO_CONTENT)
    /// }
    /// # let _ = change_password;
    /// ```
    ///
    /// The argument has no default, so the code says which sessions end:
    /// ```compile_fail,E0061
    /// # use tollgate::prelude::*;
    /// # async fn f<B: tollgate::gate::AuthBackend<User = U>, U: JwtClaimsOf<u64>>(gate: Gate<B>) {
    /// gate.credentials_changed(&42).await;
    /// # }
    /// # trait JwtClaimsOf<S>: tollgate::token::JwtClaims<Subject = S> {}
    /// ```
    pub async fn credentials_changed(
        &self,
        subject: &SubjectOf<B>,
        sessions: EndSessions,
    ) -> Result<Revoked, Error> {
        let target = sessions.of(subject.to_string());
        self.end(target, RevokeReason::PasswordChanged).await
    }

    /// Does the same as [`credentials_changed`](Self::credentials_changed), and returns the time of
    /// the change by the store's clock.
    #[cfg(feature = "axum")]
    pub(crate) async fn credentials_changed_at(
        &self,
        subject: &SubjectOf<B>,
        sessions: EndSessions,
    ) -> Result<(Revoked, Timestamp), Error> {
        let subject = subject.to_string();
        let target = sessions.of(subject.clone());
        let reason = RevokeReason::PasswordChanged;
        let revoked = self.engine().revoke_noting(&subject, target, reason).await;
        revoked.map_err(failed(END))
    }

    /// Decides about the access tokens of a user whose roles, scopes or other claims changed. Call
    /// it after the change is written: a refresh that loaded the old claims before gets a token
    /// that is revoked already. Action tokens that were sent stay valid.
    ///
    /// # Errors
    /// The store cannot be written to, and nothing was revoked: answer 503, so that the change is
    /// made again.
    ///
    /// # Examples
    /// ```
    /// # use axum::extract::{Path, State};
    /// # use axum::http::StatusCode;
    /// use tollgate::gate::Access;
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, Copy, PartialEq, Eq, ClaimValue)] enum Role { Admin }
    /// # #[derive(Clone, JwtClaims)]
    /// # struct User {
    /// #     #[claim(sub)] id: u64,
    /// #     #[claim(roles)] roles: Vec<Role>,
    /// # }
    /// # #[derive(Policy)] #[policy(role = Role::Admin)] struct Admins;
    /// # #[auth_backend(email, user = User)] struct Accounts;
    /// # impl Accounts { async fn demote(&self, _: &u64) -> Result<(), std::io::Error> { Ok(()) } }
    /// # impl Authenticate for Accounts {
    /// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Invalid)
    /// #     }
    /// # }
    /// # impl Refresh for Accounts {
    /// #     async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
    /// #         Err(AuthError::Gone)
    /// #     }
    /// # }
    ///
    /// async fn demote(
    ///     _: Auth<User, Admins>,
    ///     State(gate): State<Gate<Accounts>>,
    ///     Path(user): Path<u64>,
    /// ) -> Result<StatusCode, StatusCode> {
    ///     gate.backend().demote(&user).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    ///     let changed = gate.claims_changed(&user, Access::RefreshNow).await;
    ///     changed.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    ///     Ok(StatusCode::NO_CONTENT)
    /// }
    /// # let _ = demote;
    /// ```
    pub async fn claims_changed(
        &self,
        subject: &SubjectOf<B>,
        access: Access,
    ) -> Result<Revoked, Error> {
        let subject = subject.to_string();
        let target = match (access, B::Renewal::STORED) {
            (Access::RefreshNow, false) => Target::AccessOf(subject),
            (Access::RefreshNow, true) => Target::Subject(subject),
            (Access::UntilExpiry, true) => Target::RefreshOf(subject),
            (Access::UntilExpiry, false) => return Ok(Revoked::default()),
        };
        self.end(target, RevokeReason::RolesChanged).await
    }

    /// The former name of [`credentials_changed`](Self::credentials_changed).
    ///
    /// # Errors
    /// As [`credentials_changed`](Self::credentials_changed).
    #[deprecated(since = "0.1.0", note = "use `credentials_changed`")]
    #[allow(deprecated, reason = "takes the former name of `EndSessions`")]
    pub async fn password_changed(
        &self,
        subject: &SubjectOf<B>,
        sessions: Sessions,
    ) -> Result<Revoked, Error> {
        self.credentials_changed(subject, sessions.into()).await
    }

    /// The former name of [`claims_changed`](Self::claims_changed).
    ///
    /// # Errors
    /// As [`claims_changed`](Self::claims_changed).
    #[deprecated(since = "0.1.0", note = "use `claims_changed`")]
    pub async fn roles_changed(
        &self,
        subject: &SubjectOf<B>,
        access: Access,
    ) -> Result<Revoked, Error> {
        self.claims_changed(subject, access).await
    }

    async fn end(&self, target: Target, reason: RevokeReason) -> Result<Revoked, Error> {
        let revoked = self.engine().revoke(target, reason).await;
        revoked.map_err(failed(END))
    }
}

impl EndSessions {
    fn of(self, subject: String) -> Target {
        match self {
            Self::All => Target::Subject(subject),
            Self::Others { keep } => Target::Others { subject, keep },
        }
    }
}

/// The operation, for messages.
const END: &str = "end sessions of the subject";
