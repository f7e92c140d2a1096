//! When something happened, as far back as a limit looks.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Quota, Window, length_of};

/// Moments of a window that are told apart: a log stays small, however many a limit allows.
const MOMENTS: i32 = 1000;

/// What a log takes beside its moments: its key, its place in the cache.
const OVERHEAD: usize = 192;

/// A log for each window of a limit, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Vec<VecDeque<Moment>>);

/// What happened within a thousandth of a window.
#[derive(Clone, Copy, Debug)]
struct Moment {
    begun: DateTime<Utc>,
    count: u32,
}

impl Log {
    /// Counts one in every window, where none of them is full; else in none.
    pub(super) fn take(&mut self, windows: &[Window], now: DateTime<Utc>) -> Result<Quota, Quota> {
        self.0.resize_with(windows.len(), VecDeque::new);
        let mut quotas = Vec::with_capacity(windows.len());
        for (moments, window) in self.0.iter_mut().zip(windows) {
            forget(moments, now, window.length);
            quotas.push(quota(moments, *window, now));
        }
        // Whoever waits for one of them waits for the other as well.
        if let Some(full) = quotas.iter().filter(|quota| quota.left == 0).max_by_key(|quota| quota.more_in) {
            return Err(*full);
        }
        for ((moments, window), quota) in self.0.iter_mut().zip(windows).zip(&mut quotas) {
            add(moments, now, window.length);
            quota.left -= 1;
        }
        let least = quotas.iter().min_by_key(|quota| quota.left).copied();
        Ok(least.unwrap_or(Quota { most: u32::MAX, left: u32::MAX, ..Quota::default() }))
    }

    /// The memory it takes, about.
    pub(super) fn bytes(&self) -> u32 {
        let moments: usize = self.0.iter().map(VecDeque::capacity).sum();
        u32::try_from(OVERHEAD + moments * size_of::<Moment>()).unwrap_or(u32::MAX)
    }
}

/// Leaves out what the window no longer has.
fn forget(moments: &mut VecDeque<Moment>, now: DateTime<Utc>, length: TimeDelta) {
    // A clock that was set back must not hold anybody for longer than the window.
    for moment in moments.iter_mut().rev().take_while(|moment| moment.begun > now) {
        moment.begun = now;
    }
    while moments.front().is_some_and(|moment| moment.begun + length <= now) {
        moments.pop_front();
    }
}

fn quota(moments: &VecDeque<Moment>, window: Window, now: DateTime<Utc>) -> Quota {
    let counted: u32 = moments.iter().map(|moment| moment.count).sum();
    let oldest = moments.front().map_or(now, |moment| moment.begun);
    Quota {
        most: window.most,
        left: window.most.saturating_sub(counted),
        window: length_of(window.length),
        more_in: length_of(oldest + window.length - now),
    }
}

fn add(moments: &mut VecDeque<Moment>, now: DateTime<Utc>, length: TimeDelta) {
    match moments.back_mut() {
        Some(last) if now - last.begun < length / MOMENTS => last.count += 1,
        _ => moments.push_back(Moment { begun: now, count: 1 }),
    }
}
