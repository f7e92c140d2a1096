//! Recipe files: read strictly, refused with the line and what to do.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Better, Channel, Dimension, Goal, Recipe, WeightedMetric};
use crate::dictionary::header::normalise;
use crate::dictionary::{Derived, Dictionary, did_you_mean};
use crate::{Code, Error, Result};

/// Weights sum to 1 within this.
const WEIGHT_SUM_TOLERANCE: f64 = 1e-9;

/// No recipe is longer; what is, is something else.
const MAX_BYTES: u64 = 1 << 20;

const KEYS: [&str; 12] = [
    "version",
    "name",
    "platform",
    "channel",
    "goal",
    "ctr_sensitive",
    "dimension",
    "min_impressions",
    "min_impression_share",
    "metrics",
    "columns",
    "derived",
];
const METRIC_KEYS: [&str; 3] = ["metric", "weight", "better"];
const DERIVED_KEYS: [&str; 5] = ["name", "numerator", "denominator", "per", "share"];

impl Recipe {
    /// Reads a recipe's text.
    ///
    /// # Errors
    /// `BadRecipe` with the line and what to do, for whatever breaks a rule of the format.
    pub fn parse(text: &str) -> Result<Self> {
        Reader { text }.recipe()
    }

    /// Reads a recipe file.
    ///
    /// # Errors
    /// `NotReadable` where there is no such file; `BadRecipe` as [`Recipe::parse`], with the file named.
    pub fn read(path: &Path) -> Result<Self> {
        read_with_name_line(path).map(|(recipe, _)| recipe)
    }
}

/// A recipe file, and the line of its name.
pub(super) fn read_with_name_line(path: &Path) -> Result<(Recipe, u64)> {
    let read = |text: String| {
        let reader = Reader { text: &text };
        let recipe = reader.recipe()?;
        let name_at =
            DeTable::parse(&text).ok().and_then(|top| Some(value(top.get_ref(), "name")?.span().start));
        Ok((recipe, line_of(text.as_bytes(), name_at.unwrap_or(0))))
    };
    read_text(path).and_then(read).map_err(|error| error.in_file(path.display().to_string()))
}

fn read_text(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        Error::new(Code::NotReadable, "the recipe cannot be read")
            .help("check the name of the file")
            .caused_by(error)
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::new(Code::BadRecipe, "a file of more than 1 MB is no recipe")
            .help("give a recipe; `caliber recipes show NAME` prints one"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = line_of(error.as_bytes(), error.utf8_error().valid_up_to());
        Error::new(Code::BadRecipe, "the recipe is not UTF-8 text").at_line(line).help("save it as UTF-8")
    })
}

fn line_of(text: &[u8], offset: usize) -> u64 {
    let before = &text[..offset.min(text.len())];
    1 + memchr::memchr_iter(b'\n', before).count() as u64
}

/// A table with the place it was written at.
struct Place<'t, 'i> {
    table: &'t DeTable<'i>,
    span: Range<usize>,
    /// What the table is, for messages.
    what: &'static str,
}

struct Reader<'i> {
    text: &'i str,
}

