//! The files that are uploaded, alone or in a ZIP with a manifest.

use std::fmt::Write as _;
use std::io::{Cursor, Write};

use caliber_engine::Result;
use caliber_engine::names::NameKind;
use caliber_engine::recipe::Dimension;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::layout::Words;
use super::names::{Inventory, kind, obstacle};
use super::{ListKind, UploadForm};
use crate::failure::unwritten;
use crate::write_json_pretty;

/// The name of the manifest in a ZIP or a folder.
pub const MANIFEST: &str = "manifest.json";

/// What is uploaded for one list.
#[derive(Debug)]
pub struct UploadFiles {
    form: &'static UploadForm,
    list: ListKind,
    /// What the names of all files begin with.
    stem: String,
    /// The files, each within the form's limit: domains first where apps are apart, then in list order.
    pub files: Vec<UploadFile>,
    /// Names that the form cannot hold.
    pub left_out: Vec<LeftOut>,
}

/// One file to upload.
#[derive(Debug)]
pub struct UploadFile {
    /// Its name, safe on every file system.
    pub name: String,
    /// As in `text/csv`.
    pub media_type: &'static str,
    /// What its names are.
    pub inventory: Inventory,
    /// How many names it holds.
    pub names: usize,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A name that is in no file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The name.
    pub name: String,
    /// Why, in words.
    pub reason: String,
}

/// `manifest.json`: what the files are.
#[derive(Debug, Serialize)]
pub struct Manifest<'a> {
    /// The form's word, as in `dv360`.
    pub form: &'a str,
    /// What people call it.
    pub label: &'a str,
    /// Which list it is.
    pub list_type: ListKind,
    /// Names in all files.
    pub names: usize,
    /// The files, in the order to upload them.
    pub files: Vec<ManifestFile<'a>>,
    /// Names that are in none of them.
    pub left_out: &'a [LeftOut],
}

/// A file of a manifest.
#[derive(Debug, Serialize)]
pub struct ManifestFile<'a> {
    /// Its name.
    pub file: &'a str,
    /// What its names are.
    pub inventory: Inventory,
    /// How many.
    pub names: usize,
    /// Its size in bytes.
    pub size: usize,
    /// Hexadecimal.
    pub sha256: String,
}

/// The files of a list, as the form has them.
pub(super) fn made(
    form: &'static UploadForm,
    list: ListKind,
    dimension: Dimension,
    names: &[&str],
    base_name: &str,
) -> UploadFiles {
    let (mut groups, mut left_out) = (Groups::default(), Vec::new());
    for &name in names {
        let kind = kind(name, dimension);
        match obstacle(form, name, || kind) {
            Some(reason) => left_out.push(LeftOut { name: name.to_owned(), reason }),
            None if form.split_apps && kind == NameKind::Host => groups.web.push(name),
            None if form.split_apps => groups.app.push(name),
            None => groups.all.push(name),
        }
    }
    let stem = format!("{}-{}", safe(base_name), form.name);
    let mut files = Vec::new();
    for (inventory, names) in groups.filled(form.split_apps) {
        let limit = form.limit.unwrap_or(usize::MAX).max(1);
        let count = names.len().div_ceil(limit).max(1);
        let digits = count.to_string().len();
        for part in 0..count {
            let names = &names[part * limit..names.len().min((part + 1).saturating_mul(limit))];
            let mut own = format!("{stem}{}", inventory.suffix());
            if count > 1 {
                // Writing to a String cannot fail.
                let _ = write!(own, "-{:0digits$}", part + 1);
            }
            let bytes = form.layout.write(names, &Words { of_list: form.words(list), list: &own });
            let name = format!("{own}.{}", form.extension);
            files.push(UploadFile {
                name,
                media_type: &form.media_type,
                inventory,
                names: names.len(),
                bytes,
            });
        }
    }
    UploadFiles { form, list, stem, files, left_out }
}

#[derive(Default)]
struct Groups<'a> {
    web: Vec<&'a str>,
    app: Vec<&'a str>,
    all: Vec<&'a str>,
}

impl<'a> Groups<'a> {
    /// Those that hold something; where none does, one that is empty.
    fn filled(self, split: bool) -> Vec<(Inventory, Vec<&'a str>)> {
        if !split {
            return vec![(Inventory::All, self.all)];
        }
        let no_app = self.app.is_empty();
        let groups = [(Inventory::Web, self.web), (Inventory::App, self.app)];
        let wanted = |(inventory, names): &(Inventory, Vec<&str>)| {
            !names.is_empty() || (no_app && *inventory == Inventory::Web)
        };
        groups.into_iter().filter(wanted).collect()
    }
}

/// A text as the beginning of a file's name: without what separates folders or is no sign, with all that scripts need,
/// such as the vowels of Hindi and accents of their own.
fn safe(base_name: &str) -> String {
    let is_refused = |character: char| character.is_control() || r#"/\:*?"<>|"#.contains(character);
    let safe = |character: char| if is_refused(character) { '-' } else { character };
    let name: String = base_name.chars().map(safe).take(100).collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() { "list".to_owned() } else { name.to_owned() }
}

impl<'a> ManifestFile<'a> {
    fn of(file: &'a UploadFile) -> Self {
        let sha256 = hexadecimal(&Sha256::digest(&file.bytes));
        let (names, size) = (file.names, file.bytes.len());
        Self { file: &file.name, inventory: file.inventory, names, size, sha256 }
    }
}

impl UploadFiles {
    /// Which list it is.
    pub fn list(&self) -> ListKind {
        self.list
    }

    /// Names in all files.
    pub fn names(&self) -> usize {
        self.files.iter().map(|file| file.names).sum()
    }

    /// The file, where there is only one.
    pub fn single(&self) -> Option<&UploadFile> {
        match self.files.as_slice() {
            [file] => Some(file),
            _ => None,
        }
    }

    /// What the files are.
    pub fn manifest(&self) -> Manifest<'_> {
        Manifest {
            form: &self.form.name,
            label: &self.form.label,
            list_type: self.list,
            names: self.names(),
            files: self.files.iter().map(ManifestFile::of).collect(),
            left_out: &self.left_out,
        }
    }

    /// What the manifest is called beside the files, where other lists may stand as well:
    /// `blocklist-dv360-manifest.json`. In a ZIP it is `manifest.json`.
    pub fn manifest_name(&self) -> String {
        format!("{}-{MANIFEST}", self.stem)
    }

    /// All files and `manifest.json` in a ZIP; the same list gives the same bytes.
    ///
    /// # Errors
    /// `Machine` where it cannot be put together, as for more than 4 GiB.
    pub fn to_zip(&self) -> Result<Vec<u8>> {
        let mut manifest = Vec::new();
        write_json_pretty(&self.manifest(), &mut manifest)?;
        let files = self.files.iter().map(|file| (file.name.as_str(), file.bytes.as_slice()));
        zipped(files.chain([(MANIFEST, manifest.as_slice())])).map_err(|error| unwritten(error.into()))
    }
}

fn zipped<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> zip::result::ZipResult<Vec<u8>> {
    // A clock would make each ZIP differ.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
