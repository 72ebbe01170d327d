//! The members of answers, as the OpenAPI document lists them: each list stands beside its struct.

use http::Method;

/// The type of a member of an answer, for the OpenAPI document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    Text,
    MaybeText,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Seconds, or a status.
    Number,
    MaybeNumber,
    Bool,
    /// An object that has these members.
    Object(&'static [AnswerMember]),
    /// Objects that have these members.
    List(&'static [AnswerMember]),
    Texts,
    /// Any JSON value.
    Any,
    /// Keys of a set, as RFC 7517 writes them.
    Keys,
    /// One of the codes of a problem.
    Code,
}

/// A member of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AnswerMember {
    pub(super) name: &'static str,
    pub(super) holds: MemberKind,
    /// `true` if it may be missing.
    pub(super) is_optional: bool,
    /// An example of its value: the text itself for a text, otherwise JSON.
    pub(super) example: &'static str,
}

impl AnswerMember {
    pub(super) const fn new(name: &'static str, holds: MemberKind, example: &'static str) -> Self {
        Self {
            name,
            holds,
            is_optional: false,
            example,
        }
    }

    /// Returns a text.
    pub(super) const fn text(name: &'static str, example: &'static str) -> Self {
        Self::new(name, MemberKind::Text, example)
    }

    /// Returns a text, or null.
    pub(super) const fn maybe(name: &'static str, example: &'static str) -> Self {
        Self::new(name, MemberKind::MaybeText, example)
    }

    /// Returns a number.
    pub(super) const fn number(name: &'static str, example: &'static str) -> Self {
        Self::new(name, MemberKind::Number, example)
    }

    pub(super) const fn optional_if(self, is_optional: bool) -> Self {
        Self {
            is_optional,
            ..self
        }
    }
}

/// The words of the document about a route of the gate's own beside the auth routes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnRouteDoc {
    /// The path below which it is mounted is not part of it.
    pub(super) path: &'static str,
    pub(super) method: Method,
    pub(super) summary: &'static str,
    /// The parameters of the query, with what they say.
    pub(super) query: &'static [(&'static str, QueryKind, &'static str)],
    pub(super) answers: &'static [OwnAnswer],
    /// The statuses of refusals, beside those of every protected route.
    pub(super) problems: &'static [&'static str],
}

/// The type of a parameter of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueryKind {
    Text,
    /// An id as sessions and tokens have it.
    Id,
    /// Seconds since 1970.
    Seconds,
    Bool,
    Word(&'static [&'static str]),
}

/// An answer of such a route.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnAnswer {
    pub(super) status: &'static str,
    pub(super) about: &'static str,
    pub(super) body: OwnBody,
}

/// The body of such an answer: the name of its schema, and its members.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OwnBody {
    Empty,
    Object(&'static str, &'static [AnswerMember]),
    /// A page of a list.
    List(&'static str, &'static [AnswerMember]),
}

/// Examples that several answers share.
pub(super) mod example {
    pub(in crate::http) const ACCESS_TOKEN: &str =
        "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0MiJ9.MEUCIQ";
    pub(in crate::http) const REFRESH_TOKEN: &str = "tgr1_0g5bYkR0S9iVt3mE1w2xYA";
    pub(in crate::http) const SESSION_ID: &str = "q0WvR3m8S1iYb2Jx7tKdZg";
    pub(in crate::http) const STEP_TOKEN: &str = "tgs1_0g5bYkR0S9iVt3mE1w2xYA";
    pub(in crate::http) const TIME: &str = "1767225600";
}
