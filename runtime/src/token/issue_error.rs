//! The error of a token that could not be issued.

use std::fmt;

/// The reason why a token could not be issued.
#[derive(Debug)]
#[non_exhaustive]
pub enum IssueError {
    /// With these claims the token would be longer than any verifier reads: 8 KiB.
    TooLong,
    /// The claims could not be written.
    Claims(Box<dyn std::error::Error + Send + Sync>),
    /// No verifier would accept the token: it is nested too deeply, has too many members, an empty
    /// subject, a number that is not finite, or a claim that its type cannot read.
    Unverifiable,
    /// There is no signature: the signer failed, took too long, or returned a wrong one.
    Signer(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the claims are too long: a token has at most 8 KiB",
            Self::Claims(_) => "the claims could not be written",
            Self::Unverifiable => "no verifier would accept a token with these claims",
            Self::Signer(_) => "the token could not be signed",
        })
    }
}

impl std::error::Error for IssueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TooLong | Self::Unverifiable => None,
            Self::Claims(source) | Self::Signer(source) => Some(source.as_ref()),
        }
    }
}
