//! Who is still employed after a year: a file of the district, looked at row by row, and a figure that says who is missing in it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{AUDIENCE, Pilot, faults, list, row};
use crate::harness::{Answer, Person};

/// The reasons that only such a file has.
pub const OWN_FAULTS: [&str; 4] = ["code", "not_taking_part", "employed", "less_than_a_year"];

/// A programme in which `n_members` take part since yesterday, and a year has passed for all but the last one.
///
/// Some may be invited besides who do not take part.
fn scene(n_members: usize, has_others: bool) -> (Pilot, Person) {
    let pilot = Pilot::new();
    let rows: String = (0..n_members).map(|n| row(&format!("p{n}@example.org"))).collect();
    let printed = format!(",r-1,On Paper,{AUDIENCE},Willow\r\n");
    let others = if has_others { row("quiet@example.org") + &printed } else { String::new() };
    pilot.invite(&format!("{rows}{others}"));
    for n in 0..n_members {
        if n + 1 == n_members {
            pilot.app.advance(TimeDelta::days(2));
        }
        pilot.accept(&pilot.tokens_of(&format!("p{n}@example.org"))[0]).expect(200);
    }
    pilot.app.advance(TimeDelta::days(364));
    let coordinator = pilot.app.sign_in("coordinator@example.org");
    (pilot, coordinator)
}

/// The day of the service's clock, so many days ago.
fn day(pilot: &Pilot, by: &Person, ago: i64) -> String {
    let report = by.get(&format!("{}/funnel", pilot.program)).expect(200);
    let today: chrono::NaiveDate = report["as_of"].as_str().unwrap()[..10].parse().unwrap();
    (today - TimeDelta::days(ago)).to_string()
}

fn send(pilot: &Pilot, by: &Person, csv: &str, as_of: &str, dry_run: bool) -> Answer {
    let body = json!({ "csv": csv, "as_of": as_of, "dry_run": dry_run });
    by.post(&format!("{}/stays", pilot.program), &body)
}

/// Numerator and denominator of a figure, and its day.
fn figure(report: &Value, id: &str) -> [Value; 3] {
    let figures = report["total"]["figures"].as_array().unwrap();
    let one = figures.iter().find(|one| one["id"] == id).unwrap();
    ["numerator", "denominator", "as_of"].map(|name| one[name].clone())
}

#[test]
fn a_file_of_which_no_row_counts_leaves_the_one_before() {
    let (pilot, coordinator) = scene(3, true);
    let as_of = day(&pilot, &coordinator, 0);
    let file = |employed: &str| {
        format!(
            "email,reference,code,employed\np0@example.org,,,{employed}\np1@example.org,,,{employed}"
        )
    };
    let funnel = || coordinator.get(&format!("{}/funnel", pilot.program)).expect(200);
    send(&pilot, &coordinator, &file("yes"), &as_of, false).expect(200);
    let before = figure(&funnel(), "followed_up");
    assert_eq!(before[2], json!(as_of));
    let refused = send(&pilot, &coordinator, &file("Y"), &day(&pilot, &coordinator, 1), false);
    assert_eq!(refused.faults(), [("/csv".to_owned(), "no-row-counts".to_owned())]);
    assert_eq!(figure(&funnel(), "followed_up"), before);
    // To look at it says of each row what is wrong.
    let looked = send(&pilot, &coordinator, &file("Y"), &as_of, true).expect(200);
    assert_eq!((&looked["taken"], &looked["refused"]), (&json!(0), &json!(2)));
}

#[test]
fn each_bad_row_has_its_own_reason_and_a_dry_run_keeps_nothing() {
    let (pilot, coordinator) = scene(3, true);
    let codes = coordinator.get(&format!("{}/invitation-codes", pilot.program));
    let codes = String::from_utf8(codes.bytes).unwrap();
    let code = codes.lines().nth(1).unwrap().rsplit(',').next().unwrap();
    let bad = [
        ("p0@example.org,,,yes,more".to_owned(), "columns"),
        (",,,yes".to_owned(), "nobody_named"),
        ("p1@example.org,r-1,,yes".to_owned(), "named_twice"),
        ("not an address,,,yes".to_owned(), "email"),
        ("stranger@example.org,,,yes".to_owned(), "not_taking_part"),
        ("quiet@example.org,,,no".to_owned(), "not_taking_part"),
        (",r-1,,no".to_owned(), "not_taking_part"),
        (format!(",,{code},no"), "not_taking_part"),
        (",,AAAA-BBBB-CCCC-DDDD,no".to_owned(), "code"),
        ("p1@example.org,,,perhaps".to_owned(), "employed"),
        ("p2@example.org,,,yes".to_owned(), "less_than_a_year"),
        ("P0@Example.org,,,no".to_owned(), "repeated"),
    ];
    let mut csv = "email,reference,code,employed\np0@example.org,,,Yes\n".to_owned();
    for (text, _) in &bad {
        csv += &format!("{text}\n");
    }
    let as_of = day(&pilot, &coordinator, 0);
    let dry = send(&pilot, &coordinator, &csv, &as_of, true).expect(200);
    let found: Vec<String> = faults(&dry).into_values().flatten().collect();
    assert_eq!(found, bad.iter().map(|(_, code)| *code).collect::<Vec<_>>());
    let tried: BTreeSet<&str> = bad.iter().map(|(_, code)| *code).collect();
    assert!(OWN_FAULTS.iter().all(|fault| tried.contains(fault)));
    assert_eq!([&dry["taken"], &dry["refused"], &dry["missing"]], [1, 12, 2]);
    // Two faults of a row are said at once.
    let twice = "email,employed\nx,1\n";
    let twice = send(&pilot, &coordinator, twice, &as_of, true).expect(200);
    assert_eq!(faults(&twice)[&2], ["email", "employed"]);

    let steward = pilot.app.seed(&pilot.district.id, "steward@example.org", &["data_steward"]);
    let exact = format!("{}/funnel?exact=true", pilot.program);
    let before = steward.get(&exact).expect(200);
    assert_eq!(figure(&before, "staying"), [Value::Null, Value::Null, Value::Null]);
    assert!(!before["exclusions"].to_string().contains("not_in_the_file"));
    let real = send(&pilot, &coordinator, &csv, &as_of, false).expect(200);
    assert_eq!(real["rows"], dry["rows"], "what is done is what the dry run has said");
    let after = steward.get(&exact).expect(200);
    assert_eq!(figure(&after, "followed_up"), [json!(1), json!(3), json!(as_of)]);
    assert_eq!(figure(&after, "staying"), [json!(1), json!(1), json!(as_of)]);
    let missing = after["exclusions"].as_array().unwrap().last().unwrap();
    assert_eq!([&missing["reason"], &missing["count"]], [&json!("not_in_the_file"), &json!(2)]);
    // Another file takes the place of the one before, also of its rows.
    let second = "email,employed\np1@example.org,no\n";
    let earlier = day(&pilot, &coordinator, 1);
    send(&pilot, &coordinator, second, &earlier, false).expect(200);
    let after = steward.get(&exact).expect(200);
    assert_eq!(figure(&after, "staying"), [json!(0), json!(1), json!(earlier)]);
}

