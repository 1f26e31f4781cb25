//! What people without an account add to an earner's evidence: a colleague's observation, a family's or a student's voice. One link, one item.

use chrono::TimeDelta;

use super::audit::Change;
use super::context::{Cx, new_uuid};
use super::error::Error;
use super::evidence::{self, Given, Incoming, Inline, ItemTerms, TakenFile};
use super::keyring::token_sha256;
use super::{outbox, process_letters, submissions};
use crate::domain::contribution::Contributor;
use crate::domain::definition::Definition;
use crate::domain::ids::{ContributionLinkId, SubmissionId};
use crate::domain::policy;
use crate::domain::submission::SubmissionEvent;
use crate::domain::timestamp::Timestamp;
use crate::files::{Limits, limit_for, open_bytes, seal_bytes};
use crate::store::{self, DbConn, StoreError};

pub use crate::store::contributions::ContributionLink;

/// How long a link works.
const LINK_LIFE: TimeDelta = TimeDelta::days(30);
/// The most links of one submission, used ones too.
const MOST_LINKS: usize = 20;
/// The most characters of what is added.
const LONGEST_TEXT: usize = 20_000;
/// The most characters of what the earner says to the contributor.
const LONGEST_MESSAGE: usize = 1000;
/// What the seal of a message is bound to.
const SEAL: &[u8] = b"contribution_message";

/// Whom an earner asks, and for what.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// Who adds it.
    pub contributor: Contributor,
    /// For which evidence requirement, and whether students can be recognised in it.
    pub terms: ItemTerms,
    /// What the earner says to them.
    pub message: Option<String>,
}

/// What whoever holds a link is shown. It names nobody: the earner hands the link on in person.
#[derive(Clone, Debug)]
pub struct Request {
    /// The link.
    pub link: ContributionLink,
    /// The title of the micro-credential.
    pub title: String,
    /// What is asked for.
    pub requirement_title: String,
    /// In more words, where there are any.
    pub requirement_description: Option<String>,
    /// What the earner says to them.
    pub message: Option<String>,
    /// The types of file that are taken in place of words, each with the most bytes.
    pub files: Vec<(String, u64)>,
}

fn hidden() -> Error {
    Error::NotFound("link that works: it was used, taken back, or is too old")
}

/// `POST /submissions/{id}/contribution-links`: a link that whoever holds it can use once. Returns it with its secret.
///
/// # Errors
/// [`Error::Invalid`] without the consent that is needed, without room, and for too many links; [`Error::WrongState`] once it is handed in.
pub fn create(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    new: &NewLink,
) -> Result<(ContributionLink, String), Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "create_contribution_link", &subject)?;
    let (_, definition) = submissions::pinned(cx.conn, &stored)?;
    if definition.find_evidence(&new.terms.requirement_id).is_none() {
        let detail = "name one of the evidence requirements; prompts are yours to answer";
        return Err(Error::invalid("/requirement_id", "unknown-requirement", detail));
    }
    if new.contributor.needs_consent() && !new.terms.consent {
        let detail = "confirm that you keep the signed consent form (consent: true) before you ask a family or a student";
        return Err(Error::invalid("/consent", "consent-missing", detail));
    }
    if new.message.as_ref().is_some_and(|text| text.chars().count() > LONGEST_MESSAGE) {
        let detail = format!("a message has at most {LONGEST_MESSAGE} characters");
        return Err(Error::invalid("/message", "too-long", detail));
    }
    let link_id = ContributionLinkId::from_uuid(new_uuid());
    let token = cx.resources.keyring.contribution_token(&link_id.to_string());
    let hash = token_sha256(&token);
    let (now, resources) = (cx.now, cx.resources);
    let link = cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Save)?;
        let links = store::contributions::list(conn, id)?;
        let is_open = |link: &&ContributionLink| {
            link.requirement == new.terms.requirement_id && link.works(now)
        };
        // Nobody writes something for which there is no room: links that still work count.
        evidence::require_room(
            conn,
            &definition,
            id,
            &new.terms,
            links.iter().filter(is_open).count(),
        )?;
        if links.len() >= MOST_LINKS {
            let detail = format!("a submission has at most {MOST_LINKS} links, used ones too");
            return Err(Error::invalid("", "too-many-links", detail));
        }
        let key = submissions::open_key(resources, &stored)?;
        let seal = |text: &String| seal_bytes(&key, text.as_bytes(), SEAL).map_err(Error::internal);
        let link = ContributionLink {
            id: link_id,
            submission: id,
            requirement: new.terms.requirement_id.clone(),
            contributor: new.contributor,
            sealed_message: new.message.as_ref().map(seal).transpose()?,
            contains_students: new.terms.contains_students,
            consent: new.terms.consent,
            created_at: now,
            expires_at: now.plus(LINK_LIFE),
            used_at: None,
            ended_at: None,
        };
        store::contributions::create(conn, &link, &hash)?;
        let organization = stored.submission.facts().organization;
        let change = Change::new(
            "create_contribution_link",
            Some(organization),
            "contribution_link",
            link_id,
        )
        .with("submission", id)
        .with("contributor", link.contributor);
        Ok((link, change))
    })?;
    let url = format!("{}/contributions/new#{token}", cx.installation()?.base_url);
    Ok((link, url))
}

/// `GET /submissions/{id}/contribution-links`: all of them, without their secrets.
///
/// # Errors
/// [`Error::Denied`] for anybody but the earner.
pub fn list(cx: &mut Cx<'_>, id: SubmissionId) -> Result<Vec<ContributionLink>, Error> {
    let (_, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "list_contribution_links", &subject)?;
    Ok(store::contributions::list(cx.conn, id)?)
}

