//! Invented names. Hosts stand under the top-level domains that RFC 2606 reserves, so that no list made
//! of a sample can ever hit a real site.

use std::collections::HashSet;

use crate::random::Draws;

const FIRST: [&str; 72] = [
    "pacific", "rapid", "daily", "nordic", "coastal", "crystal", "modern", "gentle", "grand", "prime",
    "secret", "swift", "open", "alpine", "azure", "classic", "clever", "lunar", "sunny", "celtic", "noble",
    "lower", "macro", "urban", "velvet", "amber", "silver", "golden", "scarlet", "cedar", "maple", "harbor",
    "river", "summit", "valley", "prairie", "island", "desert", "polar", "tropic", "royal", "civic", "metro",
    "village", "frontier", "heritage", "vintage", "total", "simple", "smart", "bright", "lively", "happy",
    "cozy", "brave", "bold", "quiet", "curious", "hidden", "honest", "little", "mighty", "northern",
    "southern", "eastern", "western", "central", "global", "local", "second", "evening", "morning",
];
const SECOND: [&str; 72] = [
    "news",
    "post",
    "herald",
    "tribune",
    "gazette",
    "journal",
    "times",
    "chronicle",
    "courier",
    "observer",
    "sentinel",
    "dispatch",
    "recipes",
    "kitchen",
    "garden",
    "home",
    "health",
    "fitness",
    "wellness",
    "beauty",
    "style",
    "fashion",
    "travel",
    "trips",
    "flights",
    "hotels",
    "sports",
    "soccer",
    "golf",
    "hockey",
    "racing",
    "games",
    "puzzles",
    "quiz",
    "trivia",
    "crosswords",
    "movies",
    "cinema",
    "series",
    "music",
    "radio",
    "lyrics",
    "weather",
    "forecast",
    "maps",
    "traffic",
    "cars",
    "motors",
    "bikes",
    "boats",
    "tech",
    "gadgets",
    "phones",
    "coding",
    "science",
    "space",
    "nature",
    "pets",
    "parents",
    "babies",
    "weddings",
    "finance",
    "stocks",
    "money",
    "crypto",
    "jobs",
    "careers",
    "school",
    "college",
    "history",
    "photos",
    "comics",
];
const ENDING: [&str; 16] = [
    "daily", "online", "hub", "world", "today", "zone", "live", "now", "24", "guide", "central", "network",
    "planet", "corner", "insider", "365",
];
const SUBDOMAIN: [&str; 10] =
    ["news", "m", "sport", "blog", "video", "games", "recipes", "en", "shop", "amp"];
const APP: [&str; 20] = [
    "solitaire",
    "wordsearch",
    "sudoku",
    "weather",
    "scanner",
    "podcasts",
    "reader",
    "tracker",
    "mahjong",
    "bubbles",
    "keyboard",
    "wallpaper",
    "runner",
    "chess",
    "radio",
    "scores",
    "recipes",
    "photoeditor",
    "calculator",
    "horoscope",
];
const VENDOR_FIRST: [&str; 32] = [
    "Northlight",
    "Brightlane",
    "Streamforge",
    "Clearbid",
    "Openreach",
    "Signalpoint",
    "Bluepeak",
    "Adharbor",
    "Vantage",
    "Pixelwise",
    "Meridian",
    "Lightyear",
    "Crosscast",
    "Quantic",
    "Redwood",
    "Stonebridge",
    "Truepath",
    "Wavelength",
    "Zenlink",
    "Evergreen",
    "Firstmile",
    "Halcyon",
    "Ironbark",
    "Juniper",
    "Keystone",
    "Lakeshore",
    "Monarch",
    "Novacast",
    "Overture",
    "Palisade",
    "Riverstone",
    "Sunstream",
];
const VENDOR_SECOND: [&str; 10] =
    ["TV", "Media", "Exchange", "Streams", "Video", "Connect", "Ads", "Networks", "Digital", "Marketplace"];

/// What kind of thing a scored name names; spellings differ by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    /// A host.
    Host,
    /// A reverse-DNS bundle of an Android app.
    Bundle,
    /// The number of an iOS app.
    Number,
    /// The id of an app of another store.
    StoreId,
    /// A name in words: a supply vendor.
    Words,
}

