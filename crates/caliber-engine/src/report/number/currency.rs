//! Currency signs and codes that stand before or after an amount.

/// A currency as a cell names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(u8);

impl Currency {
    /// `$`, whosever it is.
    pub(super) const DOLLAR: Self = Self(0);

    /// The ISO 4217 code: `EUR` for `€` as for `EUR`. `$`, `¥`, `kr` and `Rs` stay as they are, since several
    /// currencies share them.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    /// The currency a word names, in any case: a code, or a sign in the ASCII spelling that
    /// [`ascii_of`] gives it.
    pub(super) fn of(word: &[u8]) -> Option<Self> {
        let mut lower = [0; 4];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        let name = if let Some((_, name)) = SIGNS.iter().find(|(sign, _)| sign.as_bytes() == lower) {
            name.as_bytes()
        } else {
            lower.make_ascii_uppercase();
            lower
        };
        let index = NAMES.binary_search_by(|known| known.as_bytes().cmp(name)).ok()?;
        u8::try_from(index).ok().map(Self)
    }
}

/// An ASCII spelling of the signs and letters of currencies outside ASCII.
pub(super) fn ascii_of(sign: char) -> Option<&'static str> {
    Some(match sign {
        '€' => "EUR",
        '£' => "GBP",
        '¥' | '￥' => "YEN",
        '₹' => "INR",
        '₽' => "RUB",
        '₺' => "TRY",
        '₩' => "KRW",
        '₫' => "VND",
        '₪' => "ILS",
        '₴' => "UAH",
        '₦' => "NGN",
        '₱' => "PHP",
        '₡' => "CRC",
        '฿' => "THB",
        'ł' | 'Ł' => "l",
        'č' | 'Č' => "c",
        'р' | 'Р' => "r",
        'у' | 'У' => "u",
        'б' | 'Б' => "b",
        _ => return None,
    })
}

/// Signs in lower case, and the name each stands for.
const SIGNS: [(&str, &str); 30] = [
    ("$", "$"),
    ("us$", "USD"),
    ("$us", "USD"),
    ("u$s", "USD"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("c$", "CAD"),
    ("ca$", "CAD"),
    ("$ca", "CAD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("s$", "SGD"),
    ("sg$", "SGD"),
    ("nt$", "TWD"),
    ("mx$", "MXN"),
    ("r$", "BRL"),
    ("yen", "¥"),
    ("rmb", "CNY"),
    ("kr", "kr"),
    ("kr.", "kr"),
    ("zl", "PLN"),
    ("kc", "CZK"),
    ("ft", "HUF"),
    ("lei", "RON"),
    ("tl", "TRY"),
    ("rs", "Rs"),
    ("rs.", "Rs"),
    ("rub.", "RUB"),
    ("fr.", "CHF"),
    ("sfr.", "CHF"),
];

/// Every name, in byte order; the dollar sign is the first.
#[rustfmt::skip]
const NAMES: [&str; 157] = [
    "$",
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD",
    "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY",
    "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP",
    "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR",
    "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KRW", "KWD", "KYD", "KZT", "LAK",
    "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP",
    "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "Rs", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD",
    "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD",
    "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF",
    "YER", "ZAR", "ZMW", "ZWG",
    "kr", "¥",
];
