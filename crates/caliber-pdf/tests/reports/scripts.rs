//! Names in every script, of every length, with every sign.

use pdf_extract::{Document, Object};

use crate::campaign::Campaign;
use crate::{letters, pages, pdf, text};

/// The fonts that a report carries, without the mark of their subset.
fn fonts(pdf: &[u8]) -> Vec<String> {
    let document = Document::load_mem(pdf).unwrap();
    let descriptors = document.objects.values().filter_map(|object| object.as_dict().ok());
    let names =
        descriptors.filter_map(|dictionary| dictionary.get(b"FontName").and_then(Object::as_name).ok());
    let plain = |name: &[u8]| String::from_utf8_lossy(name).split('+').next_back().unwrap_or("").to_owned();
    names.map(plain).collect()
}

#[test]
fn latin_greek_and_cyrillic_need_our_fonts_only() {
    let names = ["Łódź Śródmieście", "Ειδήσεις Αθηνών", "Новости Києва", "Çağdaş İstanbul"];
    let pdf = pdf(&Campaign::named(&names));
    let text = text(&pdf);
    for name in names {
        assert!(text.contains(name), "{name}");
    }
    assert!(fonts(&pdf).iter().all(|font| font.starts_with("Inter")), "{:?}", fonts(&pdf));
}

#[test]
fn chinese_japanese_and_arabic_take_fonts_of_the_system() {
    let names = ["北京新闻 频道", "ニュース 東京", "أخبار الخليج", "latin.example"];
    let pdf = pdf(&Campaign::named(&names));
    let foreign: Vec<_> = fonts(&pdf).into_iter().filter(|font| !font.starts_with("Inter")).collect();
    assert!(
        foreign.len() >= 2,
        "fonts for these scripts are missing, found {foreign:?}; install them with `cargo xtask need fonts`"
    );
    let text = letters(&pdf);
    for name in ["北京新闻", "ニュース", "東京"] {
        assert!(text.contains(name), "{name}");
    }
    assert!(text.contains("latin.example"));
}

#[test]
fn signs_of_the_markup_are_only_signs() {
    let names = [
        "#panic()",
        "$x_1^2$ news",
        "*bold* _it_",
        "@label <tag>",
        "back\\slash [x]",
        "= title",
        "a->b ... --- `raw`",
    ];
    let letters = letters(&pdf(&Campaign::named(&names)));
    for name in names {
        let name: String = name.split_whitespace().collect();
        assert!(letters.contains(&name), "{name} in {letters}");
    }
}

#[test]
fn names_are_broken_without_a_sign_in_the_text() {
    let names = [
        "metropolitan-news-of-the.western-region.example",
        "\u{420}\u{435}\u{43a}\u{43b}\u{430}\u{43c}\u{43d}\u{430}\u{44f}_\u{421}\u{435}\u{442}\u{44c}_\u{41f}\u{440}\u{435}\u{43c}\u{438}\u{443}\u{43c}_\u{418}\u{43d}\u{432}\u{435}\u{43d}\u{442}\u{430}\u{440}\u{44c}",
    ];
    let text = pdf_extract::extract_text_from_mem(&pdf(&Campaign::named(&names))).unwrap();
    assert!(!text.contains('\u{200b}'));
    let text: String = text.split_whitespace().collect();
    for name in names {
        assert!(text.contains(name), "{name}");
    }
}

#[test]
fn long_names_are_broken_and_very_long_ones_show_start_and_end() {
    let long: Vec<String> = (0..6).map(|at| format!("{at}{}.example", "long-name.of-a".repeat(5))).collect();
    let solid = format!("first{}last", "w".repeat(241));
    let mut names: Vec<&str> = long.iter().map(String::as_str).collect();
    names.push(&solid);
    let mut campaign = Campaign::named(&names);
    campaign.name = format!("{} campaign", "Very ".repeat(40));
    let pdf = pdf(&campaign);
    let letters = letters(&pdf);
    for name in &long {
        assert!(letters.contains(name), "{name}");
    }
    assert!(letters.contains("firstwww") && letters.contains("...www") && letters.contains("wwwlast"));
    assert!(pages(&pdf) < 12);
}
