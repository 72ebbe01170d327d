//! `tollgate sessions`: shows and ends sessions.

use serde_json::{Value, json};

use super::args::{Common, EndSessions, Sessions};
use super::deployment::{self, Deployment, Purpose};
use super::output::{Done, Exit, Failure, Output, table};
use super::time;
use crate::id::SessionId;
use crate::realm::RealmName;
use crate::session::{Revoke, event_of};
use crate::store::{Everywhere, RealmAction, RevokeReason, SeenFrom, Session, SessionPage, Target};

pub(super) async fn run(
    common: &Common,
    command: Sessions,
    output: &Output,
) -> Result<Done, Failure> {
    match command {
        Sessions::List { subject, history } => list(common, subject, history).await,
        Sessions::End(end_sessions) => end(common, end_sessions, output).await,
    }
}

async fn list(common: &Common, subject: String, history: bool) -> Result<Done, Failure> {
    let deployment = Deployment::open(common, Purpose::Store).await?;
    let engine = deployment.engine();
    let now = engine.time.now();
    let sessions = engine
        .store
        .sessions_of(subject, SessionPage::ALL, now)
        .await?;
    let rows = |session: &Session| {
        let seen = session.seen_from();
        let name = session.device.name.clone();
        let mut rows = vec![vec![
            session.sid.to_string(),
            time::show(session.created_at),
            time::show(seen.last_seen_at),
            time::show(session.idle_exp.min(session.abs_exp)),
            seen.ip.unwrap_or_default(),
            name.or(seen.user_agent).unwrap_or_default(),
        ]];
        // Earlier places are below the last one.
        rows.extend(former(session, history).iter().map(|seen| {
            vec![
                String::new(),
                String::new(),
                time::show(seen.last_seen_at),
                String::new(),
                seen.ip.clone().unwrap_or_default(),
                seen.user_agent.clone().unwrap_or_default(),
            ]
        }));
        rows
    };
    let rows: Vec<_> = sessions.iter().flat_map(rows).collect();
    let head = ["SESSION", "OPENED", "SEEN", "ENDS", "ADDRESS", "DEVICE"];
    let json = sessions.iter().map(|session| {
        let seen = session.seen_from();
        let mut json = json!({
            "session_id": session.sid.to_string(),
            "subject": session.subject,
            "client_id": session.client_id,
            "created_at": time::show(session.created_at),
            "last_seen_at": time::show(session.last_seen_at),
            "expires_at": time::show(session.idle_exp.min(session.abs_exp)),
            "device": session.device,
            "last_seen_ip": seen.ip,
            "last_seen_user_agent": seen.user_agent,
        });
        if history {
            let former = former(session, history).iter().map(|seen| {
                json!({
                    "ip": seen.ip,
                    "user_agent": seen.user_agent,
                    "last_seen_at": time::show(seen.last_seen_at),
                })
            });
            let former: Value = former.collect();
            if let Some(members) = json.as_object_mut() {
                members.insert("history".to_owned(), former);
            }
        }
        json
    });
    let json = json!({ "sessions": json.collect::<Vec<_>>() });
    let text = match rows.as_slice() {
        [] => "no live session".to_owned(),
        rows => table(&head, rows),
    };
    Ok(Done::new(text, json))
}

/// Returns the places that the session was used from before, the latest first, if they are asked
/// for.
fn former(session: &Session, history: bool) -> &[SeenFrom] {
    let last = session.last_seen.as_ref().filter(|_| history);
    last.map_or(&[], |seen| &seen.history)
}

async fn end(common: &Common, end: EndSessions, output: &Output) -> Result<Done, Failure> {
    let EndSessions { which, all_realms } = end;
    if which.everything {
        let what = match all_realms {
            true => "to sign everyone of every realm out",
            false => "to sign everyone of the realm out",
        };
        output.confirm(common.yes, what)?;
    }
    if all_realms {
        let store = deployment::open_store(&deployment::settings(common)?).await?;
        deployment::any_realm(&store).await?;
        let tell = |realm: Option<&RealmName>, sessions| {
            let target = Target::Everything;
            Output::report(realm, &event_of(target, RevokeReason::Requested, sessions));
        };
        let done = Everywhere::of(&store).each(RealmAction::Revoke, tell).await;
        let realms = deployment::names(&done?);
        let text = format!(
            "everything that was issued is over in: {}",
            realms.join(", ")
        );
        return Ok(Done::new(text, json!({ "realms": realms })));
    }
    let deployment = Deployment::open(common, Purpose::Store).await?;
    let engine = deployment.engine();
    let revoke = if let Some(text) = &which.session {
        let sid = SessionId::parse(text).ok_or_else(|| {
            Failure::usage("this is no id of a session: `sessions list` shows them")
        })?;
        let now = engine.time.now();
        let session = engine.store.session(sid, now).await?;
        if !session.is_some_and(|session| session.is_live(now)) {
            return Err(Failure::new(
                Exit::Missing,
                "there is no live session of this id in the realm",
            ));
        }
        Revoke::session(sid)
    } else if let Some(subject) = &which.subject {
        Revoke::subject(subject)
    } else if let Some(client) = which.client {
        Revoke::client(client)
    } else {
        Revoke::everything()
    };
    let ended = deployment.flows.revoke(revoke).await?.sessions;
    let text = match ended {
        1 => "1 session ended".to_owned(),
        ended => format!("{ended} sessions ended"),
    };
    Ok(Done::new(text, json!({ "sessions": ended })))
}
