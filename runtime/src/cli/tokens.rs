//! `tollgate tokens`: reads, checks, makes and lists tokens.

use std::io::Read as _;

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::args::{Common, ListTokens, Mint, Tokens};
use super::backend::GivenClaims;
use super::deployment::{Deployment, Purpose};
use super::output::{Done, Exit, Failure, Output, json_text, printable, table};
use super::time;
use crate::error::Code;
use crate::event::{Event, EventKind};
use crate::id::SessionId;
use crate::session::{ANY, Expiry, Occasion};
use crate::settings::parse_duration;
use crate::store::{TokenQuery, TokenRecord};
use crate::token::{Envelope, Verified};

pub(super) async fn run(
    common: &Common,
    command: Tokens,
    output: &Output,
) -> Result<Done, Failure> {
    match command {
        Tokens::Inspect { token } => inspect(&read(token)?),
        Tokens::Verify { token } => verify(common, &read(token)?).await,
        Tokens::Mint(wanted) => mint(common, wanted).await,
        Tokens::List(wanted) => list(common, wanted, output).await,
    }
}

/// Returns the token of an argument, or of the standard input where that is `-`.
fn read(argument: String) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("the token cannot be read: {error}")))?;
    Ok(text.trim().to_owned())
}

/// Shows what a token says.
fn inspect(token: &str) -> Result<Done, Failure> {
    let no_token = || Failure::usage("this is no JWT, nor a refresh token of tollgate");
    if token.starts_with("tgr1_") {
        let text = "a refresh token: it says nothing by itself, and the store knows its session";
        return Ok(Done::new(text, json!({ "kind": "refresh" })));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let header = decode(parts.first().copied().unwrap_or_default()).ok_or_else(no_token)?;
    let (kind, claims) = match parts.as_slice() {
        [_, claims, _] => ("signed", Some(decode(claims).ok_or_else(no_token)?)),
        [_, _, _, _, _] => ("encrypted", None),
        _ => return Err(no_token()),
    };
    let shown = |part: &Map<String, Value>| json_text(&Value::Object(part.clone()));
    let json = json!({ "kind": kind, "verified": false, "header": header, "claims": claims });
    let mut text = format!("{kind}, not verified\nheader: {}\n", shown(&header));
    if let Some(claims) = &claims {
        text += &format!("claims: {}\n", shown(claims));
        text += &times(claims);
    }
    Ok(Done::new(text, json))
}

/// Decodes a part of a token into an object.
fn decode(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Writes the times of a token as people read them.
fn times(claims: &Map<String, Value>) -> String {
    let line = |name: &str| {
        let at = claims.get(name)?.as_u64()?;
        let at = time::show(crate::clock::Timestamp::from_secs(at));
        Some(format!("{name}: {at}\n"))
    };
    ["iat", "nbf", "exp", "auth_time"]
        .into_iter()
        .filter_map(line)
        .collect()
}

/// Returns how a token travels.
fn envelope(token: &str) -> Envelope {
    match token.matches('.').count() {
        4 => Envelope::Encrypted,
        _ => Envelope::Open,
    }
}

/// Checks a token as a protected route does.
async fn verify(common: &Common, token: &str) -> Result<Done, Failure> {
    let deployment = Deployment::open(common, Purpose::Tokens(envelope(token))).await?;
    let engine = deployment.engine();
    engine.follower.catch_up().await?;
    let admission = &engine.admission;
    let verified: Result<Verified<GivenClaims>, _> = admission.recognise(token, Expiry::Counts);
    let admitted = match &verified {
        Ok(verified) => {
            let now = admission.now();
            admission
                .admit_verified(verified.token(), Occasion::QUESTION, now)
                .await
        }
        Err(refusal) => Err(crate::error::Refusal::new(refusal.code())),
    };
    if let Err(refusal) = admitted {
        if refusal.code() == Code::Unavailable {
            let why = match engine.is_paused() {
                true => "the deployment is paused",
                false => "the revocations cannot be read",
            };
            return Err(Failure::new(Exit::Unavailable, why));
        }
        let why = match (refusal.code(), &verified) {
            (Code::TokenExpired, _) => "it has expired",
            (_, Ok(_)) => "it was revoked",
            _ => "its signature, issuer, audience, realm or form is not this deployment's",
        };
        let json = json!({ "active": false, "code": refusal.code().as_str(), "why": why });
        return Ok(Done::new(format!("does not count: {why}"), json).exit(Exit::No));
    }
    let token = verified.map(|verified| verified.token().clone()).ok();
    let (subject, jti, expires_at) = token
        .map(|token| {
            let jti = token.jti().to_string();
            (token.subject().to_owned(), jti, token.expires_at())
        })
        .unwrap_or_default();
    let text = format!(
        "counts: for `{}` until {}",
        printable(&subject),
        time::show(expires_at)
    );
    let json = json!({
        "active": true, "sub": subject, "jti": jti, "exp": time::show(expires_at),
    });
    Ok(Done::new(text, json))
}

/// Signs a token without a session, and writes it into the registry.
async fn mint(common: &Common, wanted: Mint) -> Result<Done, Failure> {
    let mut claims = Map::new();
    for claim in &wanted.claims {
        let (name, value) = claim
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Failure::usage("`--claim` takes a name, `=` and a value"))?;
        if RESERVED.contains(&name) {
            return Err(Failure::usage(format!(
                "the claim `{name}` is the gate's own: leave it out"
            )));
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        if claims.insert(name.to_owned(), value).is_some() {
            return Err(Failure::usage(format!("the claim `{name}` is given twice")));
        }
    }
    if wanted.subject.is_empty() {
        return Err(Failure::usage("the subject is empty"));
    }
    let envelope = match wanted.encrypted {
        true => Envelope::Encrypted,
        false => Envelope::Open,
    };
    let deployment = Deployment::open(common, Purpose::Tokens(envelope)).await?;
    let engine = deployment.engine();
    let lifetime = match wanted.lifetime.as_deref().map(parse_duration) {
        None => engine.settings.access.ttl,
        Some(Some(lifetime)) => lifetime,
        Some(None) => {
            return Err(Failure::usage(
                "`--lifetime` must be a duration such as `30s`, `10m` or `1h30m`",
            ));
        }
    };
    // A pause that this process did not see yet forbids it too.
    engine.follower.catch_up().await?;
    if engine.is_paused() {
        return Err(Failure::new(
            Exit::Unavailable,
            "the deployment is paused, and issues no tokens: try again after `tollgate resume`",
        ));
    }
    let claims = GivenClaims {
        subject: wanted.subject,
        claims,
    };
    let token = deployment.flows.issue(&claims, lifetime).await?;
    if !wanted.unregistered {
        deployment.flows.register(&token, None).await?;
    }
    let signed: Result<Verified<GivenClaims>, _> =
        engine.admission.recognise(&token, Expiry::Counts);
    let signed = signed.map_err(|_| {
        Failure::new(
            Exit::Unavailable,
            "the token does not verify with the ring that signed it",
        )
    })?;
    let minted = EventKind::TokenMinted {
        jti: signed.token().jti(),
    };
    let event = Event::new(minted).subject(signed.token().subject());
    engine.events.emit(&event);
    let json = json!({ "access_token": token, "expires_in": lifetime.as_secs() });
    Ok(Done::new(token, json))
}

/// Lists tokens of the registry, page by page.
async fn list(common: &Common, wanted: ListTokens, output: &Output) -> Result<Done, Failure> {
    let sid = match &wanted.session {
        None => None,
        Some(text) => Some(SessionId::parse(text).ok_or_else(|| {
            Failure::usage("`--session` is no id of a session: `sessions list` shows them")
        })?),
    };
    let deployment = Deployment::open(common, Purpose::Store).await?;
    let engine = deployment.engine();
    let mut found: Vec<TokenRecord> = Vec::new();
    loop {
        let left = wanted
            .limit
            .saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let query = TokenQuery {
            subject: wanted.subject.clone(),
            sid,
            active: match (wanted.active, wanted.expired) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            limit: left.min(PAGE),
            after: found.last().map(|row| (row.issued_at, row.jti)),
            ..ANY
        };
        if query.limit == 0 {
            break;
        }
        let page = engine.store.tokens(query, engine.time.now()).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
        output.progress(&format!("{} tokens", found.len()));
    }
    let row = |token: &TokenRecord| {
        vec![
            token.jti.to_string(),
            token.kind.as_str().to_owned(),
            token.subject.clone(),
            token.sid.map(|sid| sid.to_string()).unwrap_or_default(),
            time::show(token.issued_at),
            time::show(token.expires_at),
            token.revoked_at.map(time::show).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let head = [
        "TOKEN", "KIND", "SUBJECT", "SESSION", "ISSUED", "EXPIRES", "REVOKED",
    ];
    let text = match rows.as_slice() {
        [] => "the registry has no such token".to_owned(),
        rows => table(&head, rows),
    };
    let json = found.iter().map(|token| {
        json!({
            "jti": token.jti.to_string(),
            "kind": token.kind,
            "subject": token.subject,
            "session_id": token.sid.map(|sid| sid.to_string()),
            "issued_at": time::show(token.issued_at),
            "expires_at": time::show(token.expires_at),
            "revoked_at": token.revoked_at.map(time::show),
        })
    });
    Ok(Done::new(
        text,
        json!({ "tokens": json.collect::<Vec<_>>() }),
    ))
}

/// The number of rows that are read at once.
const PAGE: u32 = 500;

/// The longest text that is read as a token, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The claims that the gate sets itself or that a standard gives another meaning, as the derive
/// refuses them.
const RESERVED: [&str; 29] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "gen",
    "uep",
    "rlm",
    "auth_time",
    "acr",
    "bnd",
    "amr",
    "azp",
    "client_id",
    "cnf",
    "act",
    "may_act",
    "typ",
    "nonce",
    "alg",
    "kid",
    "at_hash",
    "c_hash",
    "events",
    "txn",
    "token_introspection",
];
