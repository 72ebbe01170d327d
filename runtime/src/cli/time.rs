//! Times as people read them.

use std::time::Duration;

use crate::clock::Timestamp;

/// Writes a time in UTC: `2027-01-31T12:00:00Z` (RFC 3339).
pub(super) fn show(at: Timestamp) -> String {
    if at == Timestamp::MAX {
        return "never".to_owned();
    }
    at.rfc3339()
}

/// Writes how long ago a time was, in its largest unit.
pub(super) fn age(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0..120 => format!("{secs}s"),
        120..7200 => format!("{}m", secs / 60),
        7200..172_800 => format!("{}h", secs / 3600),
        _ => format!("{}d", secs / 86_400),
    }
}
