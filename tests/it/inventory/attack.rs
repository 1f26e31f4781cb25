//! An attack on the inventory together with the figures of a programme that counts the same persons.
//!
//! What is unknown is how many persons of each school, audience and course there are. Every number of every report is put down: those of the
//! programme as they are, those of the inventory as ranges, and how many members each school has, which anybody can look up. Then the least and
//! the most that each target can be is found by linear programming. Nobody may come to know a number between 1 and 4, unless the figures of the
//! programme say it alone.

use std::collections::{BTreeMap, BTreeSet};

use assay::domain::funnel::{self, Count, Group};
use assay::domain::inventory::{Access, By, Inventory, Item, PersonFacts, Shown, exact};
use assay::domain::suppression::{FEWEST, Stepped, step, tells};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::harness::scale;

/// How many districts are attacked in a full run, of each kind.
const DISTRICTS: usize = 60;
const PROGRAM: &str = "pilot";
/// What the two definitions show: each something of its own, and both the same third skill.
const SKILLS: [[&str; 2]; 2] = [["s", "u"], ["t", "u"]];

/// What became of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Course {
    /// The figures of the programme that they are in.
    counts: BTreeSet<Count>,
    /// What they hold through the programme: 0 and 1 are the definitions.
    inside: BTreeSet<usize>,
    /// What they hold that they have earned elsewhere.
    outside: BTreeSet<usize>,
}

impl Course {
    fn skills(of: &BTreeSet<usize>) -> BTreeSet<&'static str> {
        of.iter().flat_map(|definition| SKILLS[*definition]).collect()
    }

    fn holds(&self, skill: &str) -> bool {
        Course::skills(&self.inside).contains(skill)
            || Course::skills(&self.outside).contains(skill)
    }
}

fn courses(with_outside: bool) -> Vec<Course> {
    use Count as C;
    let stages: [&[Count]; 6] = [
        &[],
        &[C::Invited],
        &[C::Invited, C::Enrolled],
        &[C::Invited, C::Enrolled, C::Started, C::Submitted, C::Decided],
        &[C::Invited, C::Enrolled, C::Started, C::Submitted, C::Decided, C::Earned],
        &[C::Invited, C::Enrolled, C::Started, C::Submitted, C::Decided, C::Earned, C::Live],
    ];
    let mut all = Vec::new();
    for counts in stages {
        let inside: &[&[usize]] =
            if counts.contains(&C::Live) { &[&[0], &[1], &[0, 1]] } else { &[&[]] };
        let outside: &[&[usize]] = if with_outside { &[&[], &[0], &[1]] } else { &[&[]] };
        for inside in inside {
            for outside in outside {
                all.push(Course {
                    counts: counts.iter().copied().collect(),
                    inside: inside.iter().copied().collect(),
                    outside: outside.iter().copied().collect(),
                });
            }
        }
    }
    all
}

/// Somebody of a school, an audience and a course.
type Place = (usize, usize, usize);

fn facts(courses: &[Course], (school, audience, course): Place) -> PersonFacts {
    let course = &courses[course];
    let mut facts = PersonFacts {
        school: format!("s{school}"),
        audience: format!("a{audience}"),
        is_member: true,
        ..PersonFacts::default()
    };
    facts.known = course.counts.iter().map(|count| (PROGRAM.to_owned(), *count)).collect();
    for (count, access) in [
        (Count::Invited, Access::Invited),
        (Count::Enrolled, Access::Enrolled),
        (Count::Earned, Access::Earned),
    ] {
        if course.counts.contains(&count) {
            facts.holds.insert(Item::Access(access), None);
        }
    }
    for skill in ["s", "t", "u"].into_iter().filter(|skill| course.holds(skill)) {
        facts.holds.insert(Item::Skill(skill.to_owned()), Some(2026));
    }
    facts
}

fn funnel_facts(courses: &[Course], people: &[Place]) -> Vec<funnel::PersonFacts> {
    people
        .iter()
        .filter(|place| courses[place.2].counts.contains(&Count::Invited))
        .map(|(school, audience, course)| funnel::PersonFacts {
            audience: format!("a{audience}"),
            school: format!("s{school}"),
            counts: courses[*course].counts.clone(),
            days: BTreeMap::new(),
        })
        .collect()
}

