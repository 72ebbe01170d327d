//! The kind of a token, by the marks that issuers write into it.
//!
//! | marker | it says | written by |
//! |---|---|---|
//! | header `typ`: `at+jwt` | access token | RFC 9068 section 2.1 |
//! | header `typ`: anything but that, `JWT` and nothing | neither | RFC 8725 section 3.11 |
//! | payload `typ`: `Bearer`, `DPoP` · `ID` · `Refresh`, `Offline`, `Logout`, others | access token · ID token · neither | Keycloak, `TokenUtil` |
//! | `token_use`: `access` · `id` · others | access token · ID token · neither | Amazon Cognito, "Using tokens with user pools" |
//! | `token_type`: `access` · `id` · `refresh`, `sliding` | access token · ID token · neither | djangorestframework-simplejwt, "Settings" |
//! | `idtyp` | access token | Microsoft Entra, "Optional claims reference" |
//! | `events` | neither | RFC 8417 section 2.2 |
//! | `at_hash`, `c_hash` | ID token | OpenID Connect Core section 3.3.2.11 |
//! | `nonce` | ID token, where nothing else says access token | OpenID Connect Core section 2; Keycloak before 25 writes it into access tokens too |
//! | `scp`, `gty` | access token, where nothing else says ID token | Microsoft Entra, Okta; Auth0 |
//! | the claims of a [`Marks`] | as the preset says | the preset's sources |

use super::super::json::is_media_type;
use super::fault::{Fault, TokenFault};

/// The kind of an issuer's tokens that is accepted.
///
/// Marks that issuers write show the kind: the header `typ`, the claims `typ`, `token_use`,
/// `token_type`, `idtyp`, `events`, `at_hash` and `c_hash`, and with a preset the other marks of
/// its issuer. A token with the marks of two kinds is of neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Access tokens as RFC 9068 has them: `typ` is `at+jwt`.
    AccessToken,
    /// Access tokens that may also have `typ: JWT`, or no `typ`. One with the marks of an ID token
    /// is refused. Some issuers mark neither kind; their [preset](crate::guard) knows how the kinds
    /// differ.
    LooseAccessToken,
    /// ID tokens (OpenID Connect Core section 2): `typ` is `JWT` or absent, and `azp` is the
    /// expected one where it is there or where the token is for several audiences. One with the
    /// marks of an access token is refused.
    IdToken,
}

impl TokenKind {
    const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "an access token with `typ: at+jwt`",
            Self::LooseAccessToken => "an access token",
            Self::IdToken => "an ID token",
        }
    }
}

/// The marks that an issuer writes into its tokens of one kind, in addition to the marks that all
/// issuers use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Claims that its access tokens have, but not its ID tokens.
    pub(crate) access: &'static [&'static str],
    /// Claims that its ID tokens have, but not its access tokens.
    pub(crate) id: &'static [&'static str],
    /// `true` if each of its access tokens has a mark, so that a token without one is not an
    /// access token.
    pub(crate) every_access: bool,
    /// `true` if each of its ID tokens has a mark, so that a token without one is not an ID
    /// token.
    pub(crate) every_id: bool,
}

/// The media type in `typ` of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderType {
    AccessToken,
    Jwt,
    Absent,
    Other,
}

impl HeaderType {
    pub(super) fn of(typ: Option<&str>) -> Self {
        match typ {
            None => Self::Absent,
            Some(typ) if is_media_type(typ, "at+jwt") => Self::AccessToken,
            Some(typ) if is_media_type(typ, "jwt") => Self::Jwt,
            Some(_) => Self::Other,
        }
    }
}

/// The marks of the kind among the claims of a token.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// The first claim that marks an access token.
    access: Option<&'static str>,
    /// The first claim that marks an ID token.
    id: Option<&'static str>,
    /// The first claim that marks neither.
    neither: Option<&'static str>,
    /// A claim about the kind whose value is unknown: it marks another kind, unless the header
    /// decides.
    unknown: Option<&'static str>,
    has_nonce: bool,
    has_scp_or_gty: bool,
}

/// The meaning of a claim's value.
enum Said {
    Access,
    Id,
    Neither,
    Nothing,
    Unknown,
}

