//! The address and the user agent of a session's last use, which a rotation records.

use crate::device::Client;
use crate::settings::SessionSettings;
use crate::store::{LastSeen, SeenFrom, Session};

/// Returns what a rotation by this client writes; `None` if the session was last used from the
/// same address with the same user agent, so that the usual refresh writes no more than its times.
///
/// The history has at most `max` entries, the latest first; one that has more is cut.
pub(crate) fn last_seen(session: &Session, client: &Client, max: u32) -> Option<LastSeen> {
    let max = usize::try_from(max.min(SessionSettings::MAX_HISTORY)).unwrap_or_default();
    let from = session.seen_from();
    let (ip, user_agent) = place_of(client);
    let is_same = (&from.ip, &from.user_agent) == (&ip, &user_agent);
    let before = session.last_seen.as_ref().map(|seen| &seen.history);
    if is_same && before.is_none_or(|history| history.len() <= max) {
        return None;
    }
    let left = Some(from).filter(|_| !is_same);
    let history: Vec<SeenFrom> = left
        .into_iter()
        .chain(before.into_iter().flatten().cloned())
        .take(max)
        .collect();
    Some(LastSeen {
        ip,
        user_agent,
        history,
    })
}

/// Returns the address and the user agent of a client, as a session remembers them.
fn place_of(client: &Client) -> (Option<String>, Option<String>) {
    let device = &client.device;
    let ip = device.ip.clone();
    let ip = ip.or_else(|| client.ip.map(|ip| ip.to_string()));
    let agent = device.user_agent.as_ref().or(client.user_agent.as_ref());
    (ip, agent.map(|agent| cut(agent).to_owned()))
}

/// Returns the beginning of a user agent. One that comes in a header is short enough already.
fn cut(agent: &str) -> &str {
    let end = (0..=MAX_USER_AGENT.min(agent.len()))
        .rev()
        .find(|end| agent.is_char_boundary(*end));
    agent.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// The longest user agent that is kept, in bytes.
const MAX_USER_AGENT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::device::Device;
    use crate::id::SessionId;
    use crate::store::{Authenticated, NewSession};

    fn opened() -> Session {
        let new = NewSession {
            sid: SessionId::from_bytes([1; 16]),
            subject: "ada".to_owned(),
            client_id: "first-party".to_owned(),
            device: Device {
                ip: Some("192.0.2.1".to_owned()),
                user_agent: Some("one".to_owned()),
                ..Device::default()
            },
            current: [0; 32],
            auth_time: Timestamp::from_secs(1),
            acr: None,
            claims: None,
            idle_exp: Timestamp::from_secs(100),
            abs_exp: Timestamp::from_secs(100),
            is_brief: false,
            authenticated: Authenticated::Since(Timestamp::from_secs(1)),
            limit: None,
            log_until: Timestamp::from_secs(100),
            replaces: Vec::new(),
            tokens: Vec::new(),
            takes: None,
        };
        Session::opened(&new, Timestamp::from_secs(1))
    }

    fn client(last: u8, agent: &str) -> Client {
        Client {
            ip: Some([192, 0, 2, last].into()),
            user_agent: Some(agent.to_owned()),
            ..Client::default()
        }
    }

    #[test]
    fn the_same_place_writes_nothing_and_another_one_is_kept() {
        let session = opened();
        assert_eq!(last_seen(&session, &client(1, "one"), 8), None);
        for other in [client(2, "one"), client(1, "two")] {
            let seen = last_seen(&session, &other, 0).unwrap();
            assert_eq!(seen.ip, other.ip.map(|ip| ip.to_string()));
            assert_eq!(seen.user_agent, other.user_agent);
            assert_eq!(seen.history, []);
        }
        // Back where it was opened.
        let mut session = session;
        session.last_seen = last_seen(&session, &client(2, "two"), 0);
        let back = last_seen(&session, &client(1, "one"), 0).unwrap();
        assert_eq!(back.ip.as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn the_history_has_the_latest_first_and_never_more_than_eight() {
        let mut session = opened();
        for number in 2..=20 {
            session.last_seen_at = Timestamp::from_secs(u64::from(number) - 1);
            session.last_seen = last_seen(&session, &client(number, "one"), u32::MAX);
        }
        let history = session.last_seen.clone().unwrap().history;
        let places: Vec<_> = history
            .iter()
            .map(|seen| (seen.ip.clone().unwrap(), seen.last_seen_at.as_secs()))
            .collect();
        let expected: Vec<_> = (12..=19)
            .rev()
            .map(|number| (format!("192.0.2.{number}"), number))
            .collect();
        assert_eq!(places, expected);
        // A smaller setting cuts it, even if the place is the same.
        let cut = last_seen(&session, &client(20, "one"), 3).unwrap();
        assert_eq!(cut.history, history[..3]);
        assert_eq!(last_seen(&session, &client(20, "one"), 8), None);
    }

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        let long = format!("{}é", "a".repeat(511));
        let seen = last_seen(&opened(), &client(1, &long), 0).unwrap();
        assert_eq!(seen.user_agent, Some("a".repeat(511)));
    }
}
