//! The members of answers, as the OpenAPI document lists them: each list stands beside its struct.

/// The type of a member of an answer, for the OpenAPI document.
#[derive(Clone, Copy)]
pub(super) enum MemberKind {
    Text,
    MaybeText,
    /// Seconds, or a status.
    Number,
    Bool,
    /// An object whose members are text or null.
    Object,
    /// One of the codes of a problem.
    Code,
}

/// A member of an answer.
pub(super) struct AnswerMember {
    pub(super) name: &'static str,
    pub(super) holds: MemberKind,
    /// `true` where it may be missing.
    pub(super) is_optional: bool,
}

impl AnswerMember {
    pub(super) const fn new(name: &'static str, holds: MemberKind) -> Self {
        Self {
            name,
            holds,
            is_optional: false,
        }
    }

    pub(super) const fn optional_if(self, is_optional: bool) -> Self {
        Self {
            is_optional,
            ..self
        }
    }
}
