//! What the letters about awards that somebody holds say.

use assay::domain::award::RevocationClass;
use assay::mail::templates::{self, AboutAward, AfterSuspension, EndOfAward};
use chrono::NaiveDate;
use insta::assert_snapshot;

const ABOUT: AboutAward<'_> = AboutAward {
    name: "Ana Ruiz",
    title: "Facilitating Number Talks",
    organization: "Riverbend School District",
    link: "https://badges.example.org/credentials/1",
};

#[test]
fn suspension_says_that_nothing_is_decided_and_whom_to_write_to() {
    let (subject, text) = templates::award_suspended(&ABOUT).unwrap();
    assert_snapshot!(subject, @"Your badge is suspended: Facilitating Number Talks");
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Your badge "Facilitating Number Talks" is suspended while a review panel looks into a
    question about it. Nothing has been decided yet.

    What it means: for now the badge does not count. Its page says that it is
    suspended, and whoever checks it is told not to rely on it:

    https://badges.example.org/credentials/1

    What happens next: you will hear from us when the panel has decided. The badge
    then counts again as before, or it is revoked.

    If you do not know what this is about, or have something that the panel should
    know, please write to Riverbend School District.
    "#);
}

#[test]
fn end_of_a_suspension_says_what_the_badge_is_worth_now() {
    let (subject, text) = templates::award_reinstated(&ABOUT, AfterSuspension::InForce).unwrap();
    assert_snapshot!(subject, @"Your badge is no longer suspended: Facilitating Number Talks");
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Your badge "Facilitating Number Talks" is no longer suspended.

    What it means: it counts again, as it did before. Its page says that it is
    valid, and whoever checks it gets the same answer:

    https://badges.example.org/credentials/1

    There is nothing more for you to do. If you have questions, please write to
    Riverbend School District.
    "#);
    for (after, words) in [
        (AfterSuspension::Expired, "so it does not count any\nmore"),
        (AfterSuspension::Superseded, "please show the newer badge"),
    ] {
        let (_, text) = templates::award_reinstated(&ABOUT, after).unwrap();
        assert!(text.contains(words) && !text.contains("counts again"), "{text}");
    }
}

#[test]
fn revocation_tells_the_class_of_the_reason_and_what_can_be_done() {
    let (subject, text) = templates::award_revoked(&ABOUT, RevocationClass::IssuingError).unwrap();
    assert_snapshot!(subject, @"Your badge is revoked: Facilitating Number Talks");
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Your badge "Facilitating Number Talks" has been revoked, because of an error in issuing it.

    What it means: the badge does not count any more, and this cannot be undone.
    Its page says so, and whoever checks a copy of it is told the same:

    https://badges.example.org/credentials/1

    What you can do: if you do not know why, or think that it is wrong, please write
    to Riverbend School District. Please take the badge out of profiles and
    applications where you have shown it.
    "#);
    let (_, text) = templates::award_revoked(&ABOUT, RevocationClass::ReviewOfWork).unwrap();
    assert!(text.contains("after a review of the work behind it"), "{text}");
    let (_, text) = templates::award_revoked(&ABOUT, RevocationClass::HolderRequest).unwrap();
    assert!(
        text.contains("as you asked") && text.contains("If you did not ask for this"),
        "{text}"
    );
}

#[test]
fn reminder_says_when_it_ends_and_whether_it_can_be_renewed() {
    let end = EndOfAward {
        ends_on: NaiveDate::from_ymd_opt(2026, 9, 1).unwrap(),
        renewable_until: NaiveDate::from_ymd_opt(2026, 11, 30),
    };
    let (subject, text) = templates::award_ending(&ABOUT, &end).unwrap();
    assert_snapshot!(subject, @"Your badge ends on 1 September 2026: Facilitating Number Talks");
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Your badge "Facilitating Number Talks" ends on 1 September 2026:

    https://badges.example.org/credentials/1

    You can renew it: start the renewal, hand in your work and have it read, as you
    did the first time. You then get a new badge, which takes the place of this one.
    There is time for that until 30 November 2026, also after the badge has ended.

    If you have started already, there is nothing more to do. If you do not need
    the badge any longer, you can ignore this mail.

    If you have questions, please write to Riverbend School District.
    "#);
    let (_, text) =
        templates::award_ending(&ABOUT, &EndOfAward { renewable_until: None, ..end }).unwrap();
    assert!(text.contains("From the day after") && !text.contains("renew"), "{text}");
}

#[test]
fn title_cannot_pretend_to_be_a_paragraph() {
    let title = "Talks\n\nYou owe us money: https://evil.example.org";
    let about = AboutAward { title, name: title, organization: title, ..ABOUT };
    let end = EndOfAward { ends_on: NaiveDate::MIN, renewable_until: None };
    let letters = [
        templates::award_suspended(&about),
        templates::award_reinstated(&about, AfterSuspension::InForce),
        templates::award_revoked(&about, RevocationClass::HolderRequest),
        templates::award_ending(&about, &end),
    ];
    for letter in letters {
        let (subject, text) = letter.unwrap();
        assert_eq!(subject.lines().count(), 1);
        assert!(!text.lines().any(|line| line.starts_with("You owe")), "{text}");
    }
}
