//! The store's sign of life: it has no loop of its own, so it is asked.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::pulse::Pulse;
use crate::store::Store;

/// Beats of `store`, for a watch: each look sends a probe through a blocking thread, the
/// connection's lock and that of `SQLite`, unless the one before has not come back.
pub fn beats_of(store: Store) -> impl FnMut() -> u64 + Send {
    let pulse = Arc::new(Pulse::default());
    let mut probe: Option<JoinHandle<()>> = None;
    move || {
        if probe.as_ref().is_none_or(JoinHandle::is_finished) {
            let (store, pulse) = (store.clone(), pulse.clone());
            probe = Some(tokio::task::spawn_blocking(move || {
                // An error is an answer; whoever needs the store says what it means.
                let _ = store.probe();
                pulse.beat();
            }));
        }
        pulse.beats()
    }
}
