use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use caliber_platform::results::{ResultsCache, ResultsTable};

use crate::sample::{Row, table};

fn a_table(rows: u32) -> ResultsTable {
    table(&(0..rows).map(|at| Row::new(&format!("{at}.example"), f64::from(at), 1.0)).collect::<Vec<_>>())
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

async fn loaded(cache: &ResultsCache<u32>, run: u32, rows: u32) -> Arc<ResultsTable> {
    cache.get_or_load(run, async { Ok::<_, Infallible>(a_table(rows)) }).await.unwrap()
}

#[test]
fn many_who_ask_at_once_wait_for_one_load() {
    run(async {
        let (cache, loads) = (Arc::new(ResultsCache::new(1 << 30)), Arc::new(AtomicUsize::new(0)));
        let asking: Vec<_> = (0..20)
            .map(|_| {
                let (cache, loads) = (Arc::clone(&cache), Arc::clone(&loads));
                tokio::spawn(async move {
                    let load = async {
                        loads.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                        Ok::<_, Infallible>(a_table(10))
                    };
                    cache.get_or_load(7, load).await.unwrap().len()
                })
            })
            .collect();
        for answer in asking {
            assert_eq!(answer.await.unwrap(), 10);
        }
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_load_that_failed_is_tried_again() {
    run(async {
        let cache = ResultsCache::new(1 << 30);
        let failed = cache.get_or_load(1, async { Err("the store is away") }).await;
        assert_eq!(*failed.unwrap_err(), "the store is away");
        assert_eq!(loaded(&cache, 1, 3).await.len(), 3);
    });
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    run(async {
        let cache = ResultsCache::new(5 * a_table(1000).bytes() / 2);
        loaded(&cache, 1, 1000).await;
        loaded(&cache, 2, 1000).await;
        cache.held().await;
        // Used often or not, what is opened now stays.
        for _ in 0..5 {
            cache.get(&1).await.unwrap();
        }
        loaded(&cache, 3, 1000).await;
        assert_eq!(cache.held().await.0, 2);
        assert!(cache.get(&2).await.is_none());
        assert!(cache.get(&1).await.is_some() && cache.get(&3).await.is_some());
    });
}

#[test]
fn a_table_heavier_than_the_cache_is_kept_alone() {
    run(async {
        let cache = ResultsCache::new(a_table(100).bytes());
        loaded(&cache, 1, 100).await;
        loaded(&cache, 2, 5000).await;
        cache.held().await;
        assert!(cache.get(&1).await.is_none());
        assert!(cache.get(&2).await.is_some());
    });
}

#[test]
fn a_deleted_run_is_forgotten() {
    run(async {
        let cache = ResultsCache::new(1 << 30);
        loaded(&cache, 1, 1).await;
        cache.remove(&1).await;
        assert!(cache.get(&1).await.is_none());
        assert_eq!(cache.held().await, (0, 0));
    });
}
