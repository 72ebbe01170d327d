//! Bytes in hexadecimal.

use std::fmt::Write as _;

/// Writes bytes in hexadecimal, whose order is that of the bytes.
pub(in crate::store) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
