//! The subject of a user type, as `#[claim(sub)]` marks it.

use crate::token::Subject;

/// The type of a field marked `#[claim(sub)]`: says in one sentence what rustc says of each bound
/// of [`Subject`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a subject",
    label = "a subject is cloned, written with `Display` and read back with `FromStr`",
    note = "use a `Uuid`, an integer or a `String`, or implement `Clone`, `Display` and `FromStr` \
            for `{Self}`"
)]
pub trait SubjectValue: Sized {
    /// The type itself. It has another name, so that an expansion can speak of a type that cannot
    /// be a subject.
    type Subject: Subject;
    /// Returns the subject.
    fn as_subject(&self) -> &Self::Subject;
    /// Returns the field.
    fn from_subject(subject: Self::Subject) -> Self;
    /// Returns a clone.
    fn duplicate(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Subject> SubjectValue for T {
    type Subject = T;
    fn as_subject(&self) -> &T {
        self
    }
    fn from_subject(subject: T) -> Self {
        subject
    }
    fn duplicate(&self) -> Self {
        self.clone()
    }
}

/// The subject of a struct that does not say which it is; only beside a compile error.
pub type AnySubject = String;
