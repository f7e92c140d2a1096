//! Plants disorder in a report. What it changes is drawn from a stream of its own, so that the world behind
//! a messy report is the world behind the clean one.

use std::borrow::Cow;

use crate::Mess;
use crate::cell::Cell;
use crate::layout::{DateStyle, Fill, Kind, Layout};
use crate::mess::Kinds;
use crate::names::NameKind;
use crate::random::Draws;
use crate::record::Record;
use crate::rows::{Counts, Labels, Row, Vocabulary};
use crate::world::World;

/// A line that a mess adds.
pub(crate) enum Extra<'w> {
    Record(Box<Record<'w>>),
    /// The header again.
    Header,
    /// Nothing at all.
    BlankLine,
}

impl<'w> Extra<'w> {
    fn line(record: Record<'w>) -> Self {
        Self::Record(Box::new(record))
    }
}

/// When a kind is due: every `period` rows, from `offset` on.
#[derive(Clone, Copy)]
struct Due {
    kind: Mess,
    period: u64,
    offset: u64,
}

/// The disorder of one report.
pub(crate) struct Disorder<'w> {
    world: &'w World,
    due: Vec<Due>,
    draws: Draws,
    /// Columns no score needs, and the counts that scores do need; every layout has some of both.
    spare: Vec<Fill>,
    needed_counts: Vec<Fill>,
    words_used: usize,
    /// How many of `SUBTOTALS` the encoding can write.
    subtotals: usize,
    since_subtotal: Counts,
}

const MISSING: [&str; 7] = ["-", "--", "n/a", "N/A", "null", "NaN", ""];
const JUNK: [&str; 5] = ["#REF!", "1O5", "abc", "~500", "see note"];
const UNNAMED: [&str; 13] = [
    "Low volume inventory",
    "unknown",
    "Undisclosed",
    "(not set)",
    "--",
    "anonymous",
    "deals.unknown",
    "Managed.Unknown",
    "(not available)",
    "",
    "-----",
    " Unknown ",
    "Aggregate",
];
/// Parts of a report that have a subtotal each.
const PARTS: u64 = 5;
/// The last is beyond Windows-1252.
const SUBTOTALS: [&str; 9] =
    ["Subtotal", "Totals:", "total", "Gesamt", "Totale", "Totales", "Total général", "Summary", "Итого"];

impl<'w> Disorder<'w> {
    pub(crate) fn new(kinds: &Kinds, world: &'w World, layout: &Layout, seed: u64) -> Self {
        let fills = layout.columns.iter().map(|column| column.fill);
        let due = (0..)
            .zip(Mess::KINDS)
            .filter(|(_, kind)| kinds.has(*kind))
            .map(|(number, kind)| {
                let wanted = match kind {
                    Mess::Urls => 2,
                    Mess::SeveralCampaigns | Mess::SeveralCurrencies => 1,
                    Mess::Idn => 3,
                    _ => 11 + number,
                };
                if kind == Mess::Totals {
                    // A subtotal stands below what it sums.
                    let period = world.rows.div_ceil(PARTS).max(1);
                    return Due { kind, period, offset: period - 1 };
                }
                let period = wanted.min(world.rows.div_ceil(2)).max(1);
                Due { kind, period, offset: number * 5 % period }
            })
            .collect();
        Self {
            world,
            due,
            draws: Draws::new(seed, 3),
            spare: fills.clone().filter(|fill| fill.is_spare()).collect(),
            needed_counts: fills
                .filter(|fill| fill.kind() == Kind::Count && !fill.is_spare() && *fill != Fill::Impressions)
                .collect(),
            words_used: 0,
            subtotals: SUBTOTALS.len() - usize::from(kinds.has(Mess::Cp1252)),
            since_subtotal: Counts::default(),
        }
    }

    /// Disturbs a row and says what lines follow it.
    pub(crate) fn plant(
        &mut self,
        position: u64,
        row: &Row,
        record: &mut Record<'w>,
        extras: &mut Vec<Extra<'w>>,
    ) {
        if self.due.is_empty() {
            return;
        }
        self.since_subtotal.add(&row.counts);
        let is_due = |due: &&Due| position % due.period == due.offset;
        let due: Vec<Due> = self.due.iter().filter(is_due).copied().collect();
        for due in &due {
            self.disturb(due.kind, row, record);
        }
        // The lines that follow belong to the campaign and currency that the row was given.
        for due in &due {
            self.follow(due, row, record.labels, extras);
        }
    }

    /// What a kind does to cells of the row itself.
    fn disturb(&mut self, kind: Mess, row: &Row, record: &mut Record<'w>) {
        let site = &self.world.sites[row.site];
        let draws = &mut self.draws;
        match kind {
            Mess::Urls => record.name = spelled(&site.name, site.kind, draws).into(),
            Mess::Idn => {
                if let Ok(ascii) = idna::domain_to_ascii(&site.name)
                    && !site.name.is_ascii()
                {
                    record.name = ascii.into();
                }
            }
            Mess::SeveralCampaigns => {
                if let Some(labels) = &mut record.labels {
                    labels.campaign = draws.below(Vocabulary::CAMPAIGNS.len()) as u8;
                }
            }
            Mess::SeveralCurrencies => {
                if let Some(labels) = &mut record.labels {
                    labels.currency = draws.below(Vocabulary::CURRENCIES.len()) as u8;
                }
            }
            Mess::QuotedNewlines => {
                let line_end = draws.pick(&["\n", "\r\n"]);
                record.patch(Fill::AdGroup, words(format!("AG-041 LAL{line_end}(second line)")));
            }
            Mess::StrayQuotes => {
                let inches = draws.below(30) + 2;
                record.patch(Fill::Creative, Cell::Verbatim(format!("CR_0061 {inches}\" poster_v2").into()));
            }
            Mess::SpreadsheetText => {
                record.patch(Fill::Impressions, words(format!("=\"{}\"", row.counts.impressions)));
            }
            Mess::NbspPadding => {
                let pad = draws.pick(&["\u{a0}", " ", "\u{a0} ", "  "]);
                record.name = format!("{pad}{}{pad}", record.name).into();
                record.patch(Fill::Creative, words(format!("{pad}CR_0062_300x250_v0")));
                let figure = record.counts.map_or(0, |counts| counts.impressions);
                record.patch(Fill::Impressions, words(format!("{pad}{figure}{pad}")));
            }
            Mess::MissingWords => {
                let fill = self.spare[draws.below(self.spare.len())];
                record.patch(fill, words(MISSING[self.words_used % MISSING.len()]));
                self.words_used += 1;
            }
            Mess::Ragged => record.cut = 1 + draws.below(2),
            Mess::ZeroImpressions => {
                if let Some(counts) = &mut record.counts {
                    counts.conversions = 0;
                }
            }
            _ => {}
        }
    }

