//! Recipe files that break a rule, each refused at the place that breaks it.

use std::path::Path;

use caliber_engine::recipe::{Recipe, RecipeBook};
use caliber_engine::{Code, Error};

/// A recipe with everything that a recipe may have; the cases below spoil one place each.
const SOUND: &str = r#"version = 1
name = "acme-display"
platform = "acme"
channel = ["display", "video"]
goal = "either"
ctr_sensitive = false
dimension = "domain"
min_impressions = 100
min_impression_share = 0.001

[columns]
acme_seconds = ["Aufmerksamkeit (s)"]
spend = ["Kosten", "Ausgaben"]

[[derived]]
name = "acme_attention"
numerator = "acme_seconds"
denominator = "impressions"
per = 1
share = false

[[metrics]]
metric = "cpm"
weight = 0.4
better = "lower"

[[metrics]]
metric = "acme_attention"
weight = 0.6
better = "higher"
"#;

/// What is replaced by what; where the error points: the first place of this text in the spoilt recipe; and words of the
/// message and of the help.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const CASES: [Case; 55] = [
    // Weights.
    ("weight = 0.6", "weight = 0.5", "0.4\nbetter", "the weights sum to 0.9", "divide each weight by 0.9"),
    ("weight = 0.6", "weight = 0.600000002", "0.4\nbetter", "sum to 1.000000002", "divide"),
    ("weight = 0.6", "weight = 0.599999998", "0.4\nbetter", "sum to 0.999999998", "divide"),
    ("weight = 0.6", "weight = 0", "0\nbetter", "above 0 and at most 1, not 0", "its share of 1"),
    ("weight = 0.6", "weight = -0.6", "-0.6", "not -0.6", "its share of 1"),
    ("weight = 0.6", "weight = 1.0000001", "1.0000001", "not 1.0000001", "its share of 1"),
    ("weight = 0.6", "weight = 60", "60", "not 60", "its share of 1"),
    ("weight = 0.6", "weight = nan", "nan", "`weight` must be a number", "write a number"),
    ("weight = 0.6", "weight = inf", "inf", "`weight` must be a number", "write a number"),
    ("weight = 0.6", "weight = \"0.6\"", "\"0.6\"", "a number, not string", "write a number"),
    ("weight = 0.6\n", "", "[[metrics]]\nmetric = \"acme", "lacks `weight`", "add `weight = ...`"),
    // Metrics.
    ("\"cpm\"", "\"cpmm\"", "\"cpmm\"", "unknown metric `cpmm`", "did you mean `cpm`?"),
    ("\"cpm\"", "\"domain\"", "\"domain\"\nweight", "unknown metric `domain`", "[[derived]]"),
    ("\"cpm\"", "\"currency\"", "\"currency\"", "unknown metric `currency`", "[[derived]]"),
    ("\"cpm\"", "\"acme_attention\"", "\"acme_attention\"\nweight = 0.6", "given twice", "give it once"),
    ("metric = \"acme_attention\"", "metric = \"ecpm\"", "\"ecpm\"", "`cpm` and `ecpm` are one", "once"),
    ("metric = \"cpm\"\n", "", "[[metrics]]", "lacks `metric`", "add `metric = ...`"),
    ("metric = \"cpm\"", "metric = 7", "7", "text in quotes, not integer", "text in quotes"),
    ("\"lower\"", "\"less\"", "\"less\"", "unknown better `less`", "higher, lower"),
    ("\"lower\"", "\"Lower\"", "\"Lower\"", "unknown better `Lower`", "did you mean `lower`?"),
    ("better = \"lower\"\n", "", "[[metrics]]", "lacks `better`", "add `better = ...`"),
    // Words.
    ("\"either\"", "\"awarenes\"", "\"awarenes\"", "unknown goal `awarenes`", "did you mean `awareness`?"),
    ("\"either\"", "\"fame\"", "\"fame\"", "unknown goal `fame`", "awareness, action, either"),
    ("\"video\"", "\"radio\"", "\"radio\"", "unknown channel `radio`", "ctv, display, video, audio"),
    ("\"video\"", "\"display\"", "\"display\"]", "`display` is given twice", "once"),
    ("[\"display\", \"video\"]", "[]", "[]", "no channel", "name at least one"),
    ("[\"display\", \"video\"]", "true", "true", "text in quotes, not boolean", "text in quotes"),
    ("\"domain\"", "\"site\"", "\"site\"", "unknown dimension `site`", "domain, supply_vendor"),
    // Keys.
    (
        "min_impressions =",
        "min_impresions =",
        "min_impresions",
        "unknown key `min_impresions`",
        "`min_impressions`",
    ),
    ("better = \"lower\"", "better = \"lower\"\nwieght = 1", "wieght", "unknown key `wieght`", "`weight`"),
    ("per = 1", "divisor = 1", "divisor", "unknown key `divisor` in derived", "numerator"),
    ("[columns]", "[colums]", "colums", "unknown key `colums` in the recipe", "`columns`"),
    // The head.
    ("version = 1\n", "", "name", "the recipe lacks `version`", "add `version = ...`"),
    ("version = 1", "version = 2", "2", "version 2 of the format", "write `version = 1`"),
    ("version = 1", "version = \"1\"", "\"1\"", "`version` must be a number", "write a number"),
    ("name = \"acme-display\"\n", "", "version", "the recipe lacks `name`", "add `name = ...`"),
    ("\"acme-display\"", "\"acme display\"", "\"acme display\"", "one word, not `acme display`", "letters"),
    ("\"acme-display\"", "\"../acme\"", "\"../acme\"", "one word", "letters"),
    ("\"acme\"", "\"\"", "\"\"", "`platform` must be one word", "letters"),
    ("= false\ndim", "= \"no\"\ndim", "\"no\"", "`ctr_sensitive` must be true or false", "true or false"),
    ("min_impressions = 100", "min_impressions = -1", "-1", "from 0 up, not -1", "0 keeps all"),
    ("min_impressions = 100", "min_impressions = 2.5", "2.5", "a whole number", "250 is usual"),
    ("share = 0.001", "share = 1.0", "1.0", "from 0 up and below 1, not 1", "0.05 %"),
    ("share = 0.001", "share = -0.1", "-0.1", "below 1, not -0.1", "0.05 %"),
    // Columns and metrics of its own.
    ("[\"Kosten\", \"Ausgaben\"]", "\"Kosten\"", "\"Kosten\"", "`spend` must be a list of headers", "list"),
    ("[\"Kosten\", \"Ausgaben\"]", "[]", "[]", "`spend` must be a list of headers", "list"),
    ("\"Ausgaben\"", "\" \"", "\" \"]", "a blank header", "as the DSP does"),
    (
        "\"Ausgaben\"",
        "\"aufmerksamkeit_(s)\"",
        "\"aufmerksamkeit_(s)\"",
        "`acme_seconds` and `spend` both claim the header `aufmerksamkeit_(s)`",
        "one column only",
    ),
    ("\"Ausgaben\"", "3", "3]", "text in quotes, not integer", "text in quotes"),
    ("acme_seconds = [", "\"Acme Seconds\" = [", "\"Acme Seconds\"", "not a name for a column", "lower-case"),
    ("per = 1", "per = 10", "10\n", "`per` must be 1 or 1000, not 10", "1000 for a cost per thousand"),
    (
        "numerator = \"acme_seconds\"",
        "numerator = \"acme_second\"",
        "\"acme_attention\"",
        "made of the unknown column `acme_second`",
        "did you mean `acme_seconds`?",
    ),
    (
        "denominator = \"impressions\"",
        "denominator = \"viewable_rate\"",
        "\"acme_attention\"",
        "`viewable_rate` is not a count or an amount",
        "divides one sum by another",
    ),
    (
        "name = \"acme_attention\"",
        "name = \"cpm\"",
        "\"cpm\"",
        "the metric `cpm` is known already",
        "take another name",
    ),
    (
        "name = \"acme_attention\"",
        "name = \"spend\"",
        "\"spend\"",
        "`spend` is a column that is not averaged",
        "take another name",
    ),
];

