//! The page of one credential: what it says and whether it holds, in ten seconds.

use askama::Template;
use chrono::{Datelike, NaiveDate};

use super::issuer::IssuerRef;
use super::words;
use crate::domain::award::{RevocationClass, RevocationReason};
use crate::domain::review_policy::ReviewMode;

/// What the page of a credential shows. It never names the earner: the badge itself does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialPage {
    /// The award's id, the last segment of the page's path.
    pub award_id: String,
    /// The credential's own id, a whole URL, as signed.
    pub credential_id: String,
    /// Where it stands.
    pub standing: Standing,
    /// The id of the award that has renewed it.
    pub successor_id: Option<String>,
    /// The day for which `standing` holds.
    pub checked_on: NaiveDate,
    /// What was earned.
    pub title: String,
    /// The language of the definition's words, a tag of BCP 47.
    pub language: String,
    /// The one sentence that the rubric is about.
    pub competency: String,
    /// What an award shows that the holder can do, in words.
    pub skills: Vec<String>,
    /// Who signed it.
    pub issuer: IssuerRef,
    /// The day from which it holds.
    pub issued_on: Option<NaiveDate>,
    /// The last day on which it holds; `None` for no end.
    pub valid_until: Option<NaiveDate>,
    /// What the authors call the version that was earned.
    pub version_label: String,
    /// What the authors call the version that can be earned now, if it is another one.
    pub current_version_label: Option<String>,
    /// Whether the definition can no longer be earned.
    pub is_definition_retired: bool,
    /// How it was earned.
    pub earned: Earned,
    /// Whether the badge can be had as a JWT. One from before that was possible cannot, until it is signed again.
    pub has_jwt: bool,
}

/// How a credential was earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Earned {
    /// By work that was scored.
    Scored(Scored),
    /// By other credentials.
    Stacked(Stacked),
}

/// Work that was scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// The family of the definition.
    pub micro_credential_id: String,
    /// The version that was earned, counted from 1.
    pub version: u32,
    /// How it was scored.
    pub scoring: Scoring,
    /// The level of each criterion; empty unless the earner chose to include them.
    pub levels: Vec<AchievedLevel>,
}

/// The credentials that a stack rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stacked {
    /// The stack, the last segment of its page's path.
    pub stack_id: String,
    /// What it rests on.
    pub parts: Vec<PartLine>,
}

/// A credential that a stack rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartLine {
    /// The award's id, the last segment of the path of its page.
    pub award_id: String,
    /// What was earned.
    pub title: String,
    /// Why it does not count today; none for one that does.
    pub ended: Option<&'static str>,
}

/// How the work was scored, as it is signed into the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scoring {
    /// The mode of the definition.
    pub mode: ReviewMode,
    /// How many people read the work.
    pub raters: u32,
    /// Whether all of them had qualified on known work.
    pub assessors_qualified: bool,
}

/// The level that one criterion reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AchievedLevel {
    /// The criterion's title.
    pub criterion: String,
    /// The level's place on the scale, from 0.
    pub level: u8,
    /// The highest place on that scale.
    pub top_level: u8,
    /// The level's name.
    pub label: String,
    /// Whether the level passes.
    pub is_passing: bool,
}

/// Where a credential stands, as the page says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In force.
    Valid,
    /// In force, although a newer one took its place.
    Superseded,
    /// Its first day is still to come.
    NotYetValid {
        /// That day.
        from: NaiveDate,
    },
    /// Earned, but not signed yet.
    NotIssued,
    /// A panel sits.
    Suspended,
    /// Its time is over.
    Expired {
        /// The last day on which it held.
        on: NaiveDate,
    },
    /// Withdrawn for ever.
    Revoked {
        /// The day on which it was withdrawn.
        on: NaiveDate,
        /// Why. The page tells the class of the reason, never more.
        reason: RevocationReason,
    },
}

impl Standing {
    /// The headline.
    #[must_use]
    pub fn headline(self) -> String {
        match self {
            Standing::Valid => "Valid now".to_owned(),
            Standing::Superseded => "Valid, replaced by a newer one".to_owned(),
            Standing::NotYetValid { from } => {
                format!("Not valid until {}", words::date_in_words(&from))
            }
            Standing::NotIssued => "Not issued yet".to_owned(),
            Standing::Suspended => "Suspended".to_owned(),
            Standing::Expired { on } => format!("Expired on {}", words::date_in_words(&on)),
            Standing::Revoked { on, .. } => format!("Revoked on {}", words::date_in_words(&on)),
        }
    }

