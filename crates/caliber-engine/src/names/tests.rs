use proptest::prelude::*;

use super::*;

fn key(cell: &str, dimension: Dimension) -> String {
    let mut scratch = String::from("left over");
    normalise(cell.as_bytes(), dimension, &mut scratch).to_owned()
}

fn check(dimension: Dimension, cases: &[(&str, &str, NameKind)]) {
    for &(cell, expected, kind) in cases {
        let found = key(cell, dimension);
        assert_eq!(found, expected, "key of {cell:?}");
        assert_eq!(classify(&found, dimension), kind, "kind of {cell:?}");
        assert_eq!(key(&found, dimension), found, "key of the key of {cell:?}");
    }
}

#[test]
fn hosts_lose_scheme_path_port_and_www() {
    use NameKind::{AppId, Host, Name};
    check(
        Dimension::Domain,
        &[
            ("example.com", "example.com", Host),
            ("  Example.COM ", "example.com", Host),
            ("https://www.example.com/path?x=1#y", "example.com", Host),
            ("HTTP://WWW.Example.com", "example.com", Host),
            ("//example.com/path", "example.com", Host),
            ("example.com:8080/path?x", "example.com", Host),
            ("example.com:", "example.com", Host),
            ("example.com/", "example.com", Host),
            ("example.com?utm=1", "example.com", Host),
            ("https://user:secret@example.com:443/", "example.com", Host),
            ("example.com.", "example.com", Host),
            ("www.example.com.", "example.com", Host),
            ("www.com", "www.com", Host),
            ("www.com.", "www.com", Host),
            ("www.co.uk", "co.uk", Host),
            ("www.www.example.com", "example.com", Host),
            ("m.example.co.uk", "m.example.co.uk", Host),
            ("de.wikipedia.org", "de.wikipedia.org", Host),
            ("tv.yahoo.com", "tv.yahoo.com", Host),
            ("pacificnews.example", "pacificnews.example", Host),
            ("summary.example", "summary.example", Host),
            ("totalwine.com", "totalwine.com", Host),
            ("totalbeauty.com", "totalbeauty.com", Host),
            ("my_site.blogspot.com", "my_site.blogspot.com", Host),
            ("192.168.0.1:8080", "192.168.0.1", Host),
            ("\u{feff}example.com\u{200b}", "example.com", Host),
            ("example.com\0", "example.com", Host),
            ("itunes.apple.com", "itunes.apple.com", Host),
            ("play.google.com/store", "play.google.com", Host),
            ("android-app://com.hulu.plus/", "com.hulu.plus", AppId),
            ("http://intranet/", "intranet", Name),
            ("@handle.com", "@handle.com", Name),
            ("example.com:abc", "example.com:abc", Name),
            ("*.example.com", "*.example.com", Name),
            (".example.com", ".example.com", Name),
        ],
    );
}

#[test]
fn international_hosts_become_punycode_and_back() {
    let cases = [
        ("Bücher.example", "xn--bcher-kva.example", "bücher.example"),
        ("https://МОСКВА.рф/", "xn--80adxhks.xn--p1ai", "москва.рф"),
        ("www.straße.de", "xn--strae-oqa.de", "straße.de"),
        ("例え。テスト.com", "xn--r8jz45g.xn--zckzah.com", "例え.テスト.com"),
    ];
    for (cell, punycode, unicode) in cases {
        check(Dimension::Domain, &[(cell, punycode, NameKind::Host)]);
        assert_eq!(display_unicode(punycode), unicode);
    }
    assert_eq!(display_unicode("example.com"), "example.com");
    assert_eq!(display_unicode("xn--99999999999.com"), "xn--99999999999.com");
}

#[test]
fn ids_of_apps_are_kept_apart_from_hosts() {
    use NameKind::AppId;
    check(
        Dimension::Domain,
        &[
            ("com.hulu.plus", "com.hulu.plus", AppId),
            ("Com.Hulu.Plus", "com.hulu.plus", AppId),
            ("com.king.candycrushsaga", "com.king.candycrushsaga", AppId),
            ("com.foo_bar.Baz2", "com.foo_bar.baz2", AppId),
            ("tv.pluto.android", "tv.pluto.android", AppId),
            ("org.mozilla.firefox", "org.mozilla.firefox", AppId),
            ("291097", "291097", AppId),
            ("B07Y8SJGCV", "b07y8sjgcv", AppId),
            ("g19280013786", "g19280013786", AppId),
            ("id376510438", "id376510438", AppId),
            ("vizio.disney", "vizio.disney", AppId),
            ("directv.stb", "directv.stb", AppId),
            ("=\"291097\"", "291097", AppId),
            ("Foo.\u{212A}xyz/é", "foo.kxyz", AppId),
            ("itunes.apple.com/us/app/hulu/id376510438?mt=8", "376510438", AppId),
            ("https://apps.apple.com/us/app/id376510438", "376510438", AppId),
            ("https://itunes.apple.com/lookup?id=376510438", "376510438", AppId),
            ("HTTPS://Play.Google.com/store/apps/details?hl=en&id=com.Hulu.Plus#top", "com.hulu.plus", AppId),
            ("play.google.com/store/apps/details?id=com.hulu.plus&hl=en", "com.hulu.plus", AppId),
            ("market://details?id=com.hulu.plus", "com.hulu.plus", AppId),
        ],
    );
}

