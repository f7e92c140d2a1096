//! The zip around a workbook: what may be unpacked, and no more than that.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::{Code, Error, Result};

/// Parts a workbook may have. Excel's own stay below a few hundred.
const PARTS_MAX: usize = 10_000;
/// Bytes read to find the list of parts: [`PARTS_MAX`] entries with names of a thousand bytes.
const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
/// Unpacked bytes of one part: a full sheet of a million rows by a hundred columns.
const PART_BYTES_MAX: u64 = 8 << 30;
/// How many times larger than packed a part may be. Sheets reach 20 to 50; deflate ends at 1032.
const RATIO_MAX: u64 = 200;
/// Up to here the ratio says nothing: small parts of one repeated tag pack as well as a bomb.
const RATIO_FREE_BYTES: u64 = 4 << 20;
/// Bytes of one tag or one run of text, which has to be held in memory. A cell of Excel ends at 32,767 characters.
const TOKEN_BYTES_MAX: usize = 16 << 20;

/// A workbook's parts by name.
pub(super) struct Package {
    zip: ZipArchive<Metered<File>>,
    /// By name in lower case with forward slashes: some writers use `XL\Workbook.xml`.
    parts: HashMap<String, usize>,
}

impl Package {
    /// Opens the zip and refuses what is no sane workbook, before a byte is unpacked.
    pub(super) fn open(mut file: File) -> Result<Self> {
        if !has_directory(&mut file).map_err(unreadable)? {
            return Err(Error::new(
                Code::Truncated,
                "the workbook ends in the middle: its list of parts is missing",
            )
            .help("Download or export the report again."));
        }
        let mut zip = ZipArchive::new(Metered { inner: file, left: Some(DIRECTORY_BYTES_MAX) })
            .map_err(|error| damaged_zip(error, None))?;
        if zip.len() > PARTS_MAX {
            return Err(too_large(format!("the workbook has {} parts, more than {PARTS_MAX}", zip.len())));
        }
        if zip.has_overlapping_entries().map_err(|error| damaged_zip(error, None))? {
            return Err(too_large("parts of the workbook lie over each other, as in a zip bomb"));
        }
        let mut parts = HashMap::with_capacity(zip.len());
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(|error| damaged_zip(error, None))?;
            let name = normal_name(&String::from_utf8_lossy(entry.name_raw()));
            if matches!(name.rsplit('.').next(), Some("xml" | "rels")) {
                refuse_bomb(&name, entry.size(), entry.compressed_size())?;
            }
            parts.insert(name, index);
        }
        // From here on a part is read as far as its own limits allow.
        let mut file = zip.into_inner();
        file.left = None;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let zip = ZipArchive::new(file).map_err(|error| damaged_zip(error, None))?;
        Ok(Self { zip, parts })
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.parts.contains_key(&normal_name(part))
    }

    /// The XML of a part, `None` where there is no such part.
    ///
    /// `bytes_max` is the most that is unpacked of it.
    pub(super) fn xml(&mut self, part: &str, bytes_max: u64) -> Result<Option<Xml<'_>>> {
        let Some(&index) = self.parts.get(&normal_name(part)) else { return Ok(None) };
        let file = self.zip.by_index(index).map_err(|error| damaged_zip(error, Some(part)))?;
        let (size, packed) = (file.size(), file.compressed_size());
        refuse_bomb(part, size, packed)?;
        if size > bytes_max {
            return Err(too_large(format!("{part} unpacks to {size} bytes, more than {bytes_max}")));
        }
        let bounded =
            Bounded { inner: BufReader::with_capacity(64 << 10, file), token_left: TOKEN_BYTES_MAX };
        let mut reader = Reader::from_reader(bounded);
        reader.config_mut().check_end_names = false;
        Ok(Some(Xml { reader, buffer: Vec::with_capacity(1 << 10), part: part.to_owned() }))
    }
}

/// Whether the zip's end record stands within reach of the end of the file.
fn has_directory(file: &mut File) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    // The record is 22 bytes long and may be followed by a comment of 65,535.
    let tail = length.min(22 + 65_535);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::with_capacity(tail as usize);
    file.take(tail).read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(memchr::memmem::rfind(&bytes, b"PK\x05\x06").is_some())
}

