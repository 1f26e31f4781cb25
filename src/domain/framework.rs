//! Frameworks: what is above what.

use std::collections::{BTreeMap, BTreeSet};

/// Something that stands below itself, by a table of what is directly above what; `None` when nothing does.
///
/// Takes time in proportion to the table, and no more memory than it: hostile tables are read as well.
#[must_use]
pub fn find_circle<'a>(above: &BTreeMap<&'a str, Vec<&'a str>>) -> Option<&'a str> {
    let mut done = BTreeSet::new();
    for start in above.keys().copied() {
        // The way from `start` upwards, each with how many of its parents were followed.
        let mut way = vec![(start, 0_usize)];
        let mut on_way = BTreeSet::from([start]);
        while let Some((node, next)) = way.pop() {
            if done.contains(node) {
                on_way.remove(node);
                continue;
            }
            match above.get(node).and_then(|parents| parents.get(next)) {
                None => {
                    done.insert(node);
                    on_way.remove(node);
                }
                Some(parent) => {
                    way.push((node, next + 1));
                    if on_way.contains(parent) {
                        return Some(parent);
                    }
                    if !done.contains(parent) {
                        on_way.insert(parent);
                        way.push((parent, 0));
                    }
                }
            }
        }
    }
    None
}