#[test]
fn what_is_neither_host_nor_id_is_a_name() {
    use NameKind::Name;
    check(
        Dimension::Domain,
        &[
            ("Very Local: News & Weather", "very local: news & weather", Name),
            ("  Very   Local:\tNews\u{a0}&  Weather ", "very local: news & weather", Name),
            ("paramountstreaming", "paramountstreaming", Name),
            ("Dr. Oz: The Show", "dr. oz: the show", Name),
            ("AC/DC TV", "ac/dc tv", Name),
            ("Télé.Québécoise", "télé.québécoise", Name),
            ("'Til Dawn", "'til dawn", Name),
            ("'=SUM(A1)", "=sum(a1)", Name),
            ("'@home", "@home", Name),
            ("'+1 Network", "+1 network", Name),
            ("ТНТ  Онлайн", "тнт онлайн", Name),
            ("1.5", "1.5", Name),
            ("01.10.2025", "01.10.2025", Name),
            ("1.2.3", "1.2.3", Name),
        ],
    );
}

#[test]
fn vendors_are_never_parsed_as_hosts() {
    use NameKind::Name;
    check(
        Dimension::SupplyVendor,
        &[
            ("TripleLift - Reseller 0001", "triplelift - reseller 0001", Name),
            ("  Index\u{a0} Exchange ", "index exchange", Name),
            ("www.Example.com/path", "www.example.com/path", Name),
            ("33Across", "33across", Name),
            ("291097", "291097", Name),
            ("https://apps.apple.com/us/app/id376510438", "https://apps.apple.com/us/app/id376510438", Name),
            ("Unknown", "unknown", NameKind::Aggregate),
        ],
    );
}

#[test]
fn aggregates_are_whole_cells_only() {
    for dimension in [Dimension::Domain, Dimension::SupplyVendor] {
        for cell in [
            "",
            " ",
            "-",
            "--",
            "---",
            "–",
            "— —",
            "Total",
            "TOTALS",
            "Total:",
            "Grand Total:",
            "Grand  total :",
            "[tail aggregate]",
            "Row Labels",
            "Summary",
            "aggregate",
            "(not set)",
            "(not available)",
            "Subtotal",
            "Low volume inventory",
            "deals.unknown",
            "managed.unknown",
            "Undisclosed",
            "unknown",
            "Anonymous",
            "Итого",
            "Итого:",
            "Gesamt",
            "Totale",
            "Totales",
            "Total général",
            "TOTAL GÉNÉRAL",
            "Gesamtergebnis",
            "Общий итог",
            "合計",
            "Sub Total",
            "Sub-total:",
            "Grand totals",
            "Summe:",
            "Total (2 rows)",
            "Total (1,234)",
            "Gesamt (12 Zeilen)",
            "TOTAL - All domains",
            "Grand Total: all sites",
            "Totals for all sites",
            "Total (all)",
            "Total: Placements",
            "Total: Other",
            "Total: Account",
            "All sites",
            "ALL DOMAINS:",
            "\u{a0}",
            "\u{feff}",
            "'-",
        ] {
            assert_eq!(classify(&key(cell, dimension), dimension), NameKind::Aggregate, "{cell:?}");
        }
        for cell in [
            "total.com",
            "totalwine.com",
            "totalsportal.example",
            "allsites.example",
            "summary.example",
            "Total Wine",
            "Total (Wine & More)",
            "Total - Allstars",
            "Total: The Show",
            "Total Access (2 hours)",
            "Subtotal Records",
            "All domains considered",
            "All Recipes",
            "Total: Other People",
            "unknown (2)",
            "unknown.org",
            "not set",
            "-a-",
        ] {
            assert_ne!(classify(&key(cell, dimension), dimension), NameKind::Aggregate, "{cell:?}");
        }
        for cell in ["n/a", "N/A", "null", "NaN", "#N/A", "(blank)", "none"] {
            assert_eq!(classify(&key(cell, dimension), dimension), NameKind::Missing, "{cell:?}");
        }
    }
}

#[test]
fn windows_1252_bytes_are_decoded() {
    let mut scratch = String::new();
    assert_eq!(normalise(b"T\xE9l\xE9  7", Dimension::SupplyVendor, &mut scratch), "télé 7");
    assert_eq!(normalise(b"stra\xDFe.de", Dimension::Domain, &mut scratch), "xn--strae-oqa.de");
    assert_eq!(normalise(b"example.com\xA0", Dimension::Domain, &mut scratch), "example.com");
    assert_eq!(
        classify(normalise(b"\x97", Dimension::Domain, &mut scratch), Dimension::Domain),
        NameKind::Aggregate
    );
    assert_eq!(shown(b" T\xE9l\xE9  7", NameKind::Name, Dimension::SupplyVendor), "Télé 7");
}