#[track_caller]
fn refused(text: &str) -> Error {
    let error = Recipe::parse(text).expect_err(text);
    assert_eq!(error.code, Code::BadRecipe, "{error}");
    assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{error}: no help");
    error
}

/// Line and column, counted from 1, of a text in another.
fn place_of(part: &str, text: &str) -> (Option<u64>, Option<String>) {
    let at = text.find(part).unwrap_or_else(|| panic!("{part:?} is not in {text}"));
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() + 1;
    (Some(line as u64), Some(column.to_string()))
}

#[test]
fn the_recipe_that_the_cases_spoil_is_sound() {
    let recipe = Recipe::parse(SOUND).unwrap();
    assert_eq!(recipe.metrics.len(), 2);
    // Within 1e-9 weights sum to 1; thirds do.
    Recipe::parse(&SOUND.replace("weight = 0.6", "weight = 0.6000000009")).unwrap();
    let third = SOUND.replace("0.4", "0.33333333333").replace("0.6", "0.66666666667");
    Recipe::parse(&third).unwrap();
}

#[test]
fn what_breaks_a_rule_is_refused_at_its_line_and_column_with_what_to_do() {
    for (from, to, at, message, help) in CASES {
        assert!(SOUND.contains(from), "{from}");
        let text = SOUND.replacen(from, to, 1);
        let error = refused(&text);
        assert!(error.message.contains(message), "{to:?}: {error}");
        assert!(error.help.as_ref().unwrap().contains(help), "{to:?}: {:?}", error.help);
        assert_eq!((error.line, error.column.clone()), place_of(at, &text), "{to:?}: {error}");
    }
}

