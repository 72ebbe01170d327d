//! A faster decoder for payloads exactly as the issuer writes them, which gives up at the first
//! byte that differs.
//!
//! Everything that it accepts, the general decoder accepts with the same result; if it gives up,
//! the general decoder decides.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::claims::ClaimSet;
use super::decode::{ClaimName, ClaimNameSeed, Decoded};
use super::expect::Expect;
use super::json::is_plain;
use super::subject::SubjectText;
use crate::id::{SessionId, TokenId};
use crate::realm::RealmName;

use plain::{PlainMember, PlainReader};

mod plain;

/// Decodes a payload whose registered members are in the issuer's order, with a session and without
/// `acr`. `None` decides nothing, and leaves the payload as it was.
pub(super) fn decode<C: ClaimSet>(payload: &mut [u8], frame: &Frame) -> Option<Decoded<C>> {
    // One look at the whole is faster than one at each short text in it.
    let mut read = Scanner {
        rest: std::str::from_utf8(payload).ok()?,
    };
    let (registered, subject) = Registered::read(&mut read, frame, C::parse_subject)?;
    let own = payload.len().checked_sub(read.rest.len())?;
    let draft = match read_plain::<C>(read) {
        Some(draft) => draft,
        None => read_general::<C>(payload, own)?,
    };
    Some(Decoded {
        claims: C::finish(draft, subject).ok()?,
        subject: registered.subject,
        client_id: None,
        expires: registered.expires,
        issued: registered.issued,
        not_before: None,
        jti: registered.jti,
        session: Some(registered.session),
        user_epoch: registered.user_epoch,
        auth_time: Some(registered.auth_time),
        acr: None,
        binding: None,
    })
}

/// Returns whether [`decode`] would read the own members of a payload, which begin at `own`, beside
/// this subject. `false` decides nothing.
pub(super) fn reads_own<C: ClaimSet>(payload: &mut [u8], own: usize, subject: C::Subject) -> bool {
    let rest = payload
        .get(own..)
        .and_then(|rest| std::str::from_utf8(rest).ok());
    let draft = rest
        .and_then(|rest| read_plain::<C>(Scanner { rest }))
        .or_else(|| read_general::<C>(payload, own));
    draft.is_some_and(|draft| C::finish(draft, subject).is_ok())
}

/// The texts before and after the subject, which are the same in all tokens of a verifier.
#[derive(Debug)]
pub(super) struct Frame {
    before: Box<str>,
    after: Box<str>,
}

impl Frame {
    /// Writes the texts for a verifier. `None` if a name would be written with an escape, or if the
    /// client has none: then the general decoder reads all tokens.
    pub(super) fn of(expect: &Expect) -> Option<Self> {
        let (issuer, audience, client) = (&*expect.issuer, &*expect.audience, &*expect.client_id);
        let realm = expect.realm.as_ref().map(RealmName::as_str);
        let names = [issuer, audience, client].into_iter().chain(realm);
        if client.is_empty() || !names.into_iter().all(is_printable_text) {
            return None;
        }
        let realm = realm.map_or_else(String::new, |name| format!(",\"rlm\":\"{name}\""));
        Some(Self {
            before: format!("{{\"iss\":\"{issuer}\",\"sub\":\"").into(),
            after: format!(",\"aud\":\"{audience}\",\"client_id\":\"{client}\"{realm},\"exp\":")
                .into(),
        })
    }
}

/// The members that the issuer writes first.
struct Registered {
    subject: SubjectText,
    expires: u64,
    issued: u64,
    jti: TokenId,
    session: (SessionId, u32),
    user_epoch: u64,
    auth_time: u64,
}

impl Registered {
    /// Reads the members, and parses the subject.
    fn read<S>(
        read: &mut Scanner<'_>,
        frame: &Frame,
        parse: impl FnOnce(&str) -> Option<S>,
    ) -> Option<(Self, S)> {
        read.literal(&frame.before)?;
        let subject = Some(read.string()?).filter(|subject| !subject.is_empty())?;
        read.literal(&frame.after)?;
        let expires = read.integer()?;
        read.literal(",\"iat\":")?;
        let issued = read.integer()?;
        read.literal(",\"jti\":\"")?;
        let jti = read.id(TokenId::parse)?;
        read.literal(",\"sid\":\"")?;
        let sid = read.id(SessionId::parse)?;
        read.literal(",\"gen\":")?;
        let generation = u32::try_from(read.integer()?).ok()?;
        read.literal(",\"uep\":")?;
        let user_epoch = read.integer()?;
        read.literal(",\"auth_time\":")?;
        let auth_time = read.integer()?;
        let parsed = parse(subject)?;
        let registered = Self {
            subject: subject.into(),
            expires,
            issued,
            jti,
            session: (sid, generation),
            user_epoch,
            auth_time,
        };
        Some((registered, parsed))
    }
}

