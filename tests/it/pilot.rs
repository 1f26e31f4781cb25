//! A whole pilot through the API: forty invited, thirty take part, screening, double scoring, adjudications, not-yets, resubmissions, appeals,
//! awards, a revocation, and the report. Every printed figure is counted again from the audit trail, and equal.
//!
//! A report that is added to a programme is asked for in `every_report`, and counted again beside the others.

mod inventory;
mod recount;
mod story;

use std::collections::BTreeMap;

use serde_json::Value;

use recount::{Course, Line, Trail, lines, printed};
use story::{AUDIENCES, Pilot};

#[test]
fn every_printed_figure_of_a_pilot_follows_from_the_audit_trail() {
    let pilot = Pilot::play();
    let admin = pilot.by("admin@example.org");
    pilot.app.invite(&admin, &pilot.district.id, "steward@example.org", &["data_steward"]);
    pilot.app.audit_events();
    let trail = Trail::read(&pilot);
    let everybody: Vec<&Course> = trail.courses.iter().collect();
    let total = lines(&everybody, false);

    // The story that was meant: three in four take part, and something of everything happens.
    let count: BTreeMap<&str, u64> =
        total.iter().map(|(id, line)| (id.as_str(), line[0].unwrap_or(0))).collect();
    let expected = [
        ("invited", 40),
        ("declined", 5),
        ("enrolled", 30),
        ("started", 27),
        ("submitted", 25),
        ("decided", 22),
        ("earned", 18),
        ("earned_first", 15),
        ("live_award", 17),
        ("adjudicated", 3),
        ("appealed", 2),
    ];
    for (figure, wanted) in expected {
        assert_eq!(count[figure], wanted, "{figure}");
    }
    assert!(count["rated"] > count["useful"] && count["useful"] > 0);
    let longest = total.iter().find(|(id, _)| id == "submitted_to_decided").unwrap();
    assert!(longest.1[1] > longest.1[0], "not everybody waits as long: {longest:?}");

    every_report(&pilot, &trail, &total, false);
    inventory::check(&pilot, &trail);
    a_year_later(&pilot);
}

/// After a year the district sends a file of who is still employed: five who take part are not in it, and six have left.
fn a_year_later(pilot: &Pilot) {
    pilot.app.advance(chrono::TimeDelta::days(366));
    pilot.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    let mut trail = Trail::read(pilot);
    let mut rows = String::from("email,employed\n");
    let members = trail.courses.iter_mut().filter(|one| one.counts("enrolled"));
    for (n, course) in members.enumerate().skip(5) {
        let stays = n >= 11;
        course.is_employed = Some(stays);
        rows += &format!("{},{}\n", course.row.email, if stays { "yes" } else { "no" });
    }
    // The day of the file as the service's clock has it: that of its next report.
    let path = format!("{}/funnel", pilot.program);
    let report = pilot.by("coordinator@example.org").get(&path).expect(200);
    let day = &report["as_of"].as_str().unwrap()[..10];
    let body = serde_json::json!({ "csv": rows, "as_of": day });
    let path = format!("{}/stays", pilot.program);
    let kept = pilot.by("coordinator@example.org").post(&path, &body).expect(200);
    assert_eq!([&kept["taken"], &kept["refused"], &kept["missing"]], [25, 0, 5]);
    let everybody: Vec<&Course> = trail.courses.iter().collect();
    let total = lines(&everybody, true);
    let figure = |id: &str| total.iter().find(|(known, _)| known == id).unwrap().1;
    assert_eq!(figure("staying"), [Some(19), Some(25), Some(7600)]);
    every_report(pilot, &trail, &total, true);
}

