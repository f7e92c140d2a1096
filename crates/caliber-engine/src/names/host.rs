//! Hosts and store URLs in cells.

use std::net::Ipv4Addr;

use idna::AsciiDenyList;

/// A text seen as a URL or a bare host.
pub(super) struct Address<'a> {
    /// Without user, port and leading `www.`; not yet known to be a host.
    host: &'a str,
    /// Path, query and fragment.
    rest: &'a str,
    /// What comes before `//`; `None` where the text does not say that it is a URL.
    scheme: Option<&'a str>,
}

impl<'a> Address<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (scheme, text) = match memchr::memchr(b'/', text.as_bytes()) {
            Some(at) if text[at..].starts_with("//") && (at == 0 || is_scheme(&text[..at])) => {
                (Some(&text[..at]), &text[at + 2..])
            }
            _ => (None, text),
        };
        let end = text.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\'));
        let (authority, rest) = text.split_at(end.unwrap_or(text.len()));
        let host = without_userinfo(authority);
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        };
        Self { host: without_www(host.trim_end_matches('.')), rest, scheme }
    }

    /// Appends the host as a key; `false` where there is none, and then `key` may hold a part.
    pub(super) fn push_host(&self, key: &mut String) -> bool {
        let explicit = self.scheme.is_some();
        if !explicit && !self.host.contains('.') {
            return false;
        }
        if self.host.is_ascii() {
            if Labels::of(self.host).is_none() {
                return false;
            }
            key.push_str(self.host);
            key.make_ascii_lowercase();
            return true;
        }
        let ascii = idna::domain_to_ascii_cow(self.host.as_bytes(), AsciiDenyList::URL);
        let Ok(ascii) = ascii else { return false };
        let ascii = without_www(ascii.trim_end_matches('.'));
        key.push_str(ascii);
        // Names of apps may hold points and accents; without a scheme only a real domain makes them a host.
        let punycode = ascii.split('.').any(|label| label.starts_with("xn--"));
        Labels::of(ascii)
            .is_some_and(|labels| explicit || !punycode || labels.are_reserved() || is_top_level(ascii))
    }

    /// The id in a URL of the App Store or of Google Play, in its own spelling.
    pub(super) fn store_id(&self) -> Option<&'a str> {
        let is = |name: &str| self.host.eq_ignore_ascii_case(name);
        if is("itunes.apple.com") || is("apps.apple.com") || is("geo.itunes.apple.com") {
            let segments = self.path().split('/').filter_map(|segment| {
                let (id, number) = segment.split_at_checked(2)?;
                id.eq_ignore_ascii_case("id").then_some(number)
            });
            let is_number = |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            return segments.chain(self.id_parameter()).find(is_number);
        }
        let market =
            is("details") && self.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("market:"));
        if market || (is("play.google.com") && self.path().contains("/apps/details")) {
            return self.id_parameter().filter(|id| Labels::of(id).is_some());
        }
        None
    }

    fn path(&self) -> &'a str {
        self.rest.split(['?', '#']).next().unwrap_or_default()
    }

    /// The value of `id=` in the query.
    fn id_parameter(&self) -> Option<&'a str> {
        let (_, query) = self.rest.split('#').next()?.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.eq_ignore_ascii_case("id").then_some(value)
        })
    }
}

/// `user:password@host`; a leading `@` begins a handle.
fn without_userinfo(authority: &str) -> &str {
    match authority.rsplit_once('@') {
        Some((user, host)) if !user.is_empty() => host,
        _ => authority,
    }
}

fn is_scheme(text: &str) -> bool {
    text.strip_suffix(':').is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Without leading `www.`, as long as two labels remain.
fn without_www(host: &str) -> &str {
    let mut host = host;
    while let Some((www, rest)) = host.split_once('.') {
        if !www.eq_ignore_ascii_case("www") || !rest.contains('.') {
            break;
        }
        host = rest;
    }
    host
}

/// The labels of a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Labels<'a> {
    pub(super) count: usize,
    pub(super) first: &'a str,
    pub(super) last: &'a str,
}

impl<'a> Labels<'a> {
    /// Labels of up to 63 letters, digits, `-` and `_` parted by single points; `None` of anything else.
    pub(super) fn of(host: &'a str) -> Option<Self> {
        let (mut count, mut first, mut start) = (1, None, 0);
        for (at, byte) in host.bytes().enumerate() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => {}
                b'.' if is_label_length(at - start) => {
                    first.get_or_insert(&host[..at]);
                    (count, start) = (count + 1, at + 1);
                }
                _ => return None,
            }
        }
        let last = &host[start..];
        let is_host = is_label_length(last.len()) && host.len() <= 253;
        is_host.then_some(Self { count, first: first.unwrap_or(host), last })
    }

    /// Whether the last is a name that RFC 2606, RFC 6761 or local networks set aside.
    pub(super) fn are_reserved(self) -> bool {
        matches!(
            self.last,
            "example" | "test" | "invalid" | "localhost" | "local" | "internal" | "onion" | "lan"
        )
    }
}

fn is_label_length(length: usize) -> bool {
    (1..=63).contains(&length)
}

/// Whether a host, or a single label, ends in a top-level domain of the public suffix list.
pub(super) fn is_top_level(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Whether the key is an IPv4 address.
pub(super) fn is_address(key: &str) -> bool {
    key.parse::<Ipv4Addr>().is_ok()
}
