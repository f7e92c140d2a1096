//! Where a report's bytes come from: a file, standard input, a gzip, zstd or zip of one file; and what kind of
//! file they are, told by content and never by name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use flate2::CrcReader;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use serde::Serialize;

use super::workbook;
use crate::progress::Progress;
use crate::{Code, Error, Result};

/// The most that is unpacked to disk: only files that must be read out of order are.
const MAX_SPOOLED_BYTES: u64 = 4 << 30;
/// Beyond this many files an archive is not looked into.
const MAX_ZIP_ENTRIES: usize = 10_000;
/// How much of a file is looked at to tell its kind.
const HEAD_BYTES: usize = 64 << 10;

/// How the file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// A zip archive of one file.
    Zip,
}

/// What kind of report the unpacked bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Delimited text.
    Csv,
    /// An Office Open XML workbook.
    Xlsx,
    /// An old binary workbook.
    Xls,
    /// Apache Parquet.
    Parquet,
}

/// A report's bytes, which can be read from the start as often as needed.
#[derive(Debug)]
pub struct Source {
    name: String,
    path: PathBuf,
    compression: Option<Compression>,
    format: Format,
    /// Keeps the temporary file that `path` names alive.
    _spooled: Option<tempfile::TempPath>,
}

impl Source {
    /// Opens a file, called `name` in what is said of it.
    ///
    /// # Errors
    /// `NotReadable`, `Empty`, `WrongKind`, `Truncated`, `Malformed`, `Encrypted`, `TooLarge`.
    pub fn open(path: &Path, name: &str) -> Result<Self> {
        Self::identify(path.to_path_buf(), None, name).map_err(|error| error.in_file(name))
    }

    /// Takes in a stream that can be read only once, by way of a temporary file.
    ///
    /// # Errors
    /// Those of [`Source::open`], and `Machine` when the temporary file cannot be written.
    pub fn from_stream(mut stream: impl Read, name: &str) -> Result<Self> {
        let spooled = spool(&mut stream, name)?;
        let path = spooled.to_path_buf();
        Self::identify(path, Some(spooled), name).map_err(|error| error.in_file(name))
    }

    fn identify(path: PathBuf, spooled: Option<tempfile::TempPath>, name: &str) -> Result<Self> {
        let mut file = open_file(&path)?;
        let head = read_head(&mut file)?;
        let compression = match contents(&head)? {
            Contents::Report(format) => {
                return Ok(Self { name: name.into(), path, compression: None, format, _spooled: spooled });
            }
            Contents::Packed(Compression::Zip) if is_workbook(&path)? => {
                return Ok(Self {
                    name: name.into(),
                    path,
                    compression: None,
                    format: Format::Xlsx,
                    _spooled: spooled,
                });
            }
            Contents::Packed(compression) => compression,
        };
        let mut unpacked = unpack(&path, compression, &Progress::default())?;
        let inner = read_head(&mut unpacked)?;
        let zip_inside = inner.starts_with(b"PK\x03\x04");
        let format = match contents(&inner)? {
            Contents::Report(format) => format,
            Contents::Packed(Compression::Zip) if compression != Compression::Zip => Format::Xlsx,
            Contents::Packed(_) => {
                return Err(Error::new(Code::WrongKind, "the file is packed twice")
                    .help("unpack it once and give the file inside"));
            }
        };
        let (path, spooled) = if format == Format::Csv {
            (path, spooled)
        } else {
            // Workbooks and Parquet are read out of order.
            let spooled = spool(&mut io::Cursor::new(inner).chain(unpacked), name)?;
            if zip_inside && !is_workbook(&spooled)? {
                return Err(Error::new(Code::WrongKind, "the file is packed twice")
                    .help("unpack it once and give the file inside"));
            }
            (spooled.to_path_buf(), Some(spooled))
        };
        Ok(Self { name: name.into(), path, compression: Some(compression), format, _spooled: spooled })
    }

    /// What the report is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is packed, if it is.
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// What kind of report it is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The file to read: the one given, or the temporary one it was unpacked to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file, packed as it is.
    pub fn size(&self) -> Result<u64> {
        Ok(open_file(&self.path)?.metadata().map_err(|error| unreadable(&error))?.len())
    }

    /// The unpacked bytes from the start, counted into `progress` as they come from the file.
    ///
    /// # Errors
    /// `NotReadable` and what is wrong with the packing.
    pub fn stream(&self, progress: &Progress) -> Result<Box<dyn Read + Send>> {
        let stream = match self.compression {
            Some(compression) if self.format == Format::Csv => unpack(&self.path, compression, progress),
            _ => open_file(&self.path)
                .map(|file| Box::new(Counted { file, progress: progress.clone() }) as Box<dyn Read + Send>),
        };
        stream.map_err(|error| error.in_file(&self.name))
    }

    /// The file of a text that is not packed, to be read from anywhere.
    pub(crate) fn unpacked(&self) -> Result<Option<File>> {
        let is_plain = self.compression.is_none() && self.format == Format::Csv;
        is_plain.then(|| open_file(&self.path)).transpose().map_err(|error| error.in_file(&self.name))
    }

