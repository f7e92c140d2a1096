//! Text in the XML of a workbook: entities, escapes, and the table of shared strings.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};

use super::package::{Xml, too_large};
use crate::Result;

/// Bytes of all shared strings together: a million rows with three URLs of 80 bytes.
const STRINGS_BYTES_MAX: usize = 256 << 20;
/// How many shared strings there may be.
const STRINGS_MAX: usize = 20_000_000;

/// The strings that cells refer to by number, one after the other in one buffer.
#[derive(Debug, Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Strings {
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        Some(&self.bytes[start..end])
    }

    /// Reads the shared strings. The counts it states are not believed.
    pub(super) fn read(mut xml: Xml<'_>) -> Result<Self> {
        let mut strings = Self::default();
        let mut runs = Runs::default();
        loop {
            match xml.next()? {
                Event::Start(tag) if tag.local_name().as_ref() == "si" => runs.open(),
                Event::Empty(tag) if tag.local_name().as_ref() == "si" => strings.close()?,
                Event::End(tag) if tag.local_name().as_ref() == "si" => {
                    let start = strings.ends.last().map_or(0, |&end| end as usize);
                    unescape(&mut strings.bytes, start);
                    strings.close()?;
                    runs.close();
                }
                Event::Eof => break,
                event => {
                    runs.take(&event, &mut strings.bytes);
                    strings.refuse_excess()?;
                }
            }
        }
        strings.bytes.shrink_to_fit();
        strings.ends.shrink_to_fit();
        Ok(strings)
    }

    fn close(&mut self) -> Result<()> {
        self.refuse_excess()?;
        // Below 2^32 by the limit above.
        self.ends.push(self.bytes.len() as u32);
        Ok(())
    }

    fn refuse_excess(&self) -> Result<()> {
        if self.bytes.len() > STRINGS_BYTES_MAX || self.ends.len() >= STRINGS_MAX {
            return Err(too_large(format!(
                "the workbook holds more than {} MB or {STRINGS_MAX} of different texts",
                STRINGS_BYTES_MAX >> 20
            )));
        }
        Ok(())
    }
}

/// Gathers the `<t>` runs of a shared or inline string, rich text included, phonetic hints left out.
#[derive(Debug, Default)]
pub(super) struct Runs {
    open: bool,
    in_text: bool,
    in_hint: bool,
}

impl Runs {
    pub(super) fn open(&mut self) {
        *self = Self { open: true, ..Self::default() };
    }

    pub(super) fn close(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Takes what belongs to the string and ignores the rest.
    pub(super) fn take(&mut self, event: &Event<'_>, into: &mut Vec<u8>) {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => self.in_text = true,
                "rPh" => self.in_hint = true,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => self.in_text = false,
                "rPh" => self.in_hint = false,
                _ => {}
            },
            text if self.open && self.in_text && !self.in_hint => push_text(text, into),
            _ => {}
        }
    }
}

/// Appends the text that an event stands for.
pub(super) fn push_text(event: &Event<'_>, into: &mut Vec<u8>) {
    match event {
        Event::Text(text) => into.extend_from_slice(text.xml10_content().as_bytes()),
        Event::CData(text) => into.extend_from_slice(text.xml10_content().as_bytes()),
        Event::GeneralRef(entity) => push_entity(entity, into),
        _ => {}
    }
}

/// XML's five entities and characters by number. Others are declared in a DTD, which no workbook has: kept as written.
fn push_entity(entity: &BytesRef<'_>, into: &mut Vec<u8>) {
    let name: &str = entity;
    if let Ok(Some(letter)) = entity.resolve_char_ref() {
        into.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    } else if let Some(text) = quick_xml::escape::resolve_xml_entity(name) {
        into.extend_from_slice(text.as_bytes());
    } else {
        into.push(b'&');
        into.extend_from_slice(name.as_bytes());
        into.push(b';');
    }
}

/// Resolves `_x000D_`, the spreadsheets' way to write characters that XML cannot hold, from `start` on.
///
/// ECMA-376 part 1, 22.9.2.19 (`ST_Xstring`).
pub(super) fn unescape(bytes: &mut Vec<u8>, start: usize) {
    if memchr::memmem::find(&bytes[start..], b"_x").is_none() {
        return;
    }
    let text = bytes.split_off(start);
    let mut at = 0;
    while at < text.len() {
        let escaped = text.get(at..at + 7).and_then(|seven| {
            let digits = seven.strip_prefix(b"_x")?.strip_suffix(b"_")?;
            let digits =
                std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        });
        if let Some(letter) = escaped {
            bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            at += 7;
        } else {
            bytes.push(text[at]);
            at += 1;
        }
    }
}

/// An attribute by its name without prefix, entities resolved.
pub(super) fn attribute<'a>(tag: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    let found =
        tag.attributes().with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name)?;
    found
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .ok()
        .map(|value| Cow::Owned(value.into_owned()))
}