/// Which figures the programme shows.
fn shown(people: &[funnel::PersonFacts]) -> Shown {
    let of_rows = |by| {
        let rows = funnel::rows(people, by).into_iter();
        rows.flat_map(|row| row.figures.counts.into_keys()).collect()
    };
    let total = funnel::total(people).counts.into_keys().collect();
    let program = || PROGRAM.to_owned();
    Shown::from([
        ((program(), None), total),
        ((program(), Some(By::School)), of_rows(Group::School)),
        ((program(), Some(By::Audience)), of_rows(Group::Audience)),
    ])
}

/// The inventory of these people beside what the programme shows of them.
fn told(courses: &[Course], people: &[Place]) -> Inventory {
    let counted: Vec<PersonFacts> = people.iter().map(|one| facts(courses, *one)).collect();
    let shown = shown(&funnel_facts(courses, people));
    assay::domain::inventory::told(&counted, &items(), &shown)
}

fn items() -> BTreeSet<Item> {
    let skills = ["s", "t", "u"].map(|skill| Item::Skill(skill.to_owned()));
    skills.into_iter().chain(Access::ALL.iter().map(|one| Item::Access(*one))).collect()
}

fn is_counted(course: &Course, item: &Item) -> bool {
    match item {
        Item::Skill(skill) => course.holds(skill),
        Item::Stack(_) => false,
        Item::Access(Access::Invited) => course.counts.contains(&Count::Invited),
        Item::Access(Access::Enrolled) => course.counts.contains(&Count::Enrolled),
        Item::Access(Access::Earned) => course.counts.contains(&Count::Earned),
    }
}

/// `low <= coefficients * unknown <= high`.
#[derive(Clone)]
struct Bound {
    coefficients: Vec<f64>,
    low: f64,
    high: f64,
}

/// What somebody has put together.
struct Attacker<'a> {
    courses: &'a [Course],
    places: Vec<Place>,
    known: Vec<Bound>,
}

