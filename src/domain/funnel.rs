//! The figures of a programme, and which of them may be shown (DOMAIN.md, 4: metrics, skills inventory).
//!
//! Every figure counts persons: so many of so many. A figure is safe when its count, and what is left of each larger count that is shown beside
//! it, is 0 or at least [`FEWEST`]. In a table by group a column is shown for all rows or for none, and groups with few people are put together.
//! So whatever is shown is made of parts that are each 0 or at least [`FEWEST`], and taking figures from one another never gives a smaller one
//! (docs/decisions/0042).

use std::collections::{BTreeMap, BTreeSet};

use super::suppression::{Groups, is_safe};

pub use super::suppression::{FEWEST, FEWEST_OF};

worded_enum! {
    /// What is counted, in the order of printing.
    Count {
        /// Written to, or given a printed code.
        Invited = "invited",
        /// Said no, and stayed with it.
        Declined = "declined",
        /// Take part.
        Enrolled = "enrolled",
        /// Have begun an attempt within the programme.
        Started = "started",
        /// Have handed one in.
        Submitted = "submitted",
        /// Have a decision.
        Decided = "decided",
        /// Have earned something, at whichever attempt.
        Earned = "earned",
        /// Have earned something at their first attempt at it.
        EarnedFirst = "earned_first",
        /// Hold an award of the programme that is in force.
        Live = "live_award",
        /// Have had a criterion decided by a third reading.
        Adjudicated = "adjudicated",
        /// Have appealed.
        Appealed = "appealed",
        /// Have said how useful the feedback was.
        Rated = "rated",
        /// Have called it useful: 4 or 5 of 5.
        Useful = "useful",
        /// Take part, and stand in the district's file of who is still employed.
        Followed = "followed_up",
        /// Are still employed a year after they began to take part, by that file.
        Staying = "staying",
    }
}

impl Count {
    /// The count that contains this one, of which its share is taken; none for the widest.
    #[must_use]
    pub const fn of(self) -> Option<Count> {
        match self {
            Count::Invited => None,
            Count::Declined | Count::Enrolled => Some(Count::Invited),
            Count::Started | Count::Submitted | Count::Followed => Some(Count::Enrolled),
            Count::Decided | Count::Earned => Some(Count::Submitted),
            Count::EarnedFirst | Count::Adjudicated | Count::Appealed | Count::Rated => {
                Some(Count::Decided)
            }
            Count::Live => Some(Count::Earned),
            Count::Useful => Some(Count::Rated),
            Count::Staying => Some(Count::Followed),
        }
    }

