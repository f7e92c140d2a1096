//! What the pages say, in one place: `texts/en.ftl`, in Fluent's form. Another language is another file beside it.
//!
//! A template says `KEY|t`, the key in quotes; a value goes in by `KEY|t_count("count", n)` or `KEY|t_with("name", text)`.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

const ENGLISH: &str = include_str!("../texts/en.ftl");

static TEXTS: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let mut bundle = FluentBundle::new_concurrent(vec!["en".parse().unwrap_or_default()]);
    // The marks that keep directions apart show up in titles and attributes; nothing here is written right to left.
    bundle.set_use_isolating(false);
    // What cannot be read of the file is missing then, which a test finds.
    let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(ENGLISH.to_owned());
    bundle.add_resource_overriding(resource);
    bundle
});

/// The text of a key.
pub(crate) fn text(key: &str) -> String {
    with(key, &[])
}

/// The text of a key with values in it.
pub(crate) fn with(key: &str, values: &[(&'static str, FluentValue<'_>)]) -> String {
    let Some(pattern) = TEXTS.get_message(key).and_then(|message| message.value()) else {
        // Seen by whoever wrote the key, and by the test of every page.
        return format!("\u{27e6}{key}\u{27e7}");
    };
    let mut arguments = FluentArgs::with_capacity(values.len());
    for (name, value) in values {
        arguments.set(Cow::Borrowed(*name), value.clone());
    }
    TEXTS.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned()
}

/// Every key there is.
#[cfg(test)]
pub(crate) fn keys() -> Vec<String> {
    let line = |line: &str| line.split_once(" =").map(|(key, _)| key.to_owned());
    ENGLISH
        .lines()
        .filter(|text| text.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(line)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// All templates and all code of this crate, tests aside.
    fn sources() -> Vec<(String, String)> {
        fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    found.push((path.display().to_string(), text));
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        walk(&root.join("src"), &mut found);
        walk(&root.join("templates"), &mut found);
        found
    }

    /// Literals of a text: what stands between quotes, and what follows.
    fn literals(text: &str) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find('"') {
            rest = &rest[start + 1..];
            let Some(end) = rest.find('"') else { break };
            let (literal, after) = rest.split_at(end);
            if literal
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.')
            {
                found.push((literal, &after[1..]));
                rest = &after[1..];
            }
        }
        found
    }

    #[test]
    fn the_file_is_in_fluents_form_and_says_nothing_twice() {
        if let Err((_, errors)) = FluentResource::try_new(ENGLISH.to_owned()) {
            panic!("{errors:?}");
        }
        let keys = keys();
        let different: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert!(keys.len() > 50);
    }

    #[test]
    fn every_text_that_is_asked_for_exists_and_every_one_there_is_is_asked_for() {
        let keys: BTreeSet<String> = keys().into_iter().collect();
        let sources = sources();
        let mut used = BTreeSet::new();
        for (path, source) in &sources {
            for (literal, after) in literals(source) {
                let is_asked = ["|t }", "|t)", "|t|", "|t(", "|t %", "|t_count(", "|t_with(", "|t ~"]
                    .iter()
                    .any(|filter| after.starts_with(filter));
                if keys.contains(literal) {
                    used.insert(literal.to_owned());
                } else {
                    assert!(!is_asked, "{path} asks for `{literal}`, which texts/en.ftl does not have");
                }
            }
        }
        let unused: Vec<&String> = keys.difference(&used).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn every_file_that_a_template_asks_for_is_served() {
        for (path, source) in sources() {
            for (literal, after) in literals(&source) {
                if after.starts_with("|asset") {
                    assert!(crate::assets::exists(literal), "{path} asks for `{literal}`");
                }
                if after.starts_with("|icon") {
                    let sprite = include_str!("../assets/vendor/tabler-icons/icons.svg");
                    let symbol = format!("id=\"{literal}\"");
                    assert!(sprite.contains(&symbol), "{path} shows the icon `{literal}`");
                }
            }
        }
    }
}