    /// The lines a kind adds after the row.
    fn follow(&mut self, due: &Due, row: &Row, labels: Option<Labels>, extras: &mut Vec<Extra<'w>>) {
        let own_name: &'w str = &self.world.sites[row.site].name;
        let line = |name: &'w str, counts: Counts| Record { labels, ..Record::aggregate(name, counts) };
        let nothing = Counts::default();
        match due.kind {
            Mess::Totals => {
                let label = SUBTOTALS[self.draws.below(self.subtotals)];
                let sum = std::mem::take(&mut self.since_subtotal);
                extras.push(Extra::line(Record::aggregate(label, sum)));
            }
            // On average as much again as is named.
            Mess::TailAggregate => {
                let counts = row.counts.times(due.period);
                extras.push(Extra::line(line("[tail aggregate]", counts)));
            }
            Mess::Unnamed => {
                let name = UNNAMED[self.draws.below(UNNAMED.len())];
                extras.push(Extra::line(line(name, row.counts)));
            }
            Mess::RepeatedHeader => extras.push(Extra::Header),
            Mess::BlankLines => extras.push(if self.draws.chance(0.5) {
                Extra::BlankLine
            } else {
                Extra::line(Record::empty())
            }),
            Mess::Parentheses => {
                let cents = 100 + self.draws.count_below(40_000);
                for sign in [-1, 1] {
                    let counts = Counts { spend: sign * cents, clicks: sign, ..nothing };
                    extras.push(Extra::line(line(own_name, counts)));
                }
            }
            Mess::MissingWords => {
                let mut empty = line(own_name, nothing);
                for fill in self.needed_counts.iter().copied().chain([Fill::Spend]) {
                    empty.patch(fill, words(MISSING[self.words_used % MISSING.len()]));
                    self.words_used += 1;
                }
                extras.push(Extra::line(empty));
            }
            Mess::Unreadable => {
                let fill = self.needed_counts[self.draws.below(self.needed_counts.len())];
                for (counts, fill) in [(nothing, fill), (row.counts, Fill::Impressions)] {
                    let mut junk = line(own_name, counts);
                    junk.patch(fill, words(self.draws.pick(&JUNK)));
                    extras.push(Extra::line(junk));
                }
            }
            Mess::MissingImpressions => {
                let mut missing = line(own_name, row.counts);
                missing.patch(Fill::Impressions, words(self.draws.pick(&MISSING)));
                extras.push(Extra::line(missing));
            }
            Mess::ZeroImpressions => {
                let conversions = row.counts.conversions;
                extras.push(Extra::line(line(own_name, Counts { conversions, ..nothing })));
            }
            _ => {}
        }
    }
}

fn words<'a>(words: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell::Text(words.into())
}

/// Another spelling that normalises to the same name.
fn spelled(name: &str, kind: NameKind, draws: &mut Draws) -> String {
    match kind {
        NameKind::Host => match draws.below(8) {
            0 => format!("https://www.{name}/section/story.html?utm_source=a,b&page=2"),
            1 => name.to_uppercase(),
            2 => format!("www.{name}"),
            3 => format!("{name}."),
            4 => format!("{name}:443"),
            5 => format!("http://{name}:8080/"),
            6 => format!("HTTPS://WWW.{}/#top", name.to_uppercase()),
            _ => format!(" {name}  "),
        },
        NameKind::Bundle => format!("https://play.google.com/store/apps/details?id={name}"),
        NameKind::Number => format!("https://itunes.apple.com/us/app/an-app/id{name}?mt=8"),
        NameKind::StoreId => format!(" {name}"),
        NameKind::Words => format!(" {}", name.replace(' ', "  ")),
    }
}

/// Gives some sites names outside ASCII.
pub(crate) fn plant_foreign_names(world: &mut World) {
    const WORDS: [&str; 5] = ["zürich", "münchen", "orléans", "málaga", "göteborg"];
    let hosts = world.sites.iter_mut().filter(|site| site.kind == NameKind::Host);
    for (site, word) in hosts.step_by(25).zip(WORDS.into_iter().cycle()) {
        site.name = format!("{word}-{}", site.name);
    }
}

/// The dates of the `date_styles` mess: one of those the platform itself does not use.
pub(crate) fn foreign_dates(own: DateStyle, seed: u64) -> DateStyle {
    let slashed = if own == DateStyle::Slashed { DateStyle::Iso } else { DateStyle::Slashed };
    [DateStyle::DayFirst, DateStyle::MonthFirst, slashed][(seed % 3) as usize]
}
