//! Banned words and tests in a Rust file, found in its tokens: comments and strings are no code, and what
//! `#[cfg(test)]` marks ends where the compiler says it ends.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a file holds.
#[derive(Default)]
pub(super) struct Scan {
    /// Line and index of each banned phrase outside tests.
    pub(super) banned: Vec<(usize, usize)>,
    /// Lines of items that are built for tests only.
    pub(super) tests: Vec<RangeInclusive<usize>>,
    /// Names of modules that are built for tests only and stand in files of their own.
    pub(super) test_modules: Vec<String>,
}

/// One token of a banned phrase.
pub(super) enum Word {
    /// An identifier or a mark.
    Is(&'static str),
    /// `(...)`, `[...]` or `{...}`.
    Group,
    /// `()`.
    EmptyParentheses,
    /// `[name...]`.
    Attribute(&'static str),
}

impl Word {
    fn matches(&self, token: &TokenTree) -> bool {
        match (self, token) {
            (Self::Is(word), TokenTree::Ident(ident)) => ident == word,
            (Self::Is(word), TokenTree::Punct(mark)) => word.len() == 1 && word.starts_with(mark.as_char()),
            (Self::Group, TokenTree::Group(_)) => true,
            (Self::EmptyParentheses, TokenTree::Group(group)) => {
                group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
            }
            (Self::Attribute(name), TokenTree::Group(group)) => {
                let first = group.stream().into_iter().next();
                group.delimiter() == Delimiter::Bracket
                    && first.is_some_and(|first| Self::Is(name).matches(&first))
            }
            _ => false,
        }
    }
}

/// The phrases outside tests, and where the tests are.
pub(super) fn scan(text: &str, phrases: &[&[Word]]) -> Result<Scan, proc_macro2::LexError> {
    let mut found = Scan::default();
    found.read(text.parse()?, phrases);
    Ok(found)
}

impl Scan {
    fn read(&mut self, stream: TokenStream, phrases: &[&[Word]]) {
        let tokens: Vec<_> = stream.into_iter().collect();
        let mut at = 0;
        while let Some(rest) = tokens.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(length) = test_item(rest) {
                self.skip(&rest[..length]);
                at += length;
                continue;
            }
            let begun = phrases.iter().enumerate().filter(|(_, phrase)| begins_with(rest, phrase));
            self.banned.extend(begun.map(|(index, _)| (rest[0].span().start().line, index)));
            if let TokenTree::Group(group) = &rest[0] {
                self.read(group.stream(), phrases);
            }
            at += 1;
        }
    }

    /// Notes an item of tests.
    fn skip(&mut self, item: &[TokenTree]) {
        if let (Some(first), Some(last)) = (item.first(), item.last()) {
            self.tests.push(first.span().start().line..=last.span().end().line);
        }
        if let [.., TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Punct(_)] = item
            && keyword == "mod"
        {
            self.test_modules.push(name.to_string());
        }
    }
}

fn begins_with(tokens: &[TokenTree], phrase: &[Word]) -> bool {
    tokens.len() >= phrase.len() && phrase.iter().zip(tokens).all(|(word, token)| word.matches(token))
}

/// How many tokens the item takes, if the tokens begin with one that is built for tests only. It ends with its first
/// braces or semicolon; `#![cfg(test)]` takes all that follows.
fn test_item(tokens: &[TokenTree]) -> Option<usize> {
    match tokens {
        [TokenTree::Punct(hash), attribute, ..] if hash.as_char() == '#' && is_test(attribute) => {
            let end = tokens.iter().position(|token| match token {
                TokenTree::Punct(mark) => mark.as_char() == ';',
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                _ => false,
            });
            Some(end.map_or(tokens.len(), |end| end + 1))
        }
        [TokenTree::Punct(hash), TokenTree::Punct(_), attribute, ..]
            if hash.as_char() == '#' && is_test(attribute) =>
        {
            Some(tokens.len())
        }
        _ => None,
    }
}

/// `[cfg(test)]`, or `[cfg(all(test, ...))]` in any order.
fn is_test(attribute: &TokenTree) -> bool {
    let TokenTree::Group(group) = attribute else { return false };
    let text: String = group.stream().to_string().split_whitespace().collect();
    let condition = text.strip_prefix("cfg(").and_then(|text| text.strip_suffix(')'));
    condition.is_some_and(|condition| {
        let all = condition.strip_prefix("all(").and_then(|text| text.strip_suffix(')'));
        condition == "test" || all.is_some_and(|all| all.split(',').any(|one| one == "test"))
    })
}
