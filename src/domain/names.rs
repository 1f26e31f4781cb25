//! Whether a text says whose it is (DOMAIN.md, 2.2: "no names check"; 3.3: readers know neither earner nor school).

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

worded_enum! {
    /// What of a person stands in a text.
    Trace {
        /// Their name.
        Name = "name",
        /// Their e-mail address.
        Address = "e-mail address",
        /// The name of one of their schools.
        School = "school",
    }
}

/// What a person is known by, prepared for the search.
///
/// A name counts as a whole and only if it has two words or more: a single word is too often a word like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBy {
    name: Option<Vec<String>>,
    address: Option<String>,
    schools: Vec<Vec<String>>,
}

impl KnownBy {
    /// What a person of this name, with this address and at these schools is known by.
    #[must_use]
    pub fn new(name: &str, address: &str, schools: &[String]) -> KnownBy {
        let address = folded(address.trim());
        KnownBy {
            name: phrase(name),
            address: (!address.is_empty()).then_some(address),
            schools: schools.iter().filter_map(|school| phrase(school)).collect(),
        }
    }

    /// Everything of it that stands in a text, whatever its case and the marks between words.
    #[must_use]
    pub fn find_in(&self, text: &str) -> BTreeSet<Trace> {
        let text = folded(text);
        let words = words(&text);
        let has = |phrase: &[String]| {
            words.windows(phrase.len()).any(|window| window.iter().eq(phrase.iter()))
        };
        let mut found = BTreeSet::new();
        if self.name.as_deref().is_some_and(has) {
            found.insert(Trace::Name);
        }
        if self.address.as_deref().is_some_and(|address| has_address(&text, address)) {
            found.insert(Trace::Address);
        }
        if self.schools.iter().any(|school| has(school)) {
            found.insert(Trace::School);
        }
        found
    }
}

/// A text in which two characters that people take for the same one are the same one.
///
/// Upper case first: it is in upper case that "ß" is "SS" and both small sigmas are one letter.
fn folded(text: &str) -> String {
    let is_seen =
        |c: &char| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    let upper = text.nfkc().filter(is_seen).flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfkc().collect()
}

/// The words of a folded text: whatever stands between letters and digits parts them.
fn words(folded: &str) -> Vec<&str> {
    folded
        .split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c))
        .filter(|word| !word.is_empty())
        .collect()
}

/// The words of a name; none unless it has two or more.
fn phrase(name: &str) -> Option<Vec<String>> {
    let folded = folded(name);
    // An address in the place of a name is one word, however many marks it has.
    let n_written = folded.split_whitespace().count();
    let words: Vec<String> = words(&folded).into_iter().map(str::to_owned).collect();
    (n_written >= 2 && words.len() >= 2).then_some(words)
}

/// Whether a folded text has this address, and not a longer one that it is a part of.
fn has_address(text: &str, address: &str) -> bool {
    const JOINS: [char; 4] = ['.', '-', '_', '+'];
    text.match_indices(address).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + address.len()..).unwrap_or_default();
        // A mark belongs to an address only if another letter follows: else it ends a sentence.
        let goes_on = |next: Option<char>, one_more: Option<char>| match next {
            None => false,
            Some(next) if next.is_alphanumeric() => true,
            Some(next) => JOINS.contains(&next) && one_more.is_some_and(char::is_alphanumeric),
        };
        let (mut back, mut on) = (before.chars().rev(), after.chars());
        !goes_on(back.next(), back.next()) && !goes_on(on.next(), on.next())
    })
}
