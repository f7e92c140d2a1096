//! Long work under the eyes of a person: the bar, and Ctrl-C.

use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use caliber_engine::{Code, Error, Progress, Result};
use caliber_reports::hold_publishing;
use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal::{Terminal, grouped};

/// How long work that was cancelled may take to tidy up.
const GRACE: Duration = Duration::from_secs(2);
/// How long files may take to be put in place, which is a matter of renaming them.
const PUBLISHING: Duration = Duration::from_secs(30);
/// Between two looks at the figures.
const TICK: Duration = Duration::from_millis(80);

/// What a bar counts.
#[derive(Clone, Copy)]
pub(super) enum Measure {
    /// Bytes of the reports, of as many as the progress says.
    Bytes,
    /// Rows, of so many.
    Rows(u64),
}

/// The error of whoever pressed Ctrl-C.
pub(super) fn cancelled() -> Error {
    Error::new(Code::Cancelled, "cancelled; nothing was written")
}

/// Lets Ctrl-C end the work in order; where that takes long, ends it.
pub(super) fn cancel_on_ctrl_c(progress: &Progress, terminal: Terminal) -> Result<()> {
    let flag = progress.cancelled.clone();
    ctrlc::set_handler(move || {
        if !flag.swap(true, Ordering::Relaxed) {
            std::thread::sleep(GRACE);
        }
        end_at_once(terminal)
    })
    .map_err(|error| {
        Error::new(Code::Machine, format!("Ctrl-C cannot be listened for: {error}")).caused_by(error)
    })
}

/// Ends the process, but never between two files that are put in place.
fn end_at_once(terminal: Terminal) -> ! {
    let held = hold_publishing(PUBLISHING);
    let error = match &held {
        Some(held) if held.is_after_publishing() => {
            Error::new(Code::Cancelled, "cancelled; the files were in place already")
        }
        Some(_) => cancelled(),
        None => Error::new(Code::Cancelled, "cancelled while the files were put in place")
            .help("run it again to have all of them of one run"),
    };
    terminal.error(&error);
    std::process::exit(130)
}

/// Does the work under a bar with its speed.
pub(super) fn watched<T>(
    terminal: Terminal,
    progress: &Progress,
    measure: Measure,
    work: impl FnOnce() -> T,
) -> T {
    if !terminal.shows_progress() {
        return work();
    }
    let bar = ProgressBar::new(0);
    let template = match measure {
        Measure::Bytes => "{bar:30} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {msg}",
        Measure::Rows(_) => "{bar:30} {percent:>3} %  {human_pos} of {human_len} rows  {msg}",
    };
    // The template is a constant; where it is refused the plain bar does.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let watched = &bar;
        scope.spawn(move || {
            let started = Instant::now();
            while stopped.recv_timeout(TICK).is_err_and(|end| end == RecvTimeoutError::Timeout) {
                show(watched, progress, measure, started);
            }
            watched.finish_and_clear();
        });
        let result = work();
        drop(stop);
        result
    })
}

fn show(bar: &ProgressBar, progress: &Progress, measure: Measure, started: Instant) {
    let rows = progress.rows.load(Ordering::Relaxed);
    let (position, length) = match measure {
        Measure::Bytes => {
            (progress.bytes.load(Ordering::Relaxed), progress.total_bytes.load(Ordering::Relaxed))
        }
        Measure::Rows(total) => (rows, total),
    };
    bar.set_length(length);
    bar.set_position(position);
    bar.set_message(format!("{} rows/s", grouped(rows as f64 / started.elapsed().as_secs_f64(), 0)));
}

/// Standard input that Ctrl-C ends at once, also while nothing comes: a thread waits for it, and is left behind.
pub(super) struct StandardInput<'p> {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
    progress: &'p Progress,
}

impl<'p> StandardInput<'p> {
    /// Bytes taken at a time.
    const CHUNK: usize = 256 << 10;

    /// Begins to read.
    pub(super) fn read(progress: &'p Progress) -> Self {
        let (sender, chunks) = sync_channel(4);
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let mut chunk = vec![0; Self::CHUNK];
                let read = match stdin.read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let ended = read.as_ref().is_ok_and(|&length| length == 0) || read.is_err();
                let read = read.map(|length| {
                    chunk.truncate(length);
                    chunk
                });
                if sender.send(read).is_err() || ended {
                    return;
                }
            }
        });
        Self { chunks, chunk: Vec::new(), at: 0, progress }
    }
}

impl Read for StandardInput<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            if self.progress.cancelled.load(Ordering::Relaxed) {
                return Err(io::Error::other("cancelled"));
            }
            match self.chunks.recv_timeout(TICK) {
                Ok(chunk) => {
                    (self.chunk, self.at) = (chunk?, 0);
                    if self.chunk.is_empty() {
                        return Ok(0);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let length = out.len().min(self.chunk.len() - self.at);
        out[..length].copy_from_slice(&self.chunk[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
