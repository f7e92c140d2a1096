//! How far a reading has come, and the way to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{Code, Error, Result};

/// Shared between the threads that read and whoever watches. Clones see the same figures.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Bytes taken from the files.
    pub bytes: Arc<AtomicU64>,
    /// Bytes that the files hold.
    pub total_bytes: Arc<AtomicU64>,
    /// Rows read.
    pub rows: Arc<AtomicU64>,
    /// Set to stop the reading.
    pub cancelled: Arc<AtomicBool>,
}

impl Progress {
    /// An error once the reading was cancelled.
    pub(crate) fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Cancelled, "cancelled"));
        }
        Ok(())
    }
}