/// Reads a text from its start; `rest` is the part that follows.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Skips exactly these bytes.
    fn literal(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    /// Reads a string of printable ASCII without an escape, after its opening quote, together with
    /// the closing one.
    fn string(&mut self) -> Option<&'a str> {
        let len = self.rest.bytes().position(|byte| !is_printable(byte))?;
        self.quoted(len)
    }

    /// Reads a text of so many bytes, together with the quote that follows.
    fn quoted(&mut self, len: usize) -> Option<&'a str> {
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest.strip_prefix('"')?;
        Some(text)
    }

    /// Reads an id, after its opening quote, together with the closing one.
    fn id<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        parse(self.quoted(TokenId::TEXT_LEN)?)
    }

    /// Reads an integer without a sign, of at most nineteen digits, without a leading zero.
    fn integer(&mut self) -> Option<u64> {
        let (mut value, mut len) = (0_u64, 0);
        for byte in self.rest.bytes().take(MAX_DIGITS + 1) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            len += 1;
        }
        let (digits, rest) = self.rest.split_at_checked(len)?;
        if len == 0 || len > MAX_DIGITS || (len > 1 && digits.starts_with('0')) {
            return None;
        }
        self.rest = rest;
        Some(value)
    }
}

/// Returns whether a byte represents itself in a string: printable ASCII, neither quote nor
/// backslash.
pub(super) fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\')
}

/// Returns whether each byte of a text represents itself in a string.
pub(super) fn is_printable_text(text: &str) -> bool {
    // The loop has no branch, so that the compiler can process many bytes at a time.
    text.bytes()
        .fold(true, |all, byte| all & is_printable(byte))
}

const MAX_DIGITS: usize = 19;
/// The largest number of own claims: with the registered members it is far below the bound of the
/// general decoder.
const MAX_OWN: usize = 64;

/// Reads the members after the registered ones, which begin at `own`, by serde_json, if no value is
/// an object.
fn read_general<C: ClaimSet>(payload: &mut [u8], own: usize) -> Option<C::Draft> {
    if !std::str::from_utf8(payload).is_ok_and(is_plain) {
        return None;
    }
    read_object::<C>(payload.get_mut(own..)?)
}

/// Reads the members after the registered ones, if each is as plain as the issuer writes most of
/// them.
fn read_plain<C: ClaimSet>(scanner: Scanner<'_>) -> Option<C::Draft> {
    let mut reader = PlainReader::new(scanner);
    let mut draft = C::Draft::default();
    for _ in 0..=MAX_OWN {
        if reader.scanner.rest == "}" {
            return Some(draft);
        }
        reader.scanner.literal(",\"")?;
        let name = reader.scanner.string()?;
        reader.scanner.literal(":")?;
        let ClaimName::Own(place) = ClaimName::of::<C>(name) else {
            return None;
        };
        let mut member = PlainMember::new(&mut reader);
        C::read(&mut draft, place, &mut member).ok()?;
        if !member.is_read() {
            return None;
        }
    }
    None
}

/// Reads the members after the registered ones: all must be of the user's type, and none may come
/// twice.
fn read_object<C: ClaimSet>(rest: &mut [u8]) -> Option<C::Draft> {
    if rest == b"}" {
        return Some(C::Draft::default());
    }
    // The issuer writes a member directly after the comma. Without one the object below would be
    // empty, which a comma before it does not allow.
    if !rest.starts_with(b",\"") {
        return None;
    }
    // The comma before the first of them becomes the brace of an object of their own, and later a
    // comma again.
    let comma = rest.first_mut()?;
    *comma = b'{';
    let draft = parse_own::<C>(rest);
    if let Some(brace) = rest.first_mut() {
        *brace = b',';
    }
    draft
}

fn parse_own<C: ClaimSet>(object: &[u8]) -> Option<C::Draft> {
    let mut reader = serde_json::Deserializer::from_slice(object);
    let draft = reader
        .deserialize_map(OwnClaimsVisitor::<C>(PhantomData))
        .ok()?;
    reader.end().ok()?;
    Some(draft)
}

struct OwnClaimsVisitor<C>(PhantomData<C>);

impl<'de, C: ClaimSet> Visitor<'de> for OwnClaimsVisitor<C> {
    type Value = C::Draft;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims of the user's type alone")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<C::Draft, A::Error> {
        let mut draft = C::Draft::default();
        let mut members = 0;
        while let Some(name) = map.next_key_seed(ClaimNameSeed::<C>(PhantomData))? {
            members += 1;
            match name {
                ClaimName::Own(place) if members <= MAX_OWN => {
                    C::read(&mut draft, place, &mut map)?;
                }
                _ => return Err(A::Error::custom("left to the general decoder")),
            }
        }
        Ok(draft)
    }
}

#[cfg(test)]
mod tests;
