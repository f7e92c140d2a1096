//! The report as a PDF among PDFs: tags, title, language, dates, the same bytes again.

use caliber_engine::recipe::Channel;
use caliber_reports::CampaignReport;
use pdf_extract::{Dictionary, Document, Object};

use crate::campaign::Campaign;
use crate::{agency, pdf};

fn dictionary<'a>(document: &'a Document, object: &'a Object) -> &'a Dictionary {
    document.dereference(object).unwrap().1.as_dict().unwrap()
}

/// A text string of a PDF: UTF-16 with its mark, or else plain.
fn string(object: &Object) -> String {
    let bytes = object.as_str().unwrap();
    match bytes.strip_prefix(&[0xfe, 0xff]) {
        Some(wide) => {
            let units: Vec<u16> = wide.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).unwrap()
        }
        None => String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

#[test]
fn a_report_is_tagged_and_has_title_language_author_and_date() {
    let mut campaign = Campaign::fixture("ttd_display", Channel::Display);
    campaign.name = "Frühling & Café №1".to_owned();
    let document = Document::load_mem(&pdf(&campaign)).unwrap();
    let catalog = document.catalog().unwrap();
    assert_eq!(string(catalog.get(b"Lang").unwrap()), "en");
    assert!(
        dictionary(&document, catalog.get(b"MarkInfo").unwrap()).get(b"Marked").unwrap().as_bool().unwrap()
    );
    assert!(catalog.has(b"StructTreeRoot"));
    assert!(catalog.has(b"Outlines"), "headings are bookmarks");
    let info = dictionary(&document, document.trailer.get(b"Info").unwrap());
    assert_eq!(string(info.get(b"Title").unwrap()), "Frühling & Café №1: campaign quality report");
    assert_eq!(string(info.get(b"Author").unwrap()), "Lighthouse Media");
    assert!(string(info.get(b"CreationDate").unwrap()).starts_with("D:20250203103045"));
}

#[test]
fn tables_and_charts_are_told_to_those_who_do_not_see_them() {
    let campaign = Campaign::fixture("ttd_display", Channel::Display);
    let document = Document::load_mem(&pdf(&campaign)).unwrap();
    let elements: Vec<&Dictionary> =
        document.objects.values().filter_map(|object| object.as_dict().ok()).collect();
    let of_kind = |kind: &[u8]| {
        let is_kind = |element: &&&Dictionary| element.get(b"S").and_then(Object::as_name).ok() == Some(kind);
        elements.iter().filter(is_kind).count()
    };
    assert!(of_kind(b"Table") >= 6, "{}", of_kind(b"Table"));
    assert!(of_kind(b"TH") > of_kind(b"Table"));
    assert!(of_kind(b"H1") >= 8, "{}", of_kind(b"H1"));
    let described = elements.iter().filter(|element| element.has(b"Alt")).count();
    assert!(described >= 5, "charts have words for them: {described}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let campaign = Campaign::fixture("ttd_display", Channel::Display);
    let first = pdf(&campaign);
    assert_eq!(first, pdf(&campaign));
    let later = campaign.report().generated_at + chrono::TimeDelta::days(1);
    let report = CampaignReport { generated_at: later, ..campaign.report() };
    assert_ne!(first, caliber_pdf::render(&report, &agency(), caliber_pdf::Contents::default()).unwrap());
}

#[test]
fn reports_can_be_made_side_by_side() {
    let campaign = Campaign::fixture("ttd_display", Channel::Display);
    let alone = pdf(&campaign);
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(|| pdf(&campaign))).collect();
        for other in others {
            assert_eq!(other.join().unwrap(), alone);
        }
    });
}
