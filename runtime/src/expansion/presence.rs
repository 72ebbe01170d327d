//! A claim that a module of the user's writes: an `Option`, under any name, is left out if it is
//! `None`; every other type is required.

use std::marker::PhantomData;

/// Says what a missing claim of the type `T` means: `None` where `T` is an `Option`, and otherwise
/// what [`Required`] says.
#[derive(Debug)]
pub struct Presence<T>(PhantomData<T>);

impl<T> Presence<Option<T>> {
    /// Returns whether the claim is left out.
    #[must_use]
    pub fn is_absent(value: &Option<T>) -> bool {
        value.is_none()
    }

    /// Returns what was read, or `None` of a token without the claim.
    ///
    /// # Errors
    /// None.
    pub fn finish(read: Option<Option<T>>, _: &'static str) -> Result<Option<T>, &'static str> {
        Ok(read.flatten())
    }
}

/// A type whose claim every token has.
pub trait Required {
    /// The type.
    type Value;

    /// Returns `false`: the claim is never left out.
    #[must_use]
    fn is_absent(_: &Self::Value) -> bool {
        false
    }

    /// Returns what was read.
    ///
    /// # Errors
    /// The name of a claim that the token lacks.
    fn finish(read: Option<Self::Value>, name: &'static str) -> Result<Self::Value, &'static str> {
        read.ok_or(name)
    }
}

impl<T> Required for Presence<T> {
    type Value = T;
}
