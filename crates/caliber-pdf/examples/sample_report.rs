//! Writes the report of a synthetic campaign, and says what it took: `cargo run --example sample_report -- OUT [DOMAINS]`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an example stops at the first trouble and prints"
)]

use std::time::Instant;

use caliber_engine::lists::ListPolicy;
use caliber_pdf::{Branding, Contents, render};

#[path = "../tests/reports/campaign.rs"]
#[expect(dead_code, reason = "tests make campaigns of other kinds as well")]
mod campaign;

use campaign::Campaign;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().expect("a file to write");
    let domains = arguments.next().map_or(10_000, |domains| domains.parse().unwrap());
    let campaign = match arguments.next().as_deref() {
        Some("evidence") => Campaign::sample(domains, ListPolicy::Evidence),
        Some(fixture) => Campaign::fixture(
            fixture,
            caliber_engine::recipe::Channel::of(&arguments.next().unwrap()).unwrap(),
        ),
        None => Campaign::sample(domains, ListPolicy::Quartile),
    };
    let branding = Branding { name: "Lighthouse Media".into(), ..Branding::default() };
    let start = Instant::now();
    let pdf = render(&campaign.report(), &branding, Contents::default()).unwrap();
    println!("{} bytes in {:?}", pdf.len(), start.elapsed());
    std::fs::write(out, pdf).unwrap();
}
