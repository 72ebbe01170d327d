//! Opening the file: the files that are refused, the options of connections, the threads that are
//! started.

use std::error::Error as _;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{Notify, oneshot};

use super::read::{self, Readers};
use super::realm;
use super::schema;
use super::write::{self, Writer};
use crate::error::{Error, ErrorKind};
use crate::store::record::StoreError;
use crate::store::shared::operation::{Cause, StoreOperation};
use crate::store::shared::tables::{RealmTableCache, RealmTables};

/// Sessions in an SQLite file. Clones share the file's connections.
///
/// One thread writes: it takes the operations in the queue, runs them in one transaction
/// (`BEGIN IMMEDIATE`, `synchronous=FULL`), each in a savepoint of its own, and answers after
/// `COMMIT`. Two threads read what is committed. The threads end with the last clone. Several
/// processes on one machine may use one file; a network file system must not be used.
///
/// A full queue, a full disk and a file that stays locked longer than the busy timeout answer
/// [`StoreError`], and the next operation starts afresh.
#[derive(Clone)]
pub struct SqliteStore {
    pub(super) file: Arc<SqliteFile>,
    pub(super) tables: Arc<RealmTables>,
}

/// The open file.
pub(super) struct SqliteFile {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
    /// Wakes the callers that wait for the log in this process.
    pub(super) logged: Notify,
    pub(super) realms: RealmTableCache,
}

impl SqliteStore {
    /// Opens the file, and makes it (readable by its owner alone, on Unix) if it does not exist.
    ///
    /// # Errors
    /// The file cannot be made or written to, is a directory, is not a database, or was written by
    /// a newer version. The message names it.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options(path).open().await
    }

    /// Opens the file with other than the default options.
    #[must_use]
    pub fn options(path: impl AsRef<Path>) -> SqliteOptions {
        SqliteOptions::new(path.as_ref())
    }

    /// Runs an operation on the writing connection.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: StoreOperation,
        run: impl FnOnce(&realm::Connection<'_>) -> Result<T, Cause> + Send + 'static,
    ) -> Result<T, StoreError> {
        let tables = Arc::clone(&self.tables);
        let run = move |db: &Connection| run(&realm::Connection::new(db, &tables));
        self.file
            .writer
            .run(operation, run)
            .await
            .map_err(|error| self.named(operation, &error))
    }

    /// Runs an operation on a reading connection.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        operation: StoreOperation,
        run: impl FnOnce(&realm::Connection<'_>) -> Result<T, Cause> + Send + 'static,
    ) -> Result<T, StoreError> {
        let tables = Arc::clone(&self.tables);
        let run = move |db: &Connection| run(&realm::Connection::new(db, &tables));
        self.file
            .readers
            .run(operation, run)
            .await
            .map_err(|error| self.named(operation, &error))
    }

    /// Adds the path of the file to an error, for the people who operate the program.
    fn named(&self, operation: StoreOperation, error: &StoreError) -> StoreError {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        operation.failed(format!("`{}`: {cause}", self.file.path.display()))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.file.path.display())
    }
}

/// Returns whether a file that is there holds tables of tollgate, and leaves it as it is: opening
/// the store would turn a file of another program to write-ahead logging.
///
/// # Errors
/// The file cannot be read as a database.
#[cfg(feature = "cli")]
pub(crate) fn holds_tables(path: &str) -> Result<bool, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'tg_schema')";
    Connection::open_with_flags(path, flags)
        .and_then(|db| db.query_row(sql, [], |row| row.get(0)))
        .map_err(|error| {
            let what = format!("`{path}` cannot be read as a database");
            Error::new(ErrorKind::Store, what).because(error)
        })
}

/// The options of opening a file. Made by [`SqliteStore::options`].
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    path: PathBuf,
    busy_timeout: Duration,
    queue: usize,
    max_pages: Option<u32>,
}

