//! Whose report it is.

use caliber_engine::{Code, Error, Result};
use serde::Serialize;
use typst::foundations::Bytes;
use typst::visualize::{ExchangeFormat, RasterImage, SvgImage};

/// Bytes of a logo at most.
const LOGO_BYTES: usize = 2 << 20;
/// Pixels of a logo at most: what is packed small may unpack to gigabytes.
const LOGO_PIXELS: usize = 8_000_000;
/// Elements of an SVG that repeat others at most: each level of repeating multiplies.
const LOGO_REPEATS: usize = 32;
/// What an SVG may not have: pictures of pixels, whose size nobody has looked at, and text that unfolds.
const HEAVY_SVG: [&str; 3] = ["<filter", "<image", "<!ENTITY"];

const PRIMARY: Color = Color([0x16, 0x32, 0x4f]);
const ACCENT: Color = Color([0x1f, 0x8a, 0x8c]);
const BLACK: Color = Color([0; 3]);
const WHITE: Color = Color([0xff; 3]);
const INK: Color = Color([0x1b, 0x22, 0x2c]);
/// The least contrast of text (WCAG 2.2, level AA), and of parts of pictures.
const CONTRAST: f64 = 4.5;
const CONTRAST_OF_PICTURES: f64 = 3.0;

/// Whose report it is: what the agency puts on it.
#[derive(Clone, Debug, Default)]
pub struct Branding {
    /// The agency's name; nothing where it is empty.
    pub name: String,
    /// A PNG, JPEG or SVG of 2 MB and 8 million pixels at most.
    pub logo: Option<Vec<u8>>,
    /// `#rrggbb`; the usual one where nothing is said.
    pub primary_color: Option<String>,
    /// `#rrggbb`; the usual one where nothing is said.
    pub accent_color: Option<String>,
}

/// The colours of a report, `#rrggbb`: the agency's, and what is readable with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Palette {
    /// Large areas.
    pub(crate) primary: String,
    /// Text on them.
    pub(crate) on_primary: String,
    /// The primary colour, dark enough for text on white.
    pub(crate) primary_text: String,
    /// The primary colour, dark enough for bars on white.
    pub(crate) bar: String,
    /// Rules and marks, dark enough to be seen on white.
    pub(crate) accent: String,
    /// The accent colour, dark enough for text on white.
    pub(crate) accent_text: String,
    /// A hint of the primary colour behind text.
    pub(crate) tint: String,
}

/// A logo that can be set.
pub(crate) struct Logo {
    pub(crate) bytes: Bytes,
    /// As Typst calls it: `png`, `jpg`, `svg`.
    pub(crate) format: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Color([u8; 3]);

impl Branding {
    /// Looks whether a report can carry it.
    ///
    /// # Errors
    /// `BadOption` for a logo that is no picture, a broken or a huge one, and for a colour that is none.
    pub fn check(&self) -> Result<()> {
        self.palette()?;
        self.checked_logo().map(drop)
    }

    /// The colours.
    ///
    /// # Errors
    /// `BadOption` for what is no `#rrggbb`.
    pub(crate) fn palette(&self) -> Result<Palette> {
        let color = |given: &Option<String>, what, usual| match given {
            Some(given) => Color::of(given, what),
            None => Ok(usual),
        };
        let primary = color(&self.primary_color, "primary colour", PRIMARY)?;
        let accent = color(&self.accent_color, "accent colour", ACCENT)?;
        // White or black can be read on every colour.
        let is_readable = |text: &Color| text.contrast(primary) >= CONTRAST;
        let on_primary = [WHITE, INK, BLACK].into_iter().find(is_readable).unwrap_or(BLACK);
        Ok(Palette {
            primary: primary.hex(),
            on_primary: on_primary.hex(),
            primary_text: primary.darkened(CONTRAST).hex(),
            bar: primary.darkened(CONTRAST_OF_PICTURES).hex(),
            accent: accent.darkened(CONTRAST_OF_PICTURES).hex(),
            accent_text: accent.darkened(CONTRAST).hex(),
            tint: primary.darkened(CONTRAST_OF_PICTURES).mixed(WHITE, 0.94).hex(),
        })
    }

