//! A report from its first line to its last, whatever it is written as.

use std::borrow::Cow;
use std::io::Write;
use std::ops::ControlFlow;

use crate::cell::{Cell, Style};
use crate::delimited::Lines;
use crate::disorder::{self, Disorder, Extra};
use crate::headers;
use crate::layout::{self, Fill, Layout, Rate, RateStyle};
use crate::mess::Kinds;
use crate::output::Format;
use crate::record::{Cells, Record};
use crate::rows::{Counts, Rows, Vocabulary};
use crate::world::World;
use crate::{Mess, Request, SampleError, Summary};

/// Where lines go: text, a sheet, columns.
pub(crate) trait Sink {
    /// A line of words: a title, a footer; no words are a blank line.
    fn words(&mut self, words: &[&str]) -> Result<(), SampleError>;
    /// The header, and the header again.
    fn header(&mut self, headers: &[&str]) -> Result<(), SampleError>;
    /// A line of data; `cells` may be fewer than the columns.
    fn cells(&mut self, cells: &[Cell<'_>]) -> Result<(), SampleError>;
}

/// Told the rows written so far; may break off.
pub(crate) type Watch<'w> = &'w mut dyn FnMut(u64) -> ControlFlow<()>;

/// Rows between two looks at the watch.
const ROWS_PER_LOOK: u64 = 1024;

/// A report about to be written.
pub(crate) struct Report {
    layout: Layout,
    pub(crate) kinds: Kinds,
    pub(crate) world: World,
    pub(crate) cells: Cells,
    seed: u64,
}

impl Report {
    /// Draws the world and lays out the columns of a request.
    pub(crate) fn new(request: &Request, format: Format) -> Result<Self, SampleError> {
        let layout = layout::find(&request.platform, &request.channel)?;
        let kinds = Kinds::settle(&request.mess, format)?;
        let mut world = World::new(request, &layout)?;
        if kinds.has(Mess::Idn) {
            disorder::plant_foreign_names(&mut world);
        }
        let columns = headers::disordered(&layout, &kinds, request.seed);
        let cells = Cells { columns, dimension: layout.dimension, vocabulary: Vocabulary::new(&layout) };
        Ok(Self { layout, kinds, world, cells, seed: request.seed })
    }

    /// How cells are written as text.
    pub(crate) fn style(&self) -> Style {
        let own = self.layout.dates;
        Style {
            dates: if self.kinds.has(Mess::DateStyles) {
                disorder::foreign_dates(own, self.seed)
            } else {
                own
            },
            thousands: self.kinds.has(Mess::Thousands),
            decimal_comma: self.kinds.has(Mess::DecimalComma),
            currency_signs: self.kinds.has(Mess::CurrencySigns),
            rates: if self.kinds.has(Mess::Percent) {
                RateStyle::Percent
            } else if self.kinds.has(Mess::PercentHeaders) {
                RateStyle::BarePercent
            } else {
                self.layout.rates
            },
            parentheses: self.kinds.has(Mess::Parentheses),
        }
    }

    /// Writes every line.
    pub(crate) fn write(&self, sink: &mut dyn Sink, watch: Watch<'_>) -> Result<Summary, SampleError> {
        let headers: Vec<&str> = self.cells.columns.iter().map(|column| column.header.as_str()).collect();
        if self.kinds.has(Mess::Preamble) {
            for line in PREAMBLE {
                sink.words(line)?;
            }
        }
        if !self.kinds.has(Mess::NoHeader) {
            sink.header(&headers)?;
        }
        self.write_totals_above(sink)?;
        let totals = self.write_rows(sink, &headers, watch)?;
        self.write_totals_below(sink, totals)?;
        Ok(Summary {
            rows: self.world.rows,
            domains: self.world.sites.len() as u64,
            impressions: totals.impressions as u64,
            clicks: totals.clicks as u64,
            conversions: totals.conversions as u64,
            spend_cents: totals.spend as u64,
        })
    }

    fn rows(&self) -> Rows<'_> {
        Rows::new(&self.world, &self.layout, self.seed)
    }

    fn write_rows(
        &self,
        sink: &mut dyn Sink,
        headers: &[&str],
        watch: Watch<'_>,
    ) -> Result<Counts, SampleError> {
        let mut disorder = Disorder::new(&self.kinds, &self.world, &self.layout, self.seed);
        let mut extras = Vec::new();
        let mut totals = Counts::default();
        for (position, row) in (0..).zip(self.rows()) {
            if position % ROWS_PER_LOOK == 0 && watch(position).is_break() {
                return Err(SampleError::Cancelled);
            }
            totals.add(&row.counts);
            let name = self.world.sites[row.site].name.as_str();
            let mut record = Record { labels: Some(row.labels), ..Record::aggregate(name, row.counts) };
            disorder.plant(position, &row, &mut record, &mut extras);
            self.write_record(sink, &record)?;
            for extra in extras.drain(..) {
                match extra {
                    Extra::Record(record) => self.write_record(sink, &record)?,
                    Extra::Header => sink.header(headers)?,
                    Extra::BlankLine => sink.words(&[])?,
                }
            }
        }
        Ok(totals)
    }

    fn write_record(&self, sink: &mut dyn Sink, record: &Record<'_>) -> Result<(), SampleError> {
        let cells = self.cells.of(record);
        sink.cells(&cells[..cells.len() - record.cut.min(cells.len())])
    }

    /// Totals that stand first, directly below the header, their label in another column.
    fn write_totals_above(&self, sink: &mut dyn Sink) -> Result<(), SampleError> {
        if self.kinds.has(Mess::Pivot) {
            self.write_record(sink, &Record { name: "Row Labels".into(), ..Record::empty() })?;
        }
        if self.kinds.has(Mess::Totals) {
            let mut totals = Counts::default();
            self.rows().for_each(|row| totals.add(&row.counts));
            let name = if self.seed.is_multiple_of(2) { "" } else { "--" };
            let mut record = Record::aggregate(name, totals);
            record.patch(Fill::Advertiser, Cell::Text("Grand Total".into()));
            self.write_record(sink, &record)?;
        }
        Ok(())
    }

    fn write_totals_below(&self, sink: &mut dyn Sink, totals: Counts) -> Result<(), SampleError> {
        let label = match (self.kinds.has(Mess::Totals), self.kinds.has(Mess::Pivot)) {
            (true, _) => Some(["Grand Total:", "Total", ""][(self.seed % 3) as usize]),
            (false, true) => Some("Grand Total"),
            (false, false) => None,
        };
        if let Some(label) = label {
            self.write_record(sink, &Record::aggregate(label, totals))?;
        }
        if self.kinds.has(Mess::Dv360Footer) {
            self.write_record(sink, &Record::aggregate("", totals))?;
            for line in FOOTER {
                sink.words(line)?;
            }
        }
        Ok(())
    }

    /// Writes the truth: the name, class and true rates of every site.
    pub(crate) fn write_truth(&self, out: impl Write) -> Result<(), SampleError> {
        let rates: Vec<Rate> = Rate::ALL.into_iter().filter(|rate| self.layout.has_rate(*rate)).collect();
        let mut lines = Lines::plain(out);
        let mut line: Vec<Cow<'_, str>> = vec!["domain".into(), "class".into()];
        line.extend(rates.iter().map(|rate| format!("true_{}", rate.name()).into()));
        lines.line(&line)?;
        for site in &self.world.sites {
            line.clear();
            line.extend([Cow::from(site.name.as_str()), site.class.name().into()]);
            line.extend(rates.iter().map(|rate| Cow::from(site.rate(*rate).to_string())));
            lines.line(&line)?;
        }
        lines.finish()?;
        Ok(())
    }
}

const PREAMBLE: [&[&str]; 5] = [
    &["Report Name: Site Performance, all vendors"],
    &["Date Range:", "2025-09-01 - 2025-09-30"],
    &["Advertiser: Globex, Inc."],
    &["Generated", "2025-10-01 06:00 UTC"],
    &[],
];

const FOOTER: [&[&str]; 7] = [
    &[],
    &["Report Time:", "2025/10/01 06:00 GMT"],
    &["Date Range:", "2025/09/01 - 2025/09/30"],
    &["Group By:", "Date, App/URL, Exchange"],
    &["MRC Accredited Metrics", "Active View metrics are accredited."],
    &["Reporting numbers from the previous month are finalized on the first of each month."],
    &["Filter by Advertiser:", "Globex, Inc."],
];
