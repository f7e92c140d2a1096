//! The report as its readers meet it: its text by an extractor of another library, its pages as pictures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod branding;
mod campaign;
mod contents;
mod documents;
mod looks;
mod scripts;

use caliber_pdf::{Branding, Contents, render};
use campaign::Campaign;

/// The report with all it can have.
fn pdf(campaign: &Campaign) -> Vec<u8> {
    render(&campaign.report(), &agency(), Contents::default()).unwrap()
}

fn agency() -> Branding {
    Branding { name: "Lighthouse Media".to_owned(), ..Branding::default() }
}

/// The text of a report, lines and blanks made one blank each.
fn text(pdf: &[u8]) -> String {
    let text = pdf_extract::extract_text_from_mem(pdf).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without any blanks, for names that are broken over lines.
fn letters(pdf: &[u8]) -> String {
    pdf_extract::extract_text_from_mem(pdf).unwrap().split_whitespace().collect()
}

fn pages(pdf: &[u8]) -> usize {
    pdf_extract::Document::load_mem(pdf).unwrap().get_pages().len()
}

#[track_caller]
fn assert_holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}
