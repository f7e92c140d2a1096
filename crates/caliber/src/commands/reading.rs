//! The options of every command that reads a report.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Channel, Dimension, Goal, Recipe, RecipeBook};
use caliber_engine::report::mapping::Override;
use caliber_engine::report::source::Source;
use caliber_engine::{Code, Error, Options, Progress, Result, Scale, check_scales};

use super::watching::{StandardInput, cancelled};

/// How a report is understood.
#[derive(clap::Args)]
pub(crate) struct ReadingArgs {
    /// Platform of a known recipe: `trade_desk`, `pulsepoint`, `dv360`, `generic`, or one of your own. Recognised from
    /// the headers where not given
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Channel. Recognised where not given
    #[arg(long, value_parser = channel)]
    channel: Option<Channel>,
    /// Goal of the campaign
    #[arg(long, value_parser = goal, default_value = "awareness")]
    goal: Goal,
    /// Folder of recipes of your own [default: recipes in `CALIBER_DATA`, itself ./caliber-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) recipe_dir: Option<PathBuf>,
    /// Take the CTR-sensitive recipe
    #[arg(long)]
    ctr_sensitive: bool,
    /// A recipe file of your own, or a known recipe by name
    #[arg(long, value_name = "FILE or NAME")]
    pub(crate) recipe: Option<String>,
    /// What rows are grouped by, if not what the recipe says
    #[arg(long, value_parser = dimension)]
    dimension: Option<Dimension>,
    /// Use a header for a canonical column; `NAME=` leaves the column out, `NAME=#3` is the third column
    #[arg(long = "map", value_name = "NAME=HEADER", value_parser = map)]
    maps: Vec<Override>,
    /// The file has no header row; name its columns with --map NAME=#N
    #[arg(long)]
    no_header: bool,
    /// Scale of a rate, where the report leaves it open
    #[arg(long = "scale", value_name = "NAME=percent|fraction", value_parser = scale)]
    scales: Vec<(String, Scale)>,
    /// Read only rows whose cell under HEADER is VALUE; `*` stands for anything. All must hold
    #[arg(long = "where", value_name = "HEADER=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    /// Sheet of a workbook, if not the one whose header fits best
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
}

fn word<T: Copy>(text: &str, of: impl Fn(&str) -> Option<T>, known: &str) -> std::result::Result<T, String> {
    of(text).ok_or_else(|| format!("it is one of {known}"))
}

fn channel(text: &str) -> std::result::Result<Channel, String> {
    word(text, Channel::of, "ctv, display, video, audio")
}

fn goal(text: &str) -> std::result::Result<Goal, String> {
    let of = |text: &str| [Goal::Awareness, Goal::Action].into_iter().find(|goal| goal.name() == text);
    word(text, of, "awareness, action")
}

fn dimension(text: &str) -> std::result::Result<Dimension, String> {
    let of = |text: &str| {
        [Dimension::Domain, Dimension::SupplyVendor].into_iter().find(|known| known.name() == text)
    };
    word(text, of, "domain, supply_vendor")
}

pub(crate) fn normalization(text: &str) -> std::result::Result<Normalization, String> {
    let of =
        |text: &str| Normalization::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, method)| method);
    word(text, of, "minmax, winsorized, rank, shrunk")
}

fn map(text: &str) -> std::result::Result<Override, String> {
    Override::parse(text).map_err(|error| match &error.help {
        Some(help) => format!("{}; {help}", error.message),
        None => error.message,
    })
}

fn scale(text: &str) -> std::result::Result<(String, Scale), String> {
    let parts = text.split_once('=').and_then(|(name, word)| Some((name.to_owned(), Scale::of(word)?)));
    parts.ok_or_else(|| "write NAME=percent or NAME=fraction, as in ctr=percent".to_owned())
}

fn filter(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((header, value)) if !header.trim().is_empty() => Ok((header.to_owned(), value.to_owned())),
        _ => Err("write HEADER=VALUE, as in \"Campaign=Spring*\"".to_owned()),
    }
}

impl ReadingArgs {
    /// Whether something is said that only a report has.
    pub(crate) fn is_about_a_report(&self) -> bool {
        let said =
            [self.platform.is_some(), self.channel.is_some(), self.dimension.is_some(), self.sheet.is_some()];
        let lists = [self.maps.is_empty(), self.scales.is_empty(), self.filters.is_empty()];
        said.contains(&true) || lists.contains(&false) || self.ctr_sensitive || self.no_header
    }

    /// The shipped recipes, those of the folder, and the file that was given.
    pub(crate) fn book(&self) -> Result<RecipeBook> {
        let folder = self.recipe_dir.clone().unwrap_or_else(default_recipe_folder);
        let book = RecipeBook::shipped().clone().with_folder(&folder, self.recipe_dir.is_some())?;
        match self.recipe_file() {
            Some(file) => book.with_file(&file),
            None => Ok(book),
        }
    }

