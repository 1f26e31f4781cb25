//! People of a programme: how an invitee stands, what a row of a list can be at fault for, and the words of a message (DOMAIN.md, 4: Cohort).

use chrono::{Days, Months, NaiveDate};

worded_enum! {
    /// How an invitee stands. Somebody who is invited again is the same invitee.
    InviteeState {
        /// On the list; the mail is not in the outbox yet.
        Waiting = "waiting",
        /// Invited, by mail or by a printed code.
        Invited = "invited",
        /// Has said no, with a reason.
        Declined = "declined",
        /// Takes part.
        Enrolled = "enrolled",
    }
}

worded_enum! {
    /// Why somebody does not want to take part.
    DeclineReason {
        /// There is no time for it.
        NoTime = "no_time",
        /// It is not about what they do.
        NotMyWork = "not_my_work",
        /// Perhaps another year.
        NotNow = "not_now",
        /// Nobody would help or make room.
        NoSupport = "no_support",
        /// Something else.
        Other = "other",
    }
}

worded_enum! {
    /// Whom a reminder goes to.
    ReminderTo {
        /// Invited and without an answer.
        NotEnrolled = "not_enrolled",
        /// Enrolled, and nothing begun.
        NotStarted = "not_started",
        /// Begun, and nothing handed in.
        NotSubmitted = "not_submitted",
    }
}

worded_enum! {
    /// What is wrong with a row of a list of people, or of a file of who is still employed.
    RowFault {
        /// Not as many cells as the header.
        Columns = "columns",
        /// Neither an address nor a reference.
        NobodyNamed = "nobody_named",
        /// Both an address and a reference.
        NamedTwice = "named_twice",
        /// No e-mail address.
        Email = "email",
        /// A reference that is too long or has other characters.
        Reference = "reference",
        /// No name, or one that is too long.
        Name = "name",
        /// Not an audience of the cohort.
        Audience = "audience",
        /// No school of the organization.
        School = "school",
        /// Two schools have the name.
        SchoolUnclear = "school_unclear",
        /// The same person stands further up.
        Repeated = "repeated",
        /// Is in another cohort of the programme.
        OtherCohort = "other_cohort",
        /// Has said no.
        Declined = "declined",
        /// Their membership of the school is suspended.
        Suspended = "suspended",
        /// Not a printed code of the programme.
        Code = "code",
        /// Does not take part in the programme.
        NotTakingPart = "not_taking_part",
        /// Neither yes nor no.
        Employed = "employed",
        /// Has taken part for less than a year on the day of the file.
        LessThanAYear = "less_than_a_year",
    }
}

worded_enum! {
    /// What becomes of a row.
    RowOutcome {
        /// A new invitee.
        New = "new",
        /// Invited before, and invited once more.
        Again = "again",
        /// Invited or enrolled before: nothing is sent.
        Known = "known",
        /// Of a file of who is still employed: it counts.
        Taken = "taken",
        /// At fault: nothing is done.
        Refused = "refused",
    }
}

/// What was arranged with one person of a programme so that they can show what they can do (DOMAIN.md, 4: accessible alternatives are equal
/// in the rubric). It changes the form of an answer, never what is asked or how it is scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accommodations {
    /// Every prompt may be answered by a recording, also where the definition says nothing of it.
    pub spoken_answers: bool,
    /// The word limits of the prompts do not hold.
    pub unlimited_words: bool,
    /// What else was arranged, in words for the person and the coordinators.
    pub note: String,
}

/// Whether somebody who began to take part on a day has done so for a year on another.
#[must_use]
pub fn is_year_later(began: NaiveDate, day: NaiveDate) -> bool {
    began.checked_add_months(Months::new(12)).is_some_and(|year_later| year_later <= day)
}

/// The last day on which somebody can begin: that of the cohort, or their own.
#[must_use]
pub fn last_day(closes_on: NaiveDate, extended_to: Option<NaiveDate>) -> NaiveDate {
    extended_to.map_or(closes_on, |own| own.max(closes_on))
}

/// Whether a reminder is due: on its day, and for `grace` days after it, but never when the window is over.
#[must_use]
pub fn is_due(last_day: NaiveDate, days_before: u64, grace: u64, today: NaiveDate) -> bool {
    let Some(day) = last_day.checked_sub_days(Days::new(days_before)) else { return false };
    let until =
        day.checked_add_days(Days::new(grace)).map_or(last_day, |until| until.min(last_day));
    (day..=until).contains(&today)
}

/// The words in braces that a message may have. The mail has its own text in their place.
pub const PLACEHOLDERS: [&str; 6] =
    ["name", "programme", "organization", "link", "link_ends_on", "closes_on"];

/// The first `{word}` of a text that is none of [`PLACEHOLDERS`].
#[must_use]
pub fn unknown_placeholder(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        let (word, after) = behind.split_once('}')?;
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_word && !PLACEHOLDERS.contains(&word) {
            return Some(word);
        }
        rest = if is_word { after } else { behind };
    }
    None
}

/// The text with what belongs there in the place of each `{word}`. What is put in is not looked at again: a name with braces stays a name.
#[must_use]
pub fn fill(text: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        match behind.split_once('}').and_then(|(word, after)| Some((value_of(word)?, after))) {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = behind;
            }
        }
    }
    filled.push_str(rest);
    filled
}
