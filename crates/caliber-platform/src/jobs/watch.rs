//! The watch over work that takes long: keeps the lease, notes the progress, and stops the work where it must stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use caliber_store::{Json, StoreError, queue};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::worker::JobContext;
use crate::error::{Error, Result};

/// How often progress is noted and the lease renewed.
const BEAT: Duration = Duration::from_millis(500);

/// How a watch ended.
pub(super) enum Watch<T, E> {
    /// The work came to its end.
    Ended(Box<std::result::Result<T, E>>),
    /// It took longer than jobs may.
    TooLong,
    /// Whoever asked for it wants it stopped.
    Cancelled,
    /// The job, or what it is for, is another's by now.
    Lost,
    /// The worker stops.
    Stopped,
}

/// Keeps the lease and tells the progress until the work is done or must stop; then sets `cancelled` and waits for it.
///
/// `progress` is what the job's row is to say; `note` tells what the work is for, and says whether it is still wanted.
pub(super) async fn watch<T, E, F>(
    context: &JobContext,
    cancelled: &AtomicBool,
    mut work: JoinHandle<std::result::Result<T, E>>,
    progress: impl Fn() -> Option<Json>,
    note: impl Fn() -> F,
) -> Result<Watch<T, E>>
where
    F: Future<Output = Result<bool>>,
{
    let begun = Instant::now();
    let mut beat = tokio::time::interval(BEAT);
    let mut grace: Option<Instant> = None;
    let mut reason = None;
    loop {
        tokio::select! {
            done = &mut work => {
                let done = done.map_err(Error::internal)?;
                return Ok(match (reason, done) {
                    // It was done before it saw that it should stop.
                    (None | Some(Watch::Stopped | Watch::TooLong), Ok(work)) => Watch::Ended(Box::new(Ok(work))),
                    (Some(reason), _) => reason,
                    (None, done) => Watch::Ended(Box::new(done)),
                });
            }
            () = context.stop.cancelled(), if grace.is_none() => grace = Some(Instant::now() + context.options.grace),
            _ = beat.tick() => {}
        }
        if reason.is_none() {
            reason = match renew(context, progress()).await? {
                Some(reason) => Some(reason),
                None if !note().await? => Some(Watch::Lost),
                None if begun.elapsed() > context.options.soft_limit => Some(Watch::TooLong),
                None if grace.is_some_and(|grace| Instant::now() > grace) => Some(Watch::Stopped),
                None => None,
            };
        }
        if reason.is_some() {
            cancelled.store(true, Ordering::Relaxed);
        }
        // A thread cannot be killed; it is left to itself, and its results to the sweep.
        if begun.elapsed() > context.options.hard_limit {
            return Ok(Watch::TooLong);
        }
    }
}

/// Renews the lease. Says why the work must stop, where it must.
async fn renew<T, E>(context: &JobContext, progress: Option<Json>) -> Result<Option<Watch<T, E>>> {
    let platform = &context.platform;
    match queue::heartbeat(platform.store().db(), &context.lease, progress, platform.now()).await {
        Ok(beat) if beat.cancel_requested => Ok(Some(Watch::Cancelled)),
        Ok(_) => Ok(None),
        Err(StoreError::LeaseLost) => Ok(Some(Watch::Lost)),
        // The lease holds for several beats; the next may reach the database again.
        Err(error) if error.is_transient() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