impl<'a> Attacker<'a> {
    fn new(courses: &'a [Course], n_schools: usize, n_audiences: usize) -> Attacker<'a> {
        let places = (0..n_schools)
            .flat_map(|school| (0..n_audiences).map(move |audience| (school, audience)))
            .flat_map(|(school, audience)| {
                (0..courses.len()).map(move |course| (school, audience, course))
            })
            .collect();
        Attacker { courses, places, known: Vec::new() }
    }

    fn of(&self, is_in: impl Fn(&Place, &Course) -> bool) -> Vec<f64> {
        self.places
            .iter()
            .map(|place| f64::from(u8::from(is_in(place, &self.courses[place.2]))))
            .collect()
    }

    fn learn(&mut self, coefficients: Vec<f64>, low: u64, high: u64) {
        #[expect(clippy::cast_precision_loss, reason = "counts of people")]
        let (low, high) = (low as f64, high as f64);
        self.known.push(Bound { coefficients, low, high });
    }

    fn learn_funnel(&mut self, people: &[funnel::PersonFacts]) {
        let whole = funnel::total(people);
        for (count, value) in &whole.counts {
            self.learn(self.of(|_, course| course.counts.contains(count)), *value, *value);
        }
        for by in [Group::Audience, Group::School] {
            for row in funnel::rows(people, by) {
                for (count, value) in &row.figures.counts {
                    let is_in = |place: &Place, course: &Course| {
                        let key = match by {
                            Group::Audience => format!("a{}", place.1),
                            Group::School => format!("s{}", place.0),
                        };
                        row.keys.contains(&key) && course.counts.contains(count)
                    };
                    self.learn(self.of(is_in), *value, *value);
                }
            }
        }
    }

    fn learn_members(&mut self, people: &[Place]) {
        let schools: BTreeSet<usize> = people.iter().map(|place| place.0).collect();
        for school in schools {
            let n = people.iter().filter(|place| place.0 == school).count();
            let n = u64::try_from(n).unwrap();
            self.learn(self.of(|place, _| place.0 == school), n, n);
        }
    }

    /// Every table of the inventory. Returns how many numbers it has.
    fn learn_inventory(&mut self, places: &[Place]) -> usize {
        let inventory = told(self.courses, places);
        let people: Vec<PersonFacts> = places.iter().map(|one| facts(self.courses, *one)).collect();
        let mut n_numbers = 0;
        let all = BTreeSet::new();
        let total = inventory.total.iter().map(|(item, shown)| (None, &all, item, *shown));
        let rows = inventory.tables.iter().flat_map(|(by, rows)| {
            rows.iter().flat_map(move |row| {
                row.numbers.iter().map(move |(item, shown)| (Some(*by), &row.keys, item, *shown))
            })
        });
        for (by, keys, item, shown) in total.chain(rows) {
            let in_row = |place: &Place| match by {
                Some(By::School) => keys.contains(&format!("s{}", place.0)),
                Some(By::Audience) => keys.contains(&format!("a{}", place.1)),
                Some(By::Year) | None => true,
            };
            let row: Vec<&PersonFacts> = people
                .iter()
                .filter(|one| match by {
                    Some(By::School) => keys.contains(&one.school),
                    Some(By::Audience) => keys.contains(&one.audience),
                    Some(By::Year) | None => true,
                })
                .collect();
            let of = matches!(item, Item::Skill(_)).then(|| u64::try_from(row.len()).unwrap());
            let held = row.iter().filter(|one| one.holds.contains_key(item)).count();
            let held = u64::try_from(held).unwrap();
            let of = of.filter(|_| by != Some(By::Year));
            assert_eq!(shown, step(held, of), "{item:?} by {by:?}");
            // What a reader can say: the step, or up to everybody where it is the last one.
            let is_last = of.is_some_and(|of| shown + FEWEST > of.saturating_sub(FEWEST));
            let high = if is_last { of.unwrap() } else { shown + FEWEST - 1 };
            let is_in = |place: &Place, course: &Course| in_row(place) && is_counted(course, item);
            self.learn(self.of(is_in), shown, high);
            n_numbers += 1;
        }
        n_numbers
    }

    /// Whether what is known says how many the target are, and they are between 1 and 4.
    fn is_told(&self, n_known: usize, target: &[f64]) -> bool {
        let Some(program) = Program::new(&self.known[..n_known], self.places.len()) else {
            panic!("what is true contradicts nothing that is told");
        };
        // Persons are whole: what lies strictly between two whole numbers is neither.
        let (least, most) =
            ((program.least(target) - 1e-6).ceil(), (program.most(target) + 1e-6).floor());
        least == most && (1.0..5.0).contains(&least)
    }
}

/// A linear program in the form that the simplex method goes on from: a corner that is allowed.
#[derive(Clone)]
struct Program {
    /// One row for each equation: the unknowns, what is left of inequalities, and the right side.
    rows: Vec<Vec<f64>>,
    /// Which column stands for each row.
    basis: Vec<usize>,
    n_columns: usize,
}

const TINY: f64 = 1e-9;

impl Program {
    /// The program of these bounds; none if nothing fulfils them.
    fn new(bounds: &[Bound], n_unknown: usize) -> Option<Program> {
        let mut equations: Vec<(Vec<f64>, f64, f64)> = Vec::new();
        for bound in bounds {
            if bound.low == bound.high {
                equations.push((bound.coefficients.clone(), 0.0, bound.low));
            } else {
                equations.push((bound.coefficients.clone(), 1.0, bound.high));
                if bound.low > 0.0 {
                    equations.push((bound.coefficients.clone(), -1.0, bound.low));
                }
            }
        }
        let n_slack = equations.iter().filter(|(_, slack, _)| *slack != 0.0).count();
        let (n_columns, n_rows) = (n_unknown + n_slack, equations.len());
        let (mut rows, mut basis, mut next) = (Vec::new(), Vec::new(), n_unknown);
        for (at, (coefficients, slack, right)) in equations.into_iter().enumerate() {
            let mut row = vec![0.0; n_columns + n_rows + 1];
            row[..n_unknown].copy_from_slice(&coefficients);
            if slack != 0.0 {
                row[next] = slack;
                next += 1;
            }
            row[n_columns + at] = 1.0;
            row[n_columns + n_rows] = right;
            rows.push(row);
            basis.push(n_columns + at);
        }
        // First the artificial columns are driven out.
        let mut program = Program { rows, basis, n_columns: n_columns + n_rows };
        let mut goal = vec![0.0; n_columns + n_rows];
        goal[n_columns..].fill(1.0);
        if program.minimize(&goal) > 1e-6 {
            return None;
        }
        for at in 0..n_rows {
            if program.basis[at] >= n_columns
                && let Some(column) =
                    (0..n_columns).find(|column| program.rows[at][*column].abs() > 1e-7)
            {
                program.pivot(at, column);
            }
        }
        let kept: Vec<usize> = (0..n_rows).filter(|at| program.basis[*at] < n_columns).collect();
        let right = n_columns + n_rows;
        let cut = |at: &usize| {
            let row = &program.rows[*at];
            row[..n_columns].iter().chain([&row[right]]).copied().collect()
        };
        Some(Program {
            rows: kept.iter().map(cut).collect(),
            basis: kept.iter().map(|at| program.basis[*at]).collect(),
            n_columns,
        })
    }

