//! Fonts: ours, which are in the binary, and those of the system, for scripts that ours do not reach.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use fontdb::{Database, Source};
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// The name of our fonts, which reach Latin, Greek and Cyrillic.
const FAMILY: &str = "Inter";
/// Its weights: 400, 600 and 700.
const OURS: [&[u8]; 3] = [
    include_bytes!("../fonts/Inter-Regular.otf"),
    include_bytes!("../fonts/Inter-SemiBold.otf"),
    include_bytes!("../fonts/Inter-Bold.otf"),
];

/// Fonts by their number, read when they are first asked for.
pub(crate) struct FontStore {
    book: LazyHash<FontBook>,
    slots: Vec<Slot>,
}

enum Slot {
    Ours(Font),
    System { path: PathBuf, index: u32, font: OnceLock<Option<Font>> },
}

impl FontStore {
    /// Ours only.
    pub(crate) fn ours() -> Self {
        let fonts: Vec<Font> = OURS.into_iter().flat_map(|font| Font::iter(Bytes::new(font))).collect();
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        Self { book, slots: fonts.into_iter().map(Slot::Ours).collect() }
    }

    /// Ours, and after them those of the system.
    pub(crate) fn ours_and_the_systems() -> Self {
        let mut store = Self::ours();
        let mut system = Database::new();
        system.load_system_fonts();
        for face in system.faces() {
            let (Source::File(path) | Source::SharedFile(path, _)) = &face.source else { continue };
            let info = system.with_face_data(face.id, FontInfo::new).flatten();
            // Another edition of our own font would make the report look different on each machine.
            let Some(info) = info.filter(|info| info.family != FAMILY) else { continue };
            store.book.push(info);
            store.slots.push(Slot::System { path: path.clone(), index: face.index, font: OnceLock::new() });
        }
        store
    }

    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    /// The font of a number of the book; `None` where it cannot be read any more.
    pub(crate) fn font(&self, number: usize) -> Option<Font> {
        match self.slots.get(number)? {
            Slot::Ours(font) => Some(font.clone()),
            Slot::System { path, index, font } => {
                font.get_or_init(|| Font::new(Bytes::new(fs::read(path).ok()?), *index)).clone()
            }
        }
    }

    /// Whether the first of the fonts has all characters of a text.
    pub(crate) fn reaches(&self, text: &str) -> bool {
        let Some(font) = self.book.info(0) else { return false };
        text.chars().all(|letter| is_bare(letter) || font.coverage.contains(u32::from(letter)))
    }

    /// Whether each character of a text is in one of the fonts.
    pub(crate) fn show(&self, text: &str) -> bool {
        let foreign: BTreeSet<char> =
            text.chars().filter(|letter| !letter.is_ascii() && !is_bare(*letter)).collect();
        let has = |letter: char| {
            let fonts = (0..).map_while(|number| self.book.info(number));
            fonts.into_iter().any(|font| font.coverage.contains(u32::from(letter)))
        };
        foreign.into_iter().all(has)
    }
}

/// Whether a character needs no picture: blanks, and signs that only say how others are set.
fn is_bare(letter: char) -> bool {
    letter.is_control()
        || letter.is_whitespace()
        || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_fonts_reach_latin_greek_and_cyrillic() {
        let ours = FontStore::ours();
        assert_eq!(ours.book().families().count(), 1);
        assert!(ours.book().contains_family("inter"));
        for text in ["Zürich, Łódź, İstanbul", "Ειδήσεις", "Новости", "\u{20ac} 1,234.50 \u{b7} 12 %"]
        {
            assert!(ours.reaches(text) && ours.show(text), "{text}");
        }
        for text in ["\u{627}\u{644}", "\u{65b0}\u{805e}", "\u{30cb}"] {
            assert!(!ours.reaches(text) && !ours.show(text), "{text}");
        }
    }
}