    /// The counts that this one is a part of at once, the narrowest first; [`Count::Invited`] is part of none.
    #[must_use]
    pub const fn within(self) -> &'static [Count] {
        use Count as C;
        match self {
            C::Invited => &[],
            C::Declined | C::Enrolled => &[C::Invited],
            C::Started | C::Followed => &[C::Enrolled, C::Invited],
            C::Staying => &[C::Followed, C::Enrolled, C::Invited],
            C::Submitted => &[C::Started, C::Enrolled, C::Invited],
            C::Decided => &[C::Submitted, C::Started, C::Enrolled, C::Invited],
            C::Earned => &[C::Decided, C::Submitted, C::Started, C::Enrolled, C::Invited],
            C::EarnedFirst | C::Live => {
                &[C::Earned, C::Decided, C::Submitted, C::Started, C::Enrolled, C::Invited]
            }
            C::Adjudicated | C::Appealed | C::Rated => {
                &[C::Decided, C::Submitted, C::Started, C::Enrolled, C::Invited]
            }
            C::Useful => &[C::Rated, C::Decided, C::Submitted, C::Started, C::Enrolled, C::Invited],
        }
    }

    /// The id of the metric in a charter that this figure answers, where charters have one.
    #[must_use]
    pub const fn metric(self) -> Option<&'static str> {
        match self {
            Count::Enrolled => Some("enrolment_rate"),
            Count::Submitted => Some("submission_rate"),
            Count::EarnedFirst => Some("earn_rate_first"),
            Count::Earned => Some("earn_rate_final"),
            Count::Live => Some("educators_with_identified_skills"),
            Count::Staying => Some("staying"),
            Count::Invited
            | Count::Declined
            | Count::Started
            | Count::Decided
            | Count::Adjudicated
            | Count::Appealed
            | Count::Rated
            | Count::Useful
            | Count::Followed => None,
        }
    }

    /// What is counted, in words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Count::Invited => "persons who were invited",
            Count::Declined => "invited persons who said no",
            Count::Enrolled => "invited persons who take part",
            Count::Started => "persons who have begun an attempt",
            Count::Submitted => "persons who have handed in an attempt",
            Count::Decided => "persons with a decision",
            Count::Earned => "persons who have earned something",
            Count::EarnedFirst => "persons who have earned something at their first attempt at it",
            Count::Live => "persons who hold an award of the programme that is in force",
            Count::Adjudicated => "persons with a criterion that a third reading has decided",
            Count::Appealed => "persons who have appealed",
            Count::Rated => "persons who have said how useful the feedback was",
            Count::Useful => "persons who have called the feedback useful (4 or 5 of 5)",
            Count::Followed => "persons who take part and stand in the district's file",
            Count::Staying => "persons who are still employed a year later, by the district's file",
        }
    }

    /// Whether it comes from a file of the district, and not from what happened here.
    #[must_use]
    pub const fn is_by_file(self) -> bool {
        match self {
            Count::Followed | Count::Staying => true,
            Count::Invited
            | Count::Declined
            | Count::Enrolled
            | Count::Started
            | Count::Submitted
            | Count::Decided
            | Count::Earned
            | Count::EarnedFirst
            | Count::Live
            | Count::Adjudicated
            | Count::Appealed
            | Count::Rated
            | Count::Useful => false,
        }
    }
}

/// Which figures are kept when not all can be: the first ones.
const BY_WEIGHT: [Count; 15] = [
    Count::Invited,
    Count::Enrolled,
    Count::Earned,
    Count::Submitted,
    Count::Live,
    Count::EarnedFirst,
    Count::Followed,
    Count::Staying,
    Count::Declined,
    Count::Started,
    Count::Decided,
    Count::Appealed,
    Count::Adjudicated,
    Count::Rated,
    Count::Useful,
];

worded_enum! {
    /// A way that takes time, in working days of the organization's calendar. Of each person their first one counts.
    Stage {
        /// From the invitation to taking part.
        ToEnrol = "invited_to_enrolled",
        /// From taking part to the first attempt.
        ToStart = "enrolled_to_started",
        /// From beginning it to handing it in.
        ToSubmit = "started_to_submitted",
        /// From handing in to the decision.
        ToDecide = "submitted_to_decided",
    }
}

impl Stage {
    /// The persons who have come to its end.
    #[must_use]
    pub const fn end(self) -> Count {
        match self {
            Stage::ToEnrol => Count::Enrolled,
            Stage::ToStart => Count::Started,
            Stage::ToSubmit => Count::Submitted,
            Stage::ToDecide => Count::Decided,
        }
    }

    /// The id of the metric in a charter that its median answers, where charters have one.
    #[must_use]
    pub const fn metric(self) -> Option<&'static str> {
        match self {
            Stage::ToDecide => Some("turnaround_median_working_days"),
            Stage::ToEnrol | Stage::ToStart | Stage::ToSubmit => None,
        }
    }

    /// How many working days it took, in words.
    #[must_use]
    pub const fn in_days(self) -> &'static str {
        match self {
            Stage::ToEnrol => "working days from the invitation to taking part",
            Stage::ToStart => "working days from taking part to the first attempt",
            Stage::ToSubmit => "working days from beginning it to handing it in",
            Stage::ToDecide => "working days from handing in to the decision",
        }
    }

    /// The way in words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Stage::ToEnrol => "from the invitation to taking part",
            Stage::ToStart => "from taking part to the first attempt",
            Stage::ToSubmit => "from beginning it to handing it in",
            Stage::ToDecide => "from handing in to the decision",
        }
    }
}

/// What the figures need to know of one person who was invited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// As what they were invited.
    pub audience: String,
    /// Where they work, by id.
    pub school: String,
    /// Which counts they are in.
    pub counts: BTreeSet<Count>,
    /// How long each stage took that they have come to the end of.
    pub days: BTreeMap<Stage, u32>,
}