fn refuse_bomb(part: &str, size: u64, packed: u64) -> Result<()> {
    if size > PART_BYTES_MAX {
        return Err(too_large(format!("{part} unpacks to {size} bytes, more than {PART_BYTES_MAX}")));
    }
    if size > RATIO_FREE_BYTES && size / packed.max(1) > RATIO_MAX {
        return Err(too_large(format!(
            "{part} unpacks to {} times its size, as in a zip bomb",
            size / packed.max(1)
        )));
    }
    Ok(())
}

/// Names are compared as Excel does, whatever the case and the slash.
fn normal_name(name: &str) -> String {
    name.trim_start_matches(['/', '\\']).replace('\\', "/").to_ascii_lowercase()
}

/// A reader of the file that stops when its allowance is used up.
///
/// The zip crate keeps a record for every entry it finds, so an endless directory would fill the memory.
pub(super) struct Metered<R> {
    inner: R,
    left: Option<u64>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(count as u64).ok_or_else(|| io::Error::other(TooLarge))?;
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// A part being unpacked, never more than a token in memory. That it is no longer than it declares is seen to by
/// the zip crate.
struct Bounded<R> {
    inner: R,
    token_left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token_left == 0 {
            return Err(io::Error::other(TooLarge));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.token_left = self.token_left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}

#[derive(Debug, thiserror::Error)]
#[error("one cell or list of parts is too large to hold")]
struct TooLarge;

/// The XML of one part, token by token.
pub(super) struct Xml<'a> {
    reader: Reader<Bounded<BufReader<ZipFile<'a, Metered<File>>>>>,
    buffer: Vec<u8>,
    part: String,
}

impl Xml<'_> {
    /// The next token. `Event::Eof` at the end, however many tags are still open.
    pub(super) fn next(&mut self) -> Result<Event<'_>> {
        self.buffer.clear();
        self.reader.get_mut().token_left = TOKEN_BYTES_MAX;
        self.reader.read_event_into(&mut self.buffer).map_err(|error| damaged_xml(&self.part, error))
    }

    /// A failure in this part.
    pub(super) fn malformed(&self, what: impl std::fmt::Display) -> Error {
        malformed(format!("{} of the workbook: {what}", self.part))
    }
}

fn is_too_large(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TooLarge>)
}

fn damaged_xml(part: &str, error: quick_xml::Error) -> Error {
    if let quick_xml::Error::Io(io) = &error
        && is_too_large(io)
    {
        return too_large(format!(
            "{part} of the workbook holds a cell of more than {TOKEN_BYTES_MAX} bytes"
        ));
    }
    malformed(format!("{part} of the workbook is damaged: {error}")).caused_by(error)
}

fn damaged_zip(error: ZipError, part: Option<&str>) -> Error {
    let place = part.map_or_else(|| "the workbook".to_owned(), |part| format!("{part} of the workbook"));
    match &error {
        ZipError::UnsupportedArchive(why) if *why == ZipError::PASSWORD_REQUIRED => encrypted(),
        ZipError::Io(io) if is_too_large(io) => too_large("the workbook's list of parts is too long"),
        ZipError::Io(io) if io.kind() == io::ErrorKind::UnexpectedEof => {
            Error::new(Code::Truncated, format!("{place} ends in the middle"))
                .help("Download or export the report again.")
                .caused_by(error)
        }
        _ => malformed(format!("{place} is damaged: {error}")).caused_by(error),
    }
}

pub(super) fn malformed(message: impl Into<String>) -> Error {
    Error::new(Code::Malformed, message)
        .help("Open and save it in a spreadsheet program, or export the report as CSV.")
}

pub(super) fn too_large(message: impl Into<String>) -> Error {
    Error::new(Code::TooLarge, message).help("Export the report again, as CSV if it is that large.")
}

pub(super) fn encrypted() -> Error {
    Error::new(Code::Encrypted, "the workbook is protected by a password")
        .help("Remove the password in a spreadsheet program, or export the report as CSV.")
}

pub(super) fn unreadable(error: io::Error) -> Error {
    Error::new(Code::NotReadable, format!("the workbook cannot be read: {error}")).caused_by(error)
}