    fn pivot(&mut self, at: usize, column: usize) {
        let by = self.rows[at][column];
        for value in &mut self.rows[at] {
            *value /= by;
        }
        let lead = self.rows[at].clone();
        for (other, row) in self.rows.iter_mut().enumerate() {
            let factor = row[column];
            if other != at && factor.abs() > TINY {
                for (value, lead) in row.iter_mut().zip(&lead) {
                    *value -= factor * lead;
                }
            }
        }
        self.basis[at] = column;
    }

    /// The least value of a goal; leaves the corner where it is reached.
    fn minimize(&mut self, goal: &[f64]) -> f64 {
        let right = self.n_columns;
        for round in 0..20_000 {
            let mut reduced = goal.to_vec();
            for (row, base) in self.rows.iter().zip(&self.basis) {
                let cost = goal[*base];
                if cost != 0.0 {
                    for (value, entry) in reduced.iter_mut().zip(row) {
                        *value -= cost * entry;
                    }
                }
            }
            let gains = (0..self.n_columns).filter(|column| reduced[*column] < -1e-7);
            // The steepest at first; the first one of all later, which cannot go round in circles.
            let entering = if round < 500 {
                gains.min_by(|left, right| reduced[*left].total_cmp(&reduced[*right]))
            } else {
                gains.min()
            };
            let Some(column) = entering else {
                let terms = self.rows.iter().zip(&self.basis);
                return terms.map(|(row, base)| goal[*base] * row[right]).sum();
            };
            let leaving = (0..self.rows.len())
                .filter(|at| self.rows[*at][column] > 1e-7)
                .map(|at| (self.rows[at][right] / self.rows[at][column], self.basis[at], at))
                .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
            let Some((_, _, at)) = leaving else { return f64::NEG_INFINITY };
            self.pivot(at, column);
        }
        panic!("the simplex method does not come to an end");
    }

    fn goal(&self, target: &[f64], sign: f64) -> Vec<f64> {
        let mut goal = vec![0.0; self.n_columns];
        for (value, wanted) in goal.iter_mut().zip(target) {
            *value = sign * wanted;
        }
        goal
    }

    fn least(&self, target: &[f64]) -> f64 {
        self.clone().minimize(&self.goal(target, 1.0))
    }