    /// The recipe, where it was given as a file.
    fn recipe_file(&self) -> Option<PathBuf> {
        let path = PathBuf::from(self.recipe.as_ref()?);
        let is_file = path.extension().is_some_and(|extension| extension == "toml") || path.is_file();
        is_file.then_some(path)
    }

    /// The engine's options, as far as these arguments settle them.
    pub(crate) fn options(&self, book: &RecipeBook) -> Result<Options> {
        let recipe = match self.recipe_file() {
            Some(file) => Some(Recipe::read(&file)?.name),
            None => self.recipe.clone(),
        };
        if let Some(name) = &recipe {
            self.check_recipe(book.by_name(name)?)?;
        }
        if self.no_header && self.maps.is_empty() {
            return Err(Error::new(Code::BadOption, "--no-header leaves the columns without names")
                .help("name them with --map, as in --map domain=#1 --map impressions=#2"));
        }
        check_scales(&self.scales, book)?;
        Ok(Options {
            platform: self.platform.clone(),
            channel: self.channel,
            goal: self.goal,
            ctr_sensitive: self.ctr_sensitive,
            recipe,
            dimension: self.dimension,
            overrides: self.maps.clone(),
            no_header: self.no_header,
            scales: self.scales.clone(),
            filters: self.filters.clone(),
            sheet: self.sheet.clone(),
            ..Options::default()
        })
    }

    /// A recipe by name and a flag that contradicts it.
    fn check_recipe(&self, recipe: &Recipe) -> Result<()> {
        let contradiction = if self.platform.as_ref().is_some_and(|platform| *platform != recipe.platform) {
            format!("is for the platform {}", recipe.platform)
        } else if self.channel.is_some_and(|channel| !recipe.serves(channel)) {
            format!("does not serve the channel {}", self.channel.map_or("", Channel::name))
        } else if self.ctr_sensitive && !recipe.ctr_sensitive {
            "is not CTR-sensitive".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::new(Code::BadOption, format!("the recipe {} {contradiction}", recipe.name))
            .help("give either --recipe or --platform, --channel and --ctr-sensitive"))
    }
}

/// `CALIBER_DATA/recipes`.
pub(crate) fn default_recipe_folder() -> PathBuf {
    let data = std::env::var_os("CALIBER_DATA").filter(|data| !data.is_empty());
    data.map_or_else(|| PathBuf::from("caliber-data"), PathBuf::from).join("recipes")
}

/// Opens what was given: files, quoted globs, `-` for standard input.
///
/// # Errors
/// `Cancelled` where `progress` was while standard input was waited for, and those of opening.
pub(crate) fn open(reports: &[String], progress: &Progress) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for report in reports {
        if report == "-" {
            let source = Source::from_stream(StandardInput::read(progress), "standard input");
            if progress.cancelled.load(Ordering::Relaxed) {
                return Err(cancelled());
            }
            sources.push(source?);
            continue;
        }
        for path in expand(report)? {
            sources.push(Source::open(&path, &path.display().to_string())?);
        }
    }
    Ok(sources)
}

fn expand(report: &str) -> Result<Vec<PathBuf>> {
    let path = Path::new(report);
    if path.exists() || !report.contains(['*', '?', '[']) {
        return Ok(vec![path.to_path_buf()]);
    }
    let bad = |message: String| Error::new(Code::BadOption, message).in_file(report);
    let found = glob::glob(report).map_err(|error| bad(format!("this is no pattern of names: {error}")))?;
    let mut paths = found.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| {
        Error::new(Code::NotReadable, format!("cannot be searched: {error}")).in_file(report)
    })?;
    paths.retain(|path| path.is_file());
    if paths.is_empty() {
        return Err(Error::new(Code::NotReadable, "no file matches")
            .in_file(report)
            .help("check the pattern and the folder"));
    }
    paths.sort();
    Ok(paths)
}

/// A report's path without the extensions that say what it is.
pub(crate) fn without_extensions(path: &Path) -> PathBuf {
    const EXTENSIONS: [&str; 11] =
        ["csv", "tsv", "txt", "xlsx", "xlsm", "xls", "parquet", "gz", "zst", "zip", "ods"];
    let mut path = path.to_path_buf();
    while path
        .extension()
        .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
    {
        path.set_extension("");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_extensions_of_reports_are_taken_off() {
        for (path, stem) in [
            ("a/b.csv", "a/b"),
            ("b.CSV.gz", "b"),
            ("b.2025.01.xlsx", "b.2025.01"),
            ("report", "report"),
            (".csv", ".csv"),
        ] {
            assert_eq!(without_extensions(Path::new(path)), Path::new(stem));
        }
    }
}
