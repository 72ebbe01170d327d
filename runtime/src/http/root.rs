//! The paths of the key sets and the metadata of gates in an application.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::gate::{AuthRoute, Running, metadata_path};

use super::routes::ROUTES;
use super::row::RouteRow;

/// The routes of a gate at the root of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RootPlace {
    /// The path of the key set of the gate's ring; `None` if it has none.
    pub(super) key_set: Option<Arc<str>>,
    /// `true` if this gate serves it; gates of one ring share it.
    pub(super) serves_key_set: bool,
    /// `true` if it serves the metadata of its issuer.
    pub(super) serves_metadata: bool,
}

impl RootPlace {
    /// Returns the root routes of a gate that is alone.
    pub(super) fn alone(gate: &Running) -> Self {
        Self {
            key_set: Some(gate.routes.path(AuthRoute::Jwks).into()),
            serves_key_set: true,
            serves_metadata: true,
        }
    }
}

/// Decides for several gates of one application, in their order. `is_taken` says whether the
/// application has a route at a path.
///
/// The ring of the default realm's gate, or otherwise that of the first gate, has the usual path of
/// the key set; the path of every other ring contains the name of a realm, so that no key set mixes
/// the keys of two rings. A gate whose backend says `jwks(path = …)` has its ring's key set there,
/// and the other gates of the ring have it where it would be without that gate.
///
/// # Errors
/// Two of the gates would have the same route.
pub(super) fn place(
    gates: &[&Running],
    is_taken: impl Fn(&str) -> bool,
) -> Result<Vec<RootPlace>, Error> {
    refuse_same_routes(gates)?;
    let of_default = || gates.iter().filter(|gate| gate.realm().is_none());
    let usual = of_default().find(|gate| own_key_set(gate).is_none());
    let main = usual.or_else(|| of_default().next()).or(gates.first());
    let is_main = |gate: &Running| main.is_some_and(|main| main.has_ring_of(gate));
    let mut places: Vec<RootPlace> = Vec::new();
    for (at, gate) in gates.iter().enumerate() {
        let own = own_key_set(gate);
        let is_with = |other: &Running| other.has_ring_of(gate) && own_key_set(other) == own;
        let mut earlier = gates.iter().zip(&places);
        let before = earlier.find(|(other, _)| is_with(other));
        let serves_key_set = before.is_none();
        let key_set = if let Some((_, place)) = before {
            place.key_set.clone()
        } else {
            let members = gates.iter().skip(at).filter(|other| is_with(other));
            let usual = is_main(gate).then(|| gate.routes.path(AuthRoute::Jwks).into_owned());
            let named = members.filter_map(|gate| Some(named_path(gate.realm()?.as_str())));
            let candidates: Vec<String> = match own {
                Some(own) => vec![own.to_owned()],
                None => usual.into_iter().chain(named).collect(),
            };
            let holder = |path: &str| {
                let mut others = gates.iter().zip(&places);
                others.find(|(_, place)| place.key_set.as_deref() == Some(path))
            };
            let free = candidates
                .iter()
                .find(|path| !is_taken(path) && holder(path).is_none());
            if let (None, Some((other, path))) = (
                free,
                candidates
                    .iter()
                    .find_map(|path| Some((holder(path)?.0, path))),
            ) {
                return Err(same_path(other, gate, path));
            }
            free.map(|path| path.as_str().into())
        };
        if key_set.is_none() {
            log_lost_key_set(gate);
        }
        let metadata = metadata_path(gate.settings());
        let serves_metadata = metadata.as_deref().is_some_and(|at| !is_taken(at));
        if metadata.is_some() && !serves_metadata {
            log_lost_metadata(gate);
        }
        places.push(RootPlace {
            key_set,
            serves_key_set,
            serves_metadata,
        });
    }
    Ok(places)
}

