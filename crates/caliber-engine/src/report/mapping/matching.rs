//! The matching itself: who claims which header, and who gets it.

use std::collections::BTreeSet;

use super::{
    Ambiguity, ColumnPeek, EXTRAS, How, Mapped, Mapping, Needs, Override, Suggestion, Target, Warning, supply,
};
use crate::dictionary::header::{Header, Scope, Unit, normalise, words_of};
use crate::dictionary::{ColumnKind, Dictionary, Known, nearest};
use crate::{Code, Error, Result};

/// Jaccard likeness from which a header is taken, with a warning.
const SIMILAR: f64 = 0.8;
/// Jaccard likeness from which a header is only suggested.
const SUGGESTED: f64 = 0.5;
/// Suggestions for one column.
const MAX_SUGGESTIONS: usize = 3;
/// A count that is a rate by its header or cells ranks behind every alias of the rate.
const RANK_OF_COUNT: usize = 1 << 16;
/// Words that turn a header into its opposite; one more of them is never a likeness.
const NEGATIONS: [&str; 4] = ["not", "non", "no", "without"];

/// One header that fits one column.
#[derive(Clone, Debug)]
struct Claim {
    header: usize,
    /// The column it is for, and the one whose name it bears: a count may claim for its rate.
    column: usize,
    known: Known,
    rank: usize,
    unit: Option<Unit>,
}

/// A column that has its headers.
#[derive(Clone, Debug)]
struct Taken {
    column: usize,
    headers: Vec<usize>,
    how: How,
    own_of: Vec<String>,
}

struct Matcher<'a> {
    dictionary: &'a Dictionary,
    texts: &'a [String],
    headers: Vec<Header>,
    peek: &'a dyn ColumnPeek,
    claims: Vec<Claim>,
    used: Vec<bool>,
    left_out: BTreeSet<usize>,
    taken: Vec<Taken>,
    ambiguities: Vec<Ambiguity>,
    warnings: Vec<Warning>,
}

/// Gives each column its headers: by the call, then by name for the columns the recipe needs, those that results show
/// and all others, then by likeness for what is still lacking.
pub(crate) fn assign(
    texts: &[String],
    dictionary: &Dictionary,
    needs: &Needs,
    overrides: &[Override],
    peek: &dyn ColumnPeek,
) -> Result<Mapping> {
    let headers: Vec<Header> = texts.iter().map(|text| Header::read(text, dictionary)).collect();
    let mut matcher = Matcher {
        dictionary,
        texts,
        used: vec![false; headers.len()],
        headers,
        peek,
        claims: Vec::new(),
        left_out: BTreeSet::new(),
        taken: Vec::new(),
        ambiguities: Vec::new(),
        warnings: Vec::new(),
    };
    matcher.claims = (0..texts.len()).flat_map(|header| matcher.claims_of(header)).collect();
    for (position, given) in overrides.iter().enumerate() {
        matcher.give(given, &overrides[..position])?;
    }
    let all: Vec<usize> = (0..dictionary.columns().len()).collect();
    for group in [matcher.needed(needs), matcher.shown(), all] {
        matcher.take_by_name(&group, |rank| rank == 0);
        matcher.take_by_name(&group, |_| true);
    }
    // Also a column that something else stands in for: it may be the better source.
    let unclaimed: Vec<usize> = matcher
        .lacking(needs)
        .into_iter()
        .chain(matcher.needed(needs))
        .filter(|&column| matcher.is_free(column))
        .collect();
    matcher.take_by_likeness(&unclaimed);
    let suggestions = matcher.suggestions(&matcher.lacking(needs));
    Ok(Mapping { suggestions, ..matcher.into_mapping() })
}

