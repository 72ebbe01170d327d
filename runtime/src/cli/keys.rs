//! `tollgate keys`: shows and changes the ring.

use serde_json::json;

use super::args::{Common, Keys};
use super::deployment::{self, Deployment, Purpose};
use super::output::{Done, Exit, Failure, Output, table};
use super::time;
use crate::clock::Clock;
use crate::keys::{KeyDescription, KeyPurpose, KeyRing, KeyState};

pub(super) async fn run(common: &Common, command: Keys, output: &Output) -> Result<Done, Failure> {
    match command {
        Keys::List => list(&open(common).await?).await,
        Keys::Jwks => {
            let ring = open(common).await?;
            let jwks = serde_json::to_value(ring.jwks()).unwrap_or_default();
            Ok(Done::new(format!("{jwks:#}"), jwks))
        }
        Keys::Rotate => rotate(common).await,
        Keys::Retire { name } => retire(common, &name, output).await,
    }
}

/// Opens the ring alone, and the store only if the ring lies in it.
async fn open(common: &Common) -> Result<KeyRing, Failure> {
    let settings = deployment::settings(common)?;
    let store = match &common.ring_secret {
        Some(_) => Some(deployment::open_store(&settings).await?),
        None => None,
    };
    deployment::open_ring(common, &settings, store.as_ref()).await
}

async fn list(ring: &KeyRing) -> Result<Done, Failure> {
    let (now, keys) = (Clock::system().now(), ring.described().await);
    let row = |key: &KeyDescription| {
        vec![
            key.name.clone(),
            key.purpose.to_string(),
            key.state.as_str().to_owned(),
            time::age(now.since(key.published_at)),
            key.until.map(time::show).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    let text = table(&["NAME", "PURPOSE", "STATE", "AGE", "NEEDED UNTIL"], &rows);
    let json = keys.iter().map(|key| {
        json!({
            "name": key.name,
            "purpose": key.purpose.to_string(),
            "state": key.state,
            "published_at": time::show(key.published_at),
            "until": key.until.map(time::show),
        })
    });
    let algorithm = ring.set().algorithm();
    let json = json!({ "algorithm": algorithm, "keys": json.collect::<Vec<_>>() });
    Ok(Done::new(format!("{algorithm}\n{text}"), json))
}

async fn rotate(common: &Common) -> Result<Done, Failure> {
    refuse_other_owner(common)?;
    let ring = open(common).await?;
    let settings = deployment::settings(common)?;
    deployment::set_lifetimes(&ring, &settings);
    let rotation = ring.rotate().await?;
    let (current, previous) = (&*rotation.current, &*rotation.previous);
    let text = format!(
        "`{current}` signs from now on, and `{previous}` verifies until its last token expires. \
         Programs that run follow within ten seconds."
    );
    Ok(Done::new(
        text,
        json!({ "current": current, "previous": previous }),
    ))
}

async fn retire(common: &Common, name: &str, output: &Output) -> Result<Done, Failure> {
    refuse_other_owner(common)?;
    let deployment = Deployment::open(common, Purpose::Keys).await?;
    let engine = deployment.engine();
    let plain = name.strip_prefix("sign-").unwrap_or(name);
    let keys = engine.ring.described().await;
    let key = keys.iter().find(|key| key.name == plain).ok_or_else(|| {
        let known: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        Failure::new(
            Exit::Missing,
            format!("the ring has no key `{name}`: it has {}", known.join(", ")),
        )
    })?;
    let what = match (key.purpose, key.state) {
        (_, KeyState::Retired) => {
            return Err(Failure::usage(format!(
                "the key `{plain}` is retired already"
            )));
        }
        (KeyPurpose::Sign, _) => format!("to retire `{plain}` ends every token that it signed; it"),
        _ => format!("to retire `{plain}` ends everything that it made; it"),
    };
    output.confirm(common.yes, &what)?;
    engine.retire_key(plain).await?;
    let text = format!("`{plain}` no longer counts. Programs that run follow within ten seconds.");
    Ok(Done::new(text, json!({ "retired": plain })))
}

/// Refuses to change a folder of another user, whose program could not read what was written.
fn refuse_other_owner(common: &Common) -> Result<(), Failure> {
    let Some(folder) = &common.keys else {
        return Ok(());
    };
    match std::fs::metadata(folder) {
        Ok(about) => deployment::refuse_other_owner(folder, &about),
        Err(error) => Err(Failure::usage(format!(
            "`{}` cannot be read: {error}: name the folder of the ring with `--keys`",
            folder.display()
        ))),
    }
}
