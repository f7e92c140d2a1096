//! What Typst sees while it sets a report: the template, the data, the logo, and fonts. Nothing of the machine's files
//! but its fonts, and no clock.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::fonts::FontStore;

const TEMPLATE: &str = include_str!("report.typ");
/// What the template calls its data and the logo.
const DATA: &str = "/report.json";
const LOGO: &str = "/logo";

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));
static SOURCE: LazyLock<Source> = LazyLock::new(|| Source::new(file_id("/report.typ"), TEMPLATE.to_owned()));
static OURS: LazyLock<FontStore> = LazyLock::new(FontStore::ours);
/// Looking through the system's fonts takes a while, so it is done once, and only where a text needs it.
static OURS_AND_SYSTEM: LazyLock<FontStore> = LazyLock::new(FontStore::ours_and_the_systems);

/// The world of one report.
pub(crate) struct ReportWorld {
    fonts: &'static FontStore,
    data: Bytes,
    logo: Option<Bytes>,
}

impl ReportWorld {
    /// A world with these data, which are JSON, and this logo.
    pub(crate) fn new(data: String, logo: Option<Bytes>) -> Self {
        Self { fonts: fonts_for(&data), data: Bytes::from_string(data), logo }
    }
}

fn fonts_for(text: &str) -> &'static FontStore {
    if OURS.reaches(text) { &OURS } else { &OURS_AND_SYSTEM }
}

/// Whether there is a font for each character of a text.
pub(crate) fn can_show(text: &str) -> bool {
    fonts_for(text).show(text)
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

fn file_id(path: &str) -> FileId {
    let path = VirtualPath::new(path).expect("a path without anything that leads out of its root");
    FileId::new(RootedPath::new(VirtualRoot::Project, path))
}
