//! The contract of a `SessionStore` in executable form.