impl Signs {
    /// Notes a claim that is not null; `text` is its value where that is a string.
    pub(super) fn note(&mut self, name: &str, text: Option<&str>, marks: &Marks) {
        let (claim, said) = match name {
            "typ" => ("typ", of_typ(text)),
            "token_use" => ("token_use", of_token_use(text)),
            "token_type" => ("token_type", of_token_type(text)),
            "idtyp" => ("idtyp", Said::Access),
            "events" => ("events", Said::Neither),
            "at_hash" => ("at_hash", Said::Id),
            "c_hash" => ("c_hash", Said::Id),
            "nonce" => {
                self.has_nonce = true;
                return;
            }
            _ => {
                self.has_scp_or_gty |= matches!(name, "scp" | "gty");
                self.note_mark(name, marks);
                return;
            }
        };
        let place = match said {
            Said::Access => &mut self.access,
            Said::Id => &mut self.id,
            Said::Neither => &mut self.neither,
            Said::Unknown => &mut self.unknown,
            Said::Nothing => return,
        };
        place.get_or_insert(claim);
    }

    fn note_mark(&mut self, name: &str, marks: &Marks) {
        if let Some(mark) = marks.access.iter().find(|mark| **mark == name) {
            self.access.get_or_insert(mark);
        }
        if let Some(mark) = marks.id.iter().find(|mark| **mark == name) {
            self.id.get_or_insert(mark);
        }
    }

    /// Refuses a token of another kind. Returns whether the token has a mark of this kind.
    pub(super) fn check(
        &self,
        header: HeaderType,
        kind: TokenKind,
        marks: &Marks,
    ) -> Result<bool, Fault> {
        let refuse = |why: String| Err(Fault::new(TokenFault::Kind, why));
        let by_header = (header == HeaderType::AccessToken).then_some("typ: at+jwt");
        if let Some(claim) = self.neither {
            return refuse(format!(
                "its `{claim}` is that of neither access nor ID token"
            ));
        }
        if let (Some(claim), None) = (self.unknown, by_header) {
            return refuse(format!("its `{claim}` names a kind that is unknown"));
        }
        let access = by_header.or(self.access);
        // The claims may contradict each other even if the header names the kind.
        if let (Some(access), Some(id)) = (access, self.id) {
            return refuse(format!(
                "`{access}` says access token, and `{id}` says ID token"
            ));
        }
        let wanted = kind.name();
        match kind {
            TokenKind::AccessToken | TokenKind::LooseAccessToken => {
                if let Some(id) = self.id {
                    return refuse(format!("`{id}` says ID token, and {wanted} is expected"));
                }
                if access.is_none() && self.has_nonce {
                    return refuse(format!("`nonce` says ID token, and {wanted} is expected"));
                }
                let is_unmarked = match kind {
                    TokenKind::AccessToken => by_header.is_none(),
                    _ => marks.every_access && access.is_none(),
                };
                if is_unmarked {
                    return refuse(format!("nothing in it says that it is {wanted}"));
                }
                Ok(access.is_some())
            }
            TokenKind::IdToken => {
                let weakly = (self.has_scp_or_gty && self.id.is_none() && !self.has_nonce)
                    .then_some("scp` or `gty");
                if let Some(access) = access.or(weakly) {
                    return refuse(format!(
                        "`{access}` says access token, and {wanted} is expected"
                    ));
                }
                if marks.every_id && self.id.is_none() {
                    return refuse(format!("nothing in it says that it is {wanted}"));
                }
                Ok(self.id.is_some())
            }
        }
    }
}

/// Returns the meaning of `typ` in Keycloak; some issuers write media types here.
fn of_typ(text: Option<&str>) -> Said {
    let Some(text) = text else {
        return Said::Unknown;
    };
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("Bearer") || is("DPoP") || is_media_type(text, "at+jwt") {
        Said::Access
    } else if is("ID") || is("Serialized-ID") {
        Said::Id
    } else if is("Refresh") || is("Offline") || is("Logout") {
        Said::Neither
    } else if is_media_type(text, "jwt") {
        Said::Nothing
    } else {
        Said::Unknown
    }
}

/// Returns the meaning of `token_use` in Amazon Cognito.
fn of_token_use(text: Option<&str>) -> Said {
    match text {
        Some(text) if text.eq_ignore_ascii_case("access") => Said::Access,
        Some(text) if text.eq_ignore_ascii_case("id") => Said::Id,
        _ => Said::Neither,
    }
}

/// Returns the meaning of `token_type` in djangorestframework-simplejwt. Other issuers write
/// `Bearer` here, which only says how a token is sent.
fn of_token_type(text: Option<&str>) -> Said {
    let Some(text) = text else {
        return Said::Nothing;
    };
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("access") || is("access_token") {
        Said::Access
    } else if is("id") || is("id_token") {
        Said::Id
    } else if is("refresh") || is("refresh_token") || is("sliding") {
        Said::Neither
    } else {
        Said::Nothing
    }
}
