//! The expansion of `claim_value(sqlx)` without the feature: an error that names the feature.

/// Writes what the derive says of the missing feature, at the place that the derive gave it.
#[doc(hidden)]
#[macro_export]
macro_rules! __tollgate_column {
    ($name:ty, $($missing:tt)*) => {
        $($missing)*
    };
}
