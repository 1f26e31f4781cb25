//! The agreement report: figures with their n, hidden where there is too little, as JSON, CSV and plots.

use assay::domain::csv;
use assay::domain::statistics::Precision;
use assay::domain::statistics::report::{Reading, beside_others, summarise};
use assay::images::{Interval, Mark, Plot, Row, Threshold, Unit, draw_plot};
use assay::store::schema::{review_scores, reviews};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{Scene, id_of};

fn readings(pairs: &[(usize, usize)]) -> Vec<Reading> {
    let both = |(unit, (one, other)): (usize, &(usize, usize))| {
        [(0, *one), (1, *other)].map(|(assessor, level)| Reading {
            unit,
            assessor,
            level: Some(level),
        })
    };
    pairs.iter().enumerate().flat_map(both).collect()
}

#[test]
fn coefficients_are_hidden_under_20_and_marked_under_50() {
    let pairs = |n: usize| (0..n).map(|at| (at % 3, (at + at / 10) % 3)).collect::<Vec<_>>();
    let of = |n: usize| summarise(3, 1, &readings(&pairs(n))).unwrap();
    assert_eq!(of(19).precision, Precision::Insufficient);
    assert_eq!(of(19).coefficients, None);
    assert_eq!(of(20).precision, Precision::Imprecise);
    assert!(of(20).coefficients.unwrap().alpha.is_ok());
    assert_eq!(of(50).precision, Precision::Usual);
    assert_eq!((of(50).raters, of(50).levels, of(50).agreement.n), (2, 3, 50));
    // A unit that one has read, or that could not be scored, is none.
    let mut odd = readings(&pairs(20));
    odd[0].level = None;
    odd.push(Reading { unit: 90, assessor: 0, level: Some(1) });
    assert_eq!(summarise(3, 1, &odd).unwrap().agreement.n, 19);
}

#[test]
fn each_assessor_is_compared_with_those_who_read_the_same() {
    let found = beside_others(1, &readings(&[(2, 1), (1, 1), (1, 0)]));
    let (one, other) = (&found[&0], &found[&1]);
    assert_eq!((one.agreement.n, one.agreement.exact, one.agreement.decision), (3, 1, 2));
    assert_eq!(one.differences.mean(), Ok(2.0 / 3.0));
    assert_eq!(other.differences.mean(), Ok(-2.0 / 3.0));
}

#[test]
fn cell_that_a_spreadsheet_would_run_is_text() {
    for (text, cell) in [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-cmd", "'-cmd"),
        ("@sum", "'@sum"),
        ("-0.5", "-0.5"),
        ("a,b", "\"a,b\""),
        ("say \"so\"", "\"say \"\"so\"\"\""),
        ("=a,b", "\"'=a,b\""),
    ] {
        assert_eq!(csv::cell(text), cell);
    }
}

/// A second reading of every decided submission, as another assessor would have locked it.
fn read_again(scene: &Scene, second: &str) {
    let mut conn = scene.app.resources.database.connection().unwrap();
    let locked: Vec<(String, String, String)> = reviews::table
        .filter(reviews::state.eq("locked"))
        .select((reviews::id, reviews::submission_id, reviews::organization_id))
        .load(&mut *conn)
        .unwrap();
    let now = scene.app.resources.now();
    for (at, (first, submission, organization)) in locked.into_iter().enumerate() {
        let id = uuid::Uuid::now_v7().to_string();
        diesel::insert_into(reviews::table)
            .values((
                reviews::id.eq(&id),
                reviews::organization_id.eq(organization),
                reviews::submission_id.eq(submission),
                reviews::seat.eq(2),
                reviews::kind.eq("reading"),
                reviews::state.eq("locked"),
                reviews::assessor_id.eq(Some(second)),
                reviews::locked_at.eq(Some(now.naive())),
                reviews::revision.eq(1),
                reviews::created_at.eq(now.naive()),
            ))
            .execute(&mut *conn)
            .unwrap();
        let lines: Vec<(String, Option<i32>)> = review_scores::table
            .filter(review_scores::review_id.eq(first))
            .select((review_scores::criterion_id, review_scores::level))
            .load(&mut *conn)
            .unwrap();
        for (criterion, level) in lines {
            // Every fifth time the other passing level on the first criterion.
            let is_other = criterion == "c1" && at % 5 == 0;
            diesel::insert_into(review_scores::table)
                .values((
                    review_scores::review_id.eq(&id),
                    review_scores::criterion_id.eq(criterion),
                    review_scores::level
                        .eq(level.map(|level| if is_other { 3 - level } else { level })),
                    review_scores::unscorable.eq(false),
                ))
                .execute(&mut *conn)
                .unwrap();
        }
    }
}

