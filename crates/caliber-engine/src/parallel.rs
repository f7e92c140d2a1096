//! Work side by side. Whoever asks for it waits: schedulers that would rather leave a core asleep, as in virtual machines,
//! put a new thread behind the one that made it, and take turns with both where that one works on.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

/// Items that [`map_chunks`] hands out together.
const CHUNK: usize = 256;

/// Threads that the machine runs side by side; 1 where it does not say.
pub fn available() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// What the task makes of each item, in the order of the items, with so many threads at most.
pub fn map<T: Sync, R: Send>(threads: usize, items: &[T], task: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, task(item)));
        }
    };
    let workers = threads.min(items.len());
    let mut done =
        if workers < 2 { work() } else { on_threads(workers, work).into_iter().flat_map(or_panic).collect() };
    done.sort_unstable_by_key(|&(at, _)| at);
    done.into_iter().map(|(_, made)| made).collect()
}

/// What each of so many threads has done that all do the same work, at most; an error is a panic.
pub(crate) fn on_threads<R: Send>(threads: usize, work: impl Fn() -> R + Sync) -> Vec<thread::Result<R>> {
    thread::scope(|scope| {
        // A thread that cannot be had leaves its work to the others.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, &work).ok();
        let workers: Vec<_> = (0..threads).filter_map(spawn).collect();
        if workers.is_empty() {
            return vec![Ok(work())];
        }
        workers.into_iter().map(ScopedJoinHandle::join).collect()
    })
}

/// What a thread has done; its panic is the caller's.
fn or_panic<R>(done: thread::Result<R>) -> R {
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What two tasks make.
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let (a, b) = (scope.spawn(a), scope.spawn(b));
        (or_panic(a.join()), or_panic(b.join()))
    })
}

/// As [`map`], for work on an item that is too little to be handed out by itself.
pub fn map_chunks<T: Sync, R: Send>(threads: usize, items: &[T], task: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let chunks: Vec<&[T]> = items.chunks(CHUNK).collect();
    let made = map(threads, &chunks, |chunk| chunk.iter().map(&task).collect::<Vec<R>>());
    made.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_made_comes_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        for threads in [0, 1, 3, 200] {
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(super::map(threads, &items, |item| item * 2), doubled);
        }
        assert!(super::map(4, &[] as &[u8], |_| ()).is_empty());
        assert_eq!(super::join(|| items.len(), || "other"), (100, "other"));
    }
}
