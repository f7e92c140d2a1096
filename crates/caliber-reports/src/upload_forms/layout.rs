//! How names stand in a file: in lines, in the cells of a CSV, or in a JSON document.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::csv_text::CsvText;

/// The word that a name takes the place of.
const NAME: &str = "{name}";
/// The word that the list's own name takes the place of.
const LIST: &str = "{list}";

/// The form of a file's content. Texts that are a word in braces stand for something else: `{name}` for a name, `{list}`
/// for the name of the file without its extension, others for what the form says of an allowlist or a blocklist.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Layout {
    /// A name a line, nothing else.
    Lines,
    /// Rows of a name, below a header where there is one.
    Csv {
        #[serde(default)]
        header: Vec<String>,
        row: Vec<String>,
    },
    /// A document in which the array whose one element holds `{name}` has such an element for every name.
    Json { document: Value },
}

/// What words in braces stand for.
pub(super) struct Words<'a> {
    pub(super) of_list: &'a BTreeMap<String, Value>,
    pub(super) list: &'a str,
}

impl Layout {
    /// The bytes of a file with these names.
    pub(super) fn write(&self, names: &[&str], words: &Words) -> Vec<u8> {
        match self {
            Self::Lines => {
                names.iter().flat_map(|name| [one_line(name).as_bytes(), b"\n"].concat()).collect()
            }
            Self::Csv { header, row } => csv(header, row, names, words),
            Self::Json { document } => {
                let mut text = format!("{:#}", filled(document, names, words)).into_bytes();
                text.push(b'\n');
                text
            }
        }
    }
}

/// A name must never become two entries.
fn one_line(name: &str) -> String {
    name.replace(['\r', '\n'], " ")
}

fn csv(header: &[String], row: &[String], names: &[&str], words: &Words) -> Vec<u8> {
    let mut csv = CsvText::new();
    if !header.is_empty() {
        for cell in header {
            csv.verbatim(cell);
        }
        csv.end_row();
    }
    for name in names {
        for cell in row {
            match words.of(cell, Some(name)) {
                Value::String(text) => csv.verbatim(&text),
                figure => csv.verbatim(&figure.to_string()),
            }
        }
        csv.end_row();
    }
    csv.take()
}

fn filled(template: &Value, names: &[&str], words: &Words) -> Value {
    match template {
        Value::String(text) => words.of(text, None),
        Value::Array(elements) if elements.iter().any(holds_name) => {
            let of_name = |name: &str| -> Vec<Value> {
                elements.iter().map(|element| element_of(element, name, words)).collect()
            };
            Value::Array(names.iter().flat_map(|name| of_name(name)).collect())
        }
        Value::Array(elements) => elements.iter().map(|element| filled(element, names, words)).collect(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), filled(value, names, words))).collect()
        }
        other => other.clone(),
    }
}

/// The element of an array that stands for one name.
fn element_of(template: &Value, name: &str, words: &Words) -> Value {
    match template {
        Value::String(text) => words.of(text, Some(name)),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), element_of(value, name, words))).collect()
        }
        other => other.clone(),
    }
}

/// Whether an element of an array is that of a name, and not a document that holds such an array further down.
fn holds_name(element: &Value) -> bool {
    match element {
        Value::String(text) => text == NAME,
        Value::Object(object) => object.values().any(|value| value.as_str() == Some(NAME)),
        _ => false,
    }
}

impl Words<'_> {
    fn of(&self, text: &str, name: Option<&str>) -> Value {
        match (text, name) {
            (NAME, Some(name)) => one_line(name).into(),
            (LIST, _) => self.list.into(),
            _ => {
                let word = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                word.and_then(|word| self.of_list.get(word)).cloned().unwrap_or_else(|| text.into())
            }
        }
    }
}