#[test]
fn report_is_for_lead_assessors_and_auditors_and_ones_own_line_for_oneself() {
    let scene = Scene::new();
    let district = &scene.district;
    let second = scene.app.seed(&district.schools[1], "second@example.org", &["assessor"]);
    for number in 0..22 {
        let email = format!("earner-{number}@example.org");
        let earner = scene.app.seed(&district.schools[0], &email, &["earner"]);
        district.submit(&earner, &scene.family);
        district.score(&district.assessor, number % 2);
    }
    let path = format!("/api/v1/reports/agreement?micro_credential_id={}", scene.family);
    let mine = format!("/api/v1/reports/agreement/mine?micro_credential_id={}", scene.family);
    let before = scene.lead(0).get(&path).expect(200);
    assert_eq!((&before["submissions"], &before["double_read"]), (&json!(22), &json!(0)));
    assert_eq!(before["criteria"][0]["exact"]["share"], Value::Null);
    assert_eq!(district.assessor.get(&mine).expect(200)["own"], Value::Null);

    let empty = scene.lead(0).get(&format!("{path}&format=svg"));
    let empty = String::from_utf8(empty.bytes).unwrap();
    assert!(empty.contains("no submission has been read by two assessors"), "{empty}");

    read_again(&scene, &second.id);
    let report = district.auditor.get(&path).expect(200);
    let first = &report["criteria"][0];
    assert_eq!((&first["criterion_id"], &first["n"]), (&json!("c1"), &json!(22)));
    assert_eq!((&first["raters"], &first["levels"]), (&json!(2), &json!(3)));
    assert_eq!(first["exact"]["count"], 17);
    assert_eq!(first["adjacent"]["count"], 22);
    assert_eq!(first["decision"]["count"], 22);
    assert_eq!(first["precision"], "imprecise");
    assert!(first["alpha"]["value"].is_f64(), "{first}");
    assert!(first["exact"]["low"].as_f64().unwrap() < 17.0 / 22.0);
    assert_eq!(report["overall"]["n"], 88);
    assert_eq!(report["decision"]["count"], 22);
    assert_eq!(report["severity_reason"], "insufficient_data", "under 30 that two have read");
    assert_eq!(report["assessors"].as_array().unwrap().len(), 2);

    let csv = scene.lead(0).get(&format!("{path}&format=csv"));
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let text = String::from_utf8(csv.bytes).unwrap();
    assert_eq!(text.lines().count(), 1 + 1 + 4 + 2);
    assert!(
        text.lines()
            .any(|line| line.starts_with("criterion,c1,Planned with the teacher,22,2,3,0.7727")),
        "{text}"
    );
    for format in ["svg", "svg_severity"] {
        let plot = scene.lead(0).get(&format!("{path}&format={format}"));
        assert_eq!(plot.headers["content-type"], "image/svg+xml");
        let text = String::from_utf8(plot.bytes).unwrap();
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>"), "{text}");
        assert!(
            text.contains("role=\"img\"") && text.contains("<desc id=\"plot-desc\">"),
            "{text}"
        );
    }
    let plot = |format: &str| {
        String::from_utf8(scene.lead(0).get(&format!("{path}&format={format}")).bytes).unwrap()
    };
    let agreement = plot("svg");
    for words in ["n = 22 · 2 assessors · 3 levels", "80%: asked of criteria with 3 levels"] {
        assert!(agreement.contains(words), "{words}: {agreement}");
    }
    assert!(agreement.contains("A hollow mark is imprecise: fewer than 50."), "{agreement}");
    let severity = plot("svg_severity");
    assert!(severity.contains("There are not as many yet."), "an empty plot says why: {severity}");
    assert_eq!(scene.lead(0).get(&format!("{path}&format=pdf")).problem(), "invalid");

    // One's own line is of the months that are over: the change that a lock makes would tell what the other reader gave.
    assert_eq!(second.get(&mine).expect(200)["own"], Value::Null);
    for person in [&district.assessor, &district.coordinator, &district.earner] {
        assert_eq!(person.get(&path).problem(), "forbidden");
        assert_eq!(person.get(&format!("{path}&format=csv")).problem(), "forbidden");
    }
    // One's own view is nobody else's: there is no way to ask for another person's.
    let theirs = format!("{mine}&person_id={}", second.id);
    assert_eq!(district.assessor.get(&theirs).problem(), "invalid");
    for person in [&scene.lead(0), &district.auditor, &district.coordinator] {
        assert_eq!(person.get(&mine).problem(), "forbidden");
    }
    assert_eq!(id_of(&district.earner.get("/api/v1/me").expect(200)), district.earner.id);
    assert_eq!(district.earner.get(&mine).problem(), "forbidden");

    scene.app.advance(TimeDelta::days(31));
    let own = scene.app.sign_in(&second.email).get(&mine).expect(200);
    assert_eq!(own["own"]["assessor_id"], second.id.as_str());
    assert!(!own.to_string().contains(&district.assessor.id), "{own}");
    assert!(own["own"]["mean_difference"]["value"].as_f64().unwrap() > 0.0);
    assert!(!scene.assessor().get(&mine).expect(200).to_string().contains(&second.id));
}

