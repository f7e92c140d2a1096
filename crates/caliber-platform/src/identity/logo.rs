//! The logo of an organisation: a small picture that its reports carry.

use bytes::Bytes;
use caliber_store::organizations::{self, Organization, OrganizationChange};
use imagesize::ImageType;
use uuid::Uuid;

use super::{Caller, Identity};
use crate::error::{Error, Result};

/// Bytes of a logo.
const MOST_BYTES: usize = 512 << 10;
/// Points of its width and of its height: what is packed small may be large.
const MOST_POINTS: usize = 4096;

/// What a picture is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    Svg,
}

impl Identity<'_> {
    /// Puts the logo in place of the one before.
    ///
    /// # Errors
    /// [`Error::WrongKind`] for what is no PNG, JPEG or SVG, [`Error::TooLarge`].
    pub async fn set_logo(&self, caller: &Caller, picture: Bytes) -> Result<Organization> {
        checked(&picture)?;
        let before = self.organization(caller).await?.logo_key;
        let key = format!("organizations/{}/logo/{}", caller.user.organization_id, Uuid::now_v7());
        self.0.objects().put_bytes(&key, picture).await?;
        let change = OrganizationChange { logo_key: Some(Some(key)), ..OrganizationChange::default() };
        self.change_logo(caller, change, before).await
    }

    /// Takes the logo away.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_logo(&self, caller: &Caller) -> Result<Organization> {
        let before = self.organization(caller).await?.logo_key;
        let change = OrganizationChange { logo_key: Some(None), ..OrganizationChange::default() };
        self.change_logo(caller, change, before).await
    }

    /// The logo and its media type.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    pub async fn logo(&self, caller: &Caller) -> Result<(Bytes, &'static str)> {
        let none = || Error::NotFound("your organisation has no logo".to_owned());
        let key = self.organization(caller).await?.logo_key.ok_or_else(none)?;
        let picture = self.0.objects().get_bytes(&key).await?;
        let media_type = match checked(&picture)? {
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::Svg => "image/svg+xml",
        };
        Ok((picture, media_type))
    }

    async fn change_logo(
        &self,
        caller: &Caller,
        change: OrganizationChange,
        before: Option<String>,
    ) -> Result<Organization> {
        let id = caller.user.organization_id;
        let db = self.0.store().db();
        let changed = organizations::update(db, caller.writes(), id, change, self.0.now()).await?;
        let changed = changed.ok_or_else(|| Error::not_found("organisation"))?;
        if let Some(before) = before {
            self.0.discard(&before).await;
        }
        Ok(changed)
    }
}

/// What the picture is; refused where a report or a page could not show it, or should not.
fn checked(picture: &[u8]) -> Result<Kind> {
    if picture.len() > MOST_BYTES {
        return Err(Error::TooLarge(format!("a logo has at most {} KB", MOST_BYTES >> 10)));
    }
    let none = || Error::WrongKind("a logo is a PNG, a JPEG or an SVG; this is none of them".to_owned());
    let kind = match imagesize::image_type(picture) {
        Ok(ImageType::Png) => Kind::Png,
        Ok(ImageType::Jpeg) => Kind::Jpeg,
        _ => return checked_svg(picture).ok_or_else(none),
    };
    let size = imagesize::blob_size(picture).map_err(|_| none())?;
    if size.width.max(size.height) > MOST_POINTS || size.width.min(size.height) == 0 {
        let message = format!("a logo has 1 to {MOST_POINTS} points a side; this has {} x {}", size.width, size.height);
        return Err(Error::TooLarge(message));
    }
    Ok(kind)
}

/// An SVG without what runs, grows or loads something else.
fn checked_svg(picture: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(picture).ok()?.trim_start_matches('\u{feff}').trim_start();
    let lower = text.to_ascii_lowercase();
    let is_svg = lower.starts_with('<') && lower.contains("<svg") && lower.trim_end().ends_with('>');
    let is_harmless =
        ["<!entity", "<script", "<foreignobject", "javascript:"].iter().all(|word| !lower.contains(word));
    (is_svg && is_harmless).then_some(Kind::Svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a PNG of this size, as far as it is looked at.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend(width.to_be_bytes());
        png.extend(height.to_be_bytes());
        png.extend([8, 6, 0, 0, 0]);
        png
    }

    #[test]
    fn pictures_are_told_by_their_content() {
        assert_eq!(checked(&png(64, 32)).unwrap(), Kind::Png);
        let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0";
        assert_eq!(checked(jpeg).unwrap(), Kind::Jpeg);
        let svg = "\u{feff}<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n";
        assert_eq!(checked(svg.as_bytes()).unwrap(), Kind::Svg);
    }

    #[test]
    fn what_is_no_harmless_picture_is_refused() {
        for wrong in [
            &b""[..],
            b"GIF89a\x01\0\x01\0",
            b"<html><svg",
            b"%PDF-1.7",
            b"\x89PNG\r\n\x1a\n",
            b"<svg><script>1</script></svg>",
            b"<!DOCTYPE svg [<!ENTITY a \"b\">]><svg/>",
        ] {
            assert!(matches!(checked(wrong), Err(Error::WrongKind(_))), "{:?}", String::from_utf8_lossy(wrong));
        }
        for large in [png(50_000, 10), png(10, 0), vec![b' '; MOST_BYTES + 1]] {
            assert!(matches!(checked(&large), Err(Error::TooLarge(_))));
        }
    }
}