    /// Whether two sources hold the same bytes, packed or not.
    pub fn same_bytes(&self, other: &Self) -> Result<bool> {
        let packed = self.compression.or(other.compression).is_some();
        if !packed && self.size()? != other.size()? {
            return Ok(false);
        }
        let uncounted = Progress::default();
        let (mut ours, mut theirs) = (self.stream(&uncounted)?, other.stream(&uncounted)?);
        let (mut a, mut b) = (vec![0; HEAD_BYTES], vec![0; HEAD_BYTES]);
        loop {
            let got = fill(&mut ours, &mut a)?;
            if fill(&mut theirs, &mut b)? != got || a[..got] != b[..got] {
                return Ok(false);
            }
            if got == 0 {
                return Ok(true);
            }
        }
    }
}

/// Counts bytes as they leave the file.
struct Counted {
    file: File,
    progress: Progress,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read(buffer)?;
        self.progress.bytes.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

enum Contents {
    Report(Format),
    Packed(Compression),
}

/// Tells from the first bytes what a file is.
fn contents(head: &[u8]) -> Result<Contents> {
    const OTHERS: [(&[u8], &str); 12] = [
        (b"%PDF", "a PDF"),
        (b"\x89PNG", "a picture (PNG)"),
        (b"\xff\xd8\xff", "a picture (JPEG)"),
        (b"GIF8", "a picture (GIF)"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!", "a RAR archive"),
        (b"BZh", "a bzip2 file"),
        (b"\xfd7zXZ", "an xz file"),
        (b"SQLite format 3", "a database"),
        (b"{\\rtf", "a text document"),
    ];
    const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let unmarked = MARKS.iter().find_map(|mark| head.strip_prefix(*mark)).unwrap_or(head);
    if unmarked.iter().all(blank) {
        return Err(Error::new(Code::Empty, "the file is empty").help("export the report again"));
    }
    let packed = |compression| Ok(Contents::Packed(compression));
    match head {
        [0x1f, 0x8b, ..] => return packed(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return packed(Compression::Zstd),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => return packed(Compression::Zip),
        [b'P', b'A', b'R', b'1', ..] => return Ok(Contents::Report(Format::Parquet)),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => return Ok(Contents::Report(Format::Xls)),
        _ => {}
    }
    let wrong = |what: &str| {
        Error::new(Code::WrongKind, format!("this is {what}, not a report"))
            .help("give the CSV, XLSX, XLS or Parquet file that the DSP exported")
    };
    // `MZ` and the like also begin honest text: the control characters below decide.
    let binary = looks_binary(head);
    if let Some((_, what)) =
        OTHERS.iter().find(|(magic, _)| head.starts_with(magic) && (binary || magic.len() > 3))
    {
        return Err(wrong(what));
    }
    if head.get(257..262) == Some(b"ustar") {
        return Err(wrong("a tar archive"));
    }
    if binary {
        return Err(wrong("a binary file"));
    }
    let start: Vec<u8> = head.iter().copied().skip_while(|&byte| is_blank_or_bom(byte)).take(64).collect();
    let start = String::from_utf8_lossy(&start).to_ascii_lowercase();
    if ["<!doctype", "<html", "<?xml", "<table", "<meta"].iter().any(|tag| start.starts_with(tag)) {
        return Err(wrong("a web page or XML")
            .help("open it in a spreadsheet and save it as .xlsx, or export the report as CSV"));
    }
    if start.starts_with("{\"") || start.starts_with("[{") || start.starts_with("{\n") {
        return Err(wrong("JSON"));
    }
    Ok(Contents::Report(Format::Csv))
}

fn is_blank_or_bom(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf)
}

/// Whether more than a twentieth of the bytes are control characters, in neither byte order of UTF-16.
fn looks_binary(head: &[u8]) -> bool {
    if super::text::utf16(head).is_some() {
        return false;
    }
    // Zeros that pad the end are what a crash leaves of an honest file.
    let text = &head[..head.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)];
    let control = text
        .iter()
        .filter(|&&byte| byte < 32 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) || byte == 127)
        .count();
    control * 20 > text.len()
}

fn is_workbook(path: &Path) -> Result<bool> {
    workbook::is_workbook(&mut open_file(path)?)
}

/// Opens what is packed inside.
fn unpack(path: &Path, compression: Compression, progress: &Progress) -> Result<Box<dyn Read + Send>> {
    let counted = Counted { file: open_file(path)?, progress: progress.clone() };
    Ok(match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(counted)),
        Compression::Zstd => {
            Box::new(zstd::Decoder::new(counted).map_err(|error| read_error(error, "zstd"))?)
        }
        Compression::Zip => unpack_zip(counted)?,
    })
}

