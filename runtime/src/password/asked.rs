//! Notes whose password was wrong while a backend was asked, so that the event of the refused
//! sign-in can name the account.

use std::cell::Cell;
use std::future::Future;

tokio::task_local! {
    static WRONG: Cell<Option<String>>;
}

/// Runs a callback of the backend. Returns with its answer whose stored hash the last check that
/// failed within it was of, where that was said with [`Stored::of`](super::Stored::of).
pub(crate) async fn asked<F: Future>(callback: F) -> (F::Output, Option<String>) {
    let noting = async {
        let answer = callback.await;
        (answer, WRONG.with(Cell::take))
    };
    WRONG.scope(Cell::new(None), noting).await
}

/// Notes the owner of a hash that a password did not fit. Outside of [`asked`] nobody asks for it.
pub(super) fn note_wrong(owner: &str) {
    let _ = WRONG.try_with(|wrong| wrong.set(Some(owner.to_owned())));
}
