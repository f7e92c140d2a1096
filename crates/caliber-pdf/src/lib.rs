//! The report for the client: a scored campaign as a PDF.

use caliber_engine::Result;
use caliber_reports::CampaignReport;

/// Whose report it is: what the agency puts on it.
#[derive(Clone, Debug, Default)]
pub struct Branding {
    /// The agency's name; nothing where it is empty.
    pub name: String,
    /// A PNG, JPEG or SVG.
    pub logo: Option<Vec<u8>>,
    /// `#rrggbb`; the usual one where nothing is said.
    pub primary_color: Option<String>,
    /// `#rrggbb`; the usual one where nothing is said.
    pub accent_color: Option<String>,
}

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

/// The report as a PDF.
///
/// # Errors
/// `BadOption` for a logo that is no picture or a colour that is none; `Machine` where typesetting fails, which is a
/// bug of ours.
pub fn render(report: &CampaignReport<'_>, branding: &Branding, contents: Contents) -> Result<Vec<u8>> {
    let _ = (report, branding, contents);
    todo!("the template")
}
