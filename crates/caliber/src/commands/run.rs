//! A scored run as analysis reads it: RESULTS, and by what its rows were scored.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use caliber_analysis::Subject;
use caliber_engine::dictionary::Dictionary;
use caliber_engine::evidence::Pattern;
use caliber_engine::lists::{ListPolicy, ListRule};
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Recipe, RecipeBook};
use caliber_engine::results::Results;
use caliber_engine::{Code, Error, Result};
use caliber_reports::{OutputFile, read_results_csv, read_results_parquet};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reading::{default_recipe_folder, normalization};
use crate::terminal::Terminal;

/// What begins a Parquet file.
const PARQUET: &[u8] = b"PAR1";
/// How a workbook begins, which is packed.
const ZIP: &[u8] = b"PK\x03\x04";
/// Bytes of a summary that are read; those of large recipes have some ten thousand.
const SUMMARY_BYTES: u64 = 16 << 20;
/// The share of rows on each list, where nothing says otherwise.
const LIST_SHARE: f64 = 0.25;

/// How a scored run is understood.
#[derive(clap::Args)]
pub(crate) struct RunArgs {
    /// Recipe that RESULTS were scored by, where no summary.json stands beside: a file, or a known recipe by name
    #[arg(long, value_name = "FILE or NAME")]
    pub(crate) recipe: Option<String>,
    /// How metrics were normalised, where no summary.json stands beside: minmax, winsorized, rank, shrunk
    #[arg(long, value_parser = normalization)]
    pub(crate) normalization: Option<Normalization>,
    /// Folder of recipes of your own [default: recipes in `CALIBER_DATA`, itself ./caliber-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) recipe_dir: Option<PathBuf>,
    /// Tell on standard error how long reading, computing and writing took
    #[arg(long)]
    pub(crate) timing: bool,
}

/// A scored run.
pub(crate) struct ScoredRun {
    pub(crate) results: Results,
    pub(crate) recipe: Recipe,
    pub(crate) dictionary: Dictionary,
    pub(crate) normalization: Normalization,
    pub(crate) lists: ListsOfRun,
    /// Where its other files stand.
    pub(crate) folder: PathBuf,
}

/// How the lists of a run were made.
#[derive(Deserialize)]
pub(crate) struct ListsOfRun {
    #[serde(default)]
    pub(crate) policy: ListPolicy,
    pub(crate) share: f64,
    pub(crate) min_impressions: f64,
    pub(crate) block_at: Option<f64>,
    pub(crate) allow_at: Option<f64>,
    #[serde(default)]
    pub(crate) block_patterns: Vec<Pattern>,
    /// Names of the results that are never blocked.
    #[serde(default)]
    pub(crate) never_blocked: Vec<String>,
}

/// What analysis needs of `summary.json`.
#[derive(Deserialize)]
struct SummaryOfRun {
    recipe: Recipe,
    normalization: Normalization,
    lists: Option<ListsOfRun>,
}

impl ListsOfRun {
    /// The rule that the run's lists were made by.
    pub(crate) fn rule(&self) -> ListRule {
        let usual = ListRule::default();
        ListRule {
            policy: self.policy,
            share: self.share,
            block_at: self.block_at.unwrap_or(usual.block_at),
            allow_at: self.allow_at.unwrap_or(usual.allow_at),
            block_patterns: self.block_patterns.clone(),
        }
    }
}

impl ScoredRun {
    /// A document that stands beside the results, as `summary.json`; `None` where there is none.
    ///
    /// # Errors
    /// `Malformed` where it is no JSON object.
    pub(crate) fn document(&self, file: OutputFile) -> Result<Option<Map<String, Value>>> {
        let path = self.folder.join(file.name());
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|cause| {
            Error::new(Code::Malformed, format!("this is no document of a scored run: {cause}"))
                .in_file(path.display().to_string())
                .at_line(cause.line() as u64)
                .help("score the report again")
                .caused_by(cause)
        })
    }

    /// What is analysed.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            results: &self.results,
            recipe: &self.recipe,
            dictionary: &self.dictionary,
            normalization: self.normalization,
        }
    }
}

impl RunArgs {
    /// Reads a results file, or that of a folder, with its summary.
    ///
    /// # Errors
    /// `BadOption` where nothing says by what the rows were scored, and those of reading.
    pub(crate) fn read(&self, given: &Path, terminal: Terminal) -> Result<ScoredRun> {
        let path =
            if given.is_dir() { given.join(OutputFile::ResultsParquet.name()) } else { given.to_owned() };
        let is_parquet = begins_as_parquet(&path)?;
        let summary = path.with_file_name(OutputFile::Summary.name());
        let summary = if summary.is_file() {
            self.warn_of_needless_flags(&summary, terminal);
            read_summary(&summary)?
        } else {
            self.stand_in(&path)?
        };
        let SummaryOfRun { recipe, normalization, lists } = summary;
        let dictionary = Dictionary::shipped().extended_by(&recipe)?;
        let read = if is_parquet { read_results_parquet } else { read_results_csv };
        let lists = lists.unwrap_or_else(|| ListsOfRun {
            policy: ListPolicy::default(),
            share: LIST_SHARE,
            min_impressions: recipe.min_impressions as f64,
            block_at: None,
            allow_at: None,
            block_patterns: Vec::new(),
            never_blocked: Vec::new(),
        });
        let results = read(&path, &recipe.metrics)?;
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        Ok(ScoredRun { results, recipe, dictionary, normalization, lists, folder })
    }

