//! Waking idle workers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Tells workers of this process that jobs were queued. Only a hint: a worker polls besides, since jobs are queued by
/// other processes too.
#[derive(Clone, Debug)]
pub struct Wakers {
    sender: Arc<watch::Sender<u64>>,
}

/// What an idle worker waits on. One rung between two waits is not missed.
#[derive(Debug)]
pub struct Alarm {
    receiver: watch::Receiver<u64>,
}

impl Default for Wakers {
    fn default() -> Self {
        Self { sender: Arc::new(watch::Sender::new(0)) }
    }
}

impl Wakers {
    /// Wakes all who wait. [`crate::Transaction::commit`] does so where jobs were queued.
    pub fn wake(&self) {
        self.sender.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// An alarm for one worker.
    pub fn alarm(&self) -> Alarm {
        Alarm { receiver: self.sender.subscribe() }
    }
}

impl Alarm {
    /// Waits until it is rung or `patience` is over, which half a second is enough for.
    pub async fn wait(&mut self, patience: Duration) {
        // Where the store is gone nobody rings any more, and the poll is all there is.
        if let Ok(Err(_)) = tokio::time::timeout(patience, self.receiver.changed()).await {
            tokio::time::sleep(patience).await;
        }
    }
}
