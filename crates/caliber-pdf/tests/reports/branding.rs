//! The agency's name, logo and colours.

use caliber_engine::Code;
use caliber_engine::recipe::Channel;
use caliber_pdf::{Branding, Contents, render};

use crate::campaign::Campaign;
use crate::text;

const SVG: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><rect width='40' height='20' fill='#e07a3f'/></svg>";

fn branded(branding: &Branding) -> caliber_engine::Result<Vec<u8>> {
    let campaign = Campaign::fixture("ttd_display", Channel::Display);
    render(&campaign.report(), branding, Contents { charts: false, details: false })
}

fn logo(bytes: &[u8]) -> caliber_engine::Result<Vec<u8>> {
    branded(&Branding { logo: Some(bytes.to_vec()), ..Branding::default() })
}

/// A PNG of one colour.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![200; (width * height) as usize]).unwrap();
    drop(writer);
    bytes
}

#[test]
fn name_logo_and_colours_are_the_agencys() {
    let plain = branded(&Branding::default()).unwrap();
    let ours = Branding {
        name: "Agence Éclair".into(),
        logo: Some(SVG.into()),
        primary_color: Some("#ffd400".into()),
        accent_color: Some("#d0006f".into()),
    };
    let pdf = branded(&ours).unwrap();
    assert!(text(&pdf).contains("Agence Éclair"));
    assert!(!text(&plain).contains("Agence"));
    for logo_bytes in [png(30, 10), SVG.into()] {
        assert_ne!(logo(&logo_bytes).unwrap(), plain);
    }
}

#[test]
fn what_is_no_logo_is_refused_with_its_reason() {
    let whole = png(30, 10);
    let broken = &whole[..whole.len() / 2];
    let huge = png(4000, 3000);
    let bomb = format!("<svg xmlns='http://www.w3.org/2000/svg'>{}</svg>", "<use href='#a'/>".repeat(100));
    let unfolding = "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>";
    for (bytes, reason) in [
        (b"hello".as_slice(), "no PNG, JPEG or SVG"),
        (b"", "no PNG, JPEG or SVG"),
        (broken, "broken"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00", "no PNG, JPEG or SVG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><rect></svg>", "broken"),
        (huge.as_slice(), "4000 by 3000 pixels"),
        (bomb.as_bytes(), "repeats"),
        (unfolding.as_bytes(), "ENTITY"),
        (&vec![0; 3 << 20], "bytes"),
    ] {
        let error = logo(bytes).unwrap_err();
        assert_eq!(error.code, Code::BadOption, "{reason}");
        assert!(error.message.contains(reason), "{}", error.message);
        assert!(error.help.unwrap().contains("PNG, JPEG or SVG"));
    }
}