fn unpack_zip(mut counted: Counted) -> Result<Box<dyn Read + Send>> {
    let malformed = |error: zip::result::ZipError| {
        Error::new(Code::Truncated, "the zip archive is damaged or cut off")
            .help("download or copy the file again")
            .caused_by(error)
    };
    let mut archive =
        zip::ZipArchive::new(BufReader::new(counted.file.try_clone().map_err(|error| unreadable(&error))?))
            .map_err(malformed)?;
    if archive.len() > MAX_ZIP_ENTRIES {
        return Err(Error::new(Code::WrongKind, format!("the zip archive holds {} files", archive.len()))
            .help("give an archive of one report, or unpack it and give the reports"));
    }
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(malformed)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if !entry.is_dir() && !name.starts_with("__MACOSX/") && !name.ends_with(".DS_Store") {
            names.push((index, name));
        }
    }
    let [(index, name)] = names.as_slice() else {
        let what = match names.len() {
            0 => "no file".to_owned(),
            count => format!("{count} files: {}", list(&names)),
        };
        return Err(Error::new(Code::WrongKind, format!("the zip archive holds {what}"))
            .help("give an archive of one report, or unpack it and give the reports"));
    };
    let entry = archive.by_index_raw(*index).map_err(malformed)?;
    if entry.encrypted() {
        return Err(Error::new(
            Code::Encrypted,
            format!("{name} in the zip archive is protected by a password"),
        )
        .help("unpack it and give the file inside"));
    }
    let (start, length, method) = (entry.data_start(), entry.compressed_size(), entry.compression());
    let sum = entry.crc32();
    drop(entry);
    let start = start.unwrap_or(0);
    counted.file.seek(SeekFrom::Start(start)).map_err(|error| unreadable(&error))?;
    let packed = counted.take(length);
    match method {
        zip::CompressionMethod::Stored => Ok(Box::new(Summed { inner: CrcReader::new(packed), sum })),
        zip::CompressionMethod::Deflated => {
            Ok(Box::new(Summed { inner: CrcReader::new(DeflateDecoder::new(packed)), sum }))
        }
        other => Err(Error::new(Code::WrongKind, format!("{name} in the zip archive is packed by {other}"))
            .help("unpack it and give the file inside")),
    }
}

/// Fails at the end of a stream that is not what the archive's checksum says.
struct Summed<R> {
    inner: CrcReader<R>,
    sum: u32,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.inner.crc().sum() != self.sum {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not match"));
        }
        Ok(read)
    }
}

fn list(names: &[(usize, String)]) -> String {
    let shown = names.iter().take(5).map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    if names.len() > 5 { format!("{shown}, ...") } else { shown }
}

fn spool(stream: &mut impl Read, name: &str) -> Result<tempfile::TempPath> {
    let machine = |error: io::Error| {
        Error::new(Code::Machine, format!("the temporary copy of {name} cannot be written: {error}"))
            .help("free some space in the folder for temporary files, or set TMPDIR to another one")
            .caused_by(error)
    };
    let mut file = tempfile::NamedTempFile::new().map_err(machine)?;
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let got = fill(stream, &mut buffer)?;
        if got == 0 {
            break;
        }
        total += got as u64;
        if total > MAX_SPOOLED_BYTES {
            return Err(Error::new(Code::TooLarge, format!("{name} unpacks to more than 4 GiB"))
                .help("unpack it and give the file itself"));
        }
        file.write_all(&buffer[..got]).map_err(machine)?;
    }
    file.flush().map_err(machine)?;
    Ok(file.into_temp_path())
}

fn read_head(stream: &mut (impl Read + ?Sized)) -> Result<Vec<u8>> {
    let mut head = vec![0; HEAD_BYTES];
    let got = fill(stream, &mut head)?;
    head.truncate(got);
    Ok(head)
}

/// Fills a buffer as far as the stream goes.
pub(super) fn fill(stream: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> Result<usize> {
    fill_with(buffer, |rest| stream.read(rest)).map_err(|error| read_error(error, "file"))
}

/// Fills a buffer as far as `read` has bytes.
pub(crate) fn fill_with(
    buffer: &mut [u8],
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn open_file(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let is_folder = file.metadata().map_err(|error| unreadable(&error))?.is_dir();
    if is_folder {
        return Err(Error::new(Code::NotReadable, "this is a folder").help("give the report files in it"));
    }
    Ok(file)
}

fn unreadable(error: &io::Error) -> Error {
    let (message, help) = match error.kind() {
        io::ErrorKind::NotFound => ("no such file".to_owned(), "check the name and the folder"),
        io::ErrorKind::PermissionDenied => (
            "no permission to read the file".to_owned(),
            "change its permissions or copy it to a folder of your own",
        ),
        _ => (format!("cannot be read: {error}"), "check the file and the disk"),
    };
    Error::new(Code::NotReadable, message).help(help)
}

/// Tells a broken download from a broken disk.
pub(crate) fn read_error(error: io::Error, what: &str) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Error::new(Code::Truncated, format!("the {what} is cut off in the middle"))
                .help("download or copy the file again")
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            Error::new(Code::Malformed, format!("the {what} is damaged: {error}"))
                .help("download or copy the file again")
        }
        _ => Error::new(Code::NotReadable, format!("cannot be read: {error}")),
    }
    .caused_by(error)
}
