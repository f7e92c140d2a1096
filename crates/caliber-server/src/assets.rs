//! Styles, scripts, fonts and pictures of the pages, served from the binary.
//!
//! Their address holds a hash of all of them together: whoever has a file keeps it for ever, scripts and styles may
//! name each other by a relative address, and another version has other addresses.

use std::io::Write as _;
use std::sync::{LazyLock, OnceLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::App;
use crate::failure::{Failure, FailureCode};

/// The best that pays for files that are packed once a start; a build for tests packs slowly, so it packs less.
const BROTLI_QUALITY: u32 = if cfg!(debug_assertions) { 2 } else { 9 };
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// A file of the pages.
struct Asset {
    name: &'static str,
    bytes: &'static [u8],
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

macro_rules! assets {
    ($($name:literal: $path:literal),* $(,)?) => {
        static ASSETS: [Asset; [$($name),*].len()] = [$(Asset {
            name: $name,
            bytes: include_bytes!(concat!("../assets/", $path)),
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }),*];
    };
}

assets! {
    "app.css": "app.css",
    "app.js": "app.js",
    "theme.js": "theme.js",
    "upload.js": "upload.js",
    "weights.js": "weights.js",
    "results.js": "results.js",
    "favicon.svg": "favicon.svg",
    "icons.svg": "vendor/tabler-icons/icons.svg",
    "tabler.min.css": "vendor/tabler/tabler.min.css",
    "htmx.min.js": "vendor/htmx/htmx.min.js",
    "sse.min.js": "vendor/htmx-ext-sse/sse.min.js",
    "echarts.min.js": "vendor/echarts/echarts.min.js",
    "inter-latin-wght-normal.woff2": "vendor/inter/inter-latin-wght-normal.woff2",
    "inter-latin-ext-wght-normal.woff2": "vendor/inter/inter-latin-ext-wght-normal.woff2",
}

/// What all addresses have in common: a hash of every file.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for asset in &ASSETS {
        hash.update(asset.name);
        hash.update(asset.bytes);
    }
    hex::encode(&hash.finalize()[..8])
});

/// The address of a file; a test knows that every one that is asked for is there.
pub(crate) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", FOLDER.as_str())
}

/// Whether there is such a file.
#[cfg(test)]
pub(crate) fn exists(name: &str) -> bool {
    ASSETS.iter().any(|asset| asset.name == name)
}

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/assets/{folder}/{name}", get(serve))
        .route("/favicon.ico", get(|| async { Redirect::temporary(&url("favicon.svg")) }))
}

/// Packs every file before somebody waits for it.
pub(crate) fn warm_up() {
    for asset in &ASSETS {
        if asset.is_text() {
            asset.packed(Packing::Brotli);
        }
    }
}

async fn serve(Path((folder, name)): Path<(String, String)>, asked: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Failure::new(FailureCode::NotFound, "there is no such file").into_response();
    };
    // A page of another version names another folder; what is here now serves it for the moment.
    let kept = if folder == *FOLDER { FOR_EVER } else { ASK_AGAIN };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type())),
        (header::CACHE_CONTROL, kept),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    let Some(packing) = Packing::asked_for(&asked).filter(|_| asset.is_text()) else {
        return (headers, Bytes::from_static(asset.bytes)).into_response();
    };
    let packed = tokio::task::spawn_blocking(move || asset.packed(packing)).await;
    match packed {
        Ok(packed) => {
            let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static(packing.name()))];
            (headers, encoding, packed).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Brotli,
    Gzip,
}

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The better of those that the client takes.
    fn asked_for(headers: &HeaderMap) -> Option<Self> {
        let taken: Vec<&str> = headers
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter(|coding| !coding.replace(' ', "").ends_with(";q=0"))
            .map(|coding| coding.split(';').next().unwrap_or_default().trim())
            .collect();
        [Self::Brotli, Self::Gzip].into_iter().find(|packing| taken.contains(&packing.name()))
    }
}

impl Asset {
    fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("woff2") => "font/woff2",
            _ => "application/octet-stream",
        }
    }

    /// Whether packing makes it smaller: fonts are packed already.
    fn is_text(&self) -> bool {
        self.media_type() != "font/woff2"
    }

    fn packed(&self, packing: Packing) -> Bytes {
        match packing {
            Packing::Brotli => self.brotli.get_or_init(|| brotli(self.bytes)),
            Packing::Gzip => self.gzip.get_or_init(|| gzip(self.bytes)),
        }
        .clone()
    }
}

fn brotli(bytes: &[u8]) -> Bytes {
    let mut packed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, BROTLI_QUALITY, 22);
    writer.write_all(bytes).expect("a vector takes whatever is written");
    drop(writer);
    packed.into()
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes).expect("a vector takes whatever is written");
    writer.finish().expect("a vector takes whatever is written").into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_better_packing_that_a_client_takes_is_chosen() {
        let chosen = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            Packing::asked_for(&headers)
        };
        assert_eq!(chosen("gzip, deflate, br"), Some(Packing::Brotli));
        assert_eq!(chosen("gzip;q=0.5, br;q=0"), Some(Packing::Gzip));
        assert_eq!(chosen("identity"), None);
    }

    #[test]
    fn packed_files_are_smaller_and_unpack_to_themselves() {
        let style = ASSETS.iter().find(|asset| asset.name == "app.css").unwrap();
        let mut unpacked = Vec::new();
        let packed = style.packed(Packing::Gzip);
        flate2::read::GzDecoder::new(packed.as_ref()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, style.bytes);
        unpacked.clear();
        let packed = style.packed(Packing::Brotli);
        brotli::Decompressor::new(packed.as_ref(), 4096).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, style.bytes);
        assert!(packed.len() * 2 < style.bytes.len());
    }
}
