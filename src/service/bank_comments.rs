//! The comment bank: assessors of a micro-credential keep sentences for one another. Who has written one, or leads, changes it.

use super::audit::Change;
use super::context::{Cx, above, new_uuid};
use super::error::{Error, Fault};
use super::micro_credentials::parse_stored;
use crate::domain::ids::{BankCommentId, MicroCredentialId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::store::micro_credentials::Version;
use crate::store::{self, DbConn};

pub use crate::store::bank_comments::BankComment;

/// The most characters of a sentence.
const LONGEST: usize = 2000;

/// What a sentence is made of.
#[derive(Clone, Debug, Default)]
pub struct NewComment {
    /// For which criterion or prompt; none for any.
    pub criterion: Option<String>,
    /// The words.
    pub text: String,
}

fn load(conn: &mut DbConn, family: MicroCredentialId) -> Result<(Version, Subject), Error> {
    let version = store::micro_credentials::find_newest(conn, family, true)?
        .ok_or(Error::Denied(Denied::Hidden("micro-credential")))?;
    let subject = Subject {
        kind: "micro-credential",
        organization: version.organization,
        above: above(conn, version.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Public,
    };
    Ok((version, subject))
}

fn refuse_faults(version: &Version, new: &NewComment) -> Result<(), Error> {
    let mut faults = Vec::new();
    if new.text.trim().is_empty() || new.text.chars().count() > LONGEST {
        let detail = format!("write a sentence or two, in at most {LONGEST} characters");
        faults.push(Fault::new("/text", "text", detail));
    }
    if let Some(criterion) = &new.criterion
        && parse_stored(version)?.definition.rubric().find_item(criterion).is_none()
    {
        let detail = "the rubric has no such criterion or prompt; leave it out for any";
        faults.push(Fault::new("/criterion_id", "unknown-criterion", detail));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let summary = "the comment cannot be kept like this".to_owned();
    Err(Error::Invalid { code: "invalid-comment", summary, faults })
}

/// `GET /micro-credentials/{id}/comments`.
///
/// # Errors
/// [`Error::Denied`] for anybody but its assessors.
pub fn list(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<BankComment>, Error> {
    let (_, subject) = load(cx.conn, family)?;
    policy::require(&cx.actor, "list_comments", &subject)?;
    Ok(store::bank_comments::list(cx.conn, family, after, limit)?)
}

/// `POST /micro-credentials/{id}/comments`.
///
/// # Errors
/// [`Error::Invalid`] for an empty sentence or an unknown criterion.
pub fn create(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    new: &NewComment,
) -> Result<BankComment, Error> {
    let (version, subject) = load(cx.conn, family)?;
    policy::require(&cx.actor, "create_comment", &subject)?;
    refuse_faults(&version, new)?;
    let comment = BankComment {
        id: BankCommentId::from_uuid(new_uuid()),
        organization: version.organization,
        micro_credential: family,
        criterion: new.criterion.clone(),
        text: new.text.clone(),
        author: cx.signed_in()?.person,
        revision: 1,
        updated_at: cx.now,
    };
    cx.write(|conn| {
        store::bank_comments::create(conn, &comment)?;
        let change =
            Change::new("create_comment", Some(comment.organization), "comment", comment.id);
        Ok((comment.clone(), change))
    })
}

/// The comment, for whoever has written it and for lead assessors.
fn find_own(
    cx: &mut Cx<'_>,
    operation: &str,
    family: MicroCredentialId,
    id: BankCommentId,
) -> Result<(Version, BankComment), Error> {
    let (version, subject) = load(cx.conn, family)?;
    policy::require(&cx.actor, operation, &subject)?;
    let comment =
        store::bank_comments::find(cx.conn, family, id)?.ok_or(Error::NotFound("comment"))?;
    let leads = cx.actor.holds(Role::LeadAssessor, subject.organization, &subject.above);
    if leads || cx.actor.person() == Some(comment.author) {
        Ok((version, comment))
    } else {
        Err(Denied::Forbidden.into())
    }
}

/// `PUT /micro-credentials/{id}/comments/{comment_id}`.
///
/// # Errors
/// [`Error::Stale`], [`Error::Invalid`] as for a new one, [`Error::Denied`] for somebody else's.
pub fn change(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    id: BankCommentId,
    new: &NewComment,
    revision: i32,
) -> Result<BankComment, Error> {
    let (version, comment) = find_own(cx, "put_comment", family, id)?;
    if comment.revision != revision {
        return Err(Error::Stale);
    }
    refuse_faults(&version, new)?;
    let now = cx.now;
    cx.write(|conn| {
        let changed = BankComment {
            criterion: new.criterion.clone(),
            text: new.text.clone(),
            ..comment.clone()
        };
        store::bank_comments::save(conn, &changed, now)?;
        let change = Change::new("put_comment", Some(comment.organization), "comment", id);
        Ok((BankComment { revision: revision + 1, updated_at: now, ..changed }, change))
    })
}

/// `DELETE /micro-credentials/{id}/comments/{comment_id}`.
///
/// # Errors
/// [`Error::Denied`] for somebody else's.
pub fn delete(cx: &mut Cx<'_>, family: MicroCredentialId, id: BankCommentId) -> Result<(), Error> {
    let (_, comment) = find_own(cx, "delete_comment", family, id)?;
    cx.write(|conn| {
        store::bank_comments::delete(conn, comment.organization, id)?;
        Ok(((), Change::new("delete_comment", Some(comment.organization), "comment", id)))
    })
}
