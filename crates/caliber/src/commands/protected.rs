//! The file of names that must never be blocked.

use std::borrow::Cow;
use std::path::Path;

use caliber_engine::{Code, Error, Result};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// First cells that head a column of names.
const HEADS: [&str; 14] = [
    "app bundle",
    "app/url",
    "domain",
    "domains",
    "name",
    "names",
    "publisher",
    "site",
    "sites",
    "ssp",
    "supply vendor",
    "supply_vendor",
    "url",
    "vendor",
];

/// Names a line each, or the first cells of delimited lines. Blank lines, notes (`# a note`) and a header are passed over;
/// a name may begin with `#` as long as no blank follows it. UTF-8, UTF-16 and Windows-1252 are told apart.
pub(super) fn read(file: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(file).map_err(|error| {
        Error::new(Code::NotReadable, format!("the names to protect cannot be read: {error}"))
            .in_file(file.display().to_string())
            .help("give a text file with a name a line")
            .caused_by(error)
    })?;
    names(&decoded(&bytes)).map_err(|error| {
        Error::new(Code::Malformed, format!("the names to protect cannot be read: {error}"))
            .in_file(file.display().to_string())
            .help("give a text file with a name a line")
            .caused_by(error)
    })
}

fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    // Names are mostly ASCII: in UTF-16 every other byte is then zero.
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if zeros(1) * 4 > bytes.len() => UTF_16LE,
        None if zeros(0) * 4 > bytes.len() => UTF_16BE,
        None => match std::str::from_utf8(bytes) {
            Ok(text) => return Cow::Borrowed(text),
            Err(_) => WINDOWS_1252,
        },
    };
    encoding.decode(bytes).0
}

fn names(text: &str) -> std::result::Result<Vec<String>, csv::Error> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let delimiter = [b',', b';', b'\t'].into_iter().find(|&delimiter| first.contains(char::from(delimiter)));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut names = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record?;
        let name = record.get(0).unwrap_or_default();
        let is_head = at == 0 && HEADS.contains(&name.to_lowercase().as_str());
        let is_note =
            name.strip_prefix('#').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '#', '\t']));
        if !name.is_empty() && !is_note && !is_head {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Vec<String> {
        names(&decoded(bytes)).unwrap()
    }

    #[test]
    fn a_name_a_line_or_the_first_cell_of_each() {
        assert_eq!(
            of(b"a.example\r\n\n # a note\n# another, with a comma\n#\n## \n  b.example \n#hash.example\n"),
            ["a.example", "b.example", "#hash.example"]
        );
        assert_eq!(of(b"Domain,Score\n\"Globex, Inc.\",5\nb.example,6,7\n"), ["Globex, Inc.", "b.example"]);
        assert_eq!(of(b"site;owner\na.example;x\n"), ["a.example"]);
        assert_eq!(of(b"a.example\tx\nname\ty\n"), ["a.example", "name"], "only the first line is a header");
        assert_eq!(of(b""), [""; 0]);
    }

    #[test]
    fn spreadsheets_encodings_are_told_apart() {
        let text = "domain\nzürich.example\n";
        let utf16 = |order: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
            format!("{mark}{text}").encode_utf16().flat_map(order).collect()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf16(u16::to_le_bytes, "\u{feff}"),
            utf16(u16::to_be_bytes, "\u{feff}"),
            utf16(u16::to_le_bytes, ""),
            utf16(u16::to_be_bytes, ""),
            b"domain\nz\xFCrich.example\n".to_vec(),
        ] {
            assert_eq!(of(&bytes), ["zürich.example"], "{bytes:?}");
        }
    }
}
