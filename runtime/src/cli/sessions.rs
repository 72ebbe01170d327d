//! `tollgate sessions`: shows and ends sessions.

use serde_json::json;

use super::args::{Common, EndSessions, Sessions};
use super::deployment::{self, Deployment, Purpose};
use super::output::{Done, Exit, Failure, Output, table};
use super::time;
use crate::id::SessionId;
use crate::realm::RealmName;
use crate::session::{Revoke, event_of};
use crate::store::{Everywhere, RealmAction, RevokeReason, Session, SessionPage, Target};

pub(super) async fn run(
    common: &Common,
    command: Sessions,
    output: &Output,
) -> Result<Done, Failure> {
    match command {
        Sessions::List { subject } => list(common, subject).await,
        Sessions::End(end_sessions) => end(common, end_sessions, output).await,
    }
}

async fn list(common: &Common, subject: String) -> Result<Done, Failure> {
    let deployment = Deployment::open(common, Purpose::Store).await?;
    let engine = deployment.engine();
    let now = engine.time.now();
    let sessions = engine
        .store
        .sessions_of(subject, SessionPage::ALL, now)
        .await?;
    let row = |session: &Session| {
        let device = &session.device;
        vec![
            session.sid.to_string(),
            time::show(session.created_at),
            time::show(session.last_seen_at),
            time::show(session.idle_exp.min(session.abs_exp)),
            device.ip.clone().unwrap_or_default(),
            device
                .name
                .clone()
                .or_else(|| device.user_agent.clone())
                .unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = sessions.iter().map(row).collect();
    let head = ["SESSION", "OPENED", "SEEN", "ENDS", "ADDRESS", "DEVICE"];
    let json = sessions.iter().map(|session| {
        json!({
            "session_id": session.sid.to_string(),
            "subject": session.subject,
            "client_id": session.client_id,
            "created_at": time::show(session.created_at),
            "last_seen_at": time::show(session.last_seen_at),
            "expires_at": time::show(session.idle_exp.min(session.abs_exp)),
            "device": session.device,
        })
    });
    let json = json!({ "sessions": json.collect::<Vec<_>>() });
    let text = match rows.as_slice() {
        [] => "no live session".to_owned(),
        rows => table(&head, rows),
    };
    Ok(Done::new(text, json))
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