    /// What the headline means for somebody who relies on it. Of a valid one the page says more.
    fn explanation(self) -> &'static str {
        match self {
            Standing::Valid => "It is not revoked, suspended or expired.",
            Standing::Superseded => {
                "The holder has renewed it. This one remains genuine; please ask for the newer one."
            }
            Standing::NotYetValid { .. } => "It is signed, but its first day is still to come.",
            Standing::NotIssued => {
                "The work met the rubric, but the issuer has not signed the credential. Do not rely on it yet."
            }
            Standing::Suspended => {
                "A review panel is looking into it. Do not rely on it until the panel has decided."
            }
            Standing::Expired { .. } => {
                "It was genuine for its time, and that time is over. Do not rely on it now."
            }
            Standing::Revoked { reason, .. } => match reason.class() {
                RevocationClass::IssuingError => {
                    "The issuer has withdrawn it because of an error in issuing it. Do not rely on it."
                }
                RevocationClass::ReviewOfWork => {
                    "The issuer has withdrawn it after a review of the work behind it. Do not rely on it."
                }
                RevocationClass::HolderRequest => {
                    "The issuer has withdrawn it because the holder asked for that. Do not rely on it."
                }
            },
        }
    }

    /// The colours. Words and icon say the same.
    fn tone(self) -> &'static str {
        match self {
            Standing::Valid | Standing::Superseded => "good",
            Standing::NotYetValid { .. } | Standing::NotIssued => "still",
            Standing::Suspended | Standing::Expired { .. } => "warn",
            Standing::Revoked { .. } => "bad",
        }
    }

    /// Why nobody should rely on it today, in a word or three; `None` where they may.
    #[must_use]
    pub const fn ended_word(self) -> Option<&'static str> {
        match self {
            Standing::Valid | Standing::Superseded => None,
            Standing::NotYetValid { .. } | Standing::NotIssued => Some("Not valid yet"),
            Standing::Suspended => Some("Suspended"),
            Standing::Expired { .. } => Some("Expired"),
            Standing::Revoked { .. } => Some("Revoked"),
        }
    }

    /// The outline of the icon: a tick, a clock, a bar or a cross.
    fn icon(self) -> &'static str {
        match self {
            Standing::Valid | Standing::Superseded => "M6 12.6l4 4 8-9",
            Standing::NotYetValid { .. } | Standing::NotIssued | Standing::Expired { .. } => {
                "M12 6.5V12l4 2.5"
            }
            Standing::Suspended => "M9 7.5v9M15 7.5v9",
            Standing::Revoked { .. } => "M7.5 7.5l9 9M16.5 7.5l-9 9",
        }
    }

    fn is_signed(self) -> bool {
        match self {
            Standing::Valid
            | Standing::Superseded
            | Standing::NotYetValid { .. }
            | Standing::Suspended
            | Standing::Expired { .. }
            | Standing::Revoked { .. } => true,
            Standing::NotIssued => false,
        }
    }
}

/// Writes the page of a credential.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn credential_page(page: &CredentialPage) -> Result<String, askama::Error> {
    CredentialTemplate { page, standing: page.standing }.render()
}

#[derive(Template)]
#[template(path = "credential.html", config = "src/http/web/templates/askama.toml")]
struct CredentialTemplate<'a> {
    page: &'a CredentialPage,
    standing: Standing,
}

impl Scoring {
    /// Who scored it, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let trained = if self.assessors_qualified { "trained " } else { "" };
        let readers = if self.raters == 1 { "reader" } else { "readers" };
        format!("Scored blind by {} {trained}{readers}", words::number_in_words(self.raters))
    }
}

impl Scored {
    fn mode(&self) -> &'static str {
        words::mode_in_past(self.scoring.mode)
    }
}

impl Stacked {
    /// What it is made of, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let number = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        let badges = if number == 1 { "badge" } else { "badges" };
        format!("Rests on {} {badges}", words::number_in_words(number))
    }
}

impl CredentialTemplate<'_> {
    fn scored_headline(&self) -> String {
        match &self.page.earned {
            Earned::Scored(scored) => scored.scoring.headline(),
            Earned::Stacked(stacked) => stacked.headline(),
        }
    }

    fn kind(&self) -> &'static str {
        match self.page.earned {
            Earned::Scored(_) => "Micro-credential",
            Earned::Stacked(_) => "Stack of micro-credentials",
        }
    }

    /// Whether somebody may rely on it today.
    fn counts(&self) -> bool {
        self.standing.ended_word().is_none()
    }

    fn has_pdf(&self) -> bool {
        cfg!(feature = "pdf")
    }

    fn picture_alternative(&self) -> String {
        format!("Badge: {}, issued by {}", self.page.title, self.page.issuer.name)
    }

    /// The form with which LinkedIn takes a certification, filled in.
    fn linkedin_link(&self) -> String {
        let page = self.page;
        let mut pairs = vec![
            ("startTask", "CERTIFICATION_NAME".to_owned()),
            ("name", page.title.clone()),
            ("organizationName", page.issuer.name.clone()),
            ("certUrl", page.credential_id.clone()),
            ("certId", page.award_id.clone()),
        ];
        for (day, year, month) in [
            (page.issued_on, "issueYear", "issueMonth"),
            (page.valid_until, "expirationYear", "expirationMonth"),
        ] {
            if let Some(day) = day {
                pairs.push((year, day.year().to_string()));
                pairs.push((month, day.month().to_string()));
            }
        }
        words::link_with("https://www.linkedin.com/profile/add", &pairs)
    }

    /// A letter that somebody only has to address.
    fn share_mail_link(&self) -> String {
        let page = self.page;
        let body = format!(
            "{}\n\n{}. Issued by {}.\nWhether it counts today stands on the page:\n\n{}\n",
            page.title,
            self.scored_headline(),
            page.issuer.name,
            page.credential_id
        );
        words::letter_link(&format!("Micro-credential: {}", page.title), &body)
    }

    fn explanation(&self) -> String {
        let explanation = self.standing.explanation();
        let is_stack = matches!(self.page.earned, Earned::Stacked(_));
        match self.standing {
            Standing::Suspended if is_stack => {
                "Do not rely on it today. A badge that it rests on does not count at the moment, or a review panel is looking into it."
                    .to_owned()
            }
            Standing::Valid => format!("Signed by {}. {explanation}", self.page.issuer.name),
            Standing::Superseded
            | Standing::NotYetValid { .. }
            | Standing::NotIssued
            | Standing::Suspended
            | Standing::Expired { .. }
            | Standing::Revoked { .. } => explanation.to_owned(),
        }
    }
}
