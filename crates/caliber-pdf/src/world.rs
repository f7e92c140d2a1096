//! What Typst sees while it sets a report: the template, the data, the logo, and fonts. Nothing of the machine's files
//! but its fonts, and no clock.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_kit::fonts::{self, FontStore};

/// The name of our fonts, which reach Latin, Greek and Cyrillic.
const FAMILY: &str = "Inter";
/// Its weights: 400, 600 and 700.
const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/Inter-Regular.otf"),
    include_bytes!("../fonts/Inter-SemiBold.otf"),
    include_bytes!("../fonts/Inter-Bold.otf"),
];
const TEMPLATE: &str = include_str!("report.typ");
/// What the template calls its data and the logo.
const DATA: &str = "/report.json";
const LOGO: &str = "/logo";

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));
static SOURCE: LazyLock<Source> = LazyLock::new(|| Source::new(file_id("/report.typ"), TEMPLATE.to_owned()));
static OURS: LazyLock<FontStore> = LazyLock::new(our_fonts);
/// Looking through the system's fonts takes a while, so it is done once, and only where a text needs it.
static OURS_AND_SYSTEM: LazyLock<FontStore> = LazyLock::new(|| {
    let mut store = our_fonts();
    // Another edition of our own font would make the report look different on each machine.
    store.extend(fonts::system().filter(|(_, info)| info.family != FAMILY));
    store
});

/// The world of one report.
pub(crate) struct ReportWorld {
    fonts: &'static FontStore,
    data: Bytes,
    logo: Option<Bytes>,
}

impl ReportWorld {
    /// A world with these data, which are JSON, and this logo.
    pub(crate) fn new(data: String, logo: Option<Bytes>) -> Self {
        let fonts = if reaches(&OURS, &data) { &OURS } else { &OURS_AND_SYSTEM };
        Self { fonts, data: Bytes::from_string(data), logo }
    }
}

impl World for ReportWorld {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        SOURCE.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == SOURCE.id() { Ok(SOURCE.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        match (id.vpath().get_with_slash(), &self.logo) {
            (DATA, _) => Ok(self.data.clone()),
            (LOGO, Some(logo)) => Ok(logo.clone()),
            _ => Err(FileError::AccessDenied),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Whether the text has no other characters than these fonts.
fn reaches(fonts: &FontStore, text: &str) -> bool {
    let Some(font) = fonts.book().info(0) else { return false };
    let is_bare = |letter: char| letter.is_control() || letter.is_whitespace();
    text.chars().all(|letter| is_bare(letter) || font.coverage.contains(u32::from(letter)))
}

fn our_fonts() -> FontStore {
    let mut store = FontStore::new();
    let fonts = FONTS.into_iter().flat_map(|font| Font::iter(Bytes::new(font)));
    store.extend(fonts.map(|font| {
        let info = font.info().clone();
        (font, info)
    }));
    store
}

fn file_id(path: &str) -> FileId {
    let path = VirtualPath::new(path).expect("a path without anything that leads out of its root");
    FileId::new(RootedPath::new(VirtualRoot::Project, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_fonts_reach_latin_greek_and_cyrillic() {
        assert_eq!(OURS.book().families().count(), 1);
        assert!(OURS.book().contains_family("inter"));
        for text in ["Zürich, Łódź, İstanbul", "Ειδήσεις", "Новости", "\u{20ac} 1,234.50 \u{b7} 12 %"]
        {
            assert!(reaches(&OURS, text), "{text}");
        }
        for text in ["\u{627}\u{644}", "\u{65b0}\u{805e}", "\u{30cb}"] {
            assert!(!reaches(&OURS, text), "{text}");
        }
    }
}
