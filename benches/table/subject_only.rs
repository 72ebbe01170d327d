//! A token without claims of its own against what no verifier can leave out (row 2).

use std::time::Duration;

use serde::de::MapAccess;
use serde::ser::SerializeMap;
use tollgate::clock::Clock;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::secret::Secret;
use tollgate::token::{ClaimSet, Expect, issue, verify};
use tollgate_benches::server::{AUDIENCE, ISSUER};
use tollgate_benches::{Contestant, Table, interleave};

use super::floor::floor;
use super::verify::stamp;

/// A user of whom only the subject is known.
#[derive(Clone, Debug, serde::Serialize)]
struct Bare(u64);

impl ClaimSet for Bare {
    type Subject = u64;
    type Draft = ();

    fn subject(&self) -> &u64 {
        &self.0
    }

    fn parse_subject(text: &str) -> Option<u64> {
        text.parse().ok()
    }

    fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }

    fn place(_: &str) -> Option<usize> {
        None
    }

    fn read<'de, A: MapAccess<'de>>((): &mut (), _: usize, _: &mut A) -> Result<(), A::Error> {
        Ok(())
    }

    fn finish((): (), subject: u64) -> Result<Self, &'static str> {
        Ok(Self(subject))
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

/// Fills in the row.
pub(crate) fn rows(table: &mut Table) {
    let secret: Vec<u8> = (0..64).collect();
    let refresh = Secret::from_bytes((100..132).collect());
    let signing = Secret::from_bytes(secret);
    let ring = KeyRing::from_secret(Algorithm::HS256, signing, refresh).expect("a ring");
    let clock = Clock::system();
    let token = issue(&ring.set(), &stamp(clock.now()), &Bare(7)).expect("a token");
    let expect = Expect {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        realm: None,
        client_id: "first-party".into(),
        leeway: Duration::from_secs(30),
        max_lifetime: Duration::from_secs(600),
        allow_expired: false,
    };
    let measured = interleave(vec![
        Contestant::new("tollgate", || {
            verify::<Bare>(&token, &ring.set(), &expect, clock.now()).expect("it verifies")
        }),
        floor(&token),
    ]);
    let what = format!(
        "HS256 verify, no claim but the subject, {} bytes",
        token.len()
    );
    table.row("2", &what, &measured[0], &measured[1], 1.3);
}
