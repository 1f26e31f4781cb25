//! The skills inventory of the pilot's district, and whom its programme has reached, counted once more from the audit trail. It shares no code
//! with the service.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use serde_json::{Value, json};

use super::recount::Trail;
use super::story::{Pilot, SCHOOLS};

const NO_SCHOOL: &str = "no school";
const NOT_INVITED: &str = "not invited to a programme";
/// How far a programme has reached somebody, and the figure that says so.
const ACCESS: [&str; 3] = ["invited", "enrolled", "earned"];

/// Somebody whom the inventory counts.
struct Somebody {
    school: String,
    audience: String,
    is_member: bool,
    /// Since which year an award in force says that they have every skill of the one micro-credential.
    since: Option<i32>,
    reached: BTreeSet<&'static str>,
}

/// The members of the district and everybody who was invited, by what the trail says.
fn everybody(pilot: &Pilot, trail: &Trail) -> Vec<Somebody> {
    let school_of = |places: &BTreeSet<String>| {
        let at = (0..SCHOOLS.len()).find(|n| places.contains(&pilot.district.schools[*n]));
        at.map_or(NO_SCHOOL, |n| SCHOOLS[n]).to_owned()
    };
    let mut members: BTreeMap<&String, Somebody> = BTreeMap::new();
    for (person, places) in &trail.members {
        let member = Somebody {
            school: school_of(places),
            audience: NOT_INVITED.to_owned(),
            is_member: true,
            since: None,
            reached: BTreeSet::new(),
        };
        members.insert(person, member);
    }
    for (person, at) in &trail.live {
        let member = members.get_mut(person).unwrap();
        member.since = Some(member.since.map_or(at.year(), |known| known.min(at.year())));
    }
    let mut others = Vec::new();
    for course in &trail.courses {
        let reached = ACCESS.into_iter().filter(|figure| course.counts(figure)).collect();
        match course.person.as_ref().and_then(|person| members.get_mut(person)) {
            Some(member) => {
                assert_eq!(member.school, course.row.school);
                member.audience.clone_from(&course.row.audience);
                member.reached = reached;
            }
            None => others.push(Somebody {
                school: course.row.school.clone(),
                audience: course.row.audience.clone(),
                is_member: false,
                since: None,
                reached,
            }),
        }
    }
    members.into_values().chain(others).collect()
}

/// How many of them there are of an item, and of how many there could be where that is known.
fn count(people: &[&Somebody], item: &Value, year: Option<i32>) -> (u64, Option<u64>) {
    let number =
        |test: &dyn Fn(&Somebody) -> bool| people.iter().filter(|one| test(one)).count() as u64;
    match item["kind"].as_str().unwrap() {
        "access" => {
            let id = item["id"].as_str().unwrap();
            assert!(ACCESS.contains(&id), "{item}");
            (number(&|one| one.reached.contains(id)), None)
        }
        "skill" => {
            let n = number(&|one| one.since.is_some_and(|at| year.is_none_or(|year| year == at)));
            (n, year.is_none().then(|| number(&|one| one.is_member)))
        }
        other => panic!("the pilot has no {other}"),
    }
}

/// What everybody is told of a number: steps of five, and of a whole so few that five are left.
fn told((count, of): (u64, Option<u64>)) -> u64 {
    let count = of.map_or(count, |of| count.min(of.saturating_sub(5)));
    count / 5 * 5
}

/// The people of a row, by the names of its groups; of a row by year everybody.
fn of_row<'a>(people: &'a [Somebody], by: &str, row: &Value) -> (Vec<&'a Somebody>, Option<i32>) {
    let names: BTreeSet<&str> =
        row["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let found = people.iter().filter(|one| match by {
        "school" => names.contains(one.school.as_str()),
        "audience" => names.contains(one.audience.as_str()),
        "year" => true,
        other => panic!("a table by {other}"),
    });
    let year = (by == "year").then(|| names.first().unwrap().parse().unwrap());
    (found.collect(), year)
}

/// Every number of the district's inventory, as its steward has it and as everybody has it, as a document and as a table.
pub fn check(pilot: &Pilot, trail: &Trail) {
    let district = &pilot.district.id;
    let purpose = "To call on people for what they do well.";
    let path = format!("/api/v1/organizations/{district}/inventory-purpose");
    let body = json!({ "statement": purpose });
    pilot.by("admin@example.org").put(&path, "\"0\"", &body).expect(200);
    let people = everybody(pilot, trail);
    let path = format!("/api/v1/reports/skills-inventory?organization_id={district}");

    let exact = pilot.by("steward@example.org").get(&format!("{path}&exact=true")).expect(200);
    check_items(pilot, &exact);
    let n_exact = check_numbers(&people, &exact, |counted| Some(counted.0), true);
    // What everybody is told is a step of the same number, or nothing.
    let shown = pilot.by("coordinator@example.org").get(&path).expect(200);
    check_items(pilot, &shown);
    let n_told = check_numbers(&people, &shown, |counted| Some(told(counted)), false);
    assert!(n_exact > n_told && n_told > 10, "{n_exact} numbers, {n_told} of them are told");

    // The story that was meant.
    let all: Vec<&Somebody> = people.iter().collect();
    let total: Vec<u64> =
        exact["items"].as_array().unwrap().iter().map(|item| count(&all, item, None).0).collect();
    assert!(total.ends_with(&[40, 30, 18]) && total.contains(&17), "{total:?}");
    check_csv(pilot, &path, &shown, purpose);
}

