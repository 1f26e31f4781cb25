//! What earners are told about the use of AI: by their organization, or the nearest one above that has said something.

use super::audit::Change;
use super::context::Cx;
use super::error::Error;
use super::organizations;
use crate::domain::ai_use::AiUseRule;
use crate::domain::ids::OrganizationId;
use crate::domain::policy;
use crate::store;

/// The most characters of a statement.
const LONGEST: usize = 2000;

/// `GET /organizations/{id}/ai-use-policy`: the rule that holds, none where nobody has set one; with the revision of the
/// organization's own, 0 where it has none.
///
/// # Errors
/// [`Error::Denied`] for somebody else's organization.
pub fn find(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
) -> Result<(Option<AiUseRule>, i32), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "read_ai_use_policy", &subject)?;
    if let Some((own, revision)) = store::ai_use::find(cx.conn, organization)? {
        return Ok((Some(own), revision));
    }
    Ok((store::ai_use::find_in_force(cx.conn, organization)?, 0))
}

/// `PUT /organizations/{id}/ai-use-policy`: holds for what is handed in from now on.
///
/// # Errors
/// [`Error::Stale`] when it has changed since it was read, [`Error::Invalid`] without words.
pub fn put(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    rule: &AiUseRule,
    revision: i32,
) -> Result<(AiUseRule, i32), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_ai_use_policy", &subject)?;
    if rule.statement.trim().is_empty() || rule.statement.chars().count() > LONGEST {
        let detail = format!("say in plain words what that means, in at most {LONGEST} characters");
        return Err(Error::invalid("/statement", "words", detail));
    }
    let now = cx.now;
    cx.write(|conn| {
        store::ai_use::save(conn, organization, rule, revision, now)?;
        let change =
            Change::new("put_ai_use_policy", Some(organization), "organization", organization)
                .with("policy", rule.allowed);
        Ok(((rule.clone(), revision + 1), change))
    })
}
