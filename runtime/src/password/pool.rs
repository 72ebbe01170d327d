//! The pool of workers: a limited number at a time, a limited number waiting, memory kept between
//! them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::Block;
use tokio::sync::Semaphore;

use crate::error::AuthError;

/// A limited number of workers, and the memory that they pass on.
pub(super) struct WorkerPool {
    /// Permits to work or to wait.
    entry: Arc<Semaphore>,
    /// Permits to work.
    work: Arc<Semaphore>,
    permits: usize,
    /// Memory that is not in use: never more pieces than there are permits, because no piece is
    /// made while one is free.
    free: Mutex<Vec<Vec<Block>>>,
    /// The number of blocks that a piece of memory keeps.
    kept: usize,
    evaluations: AtomicU64,
    /// The work of all evaluations, in KiB times passes.
    work_done: AtomicU64,
}

impl WorkerPool {
    pub(super) fn new(permits: usize, waiting: usize, kept: usize) -> Self {
        let permits = permits.min(Semaphore::MAX_PERMITS);
        let entry = permits.saturating_add(waiting).min(Semaphore::MAX_PERMITS);
        Self {
            entry: Arc::new(Semaphore::new(entry)),
            work: Arc::new(Semaphore::new(permits)),
            permits,
            free: Mutex::default(),
            kept,
            evaluations: AtomicU64::new(0),
            work_done: AtomicU64::new(0),
        }
    }

    /// Does the work on a thread of its own as soon as a permit is free.
    ///
    /// The work holds the permit, not the caller: if the caller is gone, the memory is still in
    /// use.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Memory<'_>) -> T + Send + 'static,
    ) -> Result<T, AuthError> {
        let Ok(entry) = Arc::clone(&self.entry).try_acquire_owned() else {
            return Err(AuthError::unavailable(
                "too many passwords wait to be checked",
            ));
        };
        let permit = Arc::clone(&self.work).acquire_owned().await?;
        let pool = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let held = (entry, permit);
            let done = work(&mut Memory {
                blocks: pool.take(),
                pool: &pool,
            });
            drop(held);
            done
        });
        Ok(done.await?)
    }

    pub(super) fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// Returns the work of all evaluations, in KiB times passes.
    #[cfg(test)]
    pub(super) fn work_done(&self) -> u64 {
        self.work_done.load(Ordering::Relaxed)
    }

    /// Returns how many permits are taken.
    pub(super) fn busy(&self) -> usize {
        self.permits.saturating_sub(self.work.available_permits())
    }

    /// Returns how many permits are free.
    #[cfg(test)]
    pub(super) fn permits(&self) -> usize {
        self.work.available_permits()
    }

    /// Returns how many blocks each free piece of memory has.
    #[cfg(test)]
    pub(super) fn free_memory(&self) -> Vec<usize> {
        self.free.lock().unwrap().iter().map(Vec::len).collect()
    }

    fn take(&self) -> Vec<Block> {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }

    fn give(&self, mut blocks: Vec<Block>) {
        blocks.truncate(self.kept);
        blocks.shrink_to(self.kept);
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(blocks);
    }
}

/// A piece of memory in use; dropping it returns it to the pool.
pub(super) struct Memory<'a> {
    blocks: Vec<Block>,
    pool: &'a WorkerPool,
}

impl Memory<'_> {
    /// Counts an evaluation.
    pub(super) fn count(&self) {
        self.pool.evaluations.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds to the work that was done, in KiB times passes.
    pub(super) fn works(&self, cost: u64) {
        self.pool.work_done.fetch_add(cost, Ordering::Relaxed);
    }

    /// Returns so many blocks.
    pub(super) fn blocks(&mut self, count: usize) -> Result<&mut [Block], AuthError> {
        self.blocks
            .try_reserve_exact(count.saturating_sub(self.blocks.len()))?;
        self.blocks
            .resize(self.blocks.len().max(count), Block::new());
        self.blocks
            .get_mut(..count)
            .ok_or_else(|| AuthError::unavailable("there is no memory for a password"))
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.blocks));
    }
}
