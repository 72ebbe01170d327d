//! The scripts, each made of the pieces that it needs, and calls of them.

use std::sync::LazyLock;

use redis::{Cmd, Script};

use crate::clock::Timestamp;
use crate::secret::fill_random;
use crate::store::shared::hex::hex;
use crate::store::shared::operation::Cause;

/// A script, with the hash under which the server keeps it.
pub(super) struct LuaOperation {
    code: &'static str,
    script: LazyLock<Script>,
    /// `true` if its writes have to reach replicas.
    pub(super) writes: bool,
}

macro_rules! scripts {
    ($($access:ident $name:ident: $($file:literal)+;)+) => {
        $(pub(super) static $name: LuaOperation = LuaOperation {
            code: concat!(
                include_str!("lua/guard.lua"),
                $(include_str!(concat!("lua/", $file, ".lua"))),+
            ),
            script: LazyLock::new(|| Script::new($name.code)),
            writes: scripts!(@ $access),
        };)+
    };
    (@ reads) => { false };
    (@ writes) => { true };
}

scripts! {
    writes HEALTH: "session" "health";
    writes OPEN: "log" "epoch" "once" "session" "end" "record" "open";
    reads READ: "epoch" "read" "one";
    reads SESSIONS: "epoch" "session" "read" "sessions";
    reads SUBJECT: "epoch" "subject";
    writes ROTATE: "log" "record" "rotate";
    writes CONFIRM: "session" "confirm";
    writes REAUTHENTICATE: "epoch" "once" "session" "read" "reauthenticate";
    writes ATTACH: "session" "attach";
    writes REVOKE: "log" "epoch" "session" "end" "tree" "revoke";
    writes PAUSE: "log" "epoch" "pause";
    reads SINCE: "since";
    writes RECORD: "record" "record_tokens";
    reads TOKENS: "tree" "tokens";
    writes PUT: "put";
    writes TAKE: "epoch" "once" "take";
    reads READ_ONCE: "epoch" "once" "read_once";
    writes SPEND: "spend";
    reads KEYS: "keys";
    writes SWAP_KEYS: "swap_keys";
    reads REALMS: "realms";
    writes CLAIM: "claim";
    writes ARCHIVE: "session" "archive";
}

pub(super) static FOUND: LuaOperation = LuaOperation {
    code: include_str!("lua/found.lua"),
    script: LazyLock::new(|| Script::new(FOUND.code)),
    writes: true,
};

/// A call of a script: the keys and words that follow those of every call.
pub(super) struct Call {
    pub(super) operation: &'static LuaOperation,
    /// The time at which it was made, if its caller gives it.
    pub(super) now: Option<Timestamp>,
    keys: Vec<String>,
    words: Vec<Vec<u8>>,
}

impl Call {
    pub(super) const fn of(operation: &'static LuaOperation) -> Self {
        Self {
            operation,
            now: None,
            keys: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Makes a call whose script does not use the time.
    pub(super) fn made(operation: &'static LuaOperation, now: Timestamp) -> Self {
        Self {
            now: Some(now),
            ..Self::of(operation)
        }
    }

    /// Makes a call whose first word is the time. A time that a double cannot hold exactly is an
    /// error.
    pub(super) fn at(operation: &'static LuaOperation, now: Timestamp) -> Result<Self, Cause> {
        if now.as_millis() >= 1 << 53 {
            return Err("the clock is beyond the year 287000".into());
        }
        Ok(Self::made(operation, now).time(now))
    }

    /// Adds a key, without the prefix of every key.
    pub(super) fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    pub(super) fn word(mut self, word: impl Into<Vec<u8>>) -> Self {
        self.words.push(word.into());
        self
    }

    pub(super) fn number(self, number: impl Into<u64>) -> Self {
        self.word(number.into().to_string())
    }

    pub(super) fn time(self, at: Timestamp) -> Self {
        self.number(at.as_millis())
    }

    /// Adds a word that may be missing and may be empty: `=` and the word, or nothing.
    pub(super) fn option(self, word: Option<impl AsRef<[u8]>>) -> Self {
        self.word(word.map_or_else(Vec::new, |word| [b"=", word.as_ref()].concat()))
    }

    /// Adds a word that no other entry of any log has, so that a reader notices if the last entry
    /// that it read was replaced by another.
    pub(super) fn nonce(self) -> Result<Self, Cause> {
        let mut nonce = [0; 8];
        fill_random(&mut nonce)?;
        Ok(self.word(hex(&nonce)))
    }

    /// Returns the command that runs it on a server that has the script.
    pub(super) fn by_hash(&self, deployment: &str, prefix: &str) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(self.operation.script.get_hash());
        self.complete(command, deployment, prefix)
    }

    /// Returns the command that runs it on any server.
    pub(super) fn by_code(&self, deployment: &str, prefix: &str) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(self.operation.code);
        self.complete(command, deployment, prefix)
    }

    fn complete(&self, mut command: Cmd, deployment: &str, prefix: &str) -> Cmd {
        command
            .arg(self.keys.len() + 1)
            .arg(format!("{prefix}deployment"));
        for key in &self.keys {
            command.arg(format!("{prefix}{key}"));
        }
        command.arg(deployment).arg(prefix);
        for word in &self.words {
            command.arg(word.as_slice());
        }
        command
    }
}
