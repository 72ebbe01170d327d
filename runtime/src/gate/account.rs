//! What an application tells the gate after it changed an account. A required argument says what
//! ends.

use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::SessionId;
use crate::store::{RevokeReason, Revoked, Target};
use crate::token::JwtClaims;

use super::{AuthBackend, Gate, Renew as _, failed};

/// The subject of a backend's users.
pub(super) type SubjectOf<B> = <<B as AuthBackend>::User as JwtClaims>::Subject;

/// Which sessions end because a user's credentials changed: a password, an email address, a second
/// factor.
///
/// Neither choice leaves another session alive (OWASP ASVS 5.0, 7.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSessions {
    /// Every one, with every access token, those of [`Gate::issue`] included. The user signs in
    /// again.
    All,
    /// Every one but this, with the access tokens of those that end. The tokens of the one that is
    /// kept go on.
    ///
    /// Tokens of [`Gate::issue`] belong to no session: they are left to run out, within
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

/// What becomes of access tokens whose roles, scopes or other claims are no longer those of the
/// user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They die at once. Clients refresh, and get tokens with the claims of today; nobody is signed
    /// out.
    ///
    /// Where the backend refreshes from stored claims, the sessions end too, for a refresh would
    /// bring the old ones back.
    RefreshNow,
    /// They keep their old claims until they run out, within `access.max_ttl`. The next refresh
    /// brings the claims of today.
    ///
    /// Where the backend refreshes from stored claims, the sessions end, for a refresh would bring
    /// the old ones back; their access tokens run out by themselves.
    UntilExpiry,
}

impl<B: AuthBackend> Gate<B> {
    /// Ends sessions because the credentials of a user changed. Call it after the change is
    /// written: a sign-in that began with the old ones gets no session any more. Action tokens that
    /// are out and sign-ins that wait for a step end with it, whichever sessions do.
    ///
    /// When this returns, the store remembers it, this node refuses, and every node that reaches
    /// the store will within a second or so.
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
    /// Which sessions end is not left to a default:
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
        let changed = self.credentials_changed_at(subject, sessions).await;
        changed.map(|(revoked, _)| revoked)
    }

    /// The same, and returns the time of the store at which they changed.
    pub(crate) async fn credentials_changed_at(
        &self,
        subject: &SubjectOf<B>,
        sessions: EndSessions,
    ) -> Result<(Revoked, Timestamp), Error> {
        let subject = subject.to_string();
        let target = match sessions {
            EndSessions::All => Target::Subject(subject),
            EndSessions::Others { keep } => Target::Others { subject, keep },
        };
        self.end(target, RevokeReason::PasswordChanged).await
    }

    /// Decides about the access tokens of a user whose roles, scopes or other claims changed. Call
    /// it after the change is written: a refresh that loaded the old ones before gets a token that
    /// is dead already. Action tokens that are out stay good.
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
        let ended = self.end(target, RevokeReason::RolesChanged).await;
        ended.map(|(revoked, _)| revoked)
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

    async fn end(
        &self,
        target: Target,
        reason: RevokeReason,
    ) -> Result<(Revoked, Timestamp), Error> {
        let revoked = self.engine().revoke_noting(target, reason).await;
        revoked.map_err(failed("end sessions of the subject"))
    }
}
