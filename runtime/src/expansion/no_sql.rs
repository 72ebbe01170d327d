//! What `claim_value(sqlx)` writes where the feature is off: the sentence that names it.

/// Writes what the derive says of the missing feature, at the place that the derive gave it.
#[doc(hidden)]
#[macro_export]
macro_rules! __tollgate_column {
    ($name:ty, $($missing:tt)*) => {
        $($missing)*
    };
}
