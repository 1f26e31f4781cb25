//! What an award counts for with an authority: rules that somebody has written down, and never a guess (DOMAIN.md, 4: credit).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

worded_enum! {
    /// What credit can be given for.
    CreditKind {
        /// An award at a micro-credential.
        MicroCredential = "micro_credential",
        /// The award of a stack: a salary lane is a rule over one.
        Stack = "stack",
    }
}

/// What credit is given for, by its own id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Creditable {
    /// What it is.
    pub kind: CreditKind,
    /// Its own id, the same in all versions.
    pub slug: String,
}

worded_enum! {
    /// The time for which a cap holds. An award belongs to the period in which it was earned.
    CapPeriod {
        /// January to December.
        CalendarYear = "calendar_year",
        /// July to June.
        SchoolYear = "school_year",
        /// Once and for all.
        Ever = "ever",
    }
}

impl CapPeriod {
    /// The period of a day: the same word for every day of it.
    #[must_use]
    pub fn of(self, day: NaiveDate) -> String {
        match self {
            CapPeriod::CalendarYear => day.year().to_string(),
            CapPeriod::SchoolYear => {
                let begins = if day.month() >= 7 { day.year() } else { day.year() - 1 };
                format!("{begins}-{}", begins + 1)
            }
            CapPeriod::Ever => "ever".to_owned(),
        }
    }
}

/// At most so much of a currency in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// In minor units.
    pub minor: i64,
    /// In each of these.
    pub period: CapPeriod,
}

/// In what credit is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// A stable word, such as `pd-hours`, `usd` or `lane`.
    pub code: String,
    /// In words, such as `hours`.
    pub unit: String,
    /// How many minor units one of them is: 60 for hours in minutes, 100 for dollars in cents, 1 for lanes.
    pub minor_per_unit: i64,
}

/// A row of an amount by level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelAmount {
    /// The lowest level of all criteria.
    pub level: u8,
    /// How much, in minor units.
    pub minor: i64,
}

/// How much something counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Always the same, in minor units.
    Fixed(i64),
    /// By the lowest level that the work reached on any criterion of the rubric. The first row is for its level and all below it, the last
    /// one for its level and all above: whatever the level, there is a row.
    ByLevel(Vec<LevelAmount>),
}

impl Amount {
    /// The most that it can be, in minor units.
    #[must_use]
    pub fn most(&self) -> i64 {
        match self {
            Amount::Fixed(minor) => *minor,
            Amount::ByLevel(rows) => rows.iter().map(|row| row.minor).max().unwrap_or_default(),
        }
    }

    /// The least that it can be, in minor units.
    #[must_use]
    pub fn least(&self) -> i64 {
        match self {
            Amount::Fixed(minor) => *minor,
            Amount::ByLevel(rows) => rows.iter().map(|row| row.minor).min().unwrap_or_default(),
        }
    }

    /// What it is for work whose lowest level is this, with the level of the row that applies. Of levels that are not shown the first row is
    /// all that is known.
    #[must_use]
    pub fn of(&self, lowest: Option<u8>) -> (i64, Option<u8>) {
        match self {
            Amount::Fixed(minor) => (*minor, None),
            Amount::ByLevel(rows) => {
                let reached = |row: &&LevelAmount| lowest.is_some_and(|lowest| row.level <= lowest);
                let row = rows.iter().rev().find(reached).or_else(|| rows.first());
                row.map_or((0, None), |row| (row.minor, Some(row.level)))
            }
        }
    }

    /// Whether it says something for every level: one row or more after the first, each for the next level, none for less than the one before.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self {
            Amount::Fixed(_) => true,
            Amount::ByLevel(rows) => {
                let follows = |pair: &[LevelAmount]| {
                    pair[0].level.checked_add(1) == Some(pair[1].level)
                        && pair[0].minor <= pair[1].minor
                };
                rows.len() >= 2 && rows.windows(2).all(follows)
            }
        }
    }
}

/// A rule of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditRule {
    /// Its own id; a later rule of the same id takes its place.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Where the authority has published it.
    pub source_url: String,
    /// In what it counts.
    pub currency: Currency,
    /// How much for what.
    pub amounts: BTreeMap<Creditable, Amount>,
    /// Among what an amount can be divided; at least one.
    pub categories: BTreeSet<String>,
    /// At most so much in a period.
    pub cap: Option<Cap>,
    /// Within so many days of earning.
    pub window_days: Option<u32>,
    /// Whether the authority looks at each award itself.
    pub needs_approval: bool,
    /// The first day on which what it names can be earned.
    pub valid_from: NaiveDate,
    /// The last one.
    pub valid_to: Option<NaiveDate>,
}

