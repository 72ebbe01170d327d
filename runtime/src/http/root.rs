//! The paths of the key sets and the metadata of gates in an application.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::gate::Running;

use super::routes::{ROUTES, has_metadata, metadata_path};

/// The routes of a gate at the root of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RootPlace {
    /// The path of the key set of the gate's ring; `None` where it has none.
    pub(super) key_set: Option<Arc<str>>,
    /// `true` where this gate serves it; gates of one ring share it.
    pub(super) serves_key_set: bool,
    /// `true` where it serves the metadata of its issuer.
    pub(super) serves_metadata: bool,
}

impl RootPlace {
    /// Returns the root routes of a gate that is alone.
    pub(super) fn alone() -> Self {
        Self {
            key_set: Some(JWKS.into()),
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
/// the keys of two rings.
///
/// # Errors
/// Two of the gates would have the same route.
pub(super) fn place(
    gates: &[&Running],
    is_taken: impl Fn(&str) -> bool,
) -> Result<Vec<RootPlace>, Error> {
    refuse_same_routes(gates)?;
    let main = gates.iter().find(|gate| gate.realm().is_none());
    let main = main.or(gates.first());
    let is_main = |gate: &Running| main.is_some_and(|main| main.has_ring_of(gate));
    let mut places: Vec<RootPlace> = Vec::new();
    for (at, gate) in gates.iter().enumerate() {
        let sharing = |other: &&&Running| other.has_ring_of(gate);
        let before = gates.iter().zip(&places).find(|(other, _)| sharing(other));
        let serves_key_set = before.is_none();
        let key_set = if let Some((_, place)) = before {
            place.key_set.clone()
        } else {
            let usual = is_main(gate).then(|| JWKS.to_owned());
            let named = gates.iter().skip(at).filter(sharing);
            let named = named.filter_map(|gate| Some(named_path(gate.realm()?.as_str())));
            usual
                .into_iter()
                .chain(named)
                .find(|path| !is_taken(path))
                .map(Into::into)
        };
        if key_set.is_none() {
            log_lost_key_set(gate);
        }
        let serves_metadata = has_metadata(gate) && !is_taken(&metadata_path(gate));
        if has_metadata(gate) && !serves_metadata {
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
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!(
                        "two gates cannot be added to one application: {} and {} both have the \
                         route `{path}`. Give each `#[auth_backend]` a `prefix` of its own: both \
                         have `{}`",
                        described(other),
                        described(gate),
                        gate.routes.prefix,
                    ),
                ));
            }
            let path = metadata_path(gate);
            if has_metadata(gate) && has_metadata(other) && path == metadata_path(other) {
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

/// Returns the path of an auth route that both gates have with the same method.
fn same_route(gate: &Running, other: &Running) -> Option<String> {
    let alone = RootPlace::alone();
    let of = |gate: &Running| -> Vec<_> {
        let rows = ROUTES
            .iter()
            .filter(|row| !row.is_at_root() && row.is_in(gate));
        rows.filter_map(|row| Some((row.method, row.path(gate, &alone)?)))
            .collect()
    };
    let theirs = of(other);
    of(gate)
        .into_iter()
        .find(|route| theirs.contains(route))
        .map(|(_, path)| path)
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

const JWKS: &str = "/.well-known/jwks.json";