/// Every report of the programme, by everybody who may ask for it, in every form.
fn every_report(pilot: &Pilot, trail: &Trail, total: &[Line], has_file: bool) {
    let path = format!("{}/funnel", pilot.program);
    let steward = pilot.by("steward@example.org");
    let exact = steward.get(&format!("{path}?exact=true")).expect(200);
    assert_eq!(printed(&exact["total"]), total);
    assert_eq!(exact["exclusions"][0]["reason"], "not_written_to_yet");
    assert_eq!(exact["exclusions"][0]["count"], trail.listed - trail.written_to);
    check_targets(pilot, &exact);

    for (by, keys) in [("audience", AUDIENCES.map(str::to_owned)), ("school", schools(pilot))] {
        let report = steward.get(&format!("{path}?exact=true&by={by}")).expect(200);
        let rows = report["rows"].as_array().unwrap();
        assert_eq!(rows.len(), keys.len());
        for row in rows {
            let [name] = row["names"].as_array().unwrap().as_slice() else { panic!("{row}") };
            let people: Vec<&Course> = trail
                .courses
                .iter()
                .filter(|one| *name == one.row.audience || *name == one.row.school)
                .collect();
            assert!(!people.is_empty());
            assert_eq!(printed(row), lines(&people, has_file), "{name}");
        }
        check_table(pilot, trail, by, has_file);
    }
    let shown = pilot.by("coordinator@example.org").get(&path).expect(200);
    check_shown(&printed(&shown["total"]), total);
}

fn schools(pilot: &Pilot) -> [String; 2] {
    pilot.district.schools.clone()
}

/// What those see who may not see everything: the same numbers, or none.
#[track_caller]
fn check_shown(shown: &[Line], exact: &[Line]) {
    let mut n_shown = 0;
    for ((id, seen), (_, counted)) in shown.iter().zip(exact) {
        for (seen, counted) in seen.iter().zip(counted) {
            assert!(seen.is_none() || seen == counted, "{id}: {seen:?} of {counted:?}");
            n_shown += usize::from(seen.is_some());
        }
    }
    assert!(n_shown > 5, "{n_shown} numbers");
}

/// The table by group as a coordinator has it, as CSV: each row is made of the groups that it names.
fn check_table(pilot: &Pilot, trail: &Trail, by: &str, has_file: bool) {
    let path = format!("{}/funnel?by={by}&format=csv", pilot.program);
    let csv = pilot.by("coordinator@example.org").get(&path);
    let csv = String::from_utf8(csv.bytes).unwrap();
    let mut parts: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse().ok();
        // Stages have their people in the first column of numbers, and no denominator.
        let is_stage = cells[1].contains("_to_");
        let numbers = if is_stage {
            [number(5), number(6), number(2)]
        } else {
            [number(2), number(3), number(4)]
        };
        parts.entry(cells[0].to_owned()).or_default().push((cells[1].to_owned(), numbers));
    }
    assert_eq!(parts.len(), 3, "{csv}");
    for (group, shown) in parts {
        let people: Vec<&Course> = trail
            .courses
            .iter()
            .filter(|one| {
                group == "everybody" || group == one.row.audience || group == one.row.school
            })
            .collect();
        for ((id, seen), (_, counted)) in shown.iter().zip(lines(&people, has_file)) {
            for (seen, counted) in seen.iter().zip(counted) {
                assert!(seen.is_none() || *seen == counted, "{group} {id}: {seen:?}, {counted:?}");
            }
        }
    }
}

/// What the charter wants to reach stands beside the figure that its metric is about.
fn check_targets(pilot: &Pilot, report: &Value) {
    let targets: BTreeMap<&str, &Value> = pilot.charter["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| {
            let target = metric.get("target_bp").or(metric.get("target")).unwrap();
            (metric["id"].as_str().unwrap(), target)
        })
        .collect();
    let metrics = [
        ("enrolled", "enrolment_rate"),
        ("submitted", "submission_rate"),
        ("earned_first", "earn_rate_first"),
        ("earned", "earn_rate_final"),
        ("live_award", "educators_with_identified_skills"),
        ("staying", "staying"),
    ];
    for figure in report["total"]["figures"].as_array().unwrap() {
        let metric = metrics.iter().find(|(id, _)| figure["id"] == *id);
        let expected = metric.map_or(&Value::Null, |(_, metric)| targets[metric]);
        assert_eq!(&figure["target"], expected, "{}", figure["id"]);
    }
}