worded_enum! {
    /// What somebody can be told before they start.
    Outlook {
        /// A rule says so, and nothing stands against it today: it counts if it is earned while the rule holds.
        WillCount = "will_count",
        /// A rule says so, and something is to be decided.
        MayCount = "may_count",
        /// No rule names it. That is no no.
        NotKnown = "not_known",
    }
}

worded_enum! {
    /// Why something may count and not will.
    Doubt {
        /// The authority approves each award itself.
        NeedsApproval = "needs_approval",
        /// The cap of this period leaves less than the whole amount.
        CapLeavesLess = "cap_leaves_less",
    }
}

/// A part of an amount, for one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Which.
    pub category: String,
    /// How much, in minor units.
    pub minor: i64,
}

/// Why credit is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantFault {
    /// The rule does not name what the award is at.
    NotNamed,
    /// It was earned on a day on which the rule did not hold.
    NotValidThen,
    /// It was earned too long ago.
    WindowOver,
    /// Nothing is allocated.
    NothingAllocated,
    /// A category that the rule does not know, at this place.
    UnknownCategory(usize),
    /// A category that stands there already, at this place.
    RepeatedCategory(usize),
    /// Not a positive amount, at this place.
    NotPositive(usize),
    /// More than the rule gives for it.
    OverAmount {
        /// What it gives, in minor units.
        most: i64,
    },
    /// More than the cap of the period leaves.
    OverCap {
        /// What it leaves, in minor units.
        left: i64,
    },
}

impl CreditRule {
    /// What the rule says of something that somebody could earn on a day, who was given so much in its period. None where it does not name it or
    /// does not hold then.
    #[must_use]
    pub fn outlook(
        &self,
        at: &Creditable,
        day: NaiveDate,
        used: i64,
    ) -> Option<(Outlook, BTreeSet<Doubt>)> {
        let amount = self.amounts.get(at)?.most();
        if !self.holds_on(day) {
            return None;
        }
        let leaves_less = self.cap.is_some_and(|cap| cap.minor - used < amount);
        let doubts: BTreeSet<Doubt> =
            [(Doubt::NeedsApproval, self.needs_approval), (Doubt::CapLeavesLess, leaves_less)]
                .into_iter()
                .filter_map(|(doubt, is_so)| is_so.then_some(doubt))
                .collect();
        let outlook = if doubts.is_empty() { Outlook::WillCount } else { Outlook::MayCount };
        Some((outlook, doubts))
    }

    fn holds_on(&self, day: NaiveDate) -> bool {
        day >= self.valid_from && self.valid_to.is_none_or(|last| day <= last)
    }

    /// The period to which an award of this day belongs; all days are one where there is no cap.
    #[must_use]
    pub fn period_of(&self, day: NaiveDate) -> String {
        self.cap.map_or(CapPeriod::Ever, |cap| cap.period).of(day)
    }

    /// Everything that stands against giving this on `today` for what was earned on a day, by somebody who was given so much in its period.
    /// `lowest` is the lowest level that the award shows, if it shows any.
    #[must_use]
    pub fn faults(
        &self,
        at: &Creditable,
        lowest: Option<u8>,
        allocations: &[Allocation],
        earned_on: NaiveDate,
        today: NaiveDate,
        used: i64,
    ) -> Vec<GrantFault> {
        let Some(amount) = self.amounts.get(at) else { return vec![GrantFault::NotNamed] };
        let (most, _) = amount.of(lowest);
        let mut faults = Vec::new();
        if !self.holds_on(earned_on) {
            faults.push(GrantFault::NotValidThen);
        }
        let last = self.window_days.map(|days| earned_on + Days::new(u64::from(days)));
        if last.is_some_and(|last| today > last) {
            faults.push(GrantFault::WindowOver);
        }
        if allocations.is_empty() {
            faults.push(GrantFault::NothingAllocated);
        }
        let mut seen = BTreeSet::new();
        let mut sum: i64 = 0;
        for (place, one) in allocations.iter().enumerate() {
            if !self.categories.contains(&one.category) {
                faults.push(GrantFault::UnknownCategory(place));
            } else if !seen.insert(&one.category) {
                faults.push(GrantFault::RepeatedCategory(place));
            }
            if one.minor <= 0 {
                faults.push(GrantFault::NotPositive(place));
            }
            sum = sum.saturating_add(one.minor.max(0));
        }
        if sum > most {
            faults.push(GrantFault::OverAmount { most });
        }
        if let Some(cap) = self.cap
            && sum > cap.minor.saturating_sub(used)
        {
            faults.push(GrantFault::OverCap { left: cap.minor.saturating_sub(used).max(0) });
        }
        faults
    }
}