/// Refuses two gates that have the same auth route, or metadata at the same path.
fn refuse_same_routes(gates: &[&Running]) -> Result<(), Error> {
    for (at, gate) in gates.iter().enumerate() {
        for other in gates.iter().take(at) {
            if let Some(path) = same_route(gate, other) {
                return Err(same_path(other, gate, &path));
            }
            let (ours, theirs) = (
                metadata_path(gate.settings()),
                metadata_path(other.settings()),
            );
            if let Some(path) = ours.filter(|path| theirs.as_ref() == Some(path)) {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!(
                        "two gates cannot be added to one application: {} and {} both answer \
                         services, and their metadata would both be at `{path}`. Give one of them \
                         an issuer with another path, with `.issuer(\"…/{}\")`, or no \
                         `introspection.services`",
                        described(other),
                        described(gate),
                        gate.realm()
                            .or(other.realm())
                            .map_or("other", AsRef::as_ref),
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Returns the error that two gates have a route at the same path.
fn same_path(other: &Running, gate: &Running, path: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!(
            "two gates cannot be added to one application: {} and {} both have the route \
             `{path}`. {}",
            described(other),
            described(gate),
            way_out(gate, other),
        ),
    )
}

/// Returns what to change so that two gates have no path in common.
fn way_out(gate: &Running, other: &Running) -> String {
    let (ours, theirs) = (gate.routes.prefix, other.routes.prefix);
    if ours == theirs {
        format!("Give each `#[auth_backend]` a `prefix` of its own: both have `{ours}`")
    } else {
        format!(
            "Give the route another path in one `#[auth_backend]`: their prefixes are `{theirs}` \
             and `{ours}`"
        )
    }
}

/// Returns the path that the backend of a gate gives to the key set.
fn own_key_set(gate: &Running) -> Option<&'static str> {
    gate.routes.options(AuthRoute::Jwks).path
}

/// Returns the path of a route that both gates have, with any method: an application answers other
/// methods at the path of a gate, too. Gates of one ring may have one key set.
fn same_route(gate: &Running, other: &Running) -> Option<String> {
    let of = |gate: &Running| -> Vec<_> {
        let alone = RootPlace::alone(gate);
        let has_own = own_key_set(gate).is_some();
        let is_own = |row: &&RouteRow| {
            !row.is_at_root() || (has_own && row.route() == Some(AuthRoute::Jwks))
        };
        let rows = ROUTES.iter().filter(|row| is_own(row) && row.is_in(gate));
        rows.filter_map(|row| Some((row.path(gate, &alone)?, row.is_at_root())))
            .collect()
    };
    let share_ring = gate.has_ring_of(other);
    let theirs = of(other);
    let is_theirs = |path: &String, is_key_set: bool| {
        theirs.iter().any(|(their_path, their_key_set)| {
            path == their_path && !(share_ring && is_key_set && *their_key_set)
        })
    };
    of(gate)
        .into_iter()
        .find(|(path, is_key_set)| is_theirs(path, *is_key_set))
        .map(|(path, _)| path)
}

/// Returns the words that identify a gate in an error.
fn described(gate: &Running) -> String {
    let issuer = gate.settings().issuer.as_deref().unwrap_or_default();
    match gate.realm() {
        Some(realm) => format!("the gate of the realm `{realm}` (issuer `{issuer}`)"),
        None => format!("the gate of the default realm (issuer `{issuer}`)"),
    }
}

fn log_lost_key_set(gate: &Running) {
    tracing::error!(
        issuer = gate.settings().issuer.as_deref(),
        "a key set is not served: its path is taken, and a gate of the default realm has no other \
         one. Name a realm with `.realm(\"…\")`, or share the key ring"
    );
}

fn log_lost_metadata(gate: &Running) {
    tracing::error!(
        issuer = gate.settings().issuer.as_deref(),
        realm = gate.realm().map(AsRef::<str>::as_ref),
        "the metadata of a gate are not served: the application has a route at their path. Add \
         several gates with `tollgate::install`, or tell services the address of the \
         introspection by hand"
    );
}

fn named_path(realm: &str) -> String {
    format!("/.well-known/{realm}/jwks.json")
}
