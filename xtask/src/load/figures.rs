//! How long readers waited.

use std::fmt;
use std::time::Duration;

use super::Kind;

/// What became of one request.
pub(crate) struct Answer {
    pub(crate) kind: Kind,
    /// From the time it was due to its last byte.
    pub(crate) latency: Duration,
    /// From the time it was due until it left.
    pub(crate) late: Duration,
    pub(crate) failed: Option<String>,
}

/// Latencies by kind and together.
pub(crate) struct Figures {
    lines: Vec<Line>,
    late: Duration,
    /// The first few, to tell what is wrong.
    failures: Vec<String>,
}

struct Line {
    name: &'static str,
    /// Sorted.
    latencies: Vec<Duration>,
    errors: usize,
}

impl Line {
    fn of<'a>(name: &'static str, answers: impl Iterator<Item = &'a Answer> + Clone) -> Self {
        let mut latencies: Vec<Duration> = answers.clone().map(|answer| answer.latency).collect();
        latencies.sort_unstable();
        Self { name, latencies, errors: answers.filter(|answer| answer.failed.is_some()).count() }
    }

    /// The latency that this share of the requests did not pass (nearest rank), in ms.
    fn ms(&self, share: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1)).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }
}

impl Figures {
    pub(crate) fn of(answers: &[Answer]) -> Self {
        let kinds = Kind::ALL.iter().map(|&(kind, _)| {
            Line::of(kind.name(), answers.iter().filter(move |answer| answer.kind == kind))
        });
        Self {
            lines: kinds.chain([Line::of("all", answers.iter())]).collect(),
            late: answers.iter().map(|answer| answer.late).max().unwrap_or_default(),
            failures: answers.iter().filter_map(|answer| answer.failed.clone()).take(5).collect(),
        }
    }

    fn all(&self) -> &Line {
        // Built with it as the last line.
        &self.lines[self.lines.len() - 1]
    }

    pub(crate) fn errors(&self) -> usize {
        self.all().errors
    }

    pub(crate) fn p99_ms(&self) -> f64 {
        self.all().ms(0.99)
    }

    pub(crate) fn late_ms_max(&self) -> f64 {
        self.late.as_secs_f64() * 1000.0
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}",
            "ms", "requests", "p50", "p90", "p99", "max", "errors"
        )?;
        for line in &self.lines {
            write!(f, "{:<12}{:>9}", line.name, line.latencies.len())?;
            for share in [0.5, 0.9, 0.99, 1.0] {
                write!(f, "{:>9.1}", line.ms(share))?;
            }
            writeln!(f, "{:>8}", line.errors)?;
        }
        self.failures.iter().try_for_each(|failure| writeln!(f, "failed: {failure}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let answers: Vec<Answer> = (1..=100)
            .map(|ms| Answer {
                kind: Kind::First,
                latency: Duration::from_millis(ms),
                late: Duration::ZERO,
                failed: (ms == 7).then(|| "503".to_owned()),
            })
            .collect();
        let figures = Figures::of(&answers);
        assert_eq!((figures.p99_ms(), figures.all().ms(0.5), figures.all().ms(1.0)), (99.0, 50.0, 100.0));
        assert_eq!(figures.errors(), 1);
        assert!(figures.to_string().contains("failed: 503"));
    }

    #[test]
    fn nothing_asked_is_no_panic() {
        assert_eq!(Figures::of(&[]).p99_ms(), 0.0);
    }
}
