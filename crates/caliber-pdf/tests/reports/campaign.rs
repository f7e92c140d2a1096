//! Scored campaigns to report on: fixtures of the engine, samples, and small ones written here.

use std::fmt::Write;
use std::path::Path;

use caliber_engine::explain::Explainer;
use caliber_engine::lists::{ListPolicy, ListRule};
use caliber_engine::recipe::{Channel, RecipeBook};
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::{Code, Context, Error, Options, Progress, Scored};
use caliber_reports::{CampaignReport, ListRow, QualityFacts, RunFacts};
use caliber_sample::{Request, write_csv};
use chrono::{DateTime, Utc};

/// A scored campaign with all that its report is made of.
pub(crate) struct Campaign {
    pub(crate) name: String,
    pub(crate) scored: Scored,
    pub(crate) run: RunFacts,
    pub(crate) quality: QualityFacts,
    pub(crate) allowlist: Vec<ListRow>,
    pub(crate) blocklist: Vec<ListRow>,
}

fn no_sandbox(_: &Path, _: Option<&str>) -> caliber_engine::Result<SheetCsv> {
    Err(Error::new(Code::Machine, "no old workbook is among these"))
}

fn options(platform: &str, channel: Channel) -> Options {
    Options { platform: Some(platform.into()), channel: Some(channel), threads: 2, ..Options::default() }
}

impl Campaign {
    fn of(name: &str, source: Source, options: &Options) -> Self {
        let context =
            Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
        let scored = caliber_engine::score(vec![source], options, &context).unwrap();
        let run = RunFacts::of(serde_json::to_value(&scored.summary).unwrap()).unwrap();
        let quality = QualityFacts::of(serde_json::to_value(&scored.quality).unwrap()).unwrap();
        let explainer = Explainer::new(&scored.results, &scored.dictionary);
        let list = |rows: &[usize], reason: &dyn Fn(usize) -> String| {
            rows.iter().map(|&row| ListRow::scored(&scored.results, row, reason(row))).collect::<Vec<_>>()
        };
        let allowlist = list(&scored.lists.allow, &|row| explainer.best_reason(row));
        let blocklist = list(&scored.lists.block, &|row| explainer.worst_reason(row));
        Self { name: name.to_owned(), run, quality, allowlist, blocklist, scored }
    }

    /// A fixture of the engine: `ttd_display`.
    pub(crate) fn fixture(name: &str, channel: Channel) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../caliber-engine/tests/fixtures")
            .join(format!("{name}.csv"));
        let platform = if name.starts_with("pp_") { "pulsepoint" } else { "trade_desk" };
        let source = Source::open(&path, &format!("{name}.csv")).unwrap();
        Self::of("Northwind spring launch", source, &options(platform, channel))
    }

    /// A synthetic campaign over so many domains.
    pub(crate) fn sample(domains: u32, policy: ListPolicy) -> Self {
        let mut request = Request::new("trade_desk", "display");
        request.domains = Some(domains);
        request.rows = Some(u64::from(domains) * 20);
        let mut csv = Vec::new();
        write_csv(&request, &mut csv).unwrap();
        let source = Source::from_stream(csv.as_slice(), "spring-launch.csv").unwrap();
        let list_rule = ListRule { policy, ..ListRule::default() };
        let options =
            Options { list_rule, min_impressions: Some(0), ..options("trade_desk", Channel::Display) };
        Self::of("Northwind spring launch", source, &options)
    }

    /// A campaign of a generic report with these names: the first is the best, and has least.
    pub(crate) fn named(names: &[&str]) -> Self {
        let mut csv = String::from("Domain,Impressions,Clicks,Spend\n");
        for (at, name) in names.iter().enumerate() {
            let impressions = 10_000 * (at + 1);
            let clicks = 100 + 10 * (names.len() - at);
            let name = name.replace('"', "\"\"");
            writeln!(csv, "\"{name}\",{impressions},{clicks},{}", 20 * (at + 1) * (at + 2)).unwrap();
        }
        Self::of_csv(&csv)
    }

    /// A campaign of this generic display report.
    pub(crate) fn of_csv(csv: &str) -> Self {
        let source = Source::from_stream(csv.as_bytes(), "report.csv").unwrap();
        Self::of("Northwind", source, &options("generic", Channel::Display))
    }

    /// What the report is made of, at a fixed time.
    pub(crate) fn report(&self) -> CampaignReport<'_> {
        CampaignReport {
            name: &self.name,
            results: &self.scored.results,
            dictionary: &self.scored.dictionary,
            run: &self.run,
            quality: &self.quality,
            allowlist: &self.allowlist,
            blocklist: &self.blocklist,
            scored_at: Some(at("2025-02-03T09:15:00Z")),
            generated_at: at("2025-02-03T10:30:45Z"),
        }
    }
}

fn at(moment: &str) -> DateTime<Utc> {
    moment.parse().unwrap()
}
