//! What the letters about a submission on its way say.

use assay::mail::process_letters::{self, AboutSubmission};
use chrono::NaiveDate;
use insta::assert_snapshot;

const ABOUT: AboutSubmission<'_> = AboutSubmission {
    name: "Ana Ruiz",
    title: "Facilitating Number Talks",
    organization: "Riverbend School District",
    link: "https://badges.example.org/submissions/1",
};

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 12, 4).unwrap()
}

#[test]
fn returned_work_is_no_attempt_and_no_verdict() {
    let (subject, text) = process_letters::returned(&ABOUT).unwrap();
    assert_snapshot!(subject, @r#"Something is missing in your submission for "Facilitating Number Talks""#);
    assert!(text.contains("does not count as an attempt"), "{text}");
    assert!(text.lines().any(|line| line == ABOUT.link), "{text}");
}

#[test]
fn question_is_told_with_the_day_until_which_it_can_be_answered() {
    let (subject, text) = process_letters::integrity_notice(&ABOUT, day()).unwrap();
    assert_snapshot!(subject, @r#"A question about your submission for "Facilitating Number Talks""#);
    assert!(
        text.contains("until 4 December 2026") && text.contains("Nothing has\nbeen decided"),
        "{text}"
    );
    let (_, text) = process_letters::integrity_cleared(&ABOUT).unwrap();
    assert!(text.contains("Nothing\nwas found against it"), "{text}");
    let (_, text) = process_letters::integrity_upheld(&ABOUT).unwrap();
    assert!(text.contains("please write to Riverbend School District"), "{text}");
}

#[test]
fn appeal_is_promised_an_answer_and_gets_one() {
    let (_, text) = process_letters::appeal_received(&ABOUT, day()).unwrap();
    assert!(text.contains("4 December 2026") && text.contains("cannot be\nlowered"), "{text}");
    let (_, text) = process_letters::appeal_decided(&ABOUT, true).unwrap();
    assert!(text.contains("The result is now: earned."), "{text}");
    let (_, text) = process_letters::appeal_decided(&ABOUT, false).unwrap();
    assert!(text.contains("The result is still: not yet."), "{text}");
}

#[test]
fn draft_that_nobody_saves_is_told_its_last_day_and_how_to_keep_it() {
    let (subject, text) = process_letters::draft_ending(&ABOUT, day()).unwrap();
    assert_snapshot!(subject, @r#"Your draft for "Facilitating Number Talks" ends soon"#);
    assert!(text.contains("it ends on 4 December 2026"), "{text}");
    assert!(text.lines().any(|line| line == ABOUT.link), "{text}");
    assert!(text.contains("open it and save it"), "{text}");
}

#[test]
fn coach_is_an_offer_and_learns_only_what_the_earner_agreed_to() {
    let (_, text) = process_letters::coach_offered(&ABOUT).unwrap();
    assert!(text.contains("Nobody is told of this offer unless you say yes."), "{text}");
    let (_, text) =
        process_letters::coach_wanted(&ABOUT, "Ben\nWhitaker", "ben@example.org").unwrap();
    assert!(text.contains("Ben Whitaker (ben@example.org) would like to talk"), "{text}");
    assert!(!text.contains(ABOUT.link), "the work is the earner's to share");
    let (_, text) =
        process_letters::coach_asked(&ABOUT, "Ben\nWhitaker", "ben@example.org").unwrap();
    assert!(text.contains("Ben Whitaker (ben@example.org) asks you to look"), "{text}");
    let (_, text) = process_letters::contributed(&ABOUT).unwrap();
    assert!(text.contains(ABOUT.link) && text.contains("take it away"), "{text}");
    let (_, text) = process_letters::coach_commented(&ABOUT).unwrap();
    assert!(text.contains(ABOUT.link), "the words themselves stay behind the sign-in: {text}");
}