    fn warn_of_needless_flags(&self, summary: &Path, terminal: Terminal) {
        if self.recipe.is_some() || self.normalization.is_some() {
            terminal.warning(
                &format!("{} says how the rows were scored", summary.display()),
                "--recipe and --normalization are for results without it, and are not looked at",
            );
        }
    }

    /// What the flags say, where no summary does.
    fn stand_in(&self, path: &Path) -> Result<SummaryOfRun> {
        let needs = |flag: &str, what: &str| {
            Error::new(
                Code::BadOption,
                format!("no summary.json beside it says {what}, and no --{flag} does"),
            )
            .in_file(path.display().to_string())
            .help("keep the files of `caliber score` together, or give both --recipe and --normalization")
        };
        let asked = self.recipe.as_ref().ok_or_else(|| needs("recipe", "by which recipe it was scored"))?;
        let normalization =
            self.normalization.ok_or_else(|| needs("normalization", "how metrics were normalised"))?;
        let file = PathBuf::from(asked);
        let recipe = if file.extension().is_some_and(|extension| extension == "toml") || file.is_file() {
            Recipe::read(&file)?
        } else {
            let folder = self.recipe_dir.clone().unwrap_or_else(default_recipe_folder);
            let book = RecipeBook::shipped().clone().with_folder(&folder, self.recipe_dir.is_some())?;
            book.by_name(asked)?.clone()
        };
        Ok(SummaryOfRun { recipe, normalization, lists: None })
    }
}

fn begins_as_parquet(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(PARQUET.len() as u64).read_to_end(&mut start));
    let refused = |code, message| {
        Error::new(code, message)
            .in_file(path.display().to_string())
            .help("give results.parquet or results.csv of `caliber score`, or the folder that holds them")
    };
    read.map_err(|cause| {
        refused(Code::NotReadable, format!("the results cannot be read: {cause}")).caused_by(cause)
    })?;
    if start == ZIP {
        return Err(refused(Code::WrongKind, "a workbook cannot be read as results".to_owned()));
    }
    Ok(start == PARQUET)
}

fn read_summary(path: &Path) -> Result<SummaryOfRun> {
    let shown = || path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SUMMARY_BYTES).read_to_end(&mut bytes));
    read.map_err(|cause| {
        Error::new(Code::NotReadable, format!("the summary cannot be read: {cause}"))
            .in_file(shown())
            .help("check that you may read it")
            .caused_by(cause)
    })?;
    let summary: SummaryOfRun = serde_json::from_slice(&bytes).map_err(|cause| {
        Error::new(Code::Malformed, format!("this is no summary of a scored run: {cause}"))
            .in_file(shown())
            .at_line(cause.line() as u64)
            .help("score the report again")
            .caused_by(cause)
    })?;
    // What somebody changed by hand has to keep the rules of a recipe all the same.
    Recipe::parse(&summary.recipe.to_toml()?).map_err(|error| {
        Error::new(Code::Malformed, format!("its recipe is none: {}", error.message))
            .in_file(shown())
            .help("score the report again")
    })?;
    if let Some(lists) = &summary.lists
        && !(lists.share > 0.0 && lists.share <= 0.5)
    {
        let message =
            format!("its lists have a share of {}, which is not above 0 and up to 0.5", lists.share);
        return Err(Error::new(Code::Malformed, message).in_file(shown()).help("score the report again"));
    }
    Ok(summary)
}

/// A question that has no answer, as the command line says it.
pub(crate) fn refused(error: caliber_analysis::Error) -> Error {
    match error {
        caliber_analysis::Error::Option { option, message } => {
            let place = match option {
                "before" => "A".to_owned(),
                "after" => "B".to_owned(),
                "results" | "rows" => "RESULTS".to_owned(),
                "treatment" => "--treat".to_owned(),
                "save_as" => "--save-recipe".to_owned(),
                option => format!("--{}", option.replace('_', "-")),
            };
            Error::new(Code::BadOption, format!("{place}: {message}"))
                .help("`caliber COMMAND --help` shows what each option takes")
        }
        caliber_analysis::Error::UnknownName { given, nearest } => {
            let help = match nearest.as_slice() {
                [] => "the names of all rows stand in results.csv".to_owned(),
                near => format!("did you mean {}?", near.join(", ")),
            };
            Error::new(Code::NotFound, format!("--domain: no row of the results is named `{given}`"))
                .help(help)
        }
        caliber_analysis::Error::Engine(error) => error,
        other => Error::new(Code::BadOption, other.to_string()).help("look at the options with --help"),
    }
}

/// Weights as they are written on the command line: `cpm=.3,ctr=.7`.
pub(crate) fn weights(text: &str) -> std::result::Result<Weights, String> {
    let part = |part: &str| {
        let pair = part.split_once('=').and_then(|(name, weight)| {
            let name = name.trim();
            Some((name.to_owned(), weight.trim().parse::<f64>().ok()?)).filter(|_| !name.is_empty())
        });
        pair.ok_or_else(|| format!("`{part}` is not METRIC=NUMBER; write them as in cpm=.3,ctr=.7"))
    };
    text.split(',').map(part).collect::<std::result::Result<_, _>>().map(Weights)
}

/// Weights by metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights(pub(crate) Vec<(String, f64)>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_pairs_with_commas_between() {
        let pairs = |text: &str| weights(text).map(|weights| weights.0);
        assert_eq!(pairs("a=.3, b = 7e-1"), Ok(vec![("a".to_owned(), 0.3), ("b".to_owned(), 0.7)]));
        for text in ["", "a", "a=", "=1", "a=1,", "a=x", "a=1,2"] {
            assert!(pairs(text).is_err(), "{text}");
        }
    }
}