    fn most(&self, target: &[f64]) -> f64 {
        -self.clone().minimize(&self.goal(target, -1.0))
    }
}

/// A district of some size, in which some courses are common and others rare.
fn district(random: &mut StdRng, courses: &[Course], n_schools: usize) -> Vec<Place> {
    let common: Vec<usize> =
        (0..random.random_range(2..=6)).map(|_| random.random_range(0..courses.len())).collect();
    (0..random.random_range(20..=90))
        .map(|_| {
            let course = if random.random_range(0..8) == 0 {
                random.random_range(0..courses.len())
            } else {
                common[random.random_range(0..common.len())]
            };
            (random.random_range(0..n_schools), random.random_range(0..2), course)
        })
        .collect()
}

type Test = Box<dyn Fn(&Course) -> bool>;

/// Who must not be told of, if they are few.
fn targets() -> Vec<(String, Test)> {
    let mut all: Vec<(String, Test)> = Vec::new();
    for skill in ["s", "t", "u"] {
        all.push((format!("holds {skill}"), Box::new(move |course| course.holds(skill))));
        for count in [Count::Invited, Count::Enrolled, Count::Earned] {
            all.push((
                format!("{count} without {skill}"),
                Box::new(move |course| course.counts.contains(&count) && !course.holds(skill)),
            ));
        }
        for other in ["s", "t", "u"].into_iter().filter(|other| *other != skill) {
            all.push((
                format!("{skill} without {other}"),
                Box::new(move |course| course.holds(skill) && !course.holds(other)),
            ));
        }
        all.push((
            format!("{skill} from elsewhere"),
            Box::new(move |course| {
                course.holds(skill) && !Course::skills(&course.inside).contains(skill)
            }),
        ));
    }
    all
}

fn attack(with_outside: bool) {
    let courses = courses(with_outside);
    let (mut n_small, mut n_numbers) = (0, 0);
    for seed in 0..scale(DISTRICTS) {
        let mut random = StdRng::seed_from_u64(u64::try_from(seed).unwrap());
        let n_schools = random.random_range(1..=3);
        let people = district(&mut random, &courses, n_schools);
        let mut attacker = Attacker::new(&courses, n_schools, 2);
        attacker.learn_funnel(&funnel_facts(&courses, &people));
        attacker.learn_members(&people);
        let n_before = attacker.known.len();
        n_numbers += attacker.learn_inventory(&people);
        let groups: Vec<(Option<usize>, Option<usize>)> = (0..n_schools)
            .map(Some)
            .chain([None])
            .flat_map(|school| [None, Some(0), Some(1)].map(|audience| (school, audience)))
            .collect();
        for (name, test) in targets() {
            for (school, audience) in &groups {
                let is_in = |place: &Place, course: &Course| {
                    school.is_none_or(|school| school == place.0)
                        && audience.is_none_or(|audience| audience == place.1)
                        && test(course)
                };
                let value = people.iter().filter(|place| is_in(place, &courses[place.2])).count();
                if !(1..5).contains(&value) {
                    continue;
                }
                n_small += 1;
                let target = attacker.of(is_in);
                assert!(
                    !attacker.is_told(attacker.known.len(), &target)
                        || attacker.is_told(n_before, &target),
                    "district {seed}: {value} of school {school:?} and audience {audience:?}: {name}"
                );
            }
        }
    }
    assert!(n_small > scale(DISTRICTS), "{n_small} small targets were looked for");
    assert!(n_numbers > scale(DISTRICTS) * 6, "{n_numbers} numbers of inventories were put down");
}

#[test]
fn nothing_small_follows_from_an_inventory_and_a_programme_that_is_all_there_is() {
    attack(false);
}

#[test]
fn nothing_small_follows_where_skills_are_earned_elsewhere_as_well() {
    attack(true);
}

#[test]
fn the_attack_finds_what_exact_numbers_give_away() {
    // Thirteen hold it by the programme, as its figures say, and two others.
    let courses = courses(true);
    let find = |wanted: &dyn Fn(&Course) -> bool| courses.iter().position(wanted).unwrap();
    let inside = find(&|course| course.inside == BTreeSet::from([0]) && course.outside.is_empty());
    let outside = find(&|course| course.counts.is_empty() && course.outside == BTreeSet::from([0]));
    let neither = find(&|course| course.counts.is_empty() && course.outside.is_empty());
    let people: Vec<Place> = (0..13)
        .map(|_| (0, 0, inside))
        .chain((0..2).map(|_| (0, 0, outside)))
        .chain((0..15).map(|_| (0, 0, neither)))
        .collect();
    let counted: Vec<PersonFacts> = people.iter().map(|one| facts(&courses, *one)).collect();
    let skill = Item::Skill("s".to_owned());
    let target = |course: &Course| course.holds("s") && !course.inside.contains(&0);
    let attacker = || {
        let mut attacker = Attacker::new(&courses, 1, 1);
        attacker.learn_funnel(&funnel_facts(&courses, &people));
        // Nobody in the programme holds the other one, and everybody knows that it is not offered there.
        let other = attacker.of(|_, course| course.inside.contains(&1));
        attacker.learn(other, 0, 0);
        attacker
    };
    let mut with_exact = attacker();
    let number = exact(&counted, &items()).total[&skill];
    with_exact.learn(with_exact.of(|_, course| course.holds("s")), number, number);
    let wanted = with_exact.of(|_, course| target(course));
    assert!(with_exact.is_told(with_exact.known.len(), &wanted), "15 less 13 is 2");
    let mut with_steps = attacker();
    assert!(with_steps.learn_inventory(&people) > 0);
    assert!(!with_steps.is_told(with_steps.known.len(), &wanted));
    assert_eq!(told(&courses, &people).total[&skill], 15);
}

#[test]
fn a_step_leaves_at_least_five_open_at_both_ends() {
    assert_eq!([0, 4, 5, 9, 10].map(|count| step(count, None)), [0, 0, 5, 5, 10]);
    // Of twelve: whoever holds it not could be as few as nobody, and as many as five.
    assert_eq!([4, 5, 7, 9, 12].map(|count| step(count, Some(12))), [0, 5, 5, 5, 5]);
    assert_eq!([4, 9].map(|count| step(count, Some(9))), [0, 0]);
    for of in 0..60 {
        for count in 0..=of {
            let shown =
                Stepped { shown: step(count, Some(of)), of: Some(of), ..Stepped::default() };
            assert!(!tells(&shown, &[]), "{count} of {of}");
        }
    }
}

#[test]
fn a_table_is_left_out_whose_rows_and_total_tell_of_few() {
    let row = |shown: u64| Stepped { shown, ..Stepped::default() };
    // Two rows of at most 4, 9 together, and the whole is at least 15: the first is between 1 and 4 if the other is at most 9.
    assert!(!tells(&row(5), &[&[row(0), row(5)]]));
    assert!(tells(&row(10), &[&[row(0), row(5)]]), "10 less at most 9 is at least 1");
    // Somebody else's figures are parts of these: 10 and 9 of at most 19, of whom 18 are known.
    let known = |shown: u64, part: u64| Stepped { parts: vec![part], ..row(shown) };
    assert!(tells(&known(15, 18), &[&[known(10, 9), known(5, 9)]]));
    assert!(!tells(&known(15, 15), &[&[known(10, 10), known(5, 5)]]));
}

#[test]
fn a_table_shows_an_item_in_every_row_or_in_none_and_no_row_is_small() {
    let courses = courses(true);
    let mut n_rows = 0;
    for seed in 0..scale(DISTRICTS) * 5 {
        let mut random = StdRng::seed_from_u64(1_000_000 + u64::try_from(seed).unwrap());
        let people = district(&mut random, &courses, 3);
        let counted: Vec<PersonFacts> = people.iter().map(|one| facts(&courses, *one)).collect();
        let inventory = told(&courses, &people);
        for (by, rows) in &inventory.tables {
            for row in rows {
                n_rows += 1;
                assert!(row.numbers.keys().eq(rows[0].numbers.keys()), "{by}");
                assert!(row.numbers.keys().all(|item| inventory.total.contains_key(item)));
                let n_people = counted
                    .iter()
                    .filter(|one| match by {
                        By::School => row.keys.contains(&one.school),
                        By::Audience => row.keys.contains(&one.audience),
                        By::Year => true,
                    })
                    .count();
                assert!(n_people >= 10, "{by}: {n_people}");
            }
        }
    }
    assert!(n_rows > 100, "{n_rows} rows were looked at");
}
