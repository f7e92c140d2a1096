//! `--timing`: how long a command read, computed and wrote.

use std::io::Write;
use std::time::{Duration, Instant};

/// A command's time, split where it goes on to its next part.
pub(crate) struct Timing {
    is_wanted: bool,
    part_began: Instant,
    read: Duration,
    compute: Duration,
}

impl Timing {
    /// Starts with reading; `is_wanted` is whether `--timing` was given.
    pub(crate) fn start(is_wanted: bool) -> Self {
        Self { is_wanted, part_began: Instant::now(), read: Duration::ZERO, compute: Duration::ZERO }
    }

    /// Reading is done.
    pub(crate) fn has_read(&mut self) {
        self.read = self.next();
    }

    /// Computing is done.
    pub(crate) fn has_computed(&mut self) {
        self.compute = self.next();
    }

    /// Writing is done: prints the line, where it is wanted.
    pub(crate) fn has_written(mut self) {
        let write = self.next();
        if !self.is_wanted {
            return;
        }
        let [read, compute, write] =
            [self.read, self.compute, write].map(|time| format!("{:.1}", time.as_secs_f64() * 1000.0));
        // Nothing can be said where even this cannot be printed.
        let _ = writeln!(
            anstream::stderr().lock(),
            "timing read_ms={read} compute_ms={compute} write_ms={write}"
        );
    }

    fn next(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.part_began, now)
    }
}
