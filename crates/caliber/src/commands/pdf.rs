//! The PDF, in builds that have it.

#[cfg(feature = "pdf")]
use std::path::Path;
use std::path::PathBuf;

use caliber_engine::{Code, Error, Result};
use caliber_reports::CampaignReport;

/// Whose report it is, and what it has.
#[derive(clap::Args, Default)]
pub(crate) struct Look {
    /// Name of the agency on the PDF
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
    /// Logo of the agency on the PDF: PNG, JPEG or SVG
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// Main colour of the PDF, as #1f2937
    #[arg(long, value_name = "#RRGGBB")]
    color: Option<String>,
    /// Second colour of the PDF
    #[arg(long, value_name = "#RRGGBB")]
    accent: Option<String>,
    /// Leave the charts out of the PDF
    #[arg(long)]
    no_charts: bool,
    /// Leave the detailed rows out of the PDF
    #[arg(long)]
    no_details: bool,
}

/// Whether this build makes PDFs.
///
/// # Errors
/// `BadOption` where it does not.
pub(crate) fn available() -> Result<()> {
    if cfg!(feature = "pdf") {
        return Ok(());
    }
    Err(Error::new(Code::BadOption, "this build of caliber makes no PDFs")
        .help("build it with the feature pdf, which is on unless it is turned off, or take xlsx"))
}

/// The report as a PDF.
#[cfg(feature = "pdf")]
pub(crate) fn render(report: &CampaignReport, look: &Look) -> Result<Vec<u8>> {
    let branding = caliber_pdf::Branding {
        name: look.agency.clone().unwrap_or_default(),
        logo: look.logo.as_deref().map(read_logo).transpose()?,
        primary_color: look.color.clone(),
        accent_color: look.accent.clone(),
    };
    let contents = caliber_pdf::Contents { charts: !look.no_charts, details: !look.no_details };
    caliber_pdf::render(report, &branding, contents)
}

#[cfg(not(feature = "pdf"))]
pub(crate) fn render(_: &CampaignReport, _: &Look) -> Result<Vec<u8>> {
    available().map(|()| Vec::new())
}

#[cfg(feature = "pdf")]
fn read_logo(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|cause| {
        Error::new(Code::NotReadable, format!("--logo: the picture cannot be read: {cause}"))
            .in_file(file.display().to_string())
            .help("give a PNG, JPEG or SVG")
            .caused_by(cause)
    })
}