#[test]
fn a_recipe_without_metrics_is_refused() {
    let head = SOUND.split("[[metrics]]").next().unwrap();
    for text in [head.to_owned(), format!("metrics = []\n{head}")] {
        let error = refused(&text);
        assert_eq!((error.message.as_str(), error.line), ("no metric", Some(1)));
    }
    let error = refused(&format!("metrics = \"cpm\"\n{head}"));
    assert!(error.message.starts_with("`metrics` must be a list of tables"), "{error}");
}

#[test]
fn what_is_no_toml_is_refused_where_it_ceases_to_be() {
    for (text, line) in [
        ("version = 1\nname = \"a\nplatform = \"b\"\n", 2),
        ("version = 1\nname = \"a\"\n\n[columns\n", 4),
        ("version = 1\nversion = 1\n", 2),
        ("version = 1\n= 2\n", 2),
        ("version 1\n", 1),
        ("version = 1\ngoal = either\n", 2),
        ("Site,Impressions,Clicks\na.example,1000,2\n", 1),
    ] {
        let error = refused(text);
        assert!(error.message.starts_with("not valid TOML"), "{error}");
        assert_eq!(error.line, Some(line), "{text}: {error}");
        assert!(error.help.unwrap().contains("caliber recipes show"), "{text}");
    }
}

#[test]
fn lines_are_counted_over_windows_line_ends_and_letters_beyond_ascii() {
    let text = SOUND.replacen("\"Ausgaben\"", "\"Größe €\", 3", 1).replace('\n', "\r\n");
    let error = refused(&text);
    assert_eq!((error.line, error.column), place_of("3]", &text));
}

#[test]
fn the_file_is_named_whatever_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spoilt.toml");
    let shown = path.display().to_string();
    let check = |bytes: &[u8], line: Option<u64>| {
        std::fs::write(&path, bytes).unwrap();
        for error in [Recipe::read(&path).unwrap_err(), with_file(&path).unwrap_err()] {
            assert_eq!(error.code, Code::BadRecipe, "{error}");
            assert_eq!((error.file.as_deref(), error.line), (Some(shown.as_str()), line), "{error}");
            assert!(error.help.is_some(), "{error}");
        }
    };
    check(SOUND.replace("0.6", "0.5").as_bytes(), Some(24));
    check(b"version = 1\nname = \"\xFF\"\n", Some(2));
    check(b"", Some(1));
    check(&vec![b'#'; (1 << 20) + 1], None);
    let error = Recipe::read(&folder.path().join("gone.toml")).unwrap_err();
    assert_eq!(error.code, Code::NotReadable);
    assert!(error.file.unwrap().ends_with("gone.toml"));
}

fn with_file(path: &Path) -> caliber_engine::Result<RecipeBook> {
    RecipeBook::shipped().clone().with_file(path)
}

#[test]
fn a_name_that_is_taken_is_refused_with_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        path
    };
    let shipped = write("a.toml", &SOUND.replace("acme-display", "dv360-video"));
    let error = with_file(&shipped).unwrap_err();
    assert_eq!(error.code, Code::BadRecipe);
    assert_eq!(error.message, "the name `dv360-video` is that of a shipped recipe");
    assert_eq!(error.file.as_deref(), shipped.to_str());
    assert_eq!(error.line, Some(2), "{error}");
    std::fs::remove_file(shipped).unwrap();

    let (first, second) = (write("b.toml", SOUND), write("c.toml", SOUND));
    let error = RecipeBook::shipped().clone().with_folder(folder.path(), true).unwrap_err();
    assert_eq!(error.message, format!("the name `acme-display` is taken by {}", first.display()));
    assert_eq!((error.file.as_deref(), error.line), (second.to_str(), Some(2)));
    assert!(error.help.unwrap().contains("a name of its own"));
}

#[test]
fn every_shipped_recipe_reads_back_from_what_it_is_written_as() {
    for recipe in RecipeBook::shipped().iter() {
        let text = recipe.to_toml().unwrap();
        assert_eq!(Recipe::parse(&text).unwrap(), *recipe, "{text}");
    }
    let own = Recipe::parse(SOUND).unwrap();
    assert_eq!(Recipe::parse(&own.to_toml().unwrap()).unwrap(), own);
}

#[test]
fn a_header_that_a_recipe_gives_a_column_is_no_longer_anothers() {
    use caliber_engine::dictionary::Dictionary;
    use caliber_engine::report::mapping::{HeadersOnly, Needs, map_headers};

    let recipe =
        Recipe::parse(&SOUND.replace("Kosten", "Impressions_Cost").replace("Ausgaben", "Conv")).unwrap();
    let dictionary = Dictionary::shipped().extended_by(&recipe).unwrap();
    let headers = ["Site", "Impressions", "Conv", "Aufmerksamkeit (s)"].map(str::to_owned);
    let mapping = map_headers(&headers, &dictionary, &Needs::of(&recipe), &[], &HeadersOnly).unwrap();
    assert_eq!(mapping.positions("spend"), [2]);
    assert_eq!(mapping.positions("conversions"), Vec::<usize>::new());
    assert_eq!(mapping.positions("acme_seconds"), [3]);
}