/// The items are the skills of the one micro-credential, and how far the programme has reached.
fn check_items(pilot: &Pilot, report: &Value) {
    let path = format!("/api/v1/micro-credentials/{}", pilot.family);
    let public = pilot.app.anybody().get(&path).expect(200);
    let skills = public["definition"]["skills"].as_array().unwrap().iter();
    let mut expected: BTreeSet<&str> =
        skills.map(|skill| skill["code"].as_str().unwrap()).collect();
    expected.extend(ACCESS);
    let items = report["items"].as_array().unwrap().iter();
    let found: BTreeSet<&str> = items.map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(found, expected);
}

/// Every number of a report against the count; returns how many there were. `is_whole` is for a report that leaves nothing out.
fn check_numbers(
    people: &[Somebody],
    report: &Value,
    expected: impl Fn((u64, Option<u64>)) -> Option<u64>,
    is_whole: bool,
) -> usize {
    let all: Vec<&Somebody> = people.iter().collect();
    let mut n_numbers = 0;
    let mut check = |place: &str, item: &Value, counted: (u64, Option<u64>)| {
        let printed = item["at_least"].as_u64();
        assert!(
            printed == expected(counted) || (printed.is_none() && !is_whole),
            "{place}: {item} is {counted:?}"
        );
        n_numbers += usize::from(printed.is_some());
    };
    for item in report["items"].as_array().unwrap() {
        let counted = count(&all, item, None);
        check("everybody", item, counted);
        let is_few = item["at_least"].as_u64().is_some_and(|n| n < 5);
        assert_eq!(item["gap"], is_few && item["kind"] == "skill", "{item}");
    }
    let mut groups: BTreeSet<String> = BTreeSet::new();
    for table in report["tables"].as_array().unwrap() {
        let by = table["by"].as_str().unwrap();
        for row in table["rows"].as_array().unwrap() {
            let (of_row, year) = of_row(people, by, row);
            for item in row["items"].as_array().unwrap() {
                check(&format!("{by} {}", row["names"]), item, count(&of_row, item, year));
            }
            let names = row["names"].as_array().unwrap().iter();
            groups.extend(names.map(|name| format!("{by} {}", name.as_str().unwrap())));
        }
    }
    // Nobody is left out of the tables, and no group is made up.
    let known = people
        .iter()
        .flat_map(|one| [format!("school {}", one.school), format!("audience {}", one.audience)]);
    let years = people.iter().filter_map(|one| Some(format!("year {}", one.since?)));
    let mut known: BTreeSet<String> = known.chain(years).collect();
    let has_years = groups.iter().any(|group| group.starts_with("year"));
    known.retain(|group| has_years || !group.starts_with("year"));
    assert_eq!(groups, known);
    n_numbers
}

/// The table of the same report: each line is a number of the document, and none is missing.
fn check_csv(pilot: &Pilot, path: &str, shown: &Value, purpose: &str) {
    let csv = pilot.by("coordinator@example.org").get(&format!("{path}&format=csv"));
    let csv = String::from_utf8(csv.bytes).unwrap();
    let number =
        |item: &Value| item["at_least"].as_u64().map_or_else(String::new, |n| n.to_string());
    let mut expected = Vec::new();
    for item in shown["items"].as_array().unwrap() {
        expected.push((String::new(), "everybody".to_owned(), item["id"].clone(), number(item)));
    }
    for table in shown["tables"].as_array().unwrap() {
        for row in table["rows"].as_array().unwrap() {
            let names: Vec<&str> = row["names"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            for item in row["items"].as_array().unwrap() {
                let by = table["by"].as_str().unwrap().to_owned();
                expected.push((by, names.join("; "), item["id"].clone(), number(item)));
            }
        }
    }
    let lines: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(lines.len(), expected.len(), "{csv}");
    for (line, (by, group, id, at_least)) in lines.iter().zip(expected) {
        let start = format!("{by},{group},");
        assert!(line.starts_with(&start) && line.contains(id.as_str().unwrap()), "{line}");
        assert!(line.contains(&format!(",{at_least},false,")) && line.contains(purpose), "{line}");
    }
}
