//! Finds the claim that prevents the issue of a token: by its name, and never by its value.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap};

use super::claims::ClaimSet;
use super::gauge::{Gauge, Measures};
use super::issue::MAX_SUBJECT_LEN;
use super::issue_error::IssueError;
use super::json::{MAX_DEPTH, MAX_MEMBERS};

/// The claim that prevents the issue of a token, and the reason.
#[derive(Debug)]
pub(crate) struct ClaimFault {
    claim: String,
    why: &'static str,
}

impl ClaimFault {
    fn new(claim: impl Into<String>, why: &'static str) -> Self {
        let claim = claim.into();
        Self { claim, why }
    }

    /// Finds the claim that prevented the issue of a token.
    pub(crate) fn find<C: ClaimSet>(claims: &C, error: &IssueError) -> Self {
        let shapes = shapes(claims);
        match error {
            IssueError::TooLong => Self::longest(&shapes),
            _ => Self::in_subject(claims)
                .or_else(|| Self::in_shapes::<C>(&shapes))
                .unwrap_or_else(|| Self::new("?", "is not there, or its name is taken")),
        }
    }

    /// Returns the fault of claims that are too long together: it names the longest of them.
    pub(crate) fn too_long<C: ClaimSet>(claims: &C) -> Self {
        Self::longest(&shapes(claims))
    }

    /// Returns the name of the claim.
    pub(crate) fn claim(&self) -> &str {
        &self.claim
    }

    fn longest(shapes: &[ClaimShape]) -> Self {
        let longest = shapes.iter().max_by_key(|shape| shape.text.len());
        let name = longest.map_or("sub", |shape| &shape.name);
        Self::new(name, "is too long, or is the longest of claims that are")
    }

    fn in_subject<C: ClaimSet>(claims: &C) -> Option<Self> {
        let subject = claims.subject().to_string();
        let why = if subject.is_empty() {
            "is empty"
        } else if subject.len() > MAX_SUBJECT_LEN {
            "is longer than 1 KiB"
        } else if subject.contains('\0') {
            "holds a NUL"
        } else if C::parse_subject(&subject).is_none() {
            "cannot be read back from what its `Display` writes"
        } else {
            return None;
        };
        Some(Self::new("sub", why))
    }

    fn in_shapes<C: ClaimSet>(shapes: &[ClaimShape]) -> Option<Self> {
        let first = |is_faulty: fn(&ClaimShape) -> bool, why| {
            let faulty = shapes.iter().find(|shape| is_faulty(shape));
            faulty.map(|shape| Self::new(&shape.name, why))
        };
        first(|shape| !shape.is_written, "cannot be written as JSON")
            .or_else(|| {
                let why = "holds a number that is infinite or not a number";
                first(|shape| !shape.measures.is_finite, why)
            })
            .or_else(|| {
                let why = "is nested deeper than 16 levels, the token's own included";
                first(|shape| shape.measures.depth > MAX_DEPTH, why)
            })
            .or_else(|| {
                let all: usize = shapes.iter().map(|shape| shape.measures.members + 1).sum();
                let most = shapes.iter().max_by_key(|shape| shape.measures.members)?;
                let why = "holds so many members that the token has more than 256";
                (all + MOST_REGISTERED > MAX_MEMBERS).then(|| Self::new(&most.name, why))
            })
            .or_else(|| {
                let why = "cannot be read back from what it is written as";
                let unread = shapes.iter().find(|shape| !shape.is_readable::<C>());
                unread.map(|shape| Self::new(&shape.name, why))
            })
    }
}

impl fmt::Display for ClaimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claim, why } = self;
        write!(f, "no token can carry these claims: `{claim}` {why}")
    }
}

impl std::error::Error for ClaimFault {}

/// Returns whether every number of the claims is finite. JSON cannot express other numbers, so they
/// are written as `null`.
pub(super) fn are_finite<C: ClaimSet>(claims: &C) -> bool {
    shapes(claims).iter().all(|shape| shape.measures.is_finite)
}

/// The properties of an own claim.
struct ClaimShape {
    name: String,
    /// The value as JSON.
    text: Vec<u8>,
    measures: Measures,
    is_written: bool,
}

impl ClaimShape {
    /// Returns whether the user's type can read the value.
    fn is_readable<C: ClaimSet>(&self) -> bool {
        let Some(place) = C::place(&self.name) else {
            return false;
        };
        let Ok(mut object) = serde_json::to_vec(&self.name) else {
            return false;
        };
        object.insert(0, b'{');
        object.push(b':');
        object.extend_from_slice(&self.text);
        object.push(b'}');
        let mut reader = serde_json::Deserializer::from_slice(&object);
        reader
            .deserialize_map(OneClaim::<C>(place, PhantomData))
            .is_ok()
    }
}

struct OneClaim<C>(usize, PhantomData<C>);

impl<'de, C: ClaimSet> Visitor<'de> for OneClaim<C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one claim")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        map.next_key::<String>()?
            .ok_or_else(|| A::Error::custom("no claim"))?;
        C::read(&mut C::Draft::default(), self.0, &mut map)
    }
}

/// Returns the properties of each own claim, in their order.
fn shapes<C: ClaimSet>(claims: &C) -> Vec<ClaimShape> {
    let mut survey = Survey::default();
    // An error that a claim itself reports is noted with the claim.
    if claims.write(&mut survey).is_err() && survey.shapes.iter().all(|shape| shape.is_written) {
        survey.push(false);
    }
    survey.shapes
}

/// Takes claims as a serializer does, and keeps the properties of each.
#[derive(Default)]
struct Survey {
    shapes: Vec<ClaimShape>,
    name: String,
}

impl Survey {
    fn push(&mut self, is_written: bool) -> &mut ClaimShape {
        self.shapes.push(ClaimShape {
            name: std::mem::take(&mut self.name),
            text: Vec::new(),
            measures: Measures::default(),
            is_written,
        });
        let last = self.shapes.len() - 1;
        #[allow(clippy::indexing_slicing, reason = "the element was just pushed")]
        &mut self.shapes[last]
    }
}

impl SerializeMap for Survey {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Self::Error> {
        let key = serde_json::to_value(key)?;
        key.as_str().unwrap_or_default().clone_into(&mut self.name);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error> {
        let shape = self.push(true);
        let measured = value.serialize(Gauge::of(&mut shape.measures));
        match measured.and_then(|()| serde_json::to_vec(value)) {
            Ok(text) => shape.text = text,
            Err(_) => shape.is_written = false,
        }
        Ok(())
    }

    fn end(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// The number of registered members in a token, at most.
const MOST_REGISTERED: usize = 15;
