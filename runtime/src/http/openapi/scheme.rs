//! The names of the security schemes in the document.

/// The security scheme of access tokens, by its name in the document.
pub(super) const BEARER: &str = "access_token";
/// That of access tokens in cookies, where those are on.
pub(super) const COOKIE: &str = "access_cookie";
/// That of services that ask about tokens, where there are any.
pub(super) const SERVICE: &str = "service";
