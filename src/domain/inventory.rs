//! The skills inventory: who can do what, counted in persons from live awards, told in steps of five (DOMAIN.md, 4: skills inventory).
//!
//! Persons hold several skills, in ways that others know from the definitions, and other reports count the same persons exactly. So no exact
//! number is told here: see [`step`] and docs/decisions/0060.

use std::collections::{BTreeMap, BTreeSet};

use super::funnel::Count;
use super::suppression::{Groups, Stepped, step, tells};

worded_enum! {
    /// How far the programmes have reached somebody.
    Access {
        /// Written to by a programme, or given a printed code.
        Invited = "invited",
        /// Takes part in one.
        Enrolled = "enrolled",
        /// Has earned something in one, at whichever attempt.
        Earned = "earned",
    }
}

/// What persons are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// Those with a live award that carries the skill of this code.
    Skill(String),
    /// Those with a live award of the stack with this id of its own.
    Stack(String),
    /// Those whom the programmes have reached so far.
    Access(Access),
}

worded_enum! {
    /// By what a table has its rows.
    By {
        /// Where people work.
        School = "school",
        /// As what they were invited to a programme.
        Audience = "audience",
        /// When what counts was earned.
        Year = "year",
    }
}

/// What the inventory needs to know of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// Where they work, by id; empty for no school.
    pub school: String,
    /// As what they were invited last; empty for those whom no programme has invited.
    pub audience: String,
    /// Whether they belong to the organization: only then they are among those who could hold something.
    pub is_member: bool,
    /// What they are counted for, with the year of the award that has counted longest.
    pub holds: BTreeMap<Item, Option<i32>>,
    /// The figures of programmes that count them, each with its programme.
    pub known: BTreeSet<(String, Count)>,
}

/// A row of a table: a group, or several that are too small alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The groups that it stands for.
    pub keys: BTreeSet<String>,
    /// What is told of each item that the table shows.
    pub numbers: BTreeMap<Item, u64>,
}

/// What may be told of everybody, and by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Of everybody. An item that is missing is not told.
    pub total: BTreeMap<Item, u64>,
    /// The tables; none where there are fewer than two rows.
    pub tables: BTreeMap<By, Vec<Row>>,
}

/// Which exact figures of which programme are shown: of everybody, or by group.
pub type Shown = BTreeMap<(String, Option<By>), BTreeSet<Count>>;

type Named<'a> = (BTreeSet<String>, Vec<&'a PersonFacts>);

fn rows_of(people: &[PersonFacts], by: By, is_exact: bool) -> Vec<Named<'_>> {
    let mut groups = match by {
        By::School => Groups::of(people, |person| person.school.as_str()),
        By::Audience => Groups::of(people, |person| person.audience.as_str()),
        By::Year => return years_of(people),
    };
    while !is_exact && !groups.are_large() && groups.merge_smallest() {}
    if groups.len() < 2 {
        return Vec::new();
    }
    let mut rows: Vec<Named<'_>> = groups.iter().cloned().collect();
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    rows
}

/// One row a year, with everybody in each: who is counted depends on the item.
fn years_of(people: &[PersonFacts]) -> Vec<Named<'_>> {
    let years: BTreeSet<i32> =
        people.iter().flat_map(|person| person.holds.values()).filter_map(|year| *year).collect();
    let all: Vec<&PersonFacts> = people.iter().collect();
    years.into_iter().map(|year| (BTreeSet::from([year.to_string()]), all.clone())).collect()
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// How many hold it; of a row by year those who have since that year.
fn count(row: &Named<'_>, item: &Item, by: Option<By>) -> u64 {
    let counts = |person: &&&PersonFacts| match (person.holds.get(item), by) {
        (None, _) => false,
        (Some(year), Some(By::Year)) => year.is_some_and(|year| row.0.contains(&year.to_string())),
        (Some(_), Some(By::School | By::Audience) | None) => true,
    };
    number(row.1.iter().filter(counts).count())
}

/// A row with the exact figures that programmes show of its people.
struct Known<'a> {
    row: &'a Named<'a>,
    figures: Vec<(Count, Vec<&'a PersonFacts>)>,
}

