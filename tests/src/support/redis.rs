//! Redis for the tests: a private server, and deployments of a test's own on it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tollgate::store::{RedisOptions, RedisStore};

use tollgate_servers::redis::MISSING;
pub use tollgate_servers::redis::Server;

/// Returns the server that the tests of a process share, or that of `REDIS_URL`. Without one each
/// test says so and ends; under `REQUIRE_STORES` each fails.
#[must_use]
pub fn shared() -> Option<&'static str> {
    static URL: LazyLock<Option<String>> = LazyLock::new(|| {
        if let Ok(url) = std::env::var("REDIS_URL") {
            return Some(url);
        }
        // It ends with the process, not with a test.
        Server::start(&[]).map(|server| std::mem::ManuallyDrop::new(server).url())
    });
    if URL.is_none() {
        super::skipped(MISSING);
    }
    URL.as_deref()
}

/// Returns the options of a fresh deployment on a server.
pub fn deployment(url: &str) -> RedisOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    RedisStore::options(url).deployment(format!(
        "test-{}-{number}-{}",
        std::process::id(),
        uuid::Uuid::new_v4().simple()
    ))
}

/// Connects a store to a fresh deployment on the shared server. It waits long for an answer: on a
/// busy machine a script over a hundred thousand tokens takes its time, which no test is about.
pub async fn store() -> Option<RedisStore> {
    let options = deployment(shared()?).response_timeout(Duration::from_secs(60));
    Some(options.connect().await.unwrap())
}
