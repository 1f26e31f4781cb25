//! An attack on the figures: everything that any report shows is put into equations, and they are solved for everything that is not to be known.
//!
//! What is unknown is how many persons of each audience, school and course there are. Every number of every report is a sum of some of these.
//! A sum that follows from the numbers (it lies in the span of their equations, so that adding and subtracting them gives it) must not be a small
//! one, if it counts persons of one audience, school or both who are in a count, or in one and not in a narrower one.

use std::collections::{BTreeMap, BTreeSet};

use assay::domain::funnel::{
    Count, FEWEST, FEWEST_OF, Figures, Group, PersonFacts, Stage, rows, total,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::harness::scale;

/// Equations are solved in whole numbers modulo a prime; a wrong answer would take a coefficient that is a multiple of it.
const PRIME: u64 = 2_147_483_647;

/// How many districts are attacked in a full run.
const DISTRICTS: usize = 400;

/// Every course that a person can take: the counts that they are in.
fn courses() -> Vec<BTreeSet<Count>> {
    let mut all = Vec::new();
    for bits in 0..1_u32 << Count::ALL.len() {
        let course: BTreeSet<Count> = Count::ALL
            .iter()
            .enumerate()
            .filter(|(place, _)| bits >> place & 1 == 1)
            .map(|(_, count)| *count)
            .collect();
        let is_whole =
            course.iter().all(|count| count.within().iter().all(|wide| course.contains(wide)));
        let says_both = course.contains(&Count::Declined) && course.contains(&Count::Enrolled);
        if is_whole && course.contains(&Count::Invited) && !says_both {
            all.push(course);
        }
    }
    all
}

fn person(audience: usize, school: usize, counts: &BTreeSet<Count>) -> PersonFacts {
    let days = Stage::ALL.iter().filter(|stage| counts.contains(&stage.end()));
    PersonFacts {
        audience: format!("a{audience}"),
        school: format!("s{school}"),
        counts: counts.clone(),
        days: days.map(|stage| (*stage, 3)).collect(),
    }
}

/// A district of some size, in which some courses are common and others rare.
fn district(random: &mut StdRng, courses: &[BTreeSet<Count>]) -> Vec<PersonFacts> {
    let (n_audiences, n_schools) = (random.random_range(1..=3), random.random_range(1..=6));
    // Most courses are of people who take part; that some do not, and say so or do not, is common in life.
    let outside: Vec<usize> =
        (0..courses.len()).filter(|at| !courses[*at].contains(&Count::Enrolled)).collect();
    let common: Vec<usize> = (0..random.random_range(1..=6))
        .map(|at| match at {
            0 | 1 => outside[random.random_range(0..outside.len())],
            _ => random.random_range(0..courses.len()),
        })
        .collect();
    let n_people = random.random_range(0..=160);
    (0..n_people)
        .map(|_| {
            let course = if random.random_range(0..10) == 0 {
                random.random_range(0..courses.len())
            } else {
                common[random.random_range(0..common.len())]
            };
            // Schools differ in size.
            let largest = random.random_range(0..n_schools);
            let school = random.random_range(0..=largest);
            person(random.random_range(0..n_audiences), school, &courses[course])
        })
        .collect()
}

type Place = (String, String, usize);
type Equation = Vec<u64>;

/// What the reports of a district give away.
struct Attacker<'a> {
    courses: &'a [BTreeSet<Count>],
    places: BTreeMap<Place, usize>,
    /// Rows in echelon form, each with its leading place.
    solved: Vec<(usize, Equation)>,
}

