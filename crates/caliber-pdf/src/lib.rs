//! The report for the client: a scored campaign as a PDF.
//!
//! What is told is worked out and written in [`document`], the look is the template `report.typ`, and Typst sets it.

mod appendix;
mod branding;
mod charts;
mod document;
mod facts;
mod fonts;
mod metrics;
mod naming;
mod tables;
mod world;

use caliber_engine::{Code, Error, Result};
use caliber_reports::CampaignReport;
use chrono::{DateTime, Datelike, Timelike, Utc};
use typst::comemo;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, Timestamp};

pub use branding::Branding;
use document::Document;
use world::ReportWorld;

/// What the report has beside what it always has.
#[derive(Clone, Copy, Debug)]
pub struct Contents {
    /// Pictures of the figures.
    pub charts: bool,
    /// The first 50 rows of the results.
    pub details: bool,
}

impl Default for Contents {
    fn default() -> Self {
        Self { charts: true, details: true }
    }
}

/// The report as a PDF, tagged, with title, language and `generated_at` as its date. The same input gives the same bytes
/// on machines with the same fonts; those of the system are looked at only where a name has characters that ours lack.
///
/// # Errors
/// `BadOption` for a logo that is no picture, a broken or a huge one, and for a colour that is none; `Machine` where
/// typesetting fails, which is a bug of ours.
pub fn render(report: &CampaignReport<'_>, branding: &Branding, contents: Contents) -> Result<Vec<u8>> {
    let palette = branding.palette()?;
    let logo = branding.checked_logo()?;
    let (logo, format) = logo.map(|logo| (logo.bytes, logo.format)).unzip();
    let mut document = Document::of(report, &branding.name, palette, format, contents);
    let mut data = written_down(&document)?;
    if !world::can_show(&data) {
        document.note_letters_without_a_font();
        data = written_down(&document)?;
    }
    let pdf = typeset(&ReportWorld::new(data, logo), report.generated_at);
    // Typst keeps what it worked out for a next version of the document, which never comes.
    comemo::evict(0);
    pdf
}

fn written_down(document: &Document) -> Result<String> {
    serde_json::to_string(document)
        .map_err(|cause| Error::new(Code::Machine, "the report cannot be written down").caused_by(cause))
}

fn typeset(world: &ReportWorld, generated_at: DateTime<Utc>) -> Result<Vec<u8>> {
    let document = typst::compile::<PagedDocument>(world).output.map_err(|errors| failed(&errors))?;
    let options = PdfOptions {
        creator: Smart::Custom(Some(format!("Caliber {}", env!("CARGO_PKG_VERSION")))),
        timestamp: timestamp(generated_at),
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| failed(&errors))
}

fn timestamp(at: DateTime<Utc>) -> Option<Timestamp> {
    let [month, day, hour, minute, second] =
        [at.month(), at.day(), at.hour(), at.minute(), at.second()].map(|part| u8::try_from(part).ok());
    Datetime::from_ymd_hms(at.year(), month?, day?, hour?, minute?, second?).map(Timestamp::new_utc)
}

fn failed(errors: &[SourceDiagnostic]) -> Error {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    Error::new(Code::Machine, format!("the report cannot be typeset: {}", messages.join("; ")))
        .help("this is a bug of Caliber; please report it")
}
