//! Which numbers of persons may be shown, so that nobody is singled out by them (DOMAIN.md, 4: skills inventory).
//!
//! Two ways, for two kinds of reports. Figures that are parts of one another are shown exactly or not at all ([`is_safe`], decision 42). Figures
//! that are not, and that others may know parts of, are told in steps of five ([`step`], decision 60): [`tells`] is how an attacker would
//! put them together.

use std::collections::BTreeSet;

/// The fewest persons of a count that is shown; counts from 1 up to it are not.
pub const FEWEST: u64 = 5;
/// No percentage and no number of days is shown of fewer persons, and no group has fewer.
pub const FEWEST_OF: u64 = 10;

/// Whether a number singles nobody out.
#[must_use]
pub const fn is_safe(count: u64) -> bool {
    count == 0 || count >= FEWEST
}

/// People in groups, the largest first, of which the smallest are put together.
#[derive(Clone, Debug)]
pub struct Groups<'a, P> {
    groups: Vec<(BTreeSet<String>, Vec<&'a P>)>,
}

impl<'a, P> Groups<'a, P> {
    /// The groups of people by their key.
    pub fn of(people: &'a [P], key: impl Fn(&P) -> &str) -> Groups<'a, P> {
        let mut by_key: std::collections::BTreeMap<&str, Vec<&'a P>> =
            std::collections::BTreeMap::new();
        for person in people {
            by_key.entry(key(person)).or_default().push(person);
        }
        let mut groups: Vec<(BTreeSet<String>, Vec<&'a P>)> = by_key
            .into_iter()
            .map(|(key, people)| (BTreeSet::from([key.to_owned()]), people))
            .collect();
        // The largest first; of equals the order does not depend on what they have achieved.
        groups.sort_by(|left, right| right.1.len().cmp(&left.1.len()).then(left.0.cmp(&right.0)));
        Groups { groups }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether each has at least [`FEWEST_OF`] people.
    #[must_use]
    pub fn are_large(&self) -> bool {
        let is_large = |n: usize| u64::try_from(n).is_ok_and(|n| n >= FEWEST_OF);
        self.groups.iter().all(|(_, people)| is_large(people.len()))
    }

    /// Each with the keys that it stands for.
    pub fn iter(&self) -> impl Iterator<Item = &(BTreeSet<String>, Vec<&'a P>)> {
        self.groups.iter()
    }

    /// Puts the two smallest together. Returns whether there were two.
    pub fn merge_smallest(&mut self) -> bool {
        let Some((keys, people)) = self.groups.pop() else { return false };
        let Some(mut merged) = self.groups.pop() else {
            self.groups.push((keys, people));
            return false;
        };
        merged.0.extend(keys);
        merged.1.extend(people);
        let place = self
            .groups
            .iter()
            .position(|(_, people)| people.len() < merged.1.len())
            .unwrap_or(self.groups.len());
        self.groups.insert(place, merged);
        true
    }
}

/// What is told of a number of persons: that it is at least so many, in steps of [`FEWEST`].
///
/// Of a whole of `of` persons, never so many that fewer than [`FEWEST`] would be left: "nearly all of these ten" would name those who are not.
#[must_use]
pub fn step(count: u64, of: Option<u64>) -> u64 {
    let count = of.map_or(count, |of| count.min(of.saturating_sub(FEWEST)));
    count - count % FEWEST
}

/// A number that is told in steps, with what others may know exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// What is told of it: see [`step`].
    pub shown: u64,
    /// Of how many, where that is known.
    pub of: Option<u64>,
    /// Numbers of persons among them that another report may show.
    pub parts: Vec<u64>,
    /// Numbers of persons that contain them all, and that another report may show.
    pub wholes: Vec<u64>,
}

/// Between which numbers a number lies, both included.
type Range = (u64, u64);

impl Stepped {
    fn range(&self) -> Range {
        let is_highest = self.of.is_some_and(|of| self.shown + FEWEST > of.saturating_sub(FEWEST));
        let step = if is_highest { u64::MAX } else { self.shown + FEWEST - 1 };
        let low = self.parts.iter().copied().fold(self.shown, u64::max);
        let high = self.wholes.iter().copied().chain(self.of).fold(step, u64::min);
        (low, high)
    }

    /// Whether somebody who knows the range knows of a small number of persons: these, those who are left, or what is between these and what
    /// another report shows.
    fn tells(&self, (low, high): Range) -> bool {
        let between = |low: u64, high: u64| low >= 1 && high < FEWEST;
        let left = self.of.iter().chain(&self.wholes);
        between(low, high)
            || left.into_iter().any(|of| between(of.saturating_sub(high), of.saturating_sub(low)))
            || self
                .parts
                .iter()
                .any(|part| between(low - part.min(&low), high.saturating_sub(*part)))
    }
}

fn sums(rows: &[Range]) -> Range {
    rows.iter().fold((0, 0), |sum, range| (sum.0 + range.0, sum.1.saturating_add(range.1)))
}

/// Whether a total and tables that each divide it tell of a number from 1 to 4 of persons, when each bound is held against all others.
#[must_use]
pub fn tells(total: &Stepped, tables: &[&[Stepped]]) -> bool {
    let mut whole = total.range();
    let mut ranges: Vec<Vec<Range>> =
        tables.iter().map(|rows| rows.iter().map(Stepped::range).collect()).collect();
    // Ranges only become narrower, so this ends.
    loop {
        let before = (whole, ranges.clone());
        for rows in &mut ranges {
            let (low, high) = sums(rows);
            whole = (whole.0.max(low), whole.1.min(high));
            for place in 0..rows.len() {
                let (all_low, all_high) = sums(rows);
                let Some((low, high)) = rows.get_mut(place) else { continue };
                let others = (all_low - *low, all_high - *high);
                *low = (*low).max(whole.0.saturating_sub(others.1));
                *high = (*high).min(whole.1.saturating_sub(others.0));
            }
        }
        if before == (whole, ranges.clone()) {
            break;
        }
    }
    let mut rows = tables.iter().copied().flatten().zip(ranges.into_iter().flatten());
    total.tells(whole) || rows.any(|(row, range)| row.tells(range))
}