impl<'a> Attacker<'a> {
    fn new(people: &[PersonFacts], courses: &'a [BTreeSet<Count>]) -> Attacker<'a> {
        let audiences: BTreeSet<&String> = people.iter().map(|one| &one.audience).collect();
        let schools: BTreeSet<&String> = people.iter().map(|one| &one.school).collect();
        let mut places = BTreeMap::new();
        for audience in &audiences {
            for school in &schools {
                for course in 0..courses.len() {
                    let n = places.len();
                    places.insert(((*audience).clone(), (*school).clone(), course), n);
                }
            }
        }
        Attacker { courses, places, solved: Vec::new() }
    }

    /// The persons of some audiences, schools and courses.
    fn equation(&self, holds: impl Fn(&str, &str, &BTreeSet<Count>) -> bool) -> Equation {
        let mut equation = vec![0; self.places.len()];
        for ((audience, school, course), place) in &self.places {
            equation[*place] = u64::from(holds(audience, school, &self.courses[*course]));
        }
        equation
    }

    /// What is left of an equation when everything that is known is taken from it.
    fn reduce(&self, mut equation: Equation) -> Equation {
        for (lead, known) in &self.solved {
            let factor = equation[*lead];
            if factor != 0 {
                for (value, known) in equation.iter_mut().zip(known) {
                    *value = (*value + (PRIME - factor) * known) % PRIME;
                }
            }
        }
        equation
    }

    fn learn(&mut self, equation: Equation) {
        let mut rest = self.reduce(equation);
        let Some(lead) = rest.iter().position(|value| *value != 0) else { return };
        let inverse = power(rest[lead], PRIME - 2);
        for value in &mut rest {
            *value = *value * inverse % PRIME;
        }
        self.solved.push((lead, rest));
    }

    /// Whether it follows from what is known by adding and subtracting.
    fn knows(&self, equation: Equation) -> bool {
        self.reduce(equation).iter().all(|value| *value == 0)
    }

    fn learn_figures(&mut self, figures: &Figures, is_in: impl Fn(&str, &str) -> bool) {
        for count in figures.counts.keys() {
            let equation = self.equation(|audience, school, course| {
                is_in(audience, school) && course.contains(count)
            });
            self.learn(equation);
        }
    }
}

fn power(base: u64, mut exponent: u64) -> u64 {
    let (mut base, mut found) = (base % PRIME, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            found = found * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    found
}

/// Tries everything on one district. Returns how many targets were found out, none of them small.
fn attack(people: &[PersonFacts], courses: &[BTreeSet<Count>]) -> usize {
    let mut attacker = Attacker::new(people, courses);
    attacker.learn_figures(&total(people), |_, _| true);
    for by in [Group::Audience, Group::School] {
        for row in rows(people, by) {
            attacker.learn_figures(&row.figures, |audience, school| match by {
                Group::Audience => row.keys.contains(audience),
                Group::School => row.keys.contains(school),
            });
        }
    }
    let audiences: BTreeSet<Option<&str>> =
        people.iter().map(|one| Some(one.audience.as_str())).chain([None]).collect();
    let schools: BTreeSet<Option<&str>> =
        people.iter().map(|one| Some(one.school.as_str())).chain([None]).collect();
    let mut n_known = 0;
    for audience in &audiences {
        for school in &schools {
            for wide in Count::ALL {
                let narrow = Count::ALL.iter().filter(|count| count.within().contains(wide));
                let targets = narrow.map(Some).chain([None]).flat_map(|narrow| {
                    // Who has not answered is in no count: invited, and neither in a narrower one nor among those who said no.
                    let unanswered = (*wide == Count::Invited).then_some((narrow, true));
                    [Some((narrow, false)), unanswered].into_iter().flatten()
                });
                for (narrow, without_declined) in targets {
                    let is_target = |a: &str, s: &str, course: &BTreeSet<Count>| {
                        audience.is_none_or(|audience| audience == a)
                            && school.is_none_or(|school| school == s)
                            && course.contains(wide)
                            && narrow.is_none_or(|narrow| !course.contains(narrow))
                            && !(without_declined && course.contains(&Count::Declined))
                    };
                    let value = people
                        .iter()
                        .filter(|one| is_target(&one.audience, &one.school, &one.counts))
                        .count();
                    if !(1..5).contains(&value) && people.len() > 60 {
                        // What is not small may be known; it is counted for the districts that are solved fastest.
                        continue;
                    }
                    if attacker.knows(attacker.equation(is_target)) {
                        assert!(
                            !(1..FEWEST).contains(&u64::try_from(value).unwrap()),
                            "{value} persons of {audience:?} at {school:?} in {wide} and not in {narrow:?} (without those who declined: {without_declined}) follow from the reports"
                        );
                        n_known += 1;
                    }
                }
            }
        }
    }
    n_known
}

#[test]
fn nothing_small_follows_from_all_reports_together() {
    // Few courses, so that many equations meet the same persons.
    let courses = courses();
    assert_eq!(courses.len(), 191);
    let (mut n_known, mut n_tables) = (0, 0);
    for seed in 0..scale(DISTRICTS) {
        let mut random = StdRng::seed_from_u64(u64::try_from(seed).unwrap());
        let people = district(&mut random, &courses);
        n_tables += usize::from(!rows(&people, Group::School).is_empty());
        n_known += attack(&people, &courses);
    }
    assert!(n_tables > scale(DISTRICTS) / 4, "{n_tables} tables by school were attacked");
    assert!(n_known > 0, "the attacker finds out what is shown");
}

#[test]
fn the_attack_finds_what_plain_suppression_gives_away() {
    // Two schools, one figure hidden in one of them: the total less the other one.
    let mut people = Vec::new();
    let all = |counts: &[Count]| counts.iter().copied().collect::<BTreeSet<Count>>();
    let (invited, enrolled) = (all(&[Count::Invited]), all(&[Count::Invited, Count::Enrolled]));
    people.extend((0..10).map(|_| person(0, 0, &enrolled)));
    people.extend((0..10).map(|_| person(0, 0, &invited)));
    people.extend((0..3).map(|_| person(0, 1, &enrolled)));
    people.extend((0..17).map(|_| person(0, 1, &invited)));
    let courses = [invited, enrolled];
    let mut attacker = Attacker::new(&people, &courses);
    let is_enrolled = |course: &BTreeSet<Count>| course.contains(&Count::Enrolled);
    attacker.learn(attacker.equation(|_, _, course| is_enrolled(course)));
    attacker.learn(attacker.equation(|_, school, course| school == "s0" && is_enrolled(course)));
    let hidden = attacker.equation(|_, school, course| school == "s1" && is_enrolled(course));
    assert!(attacker.knows(hidden));
    // Our reports show the number of those who take part for both schools or for neither.
    for row in rows(&people, Group::School) {
        assert!(!row.figures.counts.contains_key(&Count::Enrolled));
    }
    assert_eq!(total(&people).counts[&Count::Enrolled], 13);
}

#[test]
fn bounds_do_not_pin_down_what_is_hidden() {
    // A hidden figure of a row lies between those that are shown beside it, and all rows together are the total.
    let courses = courses();
    let mut n_hidden = 0;
    for seed in 0..scale(DISTRICTS) * 5 {
        let mut random = StdRng::seed_from_u64(1_000_000 + u64::try_from(seed).unwrap());
        let people = district(&mut random, &courses);
        let whole = total(&people);
        for by in [Group::Audience, Group::School] {
            let table = rows(&people, by);
            for (count, sum) in &whole.counts {
                let ranges: Vec<(u64, u64)> =
                    table.iter().map(|row| range(&row.figures, *count)).collect();
                for (place, row) in table.iter().enumerate() {
                    if row.figures.counts.contains_key(count) {
                        continue;
                    }
                    n_hidden += 1;
                    let others = |pick: fn(&(u64, u64)) -> u64| -> u64 {
                        let all = ranges.iter().enumerate().filter(|(other, _)| *other != place);
                        all.map(|(_, range)| pick(range)).sum()
                    };
                    let (low, high) = ranges[place];
                    let low = low.max(sum.saturating_sub(others(|range| range.1)));
                    let high = high.min(sum - others(|range| range.0));
                    if low == high {
                        assert!(!(1..FEWEST).contains(&low), "{count} of {:?} is {low}", row.keys);
                    }
                }
            }
        }
    }
    assert!(n_hidden > 100, "{n_hidden} hidden figures were looked at");
}

/// Between which numbers a count of a row lies by what the row shows.
fn range(figures: &Figures, count: Count) -> (u64, u64) {
    if let Some(value) = figures.counts.get(&count) {
        return (*value, *value);
    }
    let shown = |wanted: &dyn Fn(&Count) -> bool| {
        figures
            .counts
            .iter()
            .filter(|(known, _)| wanted(known))
            .map(|(_, value)| *value)
            .collect::<Vec<u64>>()
    };
    let low = shown(&|known| known.within().contains(&count)).into_iter().max().unwrap_or(0);
    let high = shown(&|known| count.within().contains(known)).into_iter().min().unwrap();
    (low, high)
}

#[test]
fn no_row_is_small_and_no_percentage_is_of_few() {
    let courses = courses();
    for seed in 0..scale(DISTRICTS) * 5 {
        let mut random = StdRng::seed_from_u64(2_000_000 + u64::try_from(seed).unwrap());
        let people = district(&mut random, &courses);
        let whole = total(&people);
        for figures in [Group::Audience, Group::School]
            .into_iter()
            .flat_map(|by| rows(&people, by))
            .map(|row| row.figures)
        {
            assert!(figures.counts[&Count::Invited] >= FEWEST_OF);
            check(&figures);
            // A row shows no count that the total hides.
            assert!(figures.counts.keys().all(|count| whole.counts.contains_key(count)));
        }
        check(&whole);
    }
}

#[track_caller]
fn check(figures: &Figures) {
    for count in Count::ALL {
        if let Some(value) = figures.counts.get(count) {
            assert!(*value == 0 || *value >= FEWEST, "{count} is {value}");
        }
        let is_of_few = figures.fraction(*count).is_none_or(|(_, of)| of < FEWEST_OF);
        assert_eq!(figures.share_bp(*count).is_none(), is_of_few, "{count}");
    }
    for stage in figures.days.keys() {
        assert!(figures.counts[&stage.end()] >= FEWEST_OF, "{stage}");
    }
}

#[test]
fn those_who_have_not_answered_are_not_what_the_others_leave() {
    let all = |counts: &[Count]| counts.iter().copied().collect::<BTreeSet<Count>>();
    let of = |n_unanswered: usize| {
        let enrolled = all(&[Count::Invited, Count::Enrolled]);
        let declined = all(&[Count::Invited, Count::Declined]);
        let mut people: Vec<PersonFacts> = (0..10).map(|_| person(0, 0, &enrolled)).collect();
        people.extend((0..5).map(|_| person(0, 0, &declined)));
        people.extend((0..n_unanswered).map(|_| person(0, 0, &all(&[Count::Invited]))));
        let shown = total(&people).counts;
        (shown.contains_key(&Count::Enrolled), shown.contains_key(&Count::Declined))
    };
    assert_eq!(of(0), (true, true));
    assert_eq!(of(4), (true, false));
    assert_eq!(of(5), (true, true));
}

#[test]
fn percentages_begin_at_ten_and_counts_at_five() {
    let all = |counts: &[Count]| counts.iter().copied().collect::<BTreeSet<Count>>();
    let invited = all(&[Count::Invited]);
    let enrolled = all(&[Count::Invited, Count::Enrolled]);
    let of = |n_enrolled: usize, n_invited: usize| {
        let mut people: Vec<PersonFacts> =
            (0..n_enrolled).map(|_| person(0, 0, &enrolled)).collect();
        people.extend((n_enrolled..n_invited).map(|_| person(0, 0, &invited)));
        let found = total(&people);
        (found.fraction(Count::Enrolled), found.share_bp(Count::Enrolled))
    };
    assert_eq!(of(9, 9), (Some((9, 9)), None));
    assert_eq!(of(10, 10), (Some((10, 10)), Some(10_000)));
    assert_eq!(of(5, 10), (Some((5, 10)), Some(5000)));
    assert_eq!(of(4, 10), (None, None));
    assert_eq!(of(6, 10), (None, None), "four are left");
    assert_eq!(of(0, 10), (Some((0, 10)), Some(0)));
    assert_eq!(of(30, 40), (Some((30, 40)), Some(7500)));
}
