//! Files: which format an extension asks for, and how a file comes to be whole or not at all.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use rust_xlsxwriter::XlsxError;
use tempfile::NamedTempFile;

use crate::delimited::{Lines, Text};
use crate::report::{Report, Watch};
use crate::{Request, SampleError, Summary, columnar, workbook};

/// How delimited text is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// What a file is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Delimited { delimiter: u8, packing: Option<Packing> },
    Workbook,
    Parquet,
}

impl Format {
    /// The format that a file's name asks for.
    fn of(path: &Path) -> Result<Self, SampleError> {
        let wrong = || SampleError::Extension { path: path.into() };
        let name = path.file_name().and_then(OsStr::to_str).ok_or_else(wrong)?.to_lowercase();
        let (name, packing) = match name.rsplit_once('.') {
            Some((stem, "gz")) => (stem, Some(Packing::Gzip)),
            Some((stem, "zst")) => (stem, Some(Packing::Zstd)),
            _ => (name.as_str(), None),
        };
        match (name.rsplit_once('.').map(|(_, extension)| extension), packing) {
            (Some("csv"), packing) => Ok(Self::Delimited { delimiter: b',', packing }),
            (Some("tsv"), packing) => Ok(Self::Delimited { delimiter: b'\t', packing }),
            (Some("xlsx"), None) => Ok(Self::Workbook),
            (Some("parquet"), None) => Ok(Self::Parquet),
            _ => Err(wrong()),
        }
    }

    pub(crate) fn delimiter(self) -> Option<u8> {
        match self {
            Self::Delimited { delimiter, .. } => Some(delimiter),
            Self::Workbook | Self::Parquet => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delimited { .. } => "delimited text",
            Self::Workbook => "a workbook",
            Self::Parquet => "Parquet",
        }
    }
}

/// Where the truth about the report at `report` stands: beside it, `.truth.csv` in the place of all that
/// says its format (`spring.csv.gz` has `spring.truth.csv`).
pub fn truth_path(report: &Path) -> PathBuf {
    let name = report.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
    let mut stem = name.as_str();
    for extension in [".gz", ".zst", ".csv", ".tsv", ".xlsx", ".parquet"] {
        let from = stem.len().saturating_sub(extension.len());
        if stem.get(from..).is_some_and(|end| end.eq_ignore_ascii_case(extension)) {
            stem = &stem[..from];
        }
    }
    report.with_file_name(format!("{stem}.truth.csv"))
}

/// Writes the report and its truth. The extension of `out` chooses the format: `.csv`, `.tsv`, each also
/// `.csv.gz` and `.csv.zst`; `.xlsx`; `.parquet`. Both files are written beside their place and moved there
/// once they are whole.
pub fn write(request: &Request, out: &Path) -> Result<Summary, SampleError> {
    write_watched(request, out, &mut |_| ControlFlow::Continue(()))
}

