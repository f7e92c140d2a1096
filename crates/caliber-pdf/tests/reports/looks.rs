//! Pages as pictures, against those that a person looked at and approved.
//!
//! `CALIBER_APPROVE=1` takes the pages as they are now for approved: look at them first.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use caliber_engine::recipe::Channel;
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::render_pdf;

use crate::campaign::Campaign;
use crate::pdf;

/// Pixels per point: pages are recognised, and text is grey lines.
const SCALE: f32 = 0.6;
/// How much a part of a colour may differ, of 255, to count as the same.
const SAME: u8 = 48;
/// The share of pixels that may be others: smoothing differs a little between machines.
const OTHERS: f64 = 0.004;

struct Picture {
    width: u32,
    height: u32,
    /// Three bytes a pixel.
    pixels: Vec<u8>,
}

fn pictures(pdf: Vec<u8>) -> Vec<Picture> {
    let pdf = Pdf::new(pdf).unwrap();
    let pages = render_pdf(&pdf, SCALE, InterpreterSettings::default(), None).unwrap();
    let opaque = |pixels: &[u8]| pixels.chunks(4).flat_map(|pixel| pixel[..3].to_vec()).collect();
    pages
        .iter()
        .map(|page| Picture {
            width: page.width().into(),
            height: page.height().into(),
            pixels: opaque(page.data_as_u8_slice()),
        })
        .collect()
}

impl Picture {
    fn read(path: &Path) -> Self {
        let file = File::open(path)
            .unwrap_or_else(|cause| panic!("{}: {cause}; CALIBER_APPROVE=1 makes it", path.display()));
        let mut reader = png::Decoder::new(BufReader::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        pixels.truncate(info.buffer_size());
        Self { width: info.width, height: info.height, pixels }
    }

    fn write(&self, path: &Path) {
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        encoder.write_header().unwrap().write_image_data(&self.pixels).unwrap();
    }

    /// The share of pixels that are others than in a picture of the same size.
    fn difference(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height), "size of the page");
        let pixels = self.pixels.chunks(3).zip(other.pixels.chunks(3));
        let is_other = |(own, other): &(&[u8], &[u8])| {
            own.iter().zip(*other).any(|(own, other)| own.abs_diff(*other) > SAME)
        };
        pixels.clone().filter(is_other).count() as f64 / pixels.count() as f64
    }
}

#[track_caller]
fn assert_approved(name: &str, pdf: Vec<u8>) {
    let approved = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/approved");
    let found = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let pages = pictures(pdf);
    if std::env::var_os("CALIBER_APPROVE").is_some() {
        for (page, number) in pages.iter().zip(1..) {
            page.write(&approved.join(format!("{name}-{number}.png")));
        }
        return;
    }
    let more = approved.join(format!("{name}-{}.png", pages.len() + 1));
    assert!(!more.exists(), "the report has {} pages, fewer than approved", pages.len());
    for (page, number) in pages.iter().zip(1..) {
        let file = format!("{name}-{number}.png");
        let difference = page.difference(&Picture::read(&approved.join(&file)));
        if difference > OTHERS {
            let now = found.join(&file);
            page.write(&now);
            panic!(
                "{file}: {:.2} % of the pixels are others; the page as it is now: {}",
                difference * 100.0,
                now.display()
            );
        }
    }
}

#[test]
fn a_display_campaign_looks_as_approved() {
    assert_approved("display", pdf(&Campaign::fixture("ttd_display", Channel::Display)));
}

#[test]
fn a_campaign_of_vendors_looks_as_approved() {
    assert_approved("vendors", pdf(&Campaign::fixture("ttd_ctv", Channel::Ctv)));
}
