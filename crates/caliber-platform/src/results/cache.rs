//! The tables that are in use, within a bound of memory.

use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::ResultsTable;

/// Tables by run, weighed by their bytes. What was not used for longest goes first.
///
/// A table heavier than the whole cache is kept alone rather than read anew for each request.
pub struct ResultsCache<R> {
    tables: Cache<R, Arc<ResultsTable>>,
}

/// The cache weighs in these, for it counts in 32 bits.
const KIBIBYTE: u64 = 1 << 10;

impl<R: Hash + Eq + Send + Sync + 'static> ResultsCache<R> {
    /// A cache of so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        let capacity = (bytes_max / KIBIBYTE).clamp(1, u64::from(u32::MAX));
        let weigh =
            move |_: &R, table: &Arc<ResultsTable>| (table.bytes() / KIBIBYTE).clamp(1, capacity) as u32;
        let tables = Cache::builder()
            .max_capacity(capacity)
            .weigher(weigh)
            // Frequency would keep yesterday's campaign and turn away the one that is opened now.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { tables }
    }

    /// The table of a run; whoever asks while it is being loaded waits for that one load.
    ///
    /// # Errors
    /// That of the load, shared by all who waited; the next call loads again.
    pub async fn get_or_load<E: Send + Sync + 'static>(
        &self,
        run: R,
        load: impl Future<Output = Result<ResultsTable, E>>,
    ) -> Result<Arc<ResultsTable>, Arc<E>> {
        self.tables.try_get_with(run, async { load.await.map(Arc::new) }).await
    }

    /// The table of a run, if it is there.
    pub async fn get(&self, run: &R) -> Option<Arc<ResultsTable>> {
        self.tables.get(run).await
    }

    /// Forgets a run that was deleted.
    pub async fn remove(&self, run: &R) {
        self.tables.invalidate(run).await;
    }

    /// Tables held and their bytes, about, after what is overdue was thrown out.
    pub async fn held(&self) -> (u64, u64) {
        self.tables.run_pending_tasks().await;
        (self.tables.entry_count(), self.tables.weighted_size() * KIBIBYTE)
    }
}

impl<R> fmt::Debug for ResultsCache<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultsCache").finish_non_exhaustive()
    }
}
