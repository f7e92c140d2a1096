//! Hosts and store URLs in cells.

use std::net::Ipv4Addr;

use idna::AsciiDenyList;

/// Appends the host of a URL or a bare host to `key`; `false` where the text holds none, and then `key` may
/// hold a part.
pub(super) fn push_host(text: &str, key: &mut String) -> bool {
    let (authority, explicit) = authority(text);
    let host = without_userinfo(authority);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    let host = without_www(host.trim_end_matches('.'));
    if !explicit && !host.contains('.') {
        return false;
    }
    if host.is_ascii() {
        key.extend(host.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
        return is_host_syntax(key);
    }
    let Ok(ascii) = idna::domain_to_ascii_cow(host.as_bytes(), AsciiDenyList::URL) else { return false };
    let ascii = without_www(ascii.trim_end_matches('.'));
    key.push_str(ascii);
    // Names of apps may hold points and accents; without a scheme only a real domain makes them a host.
    let punycode = ascii.split('.').any(|label| label.starts_with("xn--"));
    is_host_syntax(ascii) && (explicit || !punycode || is_reserved(ascii) || is_top_level(ascii))
}

/// The part of a URL between scheme and path, and whether the text says that it is a URL.
fn authority(text: &str) -> (&str, bool) {
    let (rest, explicit) = match text.find("//") {
        Some(0) => (&text[2..], true),
        Some(at) if is_scheme(&text[..at]) => (&text[at + 2..], true),
        _ => (text, false),
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    (&rest[..end], explicit)
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

/// Labels of up to 63 letters, digits, `-` and `_` parted by single points.
pub(super) fn is_host_syntax(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

/// Whether a host, or a single label, ends in a top-level domain of the public suffix list.
pub(super) fn is_top_level(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Whether a host ends in a name that RFC 2606, RFC 6761 or local networks set aside.
pub(super) fn is_reserved(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    matches!(last, "example" | "test" | "invalid" | "localhost" | "local" | "internal" | "onion" | "lan")
}

/// Whether the key is an IPv4 address.
pub(super) fn is_address(key: &str) -> bool {
    key.parse::<Ipv4Addr>().is_ok()
}

/// The id in a URL of the App Store or of Google Play, in its own spelling.
pub(super) fn store_id(text: &str) -> Option<&str> {
    // The fragment after `#` names no app.
    let url = text.split('#').next().unwrap_or(text);
    let (authority, _) = authority(url);
    let host = without_userinfo(authority);
    let host = host.split(':').next().unwrap_or(host);
    let is = |name: &str| without_www(host).eq_ignore_ascii_case(name);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let parameter = || {
        query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.eq_ignore_ascii_case("id").then_some(value)
        })
    };
    if is("itunes.apple.com") || is("apps.apple.com") || is("geo.itunes.apple.com") {
        let segment = path.split('/').filter_map(|segment| {
            let (id, number) = segment.split_at_checked(2)?;
            id.eq_ignore_ascii_case("id").then_some(number)
        });
        let numbers = segment.chain(parameter());
        return numbers.into_iter().find(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    }
    let market = authority.eq_ignore_ascii_case("details") && text.starts_with("market://");
    if market || (is("play.google.com") && path.contains("/apps/details")) {
        return parameter().filter(|id| is_host_syntax(id));
    }
    None
}