impl SqliteOptions {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            busy_timeout: Duration::from_secs(5),
            queue: 4096,
            max_pages: None,
        }
    }

    /// Sets how long an operation waits for another process that holds the file's lock. By default
    /// 5 s.
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets how many operations may wait for the writer, and as many for the readers, before the
    /// next one is answered with an error. By default 4096, so that the queue is bounded and a
    /// client learns at once that it has to try again.
    #[must_use]
    pub const fn queue(mut self, operations: usize) -> Self {
        self.queue = operations;
        self
    }

    /// Sets the greatest size of the file, in pages of 4 KiB; an operation that needs more is
    /// answered as on a full disk. By default there is no limit.
    #[must_use]
    pub const fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// Opens the file, and makes it if it does not exist.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open(mut self) -> Result<SqliteStore, Error> {
        if self.path.as_os_str().is_empty() || self.path == Path::new(":memory:") {
            return Err(self.refusal("is not a file; `MemoryStore` keeps sessions in memory"));
        }
        // The readers open the file by name too, even if the process changes its working directory.
        self.path = std::path::absolute(&self.path)
            .map_err(|error| self.refusal("has no absolute path").because(error))?;

        let (writer, queued) = sync_channel(self.queue.max(1));
        let (reading, gone) = channel();
        self.start("tollgate-sqlite-write", Self::writing, move |db| {
            write::serve(&db, &queued);
            // Of two connections that close at once, each can expect the other one to stay open,
            // and leave the write-ahead log behind. So the readers close first: nothing is ever
            // sent on this channel, and the wait ends when the last reader drops its end.
            let _: Result<(), _> = gone.recv();
            let _ = db.execute_batch("PRAGMA wal_checkpoint(PASSIVE)");
        })
        .await?;
        let (readers, queued) = sync_channel(self.queue.max(1));
        let queued = Arc::new(Mutex::new(queued));
        for _ in 0..READERS {
            let (queued, reading) = (Arc::clone(&queued), reading.clone());
            self.start("tollgate-sqlite-read", Self::reading, move |db| {
                read::serve(&db, &queued);
                drop(db);
                drop(reading);
            })
            .await?;
        }
        let file = SqliteFile {
            path: self.path,
            writer: Writer(writer),
            readers: Readers(readers),
            logged: Notify::new(),
            realms: RealmTableCache::default(),
        };
        Ok(SqliteStore {
            file: Arc::new(file),
            tables: Arc::new(RealmTables::of(None)),
        })
    }

    /// Starts a thread that opens a connection, reports the result, and serves.
    async fn start(
        &self,
        name: &str,
        connect: fn(&Self) -> Result<Connection, Error>,
        serve: impl FnOnce(Connection) + Send + 'static,
    ) -> Result<(), Error> {
        let (opened, wait) = oneshot::channel();
        let options = self.clone();
        let thread = move || match connect(&options) {
            Ok(db) => {
                if opened.send(Ok(())).is_ok() {
                    serve(db);
                }
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(thread);
        started.map_err(|error| {
            self.refusal("cannot be opened: no thread could be started")
                .because(error)
        })?;
        wait.await
            .unwrap_or_else(|_| Err(self.refusal("cannot be opened")))
    }

    fn writing(&self) -> Result<Connection, Error> {
        self.make_file()?;
        let db = self.connect()?;
        self.check(&db)?;
        self.set_up(&db).map_err(|error| self.refused(error))?;
        Ok(db)
    }

    fn reading(&self) -> Result<Connection, Error> {
        let db = self.connect()?;
        db.pragma_update(None, "query_only", true)
            .map_err(|error| self.refused(error))?;
        Ok(db)
    }

    /// Makes the file with the owner's rights alone; SQLite gives its companions (`-wal`, `-shm`)
    /// the same.
    ///
    /// An existing file is not opened here: closing it again would drop the locks that this process
    /// holds on it.
    fn make_file(&self) -> Result<(), Error> {
        match fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => {
                return Err(self.refusal("is a directory, not a database"));
            }
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.refusal("cannot be read").because(error)),
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.refusal("cannot be made").because(error)),
        }
    }

    fn connect(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db =
            Connection::open_with_flags(&self.path, flags).map_err(|error| self.refused(error))?;
        // SQLite counts in milliseconds of 31 bits.
        let longest = Duration::from_millis(i32::MAX.unsigned_abs().into());
        db.busy_timeout(self.busy_timeout.min(longest))
            .map_err(|error| self.refused(error))?;
        // About sixty for each realm that is in use.
        db.set_prepared_statement_cache_capacity(512);
        Ok(db)
    }

    fn check(&self, db: &Connection) -> Result<(), Error> {
        let tables = RealmTables::of(None);
        let version = schema::readable_from(&realm::Connection::new(db, &tables))
            .map_err(|error| self.refused(error))?;
        if version > schema::VERSION {
            let known = schema::VERSION;
            return Err(self.refusal(&format!(
                "was written by a newer version (its schema is {version}, known is {known})"
            )));
        }
        if db
            .is_readonly("main")
            .map_err(|error| self.refused(error))?
        {
            return Err(self.refusal("cannot be written to"));
        }
        Ok(())
    }

    fn set_up(&self, db: &Connection) -> rusqlite::Result<()> {
        self.use_write_ahead_log(db)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "trusted_schema", false)?;
        if let Some(pages) = self.max_pages {
            db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        Ok(())
    }

    /// Turns on the write-ahead log. The change of mode does not wait for a lock by itself, so
    /// processes that start together wait here.
    fn use_write_ahead_log(&self, db: &Connection) -> rusqlite::Result<()> {
        let start = Instant::now();
        loop {
            match db
                .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
            {
                Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
                Ok(_) => return Err(rusqlite::Error::InvalidQuery),
                Err(error) if is_busy(&error) && start.elapsed() < self.busy_timeout => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn refusal(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Store,
            format!("`{}` {what}", self.path.display()),
        )
    }

    fn refused(&self, error: rusqlite::Error) -> Error {
        let what = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => "is not a database",
            Some(ErrorCode::DatabaseCorrupt) => "is a damaged database",
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                "cannot be written to"
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "is locked by another process"
            }
            Some(ErrorCode::DiskFull) => "has no room: the disk is full",
            _ => "cannot be opened",
        };
        self.refusal(what).because(error)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// The number of threads that read: several, so that one long answer does not delay the others.
const READERS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let db = SqliteOptions::new(&folder.path().join("sessions.db"))
            .writing()
            .unwrap();
        let pragma = |name| {
            db.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), String::from("wal").into());
        assert_eq!(pragma("synchronous"), 2.into());
        assert_eq!(pragma("busy_timeout"), 5000.into());
    }
}
