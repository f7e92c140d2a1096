//! Dimension names: from a cell to the key that rows are grouped by, and to what people are shown.
//!
//! The key of a host is the host alone, in lower case and punycode. Ids of apps and free names are grouped
//! without regard to case. What kind of name a key is follows from the key ([`classify`]), so the roll-up asks
//! only once for each new key.

mod host;
mod kind;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::recipe::Dimension;

use host::Address;
pub use kind::{NameKind, classify};

/// The key a cell is grouped by.
///
/// The cell itself where it is a key already, else written to `scratch`. For [`Dimension::Domain`] a URL
/// becomes its host, a store URL the id of its app; vendors are only trimmed and lower-cased, never parsed.
/// The key of a key is itself. Blank cells have the empty key. Bytes that are no UTF-8 are Windows-1252.
#[inline]
pub fn normalise<'a>(cell: &'a [u8], dimension: Dimension, scratch: &'a mut String) -> &'a str {
    if is_key(cell)
        && let Ok(key) = std::str::from_utf8(cell)
    {
        return key;
    }
    write_key(cell, dimension, scratch);
    scratch
}

/// What to show for a name of this kind and spelling: a host's key, else the cell's own spelling, trimmed, inner
/// blanks made one, and of a store URL the id.
pub fn shown(cell: &[u8], kind: NameKind, dimension: Dimension) -> Cow<'_, str> {
    let mut scratch = String::new();
    let mut key = || normalise(cell, dimension, &mut scratch).to_owned();
    if kind == NameKind::Host {
        return Cow::Owned(key());
    }
    let own = match decode(cell) {
        Cow::Borrowed(text) => spelling(text, dimension),
        Cow::Owned(text) => Cow::Owned(spelling(&text, dimension).into_owned()),
    };
    // An id that stood in a URL, or behind `www.`, is more than its spelling.
    if kind == NameKind::AppId {
        let key = key();
        return if own.eq_ignore_ascii_case(&key) { own } else { Cow::Owned(key) };
    }
    own
}

/// A key for people: punycode in Unicode, all else as it is.
pub fn display_unicode(key: &str) -> String {
    if !key.split('.').any(|label| label.starts_with("xn--")) {
        return key.to_owned();
    }
    let (unicode, valid) = idna::domain_to_unicode(key);
    if valid.is_ok() { unicode } else { key.to_owned() }
}

/// The registrable domain of a host, by the public suffix list with its private section; `None` for what is no
/// host, for addresses and for public suffixes themselves.
pub fn registrable(key: &str) -> Option<&str> {
    if classify(key, Dimension::Domain) != NameKind::Host || host::is_address(key) {
        return None;
    }
    psl::domain_str(key)
}

/// Whether a cell is its own key in either dimension.
#[inline]
fn is_key(cell: &[u8]) -> bool {
    let plain = cell.iter().all(|&byte| PLAIN[usize::from(byte)]);
    plain && !cell.starts_with(b"www.") && cell.last() != Some(&b'.')
}

/// Lower-case letters, digits, `-` and `.`.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = matches!(byte as u8, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        byte += 1;
    }
    plain
};

const KELVIN: char = '\u{212A}';

#[inline(never)]
fn write_key(cell: &[u8], dimension: Dimension, key: &mut String) {
    key.clear();
    let text = decode(cell);
    // The only letter beyond ASCII that lower case brings into ASCII: without this, the key could be a URL anew.
    let text =
        if !text.is_ascii() && text.contains(KELVIN) { Cow::Owned(text.replace(KELVIN, "K")) } else { text };
    let text = trimmed(&text);
    if dimension == Dimension::Domain {
        let address = Address::of(text);
        if let Some(id) = address.store_id() {
            return push_name(id, key);
        }
        if address.push_host(key) {
            return;
        }
        key.clear();
    }
    push_name(text, key);
}

/// The spelling of an id or a name.
fn spelling(text: &str, dimension: Dimension) -> Cow<'_, str> {
    let text = trimmed(text);
    if dimension == Dimension::Domain
        && let Some(id) = Address::of(text).store_id()
    {
        return Cow::Borrowed(id);
    }
    let single = text.split(char::is_whitespace).all(|word| !word.is_empty());
    if single && !text.contains(|c: char| c.is_whitespace() && c != ' ') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Lower case, inner blanks made one.
fn push_name(text: &str, key: &mut String) {
    if text.is_ascii() {
        key.reserve(text.len());
        let mut blank = false;
        for &byte in text.as_bytes() {
            if byte.is_ascii_whitespace() || byte == b'\x0b' {
                blank = true;
            } else {
                if std::mem::take(&mut blank) {
                    key.push(' ');
                }
                key.push(char::from(byte.to_ascii_lowercase()));
            }
        }
        return;
    }
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(&word.to_lowercase());
    }
}

/// A cell's text, without the padding and guards of spreadsheets.
pub fn text_of(cell: &[u8]) -> Cow<'_, str> {
    match decode(cell) {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
        Cow::Owned(text) => Cow::Owned(trimmed(&text).to_owned()),
    }
}

/// The text of a cell, without what cannot be seen and would only fool who reads it.
fn decode(cell: &[u8]) -> Cow<'_, str> {
    let text = match std::str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(cell).0,
    };
    if !text.bytes().all(is_visible) && text.chars().any(is_hidden) {
        Cow::Owned(text.chars().filter(|c| !is_hidden(*c)).collect())
    } else {
        text
    }
}

/// What nearly all text is of.
fn is_visible(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Control characters but for blanks, and those that turn the direction of writing.
fn is_hidden(character: char) -> bool {
    (character.is_control() && !character.is_whitespace())
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Without blanks around it, and without what spreadsheets put in front: `="291097"`, and the apostrophe that
/// keeps `'=1+1` or `'@home` from being a formula.
fn trimmed(text: &str) -> &str {
    let mut text = text;
    loop {
        let inner = text.trim_matches(is_padding);
        let inner = inner.strip_prefix("=\"").and_then(|inner| inner.strip_suffix('"')).unwrap_or_else(
            || match inner.strip_prefix('\'') {
                Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
                _ => inner,
            },
        );
        if inner.len() == text.len() {
            return text;
        }
        text = inner;
    }
}

fn is_padding(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\0' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}