/// `DELETE /submissions/{id}/contribution-links/{link_id}`: takes a link back before it was used.
///
/// # Errors
/// [`Error::WrongState`] once it was used or taken back.
pub fn end(cx: &mut Cx<'_>, id: SubmissionId, link: ContributionLinkId) -> Result<(), Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "end_contribution_link", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let known = store::contributions::list(conn, id)?;
        if !known.iter().any(|one| one.id == link) {
            return Err(Error::NotFound("contribution link"));
        }
        match store::contributions::finish(conn, link, false, now) {
            Err(StoreError::Stale) => {
                let detail = "this link was used or taken back already".to_owned();
                return Err(Error::WrongState { detail, allowed_events: Vec::new() });
            }
            other => other?,
        }
        let organization = stored.submission.facts().organization;
        Ok((
            (),
            Change::new("end_contribution_link", Some(organization), "contribution_link", link),
        ))
    })
}

fn terms_of(link: &ContributionLink) -> ItemTerms {
    ItemTerms {
        requirement_id: link.requirement.clone(),
        contains_students: link.contains_students,
        consent: link.consent,
    }
}

/// A link that works, with its draft.
fn find_open(
    conn: &mut DbConn,
    token: &str,
    now: Timestamp,
) -> Result<(ContributionLink, submissions::StoredSubmission, Definition, String), Error> {
    let link = store::contributions::find_by_token(conn, &token_sha256(token))?
        .filter(|link| link.works(now))
        .ok_or_else(hidden)?;
    let stored = submissions::find_fresh(conn, link.submission)?;
    let (version, definition) = submissions::pinned(conn, &stored)?;
    // Whether it was handed in, decided or withdrawn is the earner's business.
    if stored.submission.require(SubmissionEvent::Save).is_err() || stored.sealed_key.is_none() {
        return Err(hidden());
    }
    Ok((link, stored, definition, version.title))
}

/// `POST /contributions/read`: what is asked of whoever holds the link.
///
/// # Errors
/// [`Error::NotFound`] for a link that does not work, [`Error::Invalid`] where there is no room any more.
pub fn read(cx: &mut Cx<'_>, token: &str) -> Result<Request, Error> {
    let (link, stored, definition, title) = find_open(cx.conn, token, cx.now)?;
    let requirement = definition.find_evidence(&link.requirement).ok_or_else(hidden)?;
    let terms = terms_of(&link);
    let media = evidence::require_room(cx.conn, &definition, link.submission, &terms, 0)?;
    let message = match &link.sealed_message {
        Some(sealed) => {
            let key = submissions::open_key(cx.resources, &stored)?;
            let bytes = open_bytes(&key, sealed, SEAL).map_err(Error::internal)?;
            Some(String::from_utf8(bytes).map_err(Error::internal)?)
        }
        None => None,
    };
    Ok(Request {
        requirement_title: requirement.title().to_owned(),
        requirement_description: requirement.description().map(str::to_owned),
        files: media
            .into_iter()
            .map(|media_type| {
                let most = limit_for(&media_type, Limits::default());
                (media_type, most)
            })
            .collect(),
        link,
        title,
        message,
    })
}

/// `POST /contributions`: adds words to the draft and uses the link up. The earner is told by mail, and can take the item away.
///
/// # Errors
/// [`Error::NotFound`] for a link that does not work, [`Error::Invalid`] for the text and where there is no room any more.
pub fn contribute(cx: &mut Cx<'_>, token: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
        let detail = format!("write something, in at most {LONGEST_TEXT} characters");
        return Err(Error::invalid("/text", "words", detail));
    }
    add(cx, token, &Given::Inline(Inline::Text(text.to_owned())))
}

/// Opens the file that somebody sends in place of words. The bytes are written by the caller, outside any transaction.
///
/// # Errors
/// As [`read`].
pub fn begin_file(cx: &mut Cx<'_>, token: &str) -> Result<Incoming, Error> {
    let (link, stored, definition, _) = find_open(cx.conn, token, cx.now)?;
    evidence::require_room(cx.conn, &definition, link.submission, &terms_of(&link), 0)?;
    evidence::open_incoming(cx.resources, &stored)
}

/// `POST /contributions` with a file: checks its type against the requirement, adds it to the draft and uses the link up.
///
/// # Errors
/// As [`contribute`], [`Error::UnsupportedFile`] and [`Error::FileTooLarge`]; the file is removed then, and the link works on.
pub fn contribute_file(
    cx: &mut Cx<'_>,
    token: &str,
    incoming: Incoming,
    file_name: &str,
) -> Result<(), Error> {
    let (link, stored, definition, _) = find_open(cx.conn, token, cx.now)?;
    let terms = terms_of(&link);
    let media = evidence::require_room(cx.conn, &definition, link.submission, &terms, 0)?;
    let taken = TakenFile::new(cx.resources, &stored, incoming, file_name, &media)?;
    let given = Given::File(taken);
    let added = add(cx, token, &given);
    if let (Err(_), Given::File(taken)) = (&added, &given) {
        taken.discard(cx.resources);
    }
    added
}

fn add(cx: &mut Cx<'_>, token: &str, given: &Given) -> Result<(), Error> {
    let host = outbox::message_host(&cx.installation()?.base_url);
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let (link, stored, definition, title) = find_open(conn, token, now)?;
        match store::contributions::finish(conn, link.id, true, now) {
            Err(StoreError::Stale) => return Err(hidden()),
            other => other?,
        }
        let terms = terms_of(&link);
        let of = (&terms, link.contributor);
        let (_, change) =
            evidence::contribute(conn, &stored, of, &definition, given, resources, now)?;
        process_letters::contributed(conn, stored.submission.facts(), &title, &host, now)?;
        Ok(((), change))
    })
}