impl Matcher<'_> {
    /// Positions of the columns a recipe needs, in the order they are served.
    fn needed(&self, needs: &Needs) -> Vec<usize> {
        let essential = ["impressions", needs.dimension.name()];
        let metrics = needs.metrics.iter().flat_map(|metric| supply::parts_of(metric, self.dictionary));
        self.positions(essential.into_iter().chain(metrics))
    }

    /// Positions of the columns that results show whatever the recipe.
    fn shown(&self) -> Vec<usize> {
        let metrics = EXTRAS.iter().flat_map(|metric| supply::parts_of(metric, self.dictionary));
        self.positions(metrics.chain(["date", "currency"]))
    }

    fn positions<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<usize> {
        names.filter_map(|name| self.dictionary.column_index(name)).collect()
    }

    /// What a header may be: for each column its most literal reading.
    fn claims_of(&self, header: usize) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        for (form, known) in self.headers[header].known_forms(self.dictionary) {
            let kind = self.dictionary.columns()[known.column].kind;
            if !form.scope.fits(kind) {
                continue;
            }
            let percent = form.rate || self.headers[header].is_rate || form.unit == Some(Unit::Percent);
            // Of one alias the plain spelling goes before `Sum of Clicks` and `Spend USD`.
            let literal = 2 * known.rank + usize::from(form.scope != Scope::Any);
            let claim = |column, rank| Claim { header, column, known, rank, unit: form.unit };
            let claim = match kind {
                ColumnKind::Count if percent || self.peek.carries_percent(header) => {
                    let rate = self.dictionary.rate_of_count(known.column);
                    rate.map(|rate| claim(rate, RANK_OF_COUNT + literal))
                }
                ColumnKind::Rate if form.rate => Some(claim(known.column, RANK_OF_COUNT + literal)),
                ColumnKind::Money | ColumnKind::MoneyRate if percent => None,
                _ if form.rate => None,
                _ => Some(claim(known.column, literal)),
            };
            let new = claim.filter(|claim| claims.iter().all(|other| other.column != claim.column));
            claims.extend(new);
        }
        claims
    }

    /// Carries out one override; `earlier` are those before it.
    fn give(&mut self, given: &Override, earlier: &[Override]) -> Result<()> {
        let column = self.dictionary.known_column(&given.name)?;
        let same = |other: &&Override| self.dictionary.column_index(&other.name) == Some(column);
        if earlier.iter().any(|other| same(&other)) {
            return Err(Error::new(Code::BadOption, format!("`{}` is mapped twice", given.name))
                .help("give one --map for each column"));
        }
        let header = match &given.target {
            Target::LeaveOut => {
                self.left_out.insert(column);
                return Ok(());
            }
            Target::Position(position) if *position < self.texts.len() => *position,
            Target::Position(position) => {
                let message =
                    format!("there is no column #{}; the report has {}", position + 1, self.texts.len());
                return Err(Error::new(Code::NotFound, message)
                    .at_column(format!("#{}", position + 1))
                    .help("count from #1"));
            }
            Target::Header(text) => self.find(text)?,
        };
        if self.used[header] {
            let message = format!("the column #{} is mapped to two names", header + 1);
            return Err(
                Error::new(Code::BadOption, message).help("a column of the report can be one thing only")
            );
        }
        let is_count = self.dictionary.columns()[column].kind == ColumnKind::Count;
        let is_rate = is_count && (self.headers[header].is_rate || self.peek.carries_percent(header));
        let rate = self.dictionary.rate_of_count(column).filter(|_| is_rate);
        let target = rate.unwrap_or(column);
        if !self.is_free(target) {
            // Two names come to one: a count whose cells carry `%` is its rate.
            let name = &self.dictionary.columns()[target].name;
            let message = format!("`{}` is mapped twice: the column `{}` holds it", name, self.texts[header]);
            return Err(Error::new(Code::BadOption, message).help("give one --map for each column"));
        }
        self.take(target, vec![header], How::Given, Vec::new());
        if rate.is_some() {
            // The count itself was asked for and is this rate: no other header shall be it.
            self.left_out.insert(column);
        }
        Ok(())
    }

    /// The one column of a header as given: letter by letter, else as headers are compared.
    fn find(&self, text: &str) -> Result<usize> {
        let all = |matches: &dyn Fn(usize) -> bool| {
            (0..self.texts.len()).filter(|at| matches(*at)).collect::<Vec<_>>()
        };
        let wanted = normalise(text);
        let mut found = all(&|at| self.texts[at].trim() == text);
        if found.is_empty() && !wanted.is_empty() {
            found = all(&|at| normalise(&self.texts[at]) == wanted);
        }
        if let [first, others @ ..] = found.as_slice()
            && others.iter().all(|other| self.peek.equal(*first, *other))
        {
            return Ok(*first);
        }
        if found.is_empty() {
            let near = nearest(text, self.texts.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let help = format!("{near}write the header as it stands in the report, or its position as #3");
            return Err(
                Error::new(Code::NotFound, format!("no column of the report is called `{text}`")).help(help)
            );
        }
        let positions: Vec<String> = found.iter().map(|at| format!("#{}", at + 1)).collect();
        let message = format!("several columns are called `{text}`: {}", positions.join(", "));
        Err(Error::new(Code::Ambiguous, message).at_column(text).help("give the position instead, as #3"))
    }

    fn is_free(&self, column: usize) -> bool {
        !self.left_out.contains(&column) && self.taken.iter().all(|taken| taken.column != column)
    }

    fn take_by_name(&mut self, columns: &[usize], ranks: impl Fn(usize) -> bool) {
        for &column in columns {
            if !self.is_free(column) {
                continue;
            }
            let fits = |claim: &&Claim| {
                claim.column == column
                    && ranks(claim.rank)
                    && !self.used[claim.header]
                    && !self.left_out.contains(&claim.known.column)
            };
            let Some(rank) = self.claims.iter().filter(fits).map(|claim| claim.rank).min() else { continue };
            let best: Vec<Claim> =
                self.claims.iter().filter(fits).filter(|claim| claim.rank == rank).cloned().collect();
            let Some(first) = best.first() else { continue };
            let known = first.known;
            let how = if rank == 0 { How::Exact } else { How::Alias };
            let own_of =
                self.dictionary.alias_of(known.column, known.rank).map(|alias| alias.platforms.clone());
            let summed = best.iter().all(|claim| claim.known.pattern) && rank < RANK_OF_COUNT;
            let headers = if summed { self.each_once(column, &best) } else { self.the_one(column, &best) };
            self.take(column, headers, how, own_of.unwrap_or_default());
        }
    }

    /// All headers of a pattern; of two with the same text one, which is unsettled where their cells differ.
    fn each_once(&mut self, column: usize, claims: &[Claim]) -> Vec<usize> {
        let mut headers: Vec<usize> = Vec::new();
        for claim in claims {
            let same =
                headers.iter().find(|header| self.headers[**header].is(&self.headers[claim.header])).copied();
            match same {
                None => headers.push(claim.header),
                Some(same) if self.peek.equal(same, claim.header) => {}
                Some(same) => self.unsettled(column, vec![same, claim.header]),
            }
        }
        headers
    }

    /// Of headers of one rank the one in the preferred currency; equal columns count as one.
    fn the_one(&mut self, column: usize, claims: &[Claim]) -> Vec<usize> {
        let money =
            matches!(self.dictionary.columns()[column].kind, ColumnKind::Money | ColumnKind::MoneyRate);
        let preferred = if money {
            preferred_currency(claims)
        } else {
            claims.iter().map(|claim| claim.header).collect()
        };
        let mut different: Vec<usize> = Vec::new();
        for header in preferred {
            if different.iter().all(|other| !self.peek.equal(*other, header)) {
                different.push(header);
            }
        }
        if different.len() > 1 {
            self.unsettled(column, different.clone());
        }
        different.truncate(1);
        different
    }

    fn unsettled(&mut self, column: usize, candidates: Vec<usize>) {
        let canonical = self.dictionary.columns()[column].name.clone();
        self.ambiguities.push(Ambiguity { canonical, candidates });
    }

    fn take(&mut self, column: usize, headers: Vec<usize>, how: How, own_of: Vec<String>) {
        for header in &headers {
            self.used[*header] = true;
        }
        self.taken.push(Taken { column, headers, how, own_of });
    }

    /// Columns that would supply what has no supply yet, or only one that stands in for it.
    fn lacking(&self, needs: &Needs) -> Vec<usize> {
        let mapping = self.mapping();
        let essential = ["impressions", needs.dimension.name()];
        let metrics = needs.metrics.iter().map(String::as_str).chain(EXTRAS);
        let lacking = metrics.filter(|metric| !supply::is_settled(metric, self.dictionary, &mapping));
        let parts = lacking.flat_map(|metric| supply::parts_of(metric, self.dictionary));
        let mut columns = self.positions(essential.into_iter().chain(parts));
        columns.retain(|column| self.is_free(*column));
        columns
    }

    fn take_by_likeness(&mut self, columns: &[usize]) {
        for &column in columns {
            let likes = self.likes(column);
            let best = likes.iter().map(|(likeness, _)| *likeness).fold(SIMILAR, f64::max);
            let claims: Vec<Claim> =
                likes.into_iter().filter(|(likeness, _)| *likeness >= best).map(|(_, claim)| claim).collect();
            if claims.is_empty() || !self.is_free(column) {
                continue;
            }
            let headers = self.the_one(column, &claims);
            for header in &headers {
                let message = format!(
                    "`{}` was taken for {} because it is much alike; --map says otherwise",
                    self.texts[*header],
                    self.dictionary.label(&self.dictionary.columns()[column].name)
                );
                self.warnings.push(Warning { code: "similar_header", message });
            }
            self.take(column, headers, How::Similar, Vec::new());
        }
    }

    /// Headers that nothing else is known of and that are somewhat like a column, with their likeness.
    fn likes(&self, column: usize) -> Vec<(f64, Claim)> {
        let entry = &self.dictionary.columns()[column];
        let names = std::iter::once(&entry.name).chain(entry.aliases.iter().map(|alias| &alias.header));
        let names: Vec<Vec<String>> =
            names.filter(|name| !name.contains('#')).map(|name| words_of(&normalise(name))).collect();
        let summed = entry.kind.is_summed();
        let unknown =
            |header: &usize| !self.used[*header] && self.claims.iter().all(|claim| claim.header != *header);
        let possible = (0..self.texts.len()).filter(unknown).filter(|header| {
            !(summed && (self.headers[*header].is_rate || self.peek.carries_percent(*header)))
        });
        let likeness = |header: usize| {
            names.iter().map(|name| jaccard(name, &self.headers[header].words)).fold(0.0, f64::max)
        };
        let known = Known { column, rank: 1, pattern: false };
        possible
            .map(|header| {
                let unit = self.headers[header].forms.iter().find_map(|form| form.unit);
                (likeness(header), Claim { header, column, known, rank: 1, unit })
            })
            .filter(|(likeness, _)| *likeness >= SUGGESTED)
            .collect()
    }

    fn suggestions(&self, columns: &[usize]) -> Vec<Suggestion> {
        let mut suggestions: Vec<Suggestion> = Vec::new();
        for &column in columns {
            let mut likes = self.likes(column);
            likes.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            for (_, claim) in likes.into_iter().take(MAX_SUGGESTIONS) {
                let canonical = self.dictionary.columns()[column].name.clone();
                let suggestion = Suggestion { canonical, header: self.texts[claim.header].clone() };
                if !suggestions.contains(&suggestion) {
                    suggestions.push(suggestion);
                }
            }
        }
        suggestions
    }

    /// What is taken so far.
    fn mapping(&self) -> Mapping {
        let mapped = |taken: &Taken, header: usize| {
            let column = &self.dictionary.columns()[taken.column];
            Mapped {
                canonical: column.name.clone(),
                column: header,
                header: self.texts[header].clone(),
                how: taken.how,
                kind: column.kind,
                percent_header: normalise(&self.texts[header]).split(' ').any(|word| word == "%"),
                own_of: taken.own_of.clone(),
            }
        };
        let each =
            |taken: &Taken| taken.headers.iter().map(|header| mapped(taken, *header)).collect::<Vec<_>>();
        let mut columns: Vec<Mapped> = self.taken.iter().flat_map(each).collect();
        columns.sort_by_key(|mapped| mapped.column);
        Mapping { columns, ..Mapping::default() }
    }

    fn into_mapping(self) -> Mapping {
        let mapping = self.mapping();
        let unmapped =
            self.texts.iter().zip(&self.used).filter(|(text, used)| !**used && !text.trim().is_empty());
        let unmapped = unmapped.map(|(text, _)| text.clone()).collect();
        Mapping { unmapped, warnings: self.warnings, ambiguities: self.ambiguities, ..mapping }
    }
}

