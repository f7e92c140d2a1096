//! The logo of an organisation: a small picture that its reports carry.

use bytes::Bytes;
use caliber_pdf::Branding;
use caliber_store::organizations::{self, Organization, OrganizationChange};
use uuid::Uuid;

use super::{Caller, Identity};
use crate::error::{Error, Result};

/// Bytes of a logo, at most.
pub const MOST_BYTES: usize = 512 << 10;

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
        let looked = picture.clone();
        tokio::task::spawn_blocking(move || checked(&looked)).await.map_err(Error::internal)??;
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
        let media_type = Kind::of(&picture).media_type();
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

/// What the picture is; refused where a report could not carry it, or a page should not show it.
fn checked(picture: &[u8]) -> Result<Kind> {
    if picture.len() > MOST_BYTES {
        return Err(Error::TooLarge(format!("a logo has at most {} KB", MOST_BYTES >> 10)));
    }
    let branding = Branding { logo: Some(picture.to_vec()), ..Branding::default() };
    let refused = |error: caliber_engine::Error| {
        let most = MOST_BYTES >> 10;
        Error::WrongKind(format!("{}; a logo is a PNG, JPEG or SVG of at most {most} KB", error.message))
    };
    branding.check().map_err(refused)?;
    let kind = Kind::of(picture);
    if kind == Kind::Svg && !is_harmless(picture) {
        return Err(Error::WrongKind(
            "a logo is a picture; this SVG has a script, or text of a page".to_owned(),
        ));
    }
    Ok(kind)
}

impl Kind {
    /// Of a picture that can be read.
    fn of(picture: &[u8]) -> Self {
        match picture {
            [0x89, b'P', ..] => Self::Png,
            [0xff, 0xd8, ..] => Self::Jpeg,
            _ => Self::Svg,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// Whether an SVG runs nothing when it is opened by itself.
fn is_harmless(svg: &[u8]) -> bool {
    let text = String::from_utf8_lossy(svg).to_ascii_lowercase();
    ["<script", "<foreignobject", "javascript:"].iter().all(|word| !text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_content() {
        // Eight points by eight.
        let png = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x08\x00\x00\x00\x08\x08\x02\x00\x00\x00Km)\xdc\x00\x00\x00\x11IDATx\xdac\x10\x08\x98\x80\x151\x0c-\x09\x00R!<\x01\x9b\xbf\xe1\x15\x00\x00\x00\x00IEND\xaeB`\x82";
        assert_eq!(checked(png).unwrap(), Kind::Png);
        let svg =
            "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>\n";
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
            b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"><script>1</script></svg>",
            b"<!DOCTYPE svg [<!ENTITY a \"b\">]><svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        ] {
            assert!(
                matches!(checked(wrong), Err(Error::WrongKind(_))),
                "{:?}",
                String::from_utf8_lossy(wrong)
            );
        }
        assert!(matches!(checked(&vec![b' '; MOST_BYTES + 1]), Err(Error::TooLarge(_))));
    }
}