/// By what a table has its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// As what people were invited.
    Audience,
    /// Where they work.
    School,
}

impl Group {
    fn key(self, person: &PersonFacts) -> &str {
        match self {
            Group::Audience => &person.audience,
            Group::School => &person.school,
        }
    }
}

/// A number of working days by nearest rank: half, and nine of ten, needed as many or fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The median.
    pub median: u32,
    /// The 90th percentile.
    pub ninth: u32,
}

/// The figures of some people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The counts that may be shown.
    pub counts: BTreeMap<Count, u64>,
    /// The stages that may be shown.
    pub days: BTreeMap<Stage, Days>,
}

impl Figures {
    /// The share of a count in basis points, rounded down: none where one of the two is not shown or the whole is smaller than [`FEWEST_OF`].
    #[must_use]
    pub fn share_bp(&self, count: Count) -> Option<u64> {
        let (numerator, denominator) = self.fraction(count)?;
        (denominator >= FEWEST_OF).then(|| numerator * 10_000 / denominator)
    }

    /// A count and that of which it is a part, where both are shown.
    #[must_use]
    pub fn fraction(&self, count: Count) -> Option<(u64, u64)> {
        Some((*self.counts.get(&count)?, *self.counts.get(&count.of()?)?))
    }
}

/// A row of a table by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// The groups that it stands for: one, or several that are too small alone.
    pub keys: BTreeSet<String>,
    /// Its figures.
    pub figures: Figures,
}

fn tally(people: &[&PersonFacts]) -> BTreeMap<Count, u64> {
    let mut counts: BTreeMap<Count, u64> = Count::ALL.iter().map(|count| (*count, 0)).collect();
    for count in people.iter().flat_map(|person| &person.counts) {
        *counts.entry(*count).or_default() += 1;
    }
    counts
}

/// Whether one count can be shown beside others: it is safe itself, and so is what is left of the narrowest larger one, and of it when the
/// widest smaller ones are taken away.
fn fits(tallied: &BTreeMap<Count, u64>, shown: &BTreeSet<Count>, new: Count) -> bool {
    let value = |count: Count| tallied.get(&count).copied().unwrap_or(0);
    if !is_safe(value(new)) {
        return false;
    }
    // Whatever is contained in one another must differ by a safe number, both ways.
    let differs_safely = |wide: Count, narrow: Count| is_safe(value(wide) - value(narrow));
    let outer = new.within().iter().all(|wide| !shown.contains(wide) || differs_safely(*wide, new));
    let inner =
        shown.iter().all(|narrow| !narrow.within().contains(&new) || differs_safely(new, *narrow));
    if !outer || !inner {
        return false;
    }
    // Who has said no and who takes part are nobody in common: what is left of the invited without both is a count as well.
    let with_new = |count: &Count| *count == new || shown.contains(count);
    if with_new(&Count::Declined) {
        let not_declined = value(Count::Invited) - value(Count::Declined);
        let others = Count::ALL.iter().filter(|count| with_new(count));
        let mut taking_part =
            others.filter(|count| **count != Count::Invited && **count != Count::Declined);
        return taking_part.all(|count| is_safe(not_declined - value(*count)));
    }
    true
}

/// The columns that can be shown in every one of these rows, among `allowed`.
fn columns(rows: &[BTreeMap<Count, u64>], allowed: &BTreeSet<Count>) -> BTreeSet<Count> {
    let mut shown = BTreeSet::new();
    for count in BY_WEIGHT.into_iter().filter(|count| allowed.contains(count)) {
        if rows.iter().all(|row| fits(row, &shown, count)) {
            shown.insert(count);
        }
    }
    shown
}

fn figures(people: &[&PersonFacts], shown: &BTreeSet<Count>, stages: &BTreeSet<Stage>) -> Figures {
    let mut counts = tally(people);
    counts.retain(|count, _| shown.contains(count));
    let days = stages.iter().filter_map(|stage| Some((*stage, days_of(people, *stage)?))).collect();
    Figures { counts, days }
}

