//! A faster decoder for payloads exactly as the issuer writes them, which gives up at the first
//! byte that differs.
//!
//! All that it accepts, the general decoder accepts with the same result; all that it gives up is
//! decided there.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::claims::ClaimSet;
use super::decode::{ClaimName, ClaimNameSeed, Decoded};
use super::expect::Expect;
use crate::id::{SessionId, TokenId};

/// Decodes a payload whose registered members stand as the issuer writes them, with a session and
/// without `acr`. No value in it may be an object. `None` decides nothing, and leaves the payload
/// as it was.
pub(super) fn decode<C: ClaimSet>(payload: &mut [u8], expect: &Expect) -> Option<Decoded<C>> {
    let mut read = Scanner {
        rest: std::str::from_utf8(payload).ok()?,
    };
    let registered = Registered::read(&mut read, expect)?;
    let own = payload.len().checked_sub(read.rest.len())?;
    let draft = read_own::<C>(payload.get_mut(own..)?)?;
    let subject = C::parse_subject(&registered.subject)?;
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

/// The members that the issuer writes first.
struct Registered {
    subject: Box<str>,
    expires: u64,
    issued: u64,
    jti: TokenId,
    session: (SessionId, u32),
    user_epoch: u64,
    auth_time: u64,
}

impl Registered {
    fn read(read: &mut Scanner<'_>, expect: &Expect) -> Option<Self> {
        read.literal("{\"iss\":\"")?;
        read.exactly(&expect.issuer)?;
        read.literal(",\"sub\":\"")?;
        let subject = Some(read.string()?).filter(|subject| !subject.is_empty())?;
        read.literal(",\"aud\":\"")?;
        read.exactly(&expect.audience)?;
        read.literal(",\"client_id\":\"")?;
        read.exactly(&expect.client_id)?;
        if let Some(realm) = &expect.realm {
            read.literal(",\"rlm\":\"")?;
            read.exactly(realm.as_str())?;
        }
        read.literal(",\"exp\":")?;
        let expires = read.integer()?;
        read.literal(",\"iat\":")?;
        let issued = read.integer()?;
        read.literal(",\"jti\":\"")?;
        let jti = TokenId::parse(read.string()?)?;
        read.literal(",\"sid\":\"")?;
        let sid = SessionId::parse(read.string()?)?;
        read.literal(",\"gen\":")?;
        let generation = u32::try_from(read.integer()?).ok()?;
        read.literal(",\"uep\":")?;
        let user_epoch = read.integer()?;
        read.literal(",\"auth_time\":")?;
        let auth_time = read.integer()?;
        Some(Self {
            subject: subject.into(),
            expires,
            issued,
            jti,
            session: (sid, generation),
            user_epoch,
            auth_time,
        })
    }
}

/// Reads a text from its start; `rest` is what follows.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Skips exactly these bytes.
    fn literal(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    /// Skips exactly this string, after its opening quote.
    fn exactly(&mut self, expected: &str) -> Option<()> {
        (self.string()? == expected).then_some(())
    }

    /// Reads a string of printable ASCII without an escape, after its opening quote; the closing
    /// one is taken too.
    fn string(&mut self) -> Option<&'a str> {
        let (text, rest) = self.rest.split_once('"')?;
        self.rest = rest;
        // Without a branch, so that the compiler takes many bytes at a time.
        let is_plain = text.bytes().fold(true, |all, byte| {
            all & matches!(byte, b' '..=b'~') & (byte != b'\\')
        });
        is_plain.then_some(text)
    }

    /// Reads an integer without a sign, of at most nineteen digits, without a leading zero.
    fn integer(&mut self) -> Option<u64> {
        let len = self
            .rest
            .bytes()
            .take(MAX_DIGITS + 1)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.rest.split_at_checked(len)?;
        if len == 0 || len > MAX_DIGITS || (len > 1 && digits.starts_with('0')) {
            return None;
        }
        self.rest = rest;
        Some(
            digits
                .bytes()
                .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')),
        )
    }
}

const MAX_DIGITS: usize = 19;
/// The most own claims: with the registered members far below what the general decoder allows.
const MAX_OWN: usize = 64;

/// Reads the members after the registered ones: all of the user's type, none twice.
fn read_own<C: ClaimSet>(rest: &mut [u8]) -> Option<C::Draft> {
    if rest == b"}" {
        return Some(C::Draft::default());
    }
    // The issuer writes a member right behind the comma. Without one the object below would be
    // empty, which the comma before it forbids.
    if !rest.starts_with(b",\"") {
        return None;
    }
    // The comma before the first of them becomes the brace of an object of their own, and again a
    // comma.
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