    /// The logo, looked at.
    ///
    /// # Errors
    /// `BadOption` for what is no picture, a broken one, or one that is too large.
    pub(crate) fn checked_logo(&self) -> Result<Option<Logo>> {
        let Some(logo) = &self.logo else { return Ok(None) };
        let wrong = |message: String| {
            Error::new(Code::BadOption, message)
                .help("give a PNG, JPEG or SVG of 2 MB and 8 million pixels at most")
        };
        if logo.len() > LOGO_BYTES {
            return Err(wrong(format!(
                "the logo has {} bytes, more than the {LOGO_BYTES} that are taken",
                logo.len()
            )));
        }
        let bytes = Bytes::new(logo.clone());
        let format = match ExchangeFormat::detect(logo) {
            Some(ExchangeFormat::Png) => {
                check_pixels(logo, &bytes, ExchangeFormat::Png).map_err(wrong)?;
                "png"
            }
            Some(ExchangeFormat::Jpg) => {
                check_pixels(logo, &bytes, ExchangeFormat::Jpg).map_err(wrong)?;
                "jpg"
            }
            _ => {
                check_svg(logo, &bytes).map_err(wrong)?;
                "svg"
            }
        };
        Ok(Some(Logo { bytes, format }))
    }
}

/// The size is looked at before anything is unpacked.
fn check_pixels(logo: &[u8], bytes: &Bytes, format: ExchangeFormat) -> std::result::Result<(), String> {
    let broken = |cause: String| format!("the logo is broken: {cause}");
    let size = imagesize::blob_size(logo).map_err(|cause| broken(cause.to_string()))?;
    if size.width.saturating_mul(size.height) > LOGO_PIXELS {
        return Err(format!("the logo is {} by {} pixels", size.width, size.height));
    }
    RasterImage::plain(bytes.clone(), format).map(|_| ()).map_err(|cause| broken(cause.to_string()))
}

fn check_svg(logo: &[u8], bytes: &Bytes) -> std::result::Result<(), String> {
    let text = std::str::from_utf8(logo).ok().filter(|text| text.contains("<svg"));
    let Some(text) = text else { return Err("the logo is no PNG, JPEG or SVG".to_owned()) };
    if let Some(heavy) = HEAVY_SVG.iter().find(|heavy| text.contains(**heavy)) {
        return Err(format!(
            "the logo has a {}, which an SVG logo may not",
            heavy.trim_start_matches(['<', '!'])
        ));
    }
    if text.matches("<use").count() + text.matches("<pattern").count() > LOGO_REPEATS {
        return Err(format!("the logo repeats its parts more than {LOGO_REPEATS} times"));
    }
    SvgImage::new(bytes.clone())
        .map(|_| ())
        .map_err(|_| "the logo is broken: it cannot be read as SVG".to_owned())
}

impl Color {
    fn of(given: &str, what: &str) -> Result<Self> {
        let digits = given.trim().strip_prefix('#').filter(|digits| digits.len() == 6);
        let is_hex = |digits: &&str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let parsed = digits.filter(is_hex).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = parsed
            .ok_or_else(|| {
                Error::new(Code::BadOption, format!("the {what} `{given}` is no colour"))
                    .help("write it as #rrggbb, for instance #16324f")
            })?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// The colour with so much of another in it, 0..1.
    fn mixed(self, other: Self, share: f64) -> Self {
        let mix =
            |own: u8, other: u8| (f64::from(own) * (1.0 - share) + f64::from(other) * share).round() as u8;
        Self(std::array::from_fn(|at| mix(self.0[at], other.0[at])))
    }

    /// The colour, darkened until it has this contrast on white.
    fn darkened(self, contrast: f64) -> Self {
        let steps = (0..=20).map(|step| self.mixed(INK, f64::from(step) / 20.0));
        steps.into_iter().find(|color| color.contrast(WHITE) >= contrast).unwrap_or(INK)
    }

    /// The contrast of two colours, 1..21 (WCAG 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (own, other) = (self.luminance(), other.luminance());
        (own.max(other) + 0.05) / (own.min(other) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palette(primary: &str) -> Palette {
        Branding { primary_color: Some(primary.into()), ..Branding::default() }.palette().unwrap()
    }

    #[test]
    fn text_can_be_read_on_and_in_every_colour() {
        let color = |hex: &str| Color::of(hex, "colour").unwrap();
        for primary in ["#ffffff", "#ffee00", "#00ff00", "#777777", "#000000", "#ff0066", "#16324f"] {
            let palette = palette(primary);
            assert!(color(&palette.on_primary).contrast(color(primary)) >= CONTRAST, "on {primary}");
            assert!(color(&palette.primary_text).contrast(WHITE) >= CONTRAST, "{primary} as text");
            assert!(color(&palette.bar).contrast(WHITE) >= CONTRAST_OF_PICTURES, "{primary} as a bar");
            assert!(
                color(&palette.primary_text).contrast(color(&palette.tint)) >= 3.9,
                "{primary} on its tint"
            );
        }
        assert_eq!(palette("#16324F").primary_text, "#16324f");
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 1e-9);
        // The example of WebAIM's contrast checker.
        assert!((WHITE.contrast(Color([0x76; 3])) - 4.54).abs() < 0.005);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for wrong in ["red", "#12345", "16324f", "#16324g", "#+12345", ""] {
            let branding = Branding { accent_color: Some(wrong.into()), ..Branding::default() };
            let error = branding.palette().unwrap_err();
            assert_eq!(error.code, Code::BadOption, "{wrong}");
            assert!(error.message.contains("accent colour"), "{wrong}");
        }
    }
}
