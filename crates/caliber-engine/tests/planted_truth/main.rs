//! Lists by evidence, judged by what is true: `caliber sample` says of every site its class and its true rates.
//!
//! `cargo xtask soak truth` runs it over 20 seeds and checks every limit; as a test of every commit it runs over few
//! and checks those that chance leaves alone.
//!
//! What is true of a row is its true score: the scale of evidence.md 1.4 applied to its true rates, and to its cost as
//! observed, which is taken as known. A row is truly below or above by the median of these true scores over the rows
//! of its report. Good are premium and normal sites, bad are those made for advertising and the fraudulent.
//! [`judgement`] says how each figure is made.

mod campaign;
mod judgement;
mod posterior;
mod table;

use std::fmt::Write as _;
use std::num::NonZero;

use caliber_engine::parallel;
use caliber_sample::WorldKind;
use campaign::{Campaign, Case};
use judgement::Judgement;
use table::Cell;

/// Seeds where nobody asks for more.
const FEW_SEEDS: u64 = 2;
/// How many seeds to judge by, and that every limit shall hold: set by `cargo xtask soak truth`.
const SEEDS: &str = "CALIBER_TEST_SEEDS";

/// Rows of data and sites, before the volume filter.
const ROWS: u64 = 4_000;
const DOMAINS: u32 = 600;

fn judged(world: WorldKind, case: Case, seeds: u64) -> Judgement {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let seeds: Vec<u64> = (1..=seeds).collect();
    let judgements = parallel::map(threads, &seeds, |seed| {
        Judgement::of(&Campaign::new(world, case, ROWS, DOMAINS, *seed), *seed)
    });
    judgements.into_iter().fold(Judgement::default(), Judgement::with)
}

#[test]
fn lists_by_evidence_hold_up_against_the_planted_truth() {
    let asked = std::env::var(SEEDS).ok().map(|seeds| seeds.parse::<u64>().expect("a number of seeds"));
    let seeds = asked.unwrap_or(FEW_SEEDS);
    let mut failures = String::new();
    let mut moved = (0.0, 0.0);
    println!("{seeds} seeds; reports of {ROWS} rows over {DOMAINS} domains before the volume filter");
    for world in WorldKind::ALL {
        let columns: Vec<(Case, Vec<Cell>)> = Case::ALL
            .into_iter()
            .map(|case| {
                let judgement = judged(world, case, seeds);
                if world != WorldKind::Identical && case.is_action() {
                    moved.0 += judgement.gains().evidence;
                    moved.1 += judgement.gains().quartile;
                }
                (case, table::cells(world, case, &judgement))
            })
            .collect();
        println!("\n{}", table::printed(world, &columns));
        for (case, cells) in &columns {
            for cell in cells.iter().filter(|cell| cell.fails() && (asked.is_some() || cell.is_steady)) {
                let _ = writeln!(failures, "{}, {}: {}", world.name(), case.name(), cell.described());
            }
        }
    }
    let over_all = table::lift_over_all(moved.0 / moved.1);
    println!("\n{}", over_all.described());
    if over_all.fails() && asked.is_some() {
        let _ = writeln!(failures, "{}", over_all.described());
    }
    assert!(failures.is_empty(), "limits that do not hold:\n{failures}");
}