/// `count` different names of sites; some 6 % are app ids.
pub(crate) fn sites(count: usize, draws: &mut Draws) -> Vec<(String, NameKind)> {
    distinct(
        count,
        |attempt| {
            if draws.chance(0.06) { app_id(draws) } else { (host(draws, attempt), NameKind::Host) }
        },
    )
}

/// `count` different names of supply vendors, direct and resold.
pub(crate) fn vendors(count: usize, draws: &mut Draws) -> Vec<(String, NameKind)> {
    let direct = VENDOR_FIRST.len() * VENDOR_SECOND.len();
    distinct(count, |_| {
        let name = vendor(draws.below(direct));
        let resellers = (count / 40).clamp(4, 9999);
        let resold = draws.chance(0.6);
        let reseller = draws.below(resellers) + 1;
        (if resold { format!("{name} - Reseller {reseller:04}") } else { name }, NameKind::Words)
    })
}

/// One of some thirty exchanges, by number.
pub(crate) fn exchange(number: usize) -> String {
    VENDOR_FIRST[number % VENDOR_FIRST.len()].into()
}

/// The vendor of a number; numbers wrap.
fn vendor(number: usize) -> String {
    let first = VENDOR_FIRST[number % VENDOR_FIRST.len()];
    let second = VENDOR_SECOND[number / VENDOR_FIRST.len() % VENDOR_SECOND.len()];
    format!("{first} {second}")
}

fn distinct(count: usize, mut next: impl FnMut(usize) -> (String, NameKind)) -> Vec<(String, NameKind)> {
    let mut seen = HashSet::with_capacity(count);
    let mut names = Vec::with_capacity(count);
    let mut attempt = 0;
    while names.len() < count {
        let (mut name, kind) = next(attempt);
        if attempt >= 3 && kind == NameKind::Words {
            name = format!("{name} {}", names.len());
        }
        attempt = if seen.insert(name.clone()) {
            names.push((name, kind));
            0
        } else {
            attempt + 1
        };
    }
    names
}

/// A host; from the third attempt on with a number, so that any count of names can be had.
fn host(draws: &mut Draws, attempt: usize) -> String {
    let (first, second) = (draws.pick(&FIRST), draws.pick(&SECOND));
    let mut label = match draws.below(10) {
        0..=3 => format!("{first}{second}"),
        4 | 5 => format!("{first}-{second}"),
        6 => format!("the{first}{second}"),
        _ => format!("{first}{second}{}", draws.pick(&ENDING)),
    };
    if attempt >= 3 {
        label = format!("{label}{}", draws.below(1_000_000));
    }
    if draws.chance(0.08) {
        label = format!("{}.{label}", draws.pick(&SUBDOMAIN));
    }
    let top = match draws.below(20) {
        0 => "test",
        1 => "invalid",
        _ => "example",
    };
    format!("{label}.{top}")
}

fn app_id(draws: &mut Draws) -> (String, NameKind) {
    match draws.below(10) {
        0..=5 => {
            let owner = format!("{}{}", draws.pick(&FIRST), draws.pick(&SECOND));
            (format!("com.{owner}.{}", draws.pick(&APP)), NameKind::Bundle)
        }
        6 | 7 => (format!("{}", 300_000_000 + draws.below(1_300_000_000)), NameKind::Number),
        8 => {
            let tail: String =
                (0..8).map(|_| char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[draws.below(32)])).collect();
            (format!("b0{tail}"), NameKind::StoreId)
        }
        _ => (format!("g{}", 15_000_000_000 + draws.below(9_000_000_000)), NameKind::StoreId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_count_of_names_is_distinct() {
        for count in [1, 500, 30_000] {
            let names = sites(count, &mut Draws::new(3, 0));
            assert_eq!(names.iter().map(|n| &n.0).collect::<HashSet<_>>().len(), count);
            let names = vendors(count.min(2_000), &mut Draws::new(3, 0));
            assert_eq!(names.iter().map(|n| &n.0).collect::<HashSet<_>>().len(), count.min(2_000));
        }
    }

    #[test]
    fn hosts_stand_under_reserved_domains() {
        for (name, kind) in sites(2_000, &mut Draws::new(9, 0)) {
            if kind == NameKind::Host {
                let top = name.rsplit('.').next().unwrap();
                assert!(["example", "test", "invalid"].contains(&top), "{name}");
            }
            assert_eq!(name, name.trim().to_lowercase());
        }
    }
}
