//! The known word that a mistyped one probably meant.

/// The nearest of the words by edits, where at most a third of the letters (and always one) differ.
pub(crate) fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(MAX_LENGTH).collect();
    let near = |candidate: &'a str| {
        let letters: Vec<char> = candidate.to_lowercase().chars().take(MAX_LENGTH).collect();
        let allowed = (word.len().max(letters.len()) / 3).max(1);
        let edits = edits(&word, &letters);
        (edits <= allowed).then_some((edits, candidate))
    };
    words.filter_map(near).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// Letters compared: headers are short, hostile ones are not.
const MAX_LENGTH: usize = 80;

/// Levenshtein's distance.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let words = ["impressions", "clicks", "conversions"];
        assert_eq!(nearest("impresions", words.into_iter()), Some("impressions"));
        assert_eq!(nearest("Click", words.into_iter()), Some("clicks"));
    }

    #[test]
    fn a_word_that_is_far_from_all_finds_none() {
        assert_eq!(nearest("zzz", ["impressions", "clicks"].into_iter()), None);
        assert_eq!(nearest("", ["impressions"].into_iter()), None);
    }
}
