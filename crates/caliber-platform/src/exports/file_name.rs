//! What a download is called: a campaign's name made safe, and what it is of it.

use std::iter;

/// Characters of the campaign's name that a file's name keeps.
const MOST_CHARACTERS: usize = 80;
/// Bytes of it: file systems take 255 for the whole name.
const MOST_BYTES: usize = 180;

/// `<campaign>-<what>.<extension>`: letters of every script, and nothing that a file system, a shell or a header minds.
pub(super) fn file_name(campaign: &str, what: &str, extension: &str) -> String {
    format!("{}.{extension}", stem(campaign, what))
}

/// A file's name without its extension.
pub(super) fn stem(campaign: &str, what: &str) -> String {
    let mut kept = String::new();
    for character in campaign.chars().map(safe) {
        match character {
            // One sign for a run of those that are left out.
            Some('_' | ' ') | None if kept.ends_with(['_', ' ']) => {}
            Some(character) => kept.push(character),
            None => kept.push('_'),
        }
    }
    let kept = kept.trim_matches(['_', ' ', '.', '-']);
    let end = iter::once(0)
        .chain(kept.char_indices().map(|(at, character)| at + character.len_utf8()))
        .take(MOST_CHARACTERS + 1)
        .take_while(|end| *end <= MOST_BYTES)
        .last()
        .unwrap_or_default();
    let kept = kept[..end].trim_end_matches(['_', ' ', '.', '-']);
    let campaign = if kept.is_empty() { "campaign" } else { kept };
    format!("{campaign}-{what}")
}

/// The character as a file's name may have it; none for one that it may not.
fn safe(character: char) -> Option<char> {
    match character {
        '/' | '\\' | ':' | '*' | '?' | '"' | '\'' | '`' | '<' | '>' | '|' | '%' | ';' | '$' | '~' => None,
        // Joins letters in Persian and in the scripts of India.
        '\u{200c}' | '\u{200d}' => Some(character),
        _ if character.is_control() || is_unseen(character) => None,
        _ if character.is_whitespace() => Some(' '),
        _ => Some(character),
    }
}

/// Characters that are not seen and change how others are: direction, joining, tags, and those that stand for nothing.
fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(campaign: &str) -> String {
        file_name(campaign, "results", "csv")
    }

    #[test]
    fn names_in_every_script_are_kept() {
        for name in
            ["Frühling 2026", "Весна", "Άνοιξη", "ربيع", "אביב", "春の新作", "봄", "वसंत", "می\u{200c}خواهم"]
        {
            assert_eq!(named(name), format!("{name}-results.csv"));
        }
    }

    #[test]
    fn nothing_is_left_that_leads_out_of_a_folder_or_ends_a_header() {
        assert_eq!(named("../../Ünïcode \"名前\"\r\n.csv"), "Ünïcode 名前_.csv-results.csv");
        assert_eq!(named("a/b\\c:d"), "a_b_c_d-results.csv");
        assert_eq!(named("\u{202e}fdp.exe\u{200b}"), "fdp.exe-results.csv");
        for empty in ["", "...", "\0\u{1}", "///", " - ", "\u{feff}"] {
            assert_eq!(named(empty), "campaign-results.csv", "{empty:?}");
        }
    }

    #[test]
    fn long_names_end_at_a_letter() {
        for letter in ["x", "é", "名", "🙂"] {
            let name = named(&letter.repeat(5000));
            assert!(name.len() <= 200, "{}", name.len());
            let letters = name.strip_suffix("-results.csv").unwrap();
            assert!(letters.len() > 100 || letter == "x", "{name}");
            assert_eq!(letters.replace(letter, ""), "");
        }
    }
}