#[test]
fn a_text_that_is_no_such_file_is_refused_and_only_coordinators_send_one() {
    let (pilot, coordinator) = scene(1, true);
    let as_of = day(&pilot, &coordinator, 0);
    let refused = |csv: &str, as_of: &str| {
        let refused = send(&pilot, &coordinator, csv, as_of, false);
        assert_eq!(refused.status, 422, "{refused:?}");
        refused.faults()[0].clone()
    };
    let at = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(refused("", &as_of), at("/csv", "no-header"));
    assert_eq!(refused("employed\nyes", &as_of), at("/csv", "missing-column"));
    assert_eq!(refused("email\nx@example.org", &as_of), at("/csv", "missing-column"));
    assert_eq!(refused("email,employed,salary\nx", &as_of), at("/csv", "unknown-column"));
    assert_eq!(refused("email,employed\n", &as_of), at("/csv", "rows"));
    let good = "email,employed\np0@example.org,yes\n";
    assert_eq!(refused(good, "next week"), at("/as_of", "not-a-date"));
    assert_eq!(refused(good, &day(&pilot, &coordinator, -1)), at("/as_of", "day-to-come"));
    // Who may read the figures may not say who has left.
    let steward = pilot.app.seed(&pilot.district.id, "steward@example.org", &["data_steward"]);
    assert_eq!(send(&pilot, &steward, good, &as_of, true).status, 403);
    let harbour = pilot.app.seed_root("Harbour");
    let stranger = pilot.app.seed(&harbour, "far@harbour.example.org", &["coordinator"]);
    assert_eq!(send(&pilot, &stranger, good, &as_of, true).status, 403);
}

#[test]
fn few_who_stay_or_are_missing_are_not_shown_and_the_file_is_forgotten() {
    let (pilot, coordinator) = scene(15, false);
    let as_of = day(&pilot, &coordinator, 0);
    let file = |n_in: usize, n_staying: usize| {
        let rows = (0..n_in).map(|n| {
            let word = if n < n_staying { "yes" } else { "no" };
            format!("p{n}@example.org,{word}\n")
        });
        format!("email,employed\n{}", rows.collect::<String>())
    };
    let shown = |n_in: usize, n_staying: usize| {
        send(&pilot, &coordinator, &file(n_in, n_staying), &as_of, false).expect(200);
        let report = coordinator.get(&format!("{}/funnel", pilot.program)).expect(200);
        let [followed, _, _] = figure(&report, "followed_up");
        let [staying, of, _] = figure(&report, "staying");
        let missing = report["exclusions"].as_array().unwrap().last().unwrap()["count"].clone();
        [followed, staying, of, missing]
    };
    // Ten of fifteen are in the file: five are missing, and five of ten stay.
    assert_eq!(shown(10, 5), [json!(10), json!(5), json!(10), json!(5)]);
    // Four have left: who stays is not told. Four are missing: neither is that.
    assert_eq!(shown(10, 6), [json!(10), Value::Null, json!(10), json!(5)]);
    assert_eq!(shown(11, 11), [Value::Null, Value::Null, Value::Null, Value::Null]);

    let clean = || {
        pilot.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
        let coordinator = pilot.app.sign_in("coordinator@example.org");
        let report = coordinator.get(&format!("{}/funnel", pilot.program)).expect(200);
        figure(&report, "followed_up")[2].clone()
    };
    pilot.app.advance(TimeDelta::days(730));
    assert_eq!(clean(), json!(as_of));
    pilot.app.advance(TimeDelta::days(2));
    assert_eq!(clean(), Value::Null);
    let list = list(&row("late@example.org"));
    assert_eq!(
        pilot
            .app
            .sign_in("coordinator@example.org")
            .post(
                &format!("{}/cohorts/ia/invitations", pilot.program),
                &json!({ "csv": list, "dry_run": true }),
            )
            .expect(200)["new"],
        1,
        "the list of people stays as it was"
    );
}