impl<'i> Reader<'i> {
    fn recipe(&self) -> Result<Recipe> {
        let document = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.refused(at, format!("not valid TOML: {}", error.message()))
                .help("compare with `caliber recipes show NAME`")
        })?;
        let top = Place { table: document.get_ref(), span: 0..0, what: "the recipe" };
        self.known_keys(&top, &KEYS)?;
        self.version(&top)?;
        let mut recipe = Recipe {
            version: 1,
            name: self.name(&top, "name")?,
            platform: self.name(&top, "platform")?,
            channels: self.channels(&top)?,
            goal: self.goal(&top)?,
            ctr_sensitive: self.flag(&top, "ctr_sensitive")?.unwrap_or(false),
            dimension: self.dimension(&top)?,
            min_impressions: self.min_impressions(&top)?,
            min_impression_share: self.min_impression_share(&top)?,
            metrics: Vec::new(),
            columns: self.columns(&top)?,
            derived: Vec::new(),
        };
        let derived = self.derived(&top)?;
        recipe.derived = derived.iter().map(|(_, derived)| derived.clone()).collect();
        let dictionary = self.dictionary(&top, &recipe, &derived)?;
        recipe.metrics = self.metrics(&top, &dictionary)?;
        Ok(recipe)
    }

    /// The shipped dictionary with what the recipe brings, each addition checked at its own line.
    fn dictionary(
        &self,
        top: &Place<'_, 'i>,
        recipe: &Recipe,
        derived: &[(usize, Derived)],
    ) -> Result<Dictionary> {
        let mut dictionary = Dictionary::shipped().clone();
        for (name, headers) in &recipe.columns {
            dictionary.add_column(name, headers, recipe).map_err(|error| {
                let columns = value(top.table, "columns").and_then(|columns| columns.get_ref().as_table());
                let at = columns.and_then(|columns| columns.get_key_value(name.as_str()));
                self.placed(error, at.map_or(0, |(key, _)| key.span().start))
            })?;
        }
        for (at, derived) in derived {
            dictionary.add_derived(derived).map_err(|error| self.placed(error, *at))?;
        }
        Ok(dictionary)
    }

    fn version(&self, top: &Place<'_, 'i>) -> Result<()> {
        let version = self.required(top, "version")?;
        match self.number(version, "version")? {
            1.0 => Ok(()),
            other => Err(self
                .refused(version.span().start, format!("version {other} of the format is not known"))
                .help("write `version = 1`")),
        }
    }

    /// A word that names the recipe or its platform.
    fn name(&self, top: &Place<'_, 'i>, key: &str) -> Result<String> {
        let value = self.required(top, key)?;
        let name = self.string(value, key)?;
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(word) {
            return Err(self
                .refused(value.span().start, format!("`{key}` must be one word, not `{name}`"))
                .help("use letters, digits, `_`, `-` and `.`"));
        }
        Ok(name.to_owned())
    }

    fn channels(&self, top: &Place<'_, 'i>) -> Result<Vec<Channel>> {
        let value = self.required(top, "channel")?;
        let one = |value: &Spanned<DeValue<'i>>| {
            let words = Channel::ALL.map(|channel| (channel.name(), channel));
            self.word(value, "channel", &words)
        };
        let Some(several) = value.get_ref().as_array() else {
            return Ok(vec![one(value)?]);
        };
        let mut channels = Vec::new();
        for item in several {
            let channel = one(item)?;
            if channels.contains(&channel) {
                return Err(self
                    .refused(item.span().start, format!("the channel `{channel}` is given twice"))
                    .help("name each channel once"));
            }
            channels.push(channel);
        }
        if channels.is_empty() {
            return Err(self
                .refused(value.span().start, "no channel")
                .help("name at least one: ctv, display, video, audio"));
        }
        Ok(channels)
    }

    fn goal(&self, top: &Place<'_, 'i>) -> Result<Goal> {
        let words = [Goal::Awareness, Goal::Action, Goal::Either].map(|goal| (goal.name(), goal));
        self.word(self.required(top, "goal")?, "goal", &words)
    }

    fn dimension(&self, top: &Place<'_, 'i>) -> Result<Dimension> {
        let words =
            [Dimension::Domain, Dimension::SupplyVendor].map(|dimension| (dimension.name(), dimension));
        let value = value(top.table, "dimension");
        value.map_or(Ok(Dimension::Domain), |value| self.word(value, "dimension", &words))
    }

    fn min_impressions(&self, top: &Place<'_, 'i>) -> Result<u64> {
        let Some(value) = value(top.table, "min_impressions") else { return Ok(250) };
        let number = self.number(value, "min_impressions")?;
        // Up to 2^53 every whole number is exact.
        if number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number) {
            return Ok(number as u64);
        }
        Err(self
            .refused(
                value.span().start,
                format!("`min_impressions` must be a whole number from 0 up, not {number}"),
            )
            .help("250 is usual, 0 keeps all rows"))
    }

    fn min_impression_share(&self, top: &Place<'_, 'i>) -> Result<f64> {
        let Some(value) = value(top.table, "min_impression_share") else { return Ok(0.0) };
        let number = self.number(value, "min_impression_share")?;
        if (0.0..1.0).contains(&number) {
            return Ok(number);
        }
        Err(self
            .refused(
                value.span().start,
                format!("`min_impression_share` must be from 0 up and below 1, not {number}"),
            )
            .help("it is a share of all impressions: 0.0005 is 0.05 %"))
    }

    fn metrics(&self, top: &Place<'_, 'i>, dictionary: &Dictionary) -> Result<Vec<WeightedMetric>> {
        let tables = self.tables(top, "metrics")?;
        let Some(first) = tables.first() else {
            let at = value(top.table, "metrics").map_or(0, |value| value.span().start);
            return Err(self
                .refused(at, "no metric")
                .help("add at least one [[metrics]] with metric, weight and better"));
        };
        let mut metrics: Vec<WeightedMetric> = Vec::new();
        for table in &tables {
            let metric = self.metric(table, dictionary)?;
            let same = |known: &&WeightedMetric| {
                dictionary.canonical(&known.metric) == dictionary.canonical(&metric.metric)
            };
            if let Some(known) = metrics.iter().find(same) {
                let twice = if known.metric == metric.metric {
                    format!("the metric `{}` is given twice", metric.metric)
                } else {
                    format!("`{}` and `{}` are one metric", known.metric, metric.metric)
                };
                return Err(self
                    .refused(key_start(table, "metric"), twice)
                    .help("give it once, with the whole weight"));
            }
            metrics.push(metric);
        }
        let sum: f64 = metrics.iter().map(|metric| metric.weight).sum();
        if (sum - 1.0).abs() > WEIGHT_SUM_TOLERANCE {
            // Rounded for reading: the exact sum carries the noise of its binary fractions.
            let shown = (sum * 1e12).round() / 1e12;
            return Err(self
                .refused(key_start(first, "weight"), format!("the weights sum to {shown}, not to 1"))
                .help(format!("divide each weight by {shown}, or correct one")));
        }
        Ok(metrics)
    }

    fn metric(&self, table: &Place<'_, 'i>, dictionary: &Dictionary) -> Result<WeightedMetric> {
        self.known_keys(table, &METRIC_KEYS)?;
        let named = self.required(table, "metric")?;
        let metric = self.string(named, "metric")?;
        if dictionary.metric(metric).is_none() {
            let near = did_you_mean(metric, dictionary.metric_names());
            return Err(self
                .refused(named.span().start, format!("unknown metric `{metric}`"))
                .help(format!("{near}metrics of one's own come under [columns] or [[derived]]")));
        }
        let weighed = self.required(table, "weight")?;
        let weight = self.number(weighed, "weight")?;
        if !(weight > 0.0 && weight <= 1.0) {
            return Err(self
                .refused(
                    weighed.span().start,
                    format!("a weight must be above 0 and at most 1, not {weight}"),
                )
                .help("leave the metric out, or give it its share of 1"));
        }
        let words = [("higher", Better::Higher), ("lower", Better::Lower)];
        let better = self.word(self.required(table, "better")?, "better", &words)?;
        Ok(WeightedMetric { metric: metric.to_owned(), weight, better })
    }

    fn columns(&self, top: &Place<'_, 'i>) -> Result<BTreeMap<String, Vec<String>>> {
        let Some(value) = value(top.table, "columns") else { return Ok(BTreeMap::new()) };
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.expected(value, "columns", "a table: canonical = [\"Header\", ...]"));
        };
        let mut columns = BTreeMap::new();
        let mut given: Vec<(String, &str)> = Vec::new();
        for (key, value) in table {
            let headers = value.get_ref().as_array().filter(|headers| !headers.is_empty());
            let Some(headers) = headers else {
                return Err(self.expected(value, key.get_ref(), "a list of headers: [\"Header\", ...]"));
            };
            let header = |header: &Spanned<DeValue<'i>>| {
                let text = self.string(header, key.get_ref())?;
                if text.trim().is_empty() {
                    return Err(self
                        .refused(header.span().start, "a blank header")
                        .help("write the header as the DSP does"));
                }
                let other = given.iter().find(|(known, _)| *known == normalise(text));
                if let Some((_, other)) = other {
                    let message = format!("`{other}` and `{}` both claim the header `{text}`", key.get_ref());
                    return Err(self
                        .refused(header.span().start, message)
                        .help("a header can be one column only: take it off one of them"));
                }
                Ok(text.to_owned())
            };
            let headers: Vec<String> = headers.iter().map(header).collect::<Result<_>>()?;
            given.extend(headers.iter().map(|header| (normalise(header), key.get_ref().as_ref())));
            columns.insert(key.get_ref().to_string(), headers);
        }
        Ok(columns)
    }

    /// The recipe's own metrics, each with the place of its name.
    fn derived(&self, top: &Place<'_, 'i>) -> Result<Vec<(usize, Derived)>> {
        let tables = self.tables(top, "derived")?;
        tables.iter().map(|table| Ok((key_start(table, "name"), self.derived_metric(table)?))).collect()
    }

    fn derived_metric(&self, table: &Place<'_, 'i>) -> Result<Derived> {
        self.known_keys(table, &DERIVED_KEYS)?;
        let text = |key| Ok(self.string(self.required(table, key)?, key)?.to_owned());
        let per = match value(table.table, "per") {
            None => 1.0,
            Some(value) => match self.number(value, "per")? {
                per @ (1.0 | 1000.0) => per,
                other => {
                    return Err(self
                        .refused(value.span().start, format!("`per` must be 1 or 1000, not {other}"))
                        .help("1 for a rate, 1000 for a cost per thousand"));
                }
            },
        };
        // A quotient of two counts is taken for a share of the second unless it is said not to be.
        let share = self.flag(table, "share")?.unwrap_or(per == 1.0);
        Ok(Derived {
            name: text("name")?,
            numerator: text("numerator")?,
            denominator: text("denominator")?,
            per,
            share,
            average_of: None,
        })
    }

    /// The tables of `[[key]]`, none where the key is absent.
    fn tables<'t>(&self, top: &Place<'t, 'i>, key: &'static str) -> Result<Vec<Place<'t, 'i>>> {
        let Some(value) = value(top.table, key) else { return Ok(Vec::new()) };
        let form = "a list of tables, each under a line of double brackets";
        let Some(items) = value.get_ref().as_array() else {
            return Err(self.expected(value, key, form));
        };
        let place = |item: &'t Spanned<DeValue<'i>>| match item.get_ref().as_table() {
            Some(table) => Ok(Place { table, span: item.span(), what: key }),
            None => Err(self.expected(item, key, form)),
        };
        items.iter().map(place).collect()
    }

    /// Refuses the first key, by its place, that is not one of these.
    fn known_keys(&self, place: &Place<'_, 'i>, known: &[&str]) -> Result<()> {
        let unknown = place.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let near = did_you_mean(key.get_ref(), known.iter().copied());
        Err(self
            .refused(key.span().start, format!("unknown key `{}` in {}", key.get_ref(), place.what))
            .help(format!("{near}known are {}", known.join(", "))))
    }

    fn required<'t>(&self, place: &Place<'t, 'i>, key: &str) -> Result<&'t Spanned<DeValue<'i>>> {
        value(place.table, key).ok_or_else(|| {
            self.refused(place.span.start, format!("{} lacks `{key}`", place.what))
                .help(format!("add `{key} = ...`"))
        })
    }

    fn word<T: Copy>(&self, value: &Spanned<DeValue<'i>>, key: &str, words: &[(&str, T)]) -> Result<T> {
        let word = self.string(value, key)?;
        words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
            let near = did_you_mean(word, known.iter().copied());
            self.refused(value.span().start, format!("unknown {key} `{word}`"))
                .help(format!("{near}known are {}", known.join(", ")))
        })
    }

    fn string<'t>(&self, value: &'t Spanned<DeValue<'i>>, key: &str) -> Result<&'t str> {
        value.get_ref().as_str().ok_or_else(|| self.expected(value, key, "text in quotes"))
    }

    fn number(&self, value: &Spanned<DeValue<'i>>, key: &str) -> Result<f64> {
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|whole| whole as f64)
            }
            _ => None,
        };
        number.filter(|number: &f64| number.is_finite()).ok_or_else(|| self.expected(value, key, "a number"))
    }

    fn flag(&self, place: &Place<'_, 'i>, key: &str) -> Result<Option<bool>> {
        let Some(value) = value(place.table, key) else { return Ok(None) };
        value.get_ref().as_bool().map(Some).ok_or_else(|| self.expected(value, key, "true or false"))
    }

    fn expected(&self, value: &Spanned<DeValue<'i>>, key: &str, form: &str) -> Error {
        let found = value.get_ref().type_str();
        self.refused(value.span().start, format!("`{key}` must be {form}, not {found}"))
            .help(format!("write {form}"))
    }

    fn refused(&self, at: usize, message: impl Into<String>) -> Error {
        self.placed(Error::new(Code::BadRecipe, message), at)
    }

    /// Says line and column of a place in the text.
    fn placed(&self, error: Error, at: usize) -> Error {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        error.at_line(line_of(self.text.as_bytes(), at)).at_column(column.to_string())
    }
}

/// Where the value of a key stands, or its table.
fn key_start(place: &Place<'_, '_>, key: &str) -> usize {
    value(place.table, key).map_or(place.span.start, |value| value.span().start)
}

fn value<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    table.get(key)
}