/// Writes as [`write()`] does, and tells `watch` every thousand rows or so how many are written. Where it
/// breaks off, nothing is left behind and the error is [`SampleError::Cancelled`].
pub fn write_watched(
    request: &Request,
    out: &Path,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Summary, SampleError> {
    let format = Format::of(out)?;
    let report = Report::new(request, format)?;
    let file = Draft::beside(out)?;
    let summary = match format {
        Format::Delimited { delimiter, packing } => {
            write_packed(&report, delimiter, packing, file.writer(), watch)
        }
        Format::Workbook => workbook::write(&report, file.temporary.as_file(), watch),
        Format::Parquet => columnar::write(&report, file.writer(), watch),
    };
    let summary = summary.map_err(|error| file.blame(error))?;
    let truth = Draft::beside(&truth_path(out))?;
    report.write_truth(truth.writer()).map_err(|error| truth.blame(error))?;
    truth.publish()?;
    file.publish()?;
    Ok(summary)
}

/// Writes the report as comma-separated text into a stream, without its truth.
pub fn write_csv(request: &Request, out: impl Write) -> Result<Summary, SampleError> {
    let report = Report::new(request, Format::Delimited { delimiter: b',', packing: None })?;
    write_text(&report, b',', BufWriter::new(out), &mut |_| ControlFlow::Continue(()))
        .map(|written| written.0)
}

/// Writes the truth about the report of a request into a stream.
pub fn write_truth(request: &Request, out: impl Write) -> Result<(), SampleError> {
    let report = Report::new(request, Format::Delimited { delimiter: b',', packing: None })?;
    report.write_truth(BufWriter::new(out))
}

fn write_packed(
    report: &Report,
    delimiter: u8,
    packing: Option<Packing>,
    out: impl Write,
    watch: Watch<'_>,
) -> Result<Summary, SampleError> {
    match packing {
        None => write_text(report, delimiter, out, watch).map(|written| written.0),
        // No name and no time in the header: the same bytes whenever they are written.
        Some(Packing::Gzip) => {
            let packed =
                BufWriter::with_capacity(1 << 16, GzEncoder::new(out, flate2::Compression::default()));
            let (summary, packed) = write_text(report, delimiter, packed, watch)?;
            packed.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush()?;
            Ok(summary)
        }
        Some(Packing::Zstd) => {
            let packed = BufWriter::with_capacity(1 << 16, zstd::Encoder::new(out, 3)?);
            let (summary, packed) = write_text(report, delimiter, packed, watch)?;
            packed.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush()?;
            Ok(summary)
        }
    }
}

fn write_text<W: Write>(
    report: &Report,
    delimiter: u8,
    out: W,
    watch: Watch<'_>,
) -> Result<(Summary, W), SampleError> {
    let lines = Lines::disordered(out, delimiter, &report.kinds)?;
    let mut text = Text { lines, style: report.style() };
    let summary = report.write(&mut text, watch)?;
    Ok((summary, text.lines.finish()?))
}

/// A file that is not there until it is whole.
struct Draft {
    temporary: NamedTempFile,
    place: PathBuf,
}

impl Draft {
    fn beside(place: &Path) -> Result<Self, SampleError> {
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(SampleError::NoFolder { path: place.into(), folder: folder.into() });
        }
        let mut draft = tempfile::Builder::new();
        draft.prefix(".caliber-sample-");
        // Not a secret: readable to whom the umask lets read.
        #[cfg(unix)]
        draft.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = draft
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            // Its own words would name the draft; the kind is the system's.
            .map_err(|source| SampleError::File { path: place.into(), source: source.kind().into() })?;
        Ok(Self { temporary, place: place.into() })
    }

    fn writer(&self) -> BufWriter<&File> {
        BufWriter::with_capacity(1 << 18, self.temporary.as_file())
    }

    /// Names the file in errors of the system.
    fn blame(&self, error: SampleError) -> SampleError {
        match error {
            SampleError::Stream(source) | SampleError::Workbook(XlsxError::IoError(source)) => {
                SampleError::File { path: self.place.clone(), source }
            }
            other => other,
        }
    }

    fn publish(self) -> Result<(), SampleError> {
        let Self { temporary, place } = self;
        match temporary.persist(&place) {
            Ok(_) => Ok(()),
            Err(failed) => Err(SampleError::File { path: place, source: failed.error }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_chooses_the_format() {
        let text = |delimiter, packing| Format::Delimited { delimiter, packing };
        for (name, format) in [
            ("a.csv", text(b',', None)),
            ("a.b.TSV", text(b'\t', None)),
            ("a.csv.gz", text(b',', Some(Packing::Gzip))),
            ("a.tsv.zst", text(b'\t', Some(Packing::Zstd))),
            ("a.xlsx", Format::Workbook),
            ("a.parquet", Format::Parquet),
        ] {
            assert_eq!(Format::of(Path::new(name)).unwrap(), format, "{name}");
        }
        for name in ["a", "csv", "a.txt", "a.xlsx.gz", "a.parquet.zst", "a.gz", "", "/"] {
            assert!(Format::of(Path::new(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn the_truth_stands_beside_the_report() {
        for (name, truth) in [
            ("x/spring.csv", "x/spring.truth.csv"),
            ("spring.csv.gz", "spring.truth.csv"),
            ("spring.2025.TSV.ZST", "spring.2025.truth.csv"),
            ("spring.xlsx", "spring.truth.csv"),
        ] {
            assert_eq!(truth_path(Path::new(name)), Path::new(truth));
        }
    }
}