fn days_of(people: &[&PersonFacts], stage: Stage) -> Option<Days> {
    let mut days: Vec<u32> =
        people.iter().filter_map(|person| person.days.get(&stage).copied()).collect();
    days.sort_unstable();
    let rank =
        |tenths: usize| days.get((days.len() * tenths).div_ceil(10).saturating_sub(1)).copied();
    Some(Days { median: rank(5)?, ninth: rank(9)? })
}

/// The stages whose days can be shown in every row: their end is shown, and enough people have come to it.
fn stages(rows: &[Vec<&PersonFacts>], shown: &BTreeSet<Count>) -> BTreeSet<Stage> {
    let is_enough = |people: &Vec<&PersonFacts>, stage: Stage| {
        let n = people.iter().filter(|person| person.days.contains_key(&stage)).count();
        u64::try_from(n).is_ok_and(|n| n >= FEWEST_OF)
    };
    Stage::ALL
        .iter()
        .copied()
        .filter(|stage| shown.contains(&stage.end()))
        .filter(|stage| rows.iter().all(|people| is_enough(people, *stage)))
        .collect()
}

/// The figures of everybody, as far as they may be shown.
#[must_use]
pub fn total(people: &[PersonFacts]) -> Figures {
    let all: Vec<&PersonFacts> = people.iter().collect();
    let shown = columns(&[tally(&all)], &Count::ALL.iter().copied().collect());
    let stages = stages(std::slice::from_ref(&all), &shown);
    figures(&all, &shown, &stages)
}

/// The figures of everybody without anything left out, for the steward.
#[must_use]
pub fn exact_total(people: &[PersonFacts]) -> Figures {
    let all: Vec<&PersonFacts> = people.iter().collect();
    figures(&all, &Count::ALL.iter().copied().collect(), &Stage::ALL.iter().copied().collect())
}

fn split(people: &[PersonFacts], by: Group) -> BTreeMap<BTreeSet<String>, Vec<&PersonFacts>> {
    let mut groups: BTreeMap<BTreeSet<String>, Vec<&PersonFacts>> = BTreeMap::new();
    for person in people {
        groups.entry(BTreeSet::from([by.key(person).to_owned()])).or_default().push(person);
    }
    groups
}

/// Every group without anything left out, for the steward.
#[must_use]
pub fn exact_rows(people: &[PersonFacts], by: Group) -> Vec<GroupRow> {
    let (counts, stages) =
        (Count::ALL.iter().copied().collect(), Stage::ALL.iter().copied().collect());
    split(people, by)
        .into_iter()
        .map(|(keys, people)| GroupRow { keys, figures: figures(&people, &counts, &stages) })
        .collect()
}

/// A table by group, as far as it may be shown: none where fewer than two rows are left.
///
/// Groups of fewer than [`FEWEST_OF`] persons are put together, with the next smallest where they are too few even so. Then further groups
/// are, one by one from the smallest, for as long as the table gains figures by it.
#[must_use]
pub fn rows(people: &[PersonFacts], by: Group) -> Vec<GroupRow> {
    let allowed: BTreeSet<Count> = total(people).counts.into_keys().collect();
    let mut groups = Groups::of(people, |person| by.key(person));
    let mut best: Option<(usize, Vec<GroupRow>)> = None;
    while groups.len() >= 2 {
        if groups.are_large() {
            let tallied: Vec<_> = groups.iter().map(|(_, people)| tally(people)).collect();
            let shown = columns(&tallied, &allowed);
            let members: Vec<_> = groups.iter().map(|(_, people)| people.clone()).collect();
            let stages = stages(&members, &shown);
            let worth = groups.len() * (shown.len() + stages.len());
            if shown.contains(&Count::Invited)
                && best.as_ref().is_none_or(|(known, _)| worth > *known)
            {
                let rows = groups
                    .iter()
                    .map(|(keys, people)| GroupRow {
                        keys: keys.clone(),
                        figures: figures(people, &shown, &stages),
                    })
                    .collect();
                best = Some((worth, rows));
            }
        }
        groups.merge_smallest();
    }
    let mut rows = best.map(|(_, rows)| rows).unwrap_or_default();
    rows.sort_by(|left, right| left.keys.cmp(&right.keys));
    rows
}