impl<'a> Known<'a> {
    fn of(row: &'a Named<'a>, by: Option<By>, shown: &Shown) -> Known<'a> {
        let mut figures: BTreeMap<&(String, Count), Vec<&PersonFacts>> = BTreeMap::new();
        for person in &row.1 {
            for figure in &person.known {
                figures.entry(figure).or_default().push(person);
            }
        }
        let is_shown = |(program, count): &(String, Count)| {
            shown.get(&(program.clone(), by)).is_some_and(|counts| counts.contains(count))
        };
        figures.retain(|figure, _| is_shown(figure));
        Known {
            row,
            figures: figures.into_iter().map(|((_, count), people)| (*count, people)).collect(),
        }
    }

    fn stepped(&self, item: &Item, by: Option<By>) -> Stepped {
        let n_holding = count(self.row, item, by);
        let of = match (by, item) {
            // Who could have begun to hold it in a year is not known.
            (Some(By::Year), _) | (_, Item::Access(_)) => None,
            (Some(By::School | By::Audience) | None, Item::Skill(_) | Item::Stack(_)) => {
                Some(number(self.row.1.iter().filter(|person| person.is_member).count()))
            }
        };
        let (mut parts, mut wholes) = (Vec::new(), Vec::new());
        for (figure, people) in &self.figures {
            // Whom a file follows up is chosen by whoever sends it. That they all hold something, or everybody who does is among them,
            // is known to nobody who does not know it already; to leave an item out for it would tell.
            if figure.is_by_file() && !matches!(item, Item::Access(_)) {
                continue;
            }
            let n_both = people.iter().filter(|person| person.holds.contains_key(item)).count();
            if n_both == people.len() {
                parts.push(number(people.len()));
            }
            if number(n_both) == n_holding {
                wholes.push(number(people.len()));
            }
        }
        Stepped { shown: step(n_holding, of), of, parts, wholes }
    }
}

/// Whether people by year is a question for the item at all.
fn has_table(item: &Item, by: By) -> bool {
    !matches!((item, by), (Item::Access(_), By::Year))
}

/// What may be told of these items beside what programmes show: all tables together, whichever of them somebody asks for.
///
/// A table shows an item in every row or in none, and not where the rows together with everything else would tell of a small number of persons.
#[must_use]
pub fn told(people: &[PersonFacts], items: &BTreeSet<Item>, shown: &Shown) -> Inventory {
    let all: Named<'_> = (BTreeSet::new(), people.iter().collect());
    let groups: BTreeMap<By, Vec<Named<'_>>> =
        By::ALL.iter().map(|by| (*by, rows_of(people, *by, false))).collect();
    let whole = Known::of(&all, None, shown);
    let mut known: BTreeMap<By, Vec<Known<'_>>> = BTreeMap::new();
    let mut inventory = Inventory::default();
    for (by, rows) in &groups {
        let empty = |row: &Named<'_>| Row { keys: row.0.clone(), numbers: BTreeMap::new() };
        inventory.tables.insert(*by, rows.iter().map(empty).collect());
        // No figure of a programme is by year: nothing is shown for that.
        let rows = rows.iter().map(|row| Known::of(row, Some(*by), shown));
        known.insert(*by, rows.collect());
    }
    for item in items {
        let total = whole.stepped(item, None);
        if tells(&total, &[]) {
            continue;
        }
        inventory.total.insert(item.clone(), total.shown);
        let mut kept: Vec<Vec<Stepped>> = Vec::new();
        for by in By::ALL.iter().filter(|by| has_table(item, **by)) {
            let Some(rows) = known.get(by) else { continue };
            let table: Vec<Stepped> = rows.iter().map(|row| row.stepped(item, Some(*by))).collect();
            let with: Vec<&[Stepped]> = kept.iter().chain([&table]).map(Vec::as_slice).collect();
            if table.is_empty() || tells(&total, &with) {
                continue;
            }
            let told = inventory.tables.get_mut(by).into_iter().flatten();
            for (row, one) in told.zip(&table) {
                row.numbers.insert(item.clone(), one.shown);
            }
            kept.push(table);
        }
    }
    inventory
}

/// Everything as it is, for the steward.
#[must_use]
pub fn exact(people: &[PersonFacts], items: &BTreeSet<Item>) -> Inventory {
    let all: Named<'_> = (BTreeSet::new(), people.iter().collect());
    let total = items.iter().map(|item| (item.clone(), count(&all, item, None))).collect();
    let table = |by: By| {
        let rows = rows_of(people, by, true);
        let row = |row: &Named<'_>| {
            let asked = items.iter().filter(|item| has_table(item, by));
            let numbers = asked.map(|item| (item.clone(), count(row, item, Some(by)))).collect();
            Row { keys: row.0.clone(), numbers }
        };
        (by, rows.iter().map(row).collect())
    };
    Inventory { total, tables: By::ALL.iter().map(|by| table(*by)).collect() }
}
