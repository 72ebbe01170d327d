//! The revocation log: a stream, and the lasting facts beside it.

use redis::Value;

use super::open::RedisStore;
use super::script::{Call, PAUSE, SINCE};
use super::{reply, row};
use crate::clock::Timestamp;
use crate::store::record::{LogCursor, LogEntry, LogPage};
use crate::store::shared::operation::Cause;

impl RedisStore {
    /// Reads the entries after a cursor, one piece after the other, so that a long log does not
    /// delay all other callers.
    ///
    /// The pieces need not be of one moment: ids only grow, so entries that are written meanwhile
    /// come in a later piece. The lasting facts are read with the last piece.
    pub(super) async fn follow(
        &self,
        cursor: &LogCursor,
        now: Timestamp,
    ) -> Result<LogPage, Cause> {
        let seen = StreamCursor::parse(&cursor.0);
        let mut last = seen.clone();
        let mut next = String::new();
        let mut entries = Vec::new();
        let mut starts_over = false;
        loop {
            let piece = self.answer(&since(seen.as_ref(), &next, now)).await?;
            let mut piece = reply::ReplyRow::of(piece)?;
            // Only the first piece looks at the cursor.
            starts_over |= reply::done(piece.next())?;
            let mut count = 0;
            for line in reply::list(piece.next())? {
                let (read, entry) = line_of(line)?;
                next = format!("({}", read.id);
                entries.extend(
                    entry
                        .filter(|entry| entry.until > now)
                        .map(|entry| (read.place, entry)),
                );
                last = Some(read);
                count += 1;
            }
            if count == PAGE_LEN {
                continue;
            }
            let after = seen.filter(|_| !starts_over).map(|seen| seen.place);
            entries.extend(
                lasting(piece.next())?
                    .into_iter()
                    .filter(|(place, _)| after.is_none_or(|after| *place > after)),
            );
            entries.sort_by_key(|(place, _)| *place);
            let entries = entries.into_iter().map(|(_, entry)| entry).collect();
            return Ok(LogPage {
                entries,
                cursor: LogCursor(last.map(|last| last.to_string()).unwrap_or_default()),
            });
        }
    }
}

/// The place of an entry in the stream: milliseconds, and a number within them.
type StreamId = (u64, u64);

/// The entry that was read last.
#[derive(Clone, Debug)]
struct StreamCursor {
    id: String,
    place: StreamId,
    nonce: String,
}

impl StreamCursor {
    /// Reads a cursor; `None` if this store cannot have given it.
    fn parse(cursor: &str) -> Option<Self> {
        let (id, nonce) = cursor.split_once('/')?;
        let place = place(id)?;
        Some(Self {
            id: format!("{}-{}", place.0, place.1),
            place,
            nonce: nonce.to_owned(),
        })
    }
}

impl std::fmt::Display for StreamCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.id, self.nonce)
    }
}

/// Returns the id of the last entry that a cursor has seen.
pub(super) fn behind(cursor: &LogCursor) -> String {
    StreamCursor::parse(&cursor.0).map_or_else(|| "0".to_owned(), |seen| seen.id)
}

fn since(seen: Option<&StreamCursor>, next: &str, now: Timestamp) -> Call {
    let (id, nonce) = seen.map_or(("", ""), |seen| (seen.id.as_str(), seen.nonce.as_str()));
    Call::made(&SINCE, now)
        .key("log")
        .key("lasting")
        .word(id)
        .word(nonce)
        .word(next)
        .number(PAGE_LEN)
}

/// Reads a line of the stream: its id, and kind, key, value, until and nonce, each after its name.
/// The line of a lasting fact is not an entry.
fn line_of(line: Value) -> Result<(StreamCursor, Option<LogEntry>), Cause> {
    let mut line = reply::ReplyRow::of(line)?;
    let id = reply::text(line.next())?;
    let place = place(&id).ok_or("the log has an id that cannot be read")?;
    let mut fields = reply::list(line.next())?.into_iter().skip(1).step_by(2);
    let mut field = || fields.next().unwrap_or(Value::Nil);
    let (kind, key, value) = (
        reply::text(field())?,
        reply::text(field())?,
        reply::number(field())?,
    );
    let (until, nonce) = (reply::number(field())?, reply::text(field())?);
    let entry = match until {
        0 => None,
        until => Some(LogEntry {
            fact: row::fact(&kind, key, value)?,
            until: Timestamp::from_millis(until),
        }),
    };
    Ok((StreamCursor { id, place, nonce }, entry))
}

/// Reads the lasting facts with the ids of the lines that wrote them last: `kind:key`, and `value
/// id`.
fn lasting(fields: Value) -> Result<Vec<(StreamId, LogEntry)>, Cause> {
    let mut fields = reply::list(fields)?.into_iter();
    let mut facts = Vec::new();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        let (name, value) = (reply::text(name)?, reply::text(value)?);
        let (kind, key) = name.split_once(':').ok_or("a lasting fact has no name")?;
        let (value, id) = value.split_once(' ').ok_or("a lasting fact has no place")?;
        let fact = row::fact(kind, key.to_owned(), value.parse()?)?;
        let place = place(id).ok_or("a lasting fact has a place that cannot be read")?;
        facts.push((
            place,
            LogEntry {
                fact,
                until: Timestamp::MAX,
            },
        ));
    }
    Ok(facts)
}

fn place(id: &str) -> Option<StreamId> {
    let (millis, number) = id.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(millis) || !digits(number) {
        return None;
    }
    Some((millis.parse().ok()?, number.parse().ok()?))
}

pub(super) fn set_paused(paused: bool, now: Timestamp) -> Result<Call, Cause> {
    Call::at(&PAUSE, now)?
        .key("log")
        .key("lasting")
        .number(u32::from(paused))
        .nonce()
}

/// The number of entries that are read at once.
const PAGE_LEN: u64 = 5000;
