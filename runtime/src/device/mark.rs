//! The mark by which a device is known again: a hash of its cookie, or of the id that its client
//! gives it.

use crate::secret::sha256;

use super::Client;

impl Client {
    /// Returns the mark of the device that sent the request: of the cookie that a sign-in gave it,
    /// or else of its `device_id`, where that is too long to be guessed. Only these hashes are
    /// kept anywhere.
    pub(crate) fn device_mark(&self) -> Option<[u8; 32]> {
        self.cookie_mark.or_else(|| {
            let id = self.device.id.as_deref()?;
            (id.chars().count() >= UNGUESSABLE).then(|| mark("tollgate/device/id/1", id))
        })
    }

    /// Returns the mark by which the device is known after this sign-in: that of the cookie that
    /// the answer gives it, or else the one that it has.
    pub(crate) fn device_mark_after(&self) -> Option<[u8; 32]> {
        self.next_cookie_mark.or_else(|| self.device_mark())
    }
}

/// Returns the mark of the value of a device cookie.
#[cfg(feature = "axum")]
pub(crate) fn mark_of_cookie(value: &str) -> [u8; 32] {
    mark("tollgate/device/cookie/1", value)
}

/// Returns a hash that differs for an id and a cookie of the same text.
fn mark(kind: &str, value: &str) -> [u8; 32] {
    sha256(format!("{kind}\n{value}").as_bytes())
}

/// The least length of a device id that counts, in characters: shorter ones can be guessed.
const UNGUESSABLE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    fn with_id(id: &str) -> Client {
        Client {
            device: Device::new(None, Some(id.to_owned())),
            ..Client::unknown()
        }
    }

    #[test]
    fn a_device_is_known_by_an_id_of_sixteen_characters() {
        assert_eq!(Client::unknown().device_mark(), None);
        assert_eq!(with_id("fifteen-charact").device_mark(), None);
        // The length is counted in characters, not in bytes.
        assert_eq!(with_id("ääääääää").device_mark(), None);
        let one = with_id("sixteen-characte").device_mark();
        assert!(one.is_some());
        assert_eq!(one, with_id("sixteen-characte").device_mark_after());
        assert_ne!(one, with_id("sixteen-charactE").device_mark());
    }

    #[cfg(feature = "axum")]
    #[test]
    fn a_cookie_comes_before_an_id_and_a_new_one_before_both() {
        let text = "sixteen-characte";
        let mut client = with_id(text);
        client.cookie_mark = Some(mark_of_cookie(text));
        assert_ne!(client.device_mark(), with_id(text).device_mark());
        assert_eq!(client.device_mark(), Some(mark_of_cookie(text)));
        assert_eq!(client.device_mark_after(), client.device_mark());
        client.next_cookie_mark = Some(mark_of_cookie("next"));
        assert_eq!(client.device_mark(), Some(mark_of_cookie(text)));
        assert_eq!(client.device_mark_after(), Some(mark_of_cookie("next")));
    }
}
