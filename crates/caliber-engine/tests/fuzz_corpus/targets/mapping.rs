//! Lists of headers, as a report may have them, mapped for every recipe and recognised.
//!
//! The first line holds the headers, parted by tabs. Of the others, `percent 1 4` names columns whose cells carry `%`,
//! `equal 2 3` columns of equal cells, `recipe`, `platform`, `channel` and `goal` what is asked for; all else is a
//! `--map`. With `recipe` the headers are only mapped for it, else they are recognised.

use std::collections::BTreeMap;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Asked, Channel, Goal, Headers, Recipe, RecipeBook, candidates, recognise};
use caliber_engine::report::mapping::{ColumnPeek, Mapping, Needs, Override, Target, map_headers, supply};
use caliber_engine::{Code, Error};

/// The most headers: real reports have tens, and matching is quadratic in what is alike.
const MOST_HEADERS: usize = 100;

/// A header is used once, and a column has one header unless a pattern sums several.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let texts = lines.next().unwrap_or_default().split('\t').take(MOST_HEADERS);
    let texts: Vec<String> = texts.map(str::to_owned).collect();
    let mut call = Call {
        overrides: Vec::new(),
        percent: Vec::new(),
        equal: Vec::new(),
        recipe: None,
        platform: None,
        channel: None,
        goal: Goal::Awareness,
    };
    lines.for_each(|line| call.read(line));

    match call.recipe.and_then(|recipe| RecipeBook::shipped().by_name(recipe).ok()) {
        Some(recipe) => maps_for(recipe, &texts, &call),
        None => recognises(&texts, &call),
    }
}

fn maps_for(recipe: &Recipe, texts: &[String], call: &Call<'_>) {
    let needs = Needs::of(recipe);
    match map_headers(texts, Dictionary::shipped(), &needs, &call.overrides, call) {
        Ok(mapping) => {
            is_sound_mapping(&mapping, texts, call);
            if let Err(error) = supply(&needs, Dictionary::shipped(), &mapping) {
                refuses_with(&error, &[Code::MissingColumns]);
            }
        }
        Err(error) => refuses_with(&error, &[Code::BadOption, Code::NotFound, Code::Ambiguous]),
    }
}

fn recognises(texts: &[String], call: &Call<'_>) {
    let headers = Headers { texts, peek: call, overrides: &call.overrides };
    let asked =
        Asked { platform: call.platform, channel: call.channel, goal: call.goal, ctr_sensitive: false };
    let refused = match recognise(RecipeBook::shipped(), &asked, &headers) {
        Ok(found) => {
            is_sound_mapping(&found.mapping, texts, call);
            assert!(found.recipe.serves(found.channel), "{} as {}", found.recipe.name, found.channel);
            let supplied = supply(&Needs::of(found.recipe), found.dictionary, &found.mapping);
            let lacks_names = ["impressions", found.recipe.dimension.name()]
                .iter()
                .any(|column| found.mapping.positions(column).is_empty());
            let asked_for = asked.platform.is_some();
            assert!(supplied.is_ok() || asked_for || lacks_names, "{} is not supplied", found.recipe.name);
            return;
        }
        Err(error) => error,
    };
    let by_the_call = [Code::BadOption, Code::NotFound, Code::Ambiguous, Code::UnknownRecipe];
    let by_the_headers = [Code::NotRecognised, Code::SeveralRecipes];
    refuses_with(&refused, &[&by_the_call[..], &by_the_headers].concat());
    match candidates(RecipeBook::shipped(), &asked, &headers) {
        Ok(candidates) => {
            let whole = candidates.iter().filter(|candidate| candidate.lacking.is_empty()).count();
            assert!(refused.code != Code::NotRecognised || whole == 0, "{refused}: {candidates:?}");
        }
        Err(error) => refuses_with(&error, &by_the_call),
    }
}

fn refuses_with(error: &Error, codes: &[Code]) {
    assert!(codes.contains(&error.code), "{:?}: {error}", error.code);
    assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{error}: without help");
}

fn is_sound_mapping(mapping: &Mapping, texts: &[String], call: &Call<'_>) {
    assert!(mapping.columns.is_sorted_by(|a, b| a.column < b.column), "not in order, or used twice");
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for mapped in &mapping.columns {
        assert_eq!(Some(&mapped.header), texts.get(mapped.column), "#{}", mapped.column);
        assert_eq!(mapping.at(mapped.column), Some(mapped));
        by_name.entry(&mapped.canonical).or_default().push(mapped.column);
    }
    for (canonical, columns) in by_name {
        assert_eq!(mapping.positions(canonical), columns);
        let column = Dictionary::shipped().column(canonical).expect("a column of the dictionary");
        let has_pattern = column.aliases.iter().any(|alias| alias.header.contains('#'));
        assert!(columns.len() == 1 || has_pattern, "`{canonical}` is columns {columns:?}");
    }
    let used = |header: &String| mapping.columns.iter().filter(|mapped| mapped.header == *header).count();
    for header in &mapping.unmapped {
        let there = texts.iter().filter(|text| *text == header).count();
        let unused = mapping.unmapped.iter().filter(|text| *text == header).count();
        assert_eq!(there, used(header) + unused, "`{header}`");
    }
    for given in &call.overrides {
        if let Target::Position(position) = given.target {
            assert!(mapping.at(position).is_some(), "#{} was given for {}", position + 1, given.name);
        }
    }
}

/// What the lines below the headers say.
struct Call<'t> {
    overrides: Vec<Override>,
    percent: Vec<usize>,
    equal: Vec<Vec<usize>>,
    recipe: Option<&'t str>,
    platform: Option<&'t str>,
    channel: Option<Channel>,
    goal: Goal,
}

impl<'t> Call<'t> {
    fn read(&mut self, line: &'t str) {
        let columns = |text: &str| text.split(' ').filter_map(|column| column.parse().ok()).collect();
        match line.split_once(' ') {
            Some(("percent", text)) => self.percent = columns(text),
            Some(("equal", text)) => self.equal.push(columns(text)),
            Some(("platform", text)) => self.platform = Some(text),
            Some(("recipe", text)) => self.recipe = Some(text),
            Some(("goal", text)) => self.goal = if text == "action" { Goal::Action } else { Goal::Awareness },
            Some(("channel", text)) => self.channel = Channel::of(text),
            _ => match Override::parse(line) {
                Ok(given) => {
                    reads_back(&given);
                    self.overrides.push(given);
                }
                Err(error) => refuses_with(&error, &[Code::BadOption]),
            },
        }
    }
}

/// An override written as people write it is the same override.
fn reads_back(given: &Override) {
    let target = match &given.target {
        Target::Header(header) => header.clone(),
        Target::Position(position) => format!("#{}", position + 1),
        Target::LeaveOut => String::new(),
    };
    let written = format!("{} = {target}", given.name);
    assert_eq!(Override::parse(&written).expect("an override"), *given, "{written}");
}

impl ColumnPeek for Call<'_> {
    fn equal(&self, a: usize, b: usize) -> bool {
        a == b || self.equal.iter().any(|group| group.contains(&a) && group.contains(&b))
    }

    fn carries_percent(&self, column: usize) -> bool {
        self.percent.contains(&column)
    }
}