/// Headers in the advertiser's currency before all others; the partner's before dollars. A header without one of the
/// three says nothing that would rank it, so it stays beside the best.
fn preferred_currency(claims: &[Claim]) -> Vec<usize> {
    let with =
        |unit: Unit| claims.iter().filter(move |claim| claim.unit == Some(unit)).map(|claim| claim.header);
    let advertiser: Vec<usize> = with(Unit::Advertiser).collect();
    if !advertiser.is_empty() {
        return advertiser;
    }
    let has_partner = with(Unit::Partner).next().is_some();
    let stays = |claim: &&Claim| !(has_partner && claim.unit == Some(Unit::UsDollar));
    claims.iter().filter(stays).map(|claim| claim.header).collect()
}

/// Shared words by all words; 0 where one text negates the other.
fn jaccard(a: &[String], b: &[String]) -> f64 {
    // Most headers share no word with most columns, and sets cost more than a look.
    if !a.iter().any(|word| b.contains(word)) {
        return 0.0;
    }
    let a: BTreeSet<&str> = a.iter().map(String::as_str).collect();
    let b: BTreeSet<&str> = b.iter().map(String::as_str).collect();
    let all = a.union(&b).count();
    if a.symmetric_difference(&b).any(|word| NEGATIONS.contains(word)) {
        return 0.0;
    }
    a.intersection(&b).count() as f64 / all as f64
}
