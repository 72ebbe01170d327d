//! `tollgate archive`, `migrate`, `pause` and `resume`: what concerns the store as a whole.

use std::time::Duration;

use serde_json::json;

use super::args::{Archive, Common, Everywhere, Migrate};
use super::deployment::{self, Deployment, Purpose};
use super::output::{Done, Failure, Output};
use crate::clock::Clock;
use crate::event::{Event, EventKind};
use crate::realm::RealmName;
use crate::settings::{StoreUrl, parse_duration};
use crate::store::{self, RealmAction, schema_script};

/// Deletes what ended long ago, in batches.
pub(super) async fn archive(
    common: &Common,
    wanted: &Archive,
    output: &Output,
) -> Result<Done, Failure> {
    let age = match wanted.age.as_deref().map(parse_duration) {
        None => None,
        Some(Some(age)) => Some(age),
        Some(None) => {
            return Err(Failure::usage(
                "`--age` must be a duration such as `12h` or `7d`",
            ));
        }
    };
    let mut realms = vec![common.realm.clone()];
    if wanted.all_realms {
        let store = deployment::open_store(&deployment::settings(common)?).await?;
        let known = deployment::any_realm(&store).await?;
        let known = known.into_iter().map(|realm| realm.name);
        realms = known
            .map(|name| name.map(|name| name.to_string()))
            .collect();
    }
    let of_realm = |realm: &Option<String>| Common {
        realm: realm.clone(),
        ..common.clone()
    };
    // A realm that cannot be opened is found before anything is deleted.
    if realms.len() > 1 {
        for realm in &realms {
            let opened = Deployment::open(&of_realm(realm), Purpose::Store).await;
            opened.map_err(|failure| in_realm(realm.as_deref(), failure))?;
        }
    }
    let mut gone = store::Archived::default();
    for realm in &realms {
        let mut of_this = store::Archived::default();
        let own = of_realm(realm);
        let archived = archive_realm(&own, age, |so_far| {
            of_this = *so_far;
            let all = sum(gone, of_this);
            output.progress(&format!(
                "deleted {} sessions, {} tokens",
                all.sessions, all.tokens
            ));
        });
        let archived = archived.await;
        gone = sum(gone, of_this);
        archived.map_err(|failure| {
            let failure = in_realm(realm.as_deref(), failure);
            let (sessions, tokens) = (gone.sessions, gone.tokens);
            match gone == store::Archived::default() {
                true => failure,
                false => failure.after(&format!(
                    "{sessions} sessions and {tokens} tokens were deleted"
                )),
            }
        })?;
    }
    let (sessions, tokens, others) = (gone.sessions, gone.tokens, gone.others);
    let text = format!("deleted {sessions} sessions, {tokens} tokens and {others} other rows");
    let json = json!({ "sessions": sessions, "tokens": tokens, "others": others });
    Ok(Done::new(text, json))
}

/// Deletes what ended long ago in one realm, and tells after each batch what was deleted there.
async fn archive_realm(
    common: &Common,
    age: Option<Duration>,
    tell: impl FnMut(&store::Archived) + Send,
) -> Result<(), Failure> {
    let deployment = Deployment::open(common, Purpose::Store).await?;
    let engine = deployment.engine();
    let age = age.unwrap_or(engine.settings.archive.age);
    let before = engine.time.now().minus(age);
    engine.archive_telling(before, tell).await?;
    Ok(())
}

fn sum(one: store::Archived, other: store::Archived) -> store::Archived {
    store::Archived {
        sessions: one.sessions + other.sessions,
        tokens: one.tokens + other.tokens,
        others: one.others + other.others,
        more: other.more,
    }
}

/// Names the realm in which a command failed.
fn in_realm(realm: Option<&str>, failure: Failure) -> Failure {
    match realm {
        Some(realm) => failure.within(&format!("the realm `{realm}`")),
        None => failure,
    }
}

/// Brings the tables of every realm of a store to this version, or writes how to.
pub(super) async fn migrate(
    common: &Common,
    wanted: &Migrate,
    output: &Output,
) -> Result<Done, Failure> {
    let settings = deployment::settings(common)?;
    let realm = deployment::realm(common)?;
    if wanted.print {
        let url = settings.store.url.as_ref().map_or("", StoreUrl::expose);
        let script = schema_script(url, realm.as_ref()).ok_or_else(|| {
            Failure::usage(
                "this store has no tables: name one in PostgreSQL or SQLite with `--store`",
            )
        })?;
        let json = json!({ "sql": script });
        return Ok(Done::new(script, json));
    }
    let store = deployment::open_or_make(&settings).await?;
    let now = Clock::system().now();
    store.migrate(now).await?;
    let mut done = "the default realm".to_owned();
    let mut realms: Vec<_> = store
        .realms()
        .await?
        .into_iter()
        .map(|realm| realm.name)
        .collect();
    realms.extend(Some(realm).filter(Option::is_some));
    realms.sort();
    realms.dedup();
    for name in realms.iter().flatten() {
        output.progress(&format!("the realm `{name}`"));
        store.realm(name).migrate(now).await.map_err(|error| {
            in_realm(Some(name.as_str()), error.into())
                .after(&format!("{done} reached this version"))
        })?;
        done += &format!(", `{name}`");
    }
    let text = "the store is at this version";
    let names: Vec<_> = realms.iter().flatten().map(ToString::to_string).collect();
    Ok(Done::new(text, json!({ "realms": names })))
}

/// Pauses or resumes a realm, or every one.
pub(super) async fn pause(
    common: &Common,
    wanted: &Everywhere,
    paused: bool,
    output: &Output,
) -> Result<Done, Failure> {
    let realms = if wanted.all_realms {
        let store = deployment::open_store(&deployment::settings(common)?).await?;
        deployment::any_realm(&store).await?;
        output.progress("every realm");
        let (action, kind) = match paused {
            true => (RealmAction::Pause, EventKind::Paused),
            false => (RealmAction::Resume, EventKind::Resumed),
        };
        let tell = |realm: Option<&RealmName>, _| {
            Output::report(realm, &Event::new(kind.clone()));
        };
        let done = store::Everywhere::of(&store).each(action, tell).await?;
        deployment::names(&done)
    } else {
        let deployment = Deployment::open(common, Purpose::Store).await?;
        deployment.engine().set_paused(paused).await?;
        deployment::names(&[deployment.engine().realm.clone()])
    };
    let what = match paused {
        true => "paused",
        false => "resumed",
    };
    let text = format!("{what}: {}", realms.join(", "));
    Ok(Done::new(
        text,
        json!({ "paused": paused, "realms": realms }),
    ))
}