#[test]
fn names_are_shown_as_spelled_and_hosts_as_grouped() {
    let domain = |cell: &'static str| {
        let kind = classify(&key(cell, Dimension::Domain), Dimension::Domain);
        shown(cell.as_bytes(), kind, Dimension::Domain).into_owned()
    };
    assert_eq!(domain(" Very  Local: News & Weather "), "Very Local: News & Weather");
    assert_eq!(domain("Com.Hulu.Plus"), "Com.Hulu.Plus");
    assert_eq!(domain("play.google.com/store/apps/details?id=com.Hulu.Plus"), "com.Hulu.Plus");
    assert_eq!(domain("android-app://com.Hulu.Plus"), "com.hulu.plus");
    assert_eq!(domain("https://WWW.Example.com/x"), "example.com");
    assert_eq!(domain("'=SUM(A1)"), "=SUM(A1)");
    let vendor = shown(b"Index\tExchange", NameKind::Name, Dimension::SupplyVendor);
    assert_eq!(vendor, "Index Exchange");
    let own = shown(b"TripleLift - Reseller 0001", NameKind::Name, Dimension::SupplyVendor);
    assert!(matches!(own, Cow::Borrowed("TripleLift - Reseller 0001")));
}

#[test]
fn registrable_domains_follow_the_public_suffix_list() {
    for (host, expected) in [
        ("m.example.co.uk", Some("example.co.uk")),
        ("example.com", Some("example.com")),
        ("a.b.example.com", Some("example.com")),
        ("site.blogspot.com", Some("site.blogspot.com")),
        ("a.user.github.io", Some("user.github.io")),
        ("news.pacific.example", Some("pacific.example")),
        ("a.xn--80adxhks.xn--p1ai", Some("xn--80adxhks.xn--p1ai")),
        ("shop.example.ck", Some("shop.example.ck")),
        ("co.uk", None),
        ("com.hulu.plus", None),
        ("192.168.0.1", None),
        ("paramountstreaming", None),
        ("", None),
    ] {
        assert_eq!(registrable(host), expected, "{host}");
    }
}

#[test]
fn a_key_is_returned_without_copying() {
    let mut scratch = String::new();
    let cell = b"news.example-site24.com";
    let found = normalise(cell, Dimension::Domain, &mut scratch);
    assert!(std::ptr::eq(found.as_bytes(), cell.as_slice()));
}

proptest! {
    #[test]
    fn a_word_for_nothing_is_one_though_it_looks_like_a_host(key in "[na.kd/-]{0,3}\\.[na.kd/-]{0,3}") {
        let is_missing = crate::report::number::is_missing(key.as_bytes());
        prop_assert_eq!(classify(&key, Dimension::Domain) == NameKind::Missing, is_missing);
    }

    #[test]
    fn any_bytes_have_a_key_which_is_its_own_key(
        cell in prop::collection::vec(any::<u8>(), 0..60), vendor in any::<bool>()
    ) {
        check_idempotent(&cell, vendor)?;
    }

    #[test]
    fn any_text_has_a_key_which_is_its_own_key(cell in "\\PC{0,30}", vendor in any::<bool>()) {
        check_idempotent(cell.as_bytes(), vendor)?;
    }

    #[test]
    fn texts_like_urls_have_a_key_which_is_its_own_key(
        cell in "(https?:)?(//)?([a-z@:]{0,4}@)?([wW]{3}\\.){0,2}[A-Zaé.ß\u{212A}\u{130}-]{1,8}(\\.(com|рф|EXAMPLE|x))?\
                 \\.?(:[0-9a]{0,2})?([/?#=\"' ].{0,6})?",
        vendor in any::<bool>()
    ) {
        check_idempotent(cell.as_bytes(), vendor)?;
    }

    #[test]
    fn spelling_blanks_and_url_parts_do_not_part_a_host(
        label in "[a-z][a-z0-9]{0,10}", scheme in "(https?://)?", path in "(/[a-z]*)?", upper in any::<bool>()
    ) {
        let host = format!("{label}.com");
        let spelled = if upper { host.to_uppercase() } else { host.clone() };
        let cell = format!(" {scheme}{}{spelled}{path} ", if upper { "www." } else { "" });
        prop_assert_eq!(key(&cell, Dimension::Domain), host);
    }
}

fn check_idempotent(cell: &[u8], vendor: bool) -> Result<(), TestCaseError> {
    let dimension = if vendor { Dimension::SupplyVendor } else { Dimension::Domain };
    let mut scratch = String::new();
    let once = normalise(cell, dimension, &mut scratch).to_owned();
    prop_assert_eq!(&key(&once, dimension), &once);
    let kind = classify(&once, dimension);
    let shown = shown(cell, kind, dimension);
    prop_assert!(kind == NameKind::Host || shown.len() <= 4 * cell.len());
    let _ = (display_unicode(&once), registrable(&once));
    Ok(())
}
