//! Explanations as a trader reads them on the terminal.

use std::io::{self, Write};

use caliber_analysis::Pair;
use caliber_analysis::explanation::{DomainExplanation, Explanation, Shapley};
use caliber_analysis::importance::Importance;
use caliber_engine::explain::Explainer;
use caliber_engine::names::display_unicode;

use crate::commands::run::ScoredRun;
use crate::terminal::layout::{Grid, bar, bar_from_axis, draws_bars, width, wrapped};
use crate::terminal::{BOLD, foreign};

/// Columns of the longest bar, and of the longest to one side of an axis.
const BAR: usize = 30;
const HALF: usize = 15;

/// What makes the scores of a run.
pub(super) fn print_run(run: &ScoredRun, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    match explanation {
        Explanation::Shapley(shapley) => print_shapley(run, shapley, out),
        Explanation::FeatureImportance(importance) => print_importance(run, importance, out),
        Explanation::Correlation(correlations) => {
            print_sentence(&correlations.explanation, out)?;
            let mut grid = Grid::under(&["metric", "correlation", ""], width());
            for (name, r) in &correlations.top_features {
                grid.row([label(run, name), format!("{r:.3}"), from_axis(*r, 1.0)]);
            }
            let undefined = correlations.correlations.0.iter().filter(|(_, r)| r.is_none());
            for (name, _) in undefined {
                grid.row([label(run, name), "-".to_owned(), String::new()]);
            }
            grid.print(&[1], out)
        }
    }
}

fn print_shapley(run: &ScoredRun, shapley: &Shapley, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}Average score {:.1}{BOLD:#} of 100", shapley.base_value)?;
    print_sentence(&shapley.explanation, out)?;
    let mut grid = Grid::under(&["metric", "moves scores by", "points for more of it", ""], width());
    let most = most(&shapley.top_features);
    for (name, points) in &shapley.top_features {
        let derivative = shapley.derivatives.get(name).copied().flatten();
        let drawn = if draws_bars() { bar(points / most, BAR) } else { String::new() };
        grid.row([
            label(run, name),
            format!("{points:.1}"),
            derivative.map_or_else(|| "-".to_owned(), |points| for_one_more(run, name, points)),
            drawn,
        ]);
    }
    grid.print(&[1, 2], out)
}

fn print_importance(run: &ScoredRun, importance: &Importance, out: &mut dyn Write) -> io::Result<()> {
    print_sentence(&importance.explanation, out)?;
    let mut grid = Grid::under(&["metric", "importance", "when shuffled", ""], width());
    let most = most(&importance.top_features);
    for (name, part) in &importance.top_features {
        let dropped = importance.permutation_importance.get(name).copied().unwrap_or(0.0);
        let drawn = if draws_bars() { bar(part / most, BAR) } else { String::new() };
        grid.row([label(run, name), format!("{part:.3}"), format!("{dropped:.3}"), drawn]);
    }
    grid.print(&[1, 2], out)
}

/// What makes the score of a row: from the average, metric by metric, to the score.
pub(super) fn print_domain(
    run: &ScoredRun,
    explained: &DomainExplanation,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = display_unicode(&explained.domain);
    let (score, status) = (explained.score, explained.quality_status.name());
    writeln!(
        out,
        "{BOLD}{} {score:.1}{BOLD:#} of 100, {status}, above {:.0} % of the rows",
        foreign(&name),
        explained.percentile
    )?;
    if let (Some(low), Some(high), Some(confidence), Some(below)) =
        (explained.score_low, explained.score_high, explained.confidence, explained.p_below_median)
    {
        let sure = format!(
            "By its counts {low:.1} to {high:.1}; {status} with a probability of {:.0} %, below the median with {:.0} %",
            confidence * 100.0,
            below * 100.0
        );
        writeln!(out, "{}", wrapped(&sure, width(), 0))?;
    }
    print_sentence(&explained.explanation, out)?;
    let figures = Explainer::new(&run.results, &run.dictionary);
    let mut grid = Grid::under(&["metric", "value", "of 100", "points against average", ""], width());
    let most = most(&explained.top_factors);
    let dash = String::new;
    grid.row(["average".to_owned(), dash(), dash(), format!("{:.1}", explained.base_value), dash()]);
    let factors = caliber_analysis::ranked(explained.feature_contributions.0.iter().cloned());
    for (metric, points) in &factors {
        let Some(breakdown) = explained.score_breakdown.get(metric) else { continue };
        grid.row([
            label(run, metric),
            breakdown.value.map_or_else(|| "missing".to_owned(), |value| figures.written(metric, value)),
            format!("{:.1}", breakdown.normalized),
            format!("{points:+.1}"),
            from_axis(*points, most),
        ]);
    }
    grid.row(["score".to_owned(), dash(), dash(), format!("{score:.1}"), dash()]);
    grid.print(&[1, 2, 3], out)
}

fn print_sentence(sentence: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", wrapped(&foreign(sentence), width(), 0))
}

fn label(run: &ScoredRun, metric: &str) -> String {
    foreign(&run.dictionary.label(metric)).into_owned()
}

/// The largest absolute figure, and never 0.
fn most(pairs: &[Pair]) -> f64 {
    pairs.iter().map(|(_, figure)| figure.abs()).fold(f64::MIN_POSITIVE, f64::max)
}

fn from_axis(figure: f64, most: f64) -> String {
    if draws_bars() { bar_from_axis(figure / most, HALF) } else { String::new() }
}

/// Points for one more percentage point of a share, for one more of anything else.
fn for_one_more(run: &ScoredRun, metric: &str, points: f64) -> String {
    let is_share = run.dictionary.metric(metric).is_some_and(|definition| definition.share);
    let (points, unit) = if is_share { (points / 100.0, "1\u{a0}%") } else { (points, "1.00") };
    if points == 0.0 { "0".to_owned() } else { format!("{points:+.2} for {unit}") }
}
