//! The first pass over a payload: checks that it is strict JSON within the guard's bounds, and
//! finds the claims about its kind, its tenant and its audience.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::super::json::{Budget, Shape, Strict};
use super::super::names::{Name, Names};
use super::expected::Expected;
use super::fault::{Fault, TokenFault};
use super::kind::Signs;

/// The results of the first pass over a payload. Only the signature is verified before it.
#[derive(Default)]
pub(super) struct Survey {
    pub(super) signs: Signs,
    /// `tid`, where the guard expects a tenant.
    pub(super) tenant: Option<Box<str>>,
    /// The claim that replaces a missing `aud`, where the guard names one.
    pub(super) audience: Option<Box<str>>,
    /// The claims among [`OPTIONAL`] that are null: a bit for each.
    nulls: u16,
}

impl Survey {
    /// Makes the survey of a payload.
    pub(super) fn of(text: &str, expected: &Expected) -> Result<Self, Fault> {
        let mut budget = Budget::new(expected.limits.members);
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = reader.deserialize_map(SurveyVisitor {
            expected,
            budget: &mut budget,
        });
        match read {
            Ok(survey) if reader.end().is_ok() => Ok(survey),
            _ if budget.is_exceeded() => Err(Fault::new(
                TokenFault::TooLarge,
                format!(
                    "its payload has more than {} members: see `Issuer::max_members`",
                    expected.limits.members
                ),
            )),
            _ => Err(Fault::new(
                TokenFault::Malformed,
                "its payload is not one JSON object without duplicates, nested at most 16 deep",
            )),
        }
    }

    /// Returns whether a claim is there but null, and must be read as if it were missing.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.nulls != 0
            && OPTIONAL
                .iter()
                .position(|optional| *optional == name)
                .is_some_and(|at| self.nulls & (1 << at) != 0)
    }
}

struct SurveyVisitor<'e> {
    expected: &'e Expected,
    budget: &'e mut Budget,
}

impl<'de> Visitor<'de> for SurveyVisitor<'_> {
    type Value = Survey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of a token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Survey, A::Error> {
        let Self { expected, budget } = self;
        let wanted_audience = expected.audience_claim.as_ref().map(|claim| &*claim.name);
        let mut survey = Survey::default();
        let mut names = Names::default();
        while let Some(name) = map.next_key_seed(Name)? {
            budget.take()?;
            let shape = map.next_value_seed(Strict::member(budget))?;
            let text = match &shape {
                Shape::Text(text) => Some(&**text),
                Shape::Null | Shape::Other => None,
            };
            if matches!(shape, Shape::Null)
                && let Some(at) = OPTIONAL.iter().position(|optional| *optional == name)
            {
                survey.nulls |= 1 << at;
            }
            // For a security event the name of the claim is enough.
            if !matches!(shape, Shape::Null) || name == "events" {
                survey.signs.note(&name, text, &expected.marks);
            }
            if expected.tenants.is_some() && name == "tid" {
                survey.tenant = text.map(Into::into);
            }
            if wanted_audience == Some(&*name) {
                survey.audience = text.map(Into::into);
            }
            if !names.insert(name) {
                return Err(A::Error::custom("a member comes twice"));
            }
        }
        Ok(survey)
    }
}

/// Claims that issuers write as null where they have no value.
const OPTIONAL: [&str; 9] = [
    "acr",
    "amr",
    "azp",
    "sid",
    "nonce",
    "auth_time",
    "jti",
    "scope",
    "client_id",
];