fn interval(value: f64) -> Interval {
    Interval { value, low: value - 0.1, high: value + 0.1 }
}

fn plot(rows: Vec<Row>) -> Plot {
    let line = |value, label: &str| Threshold { value, label: label.to_owned() };
    Plot {
        title: "Agreement".to_owned(),
        subtitle: "Of something".to_owned(),
        axis: "Share".to_owned(),
        unit: Unit::Percent,
        ticks: vec![0.0, 0.5, 1.0],
        thresholds: vec![line(0.7, "four levels"), line(0.8, "three levels"), line(0.9, "two")],
        rows,
        empty: None,
        legend: None,
    }
}

/// The texts of a plot with their base lines, from top to bottom as they were written.
fn texts(svg: &str) -> Vec<(String, f32)> {
    let place = |text: &str, name: &str| -> f32 {
        let from = text.split(&format!(" {name}=\"")).nth(1).unwrap();
        from.split('"').next().unwrap().parse().unwrap()
    };
    svg.split("<text")
        .skip(1)
        .map(|text| {
            let words = text.split('>').nth(1).unwrap().trim_end_matches("</text");
            (words.to_owned(), place(text, "y"))
        })
        .collect()
}

#[test]
fn long_titles_are_broken_and_no_two_lines_of_labels_meet() {
    let title = "Represents what learners say so that others can follow it and build on it, ";
    let row = |number: usize| Row {
        label: title.repeat(number),
        note: format!("n = {number}"),
        mark: Mark::Usual(interval(0.7)),
    };
    let drawing = draw_plot(&plot((1..=6).map(row).collect()));
    let mut labels: Vec<f32> = texts(drawing.svg())
        .into_iter()
        .filter(|(words, _)| words.contains("learners") || words.starts_with("n = "))
        .map(|(_, y)| y)
        .collect();
    assert!(labels.len() >= 12, "{labels:?}");
    labels.sort_by(f32::total_cmp);
    assert!(labels.windows(2).all(|pair| pair[1] - pair[0] >= 15.0), "{labels:?}");
    assert!(drawing.png(600).is_ok());
}

#[test]
fn plot_says_in_words_what_it_shows_and_marks_what_is_imprecise() {
    let row = |label: &str, mark| Row { label: label.to_owned(), note: "n = 1".to_owned(), mark };
    let svg = draw_plot(&plot(vec![
        row("A & <b>", Mark::Usual(interval(0.5))),
        row("Few", Mark::Imprecise(interval(0.6))),
        row("Fewer", Mark::Hidden("too few to show".to_owned())),
    ]))
    .svg()
    .to_owned();
    let describes = [
        "A &amp; &lt;b&gt; (n = 1): 50%, interval 40% to 60%.",
        "Fewer (n = 1): too few to show.",
        "Line at 80%: three levels.",
    ];
    let description = svg.split("<desc").nth(1).unwrap().split("</desc>").next().unwrap();
    for words in describes {
        assert!(description.contains(words), "{words}: {description}");
    }
    assert_eq!(svg.matches("<circle").count(), 2, "what is hidden has no mark");
    assert_eq!(svg.matches("r=\"6\" fill=\"white\"").count(), 1);
    let colours: std::collections::BTreeSet<&str> =
        svg.split('#').skip(1).filter_map(|rest| rest.get(..6)).collect();
    let is_grey = |colour: &&str| colour[..2] == colour[2..4] && colour[2..4] == colour[4..];
    assert!(!colours.is_empty() && colours.iter().all(is_grey), "{colours:?}");
    let empty = Plot { empty: Some("Nothing yet.".to_owned()), ..plot(Vec::new()) };
    let svg = draw_plot(&empty).svg().to_owned();
    assert!(svg.contains("Nothing yet.") && !svg.contains("<circle"), "{svg}");
}
