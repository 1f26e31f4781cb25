//! Credit that is taken back: an entry of its own beside the grant, which stays.

use serde::Deserialize;
use serde_json::json;

use crate::domain::ids::{CreditGrantId, CreditReversalId};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::mail::credit_letters::{self, CreditReversed};
use crate::service::audit::Change;
use crate::service::award_basis;
use crate::service::context::{Cx, above, new_uuid};
use crate::service::error::Error;
use crate::service::outbox;
use crate::store::credit::{Grant, Reversal};
use crate::store::outbox::OutboxRow;
use crate::store::{self, DbConn};

/// The kind of the mail that tells somebody of it.
const REVERSED: &str = "credit_reversed";
/// The most characters of a reason.
const LONGEST_REASON: usize = 2000;

#[derive(Deserialize)]
struct Parameters {
    grant_id: CreditGrantId,
}

fn load(conn: &mut DbConn, id: CreditGrantId) -> Result<(Grant, Subject), Error> {
    let missing = || Error::Denied(Denied::Hidden("credit grant"));
    let grant = store::credit::find_grant(conn, id)?.ok_or_else(missing)?;
    let subject = Subject {
        kind: "credit grant",
        organization: grant.organization,
        above: above(conn, grant.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Private("list_credit_grants"),
    };
    Ok((grant, subject))
}

/// `POST /credit-grants/{id}/reversal`: takes credit back, with a reason that its person is told. The award can be used again, and the cap
/// has the amount again.
///
/// # Errors
/// [`Error::WrongState`] for what was taken back already, [`Error::Invalid`] without a reason, [`Error::Denied`] for one's own.
pub fn reverse(cx: &mut Cx<'_>, id: CreditGrantId, reason: &str) -> Result<Grant, Error> {
    let (grant, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "reverse_credit_grant", &subject)?;
    let by = cx.signed_in()?.person;
    if grant.person == by {
        // Nobody settles their own credit.
        return Err(Denied::Forbidden.into());
    }
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("say why in 1 to {LONGEST_REASON} characters; the person reads it");
        return Err(Error::invalid("/reason", "reason", detail));
    }
    let reversal = Reversal {
        id: CreditReversalId::from_uuid(new_uuid()),
        reason: reason.to_owned(),
        reversed_at: cx.now,
    };
    let now = cx.now;
    let host = outbox::message_host(&cx.installation()?.base_url);
    cx.write(|conn| {
        let (fresh, _) = load(conn, id)?;
        if fresh.reversal.is_some() {
            let detail = "this credit was taken back already; look at the ledger".to_owned();
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        store::credit::reverse_grant(conn, &fresh, &reversal, by)?;
        outbox::enqueue(conn, REVERSED, fresh.person, &host, &json!({ "grant_id": id }), now)?;
        let change =
            Change::new("reverse_credit_grant", Some(fresh.organization), "credit_grant", id)
                .with("award", fresh.award)
                .with("reversal", reversal.id)
                .with("minor", fresh.minor);
        Ok((Grant { reversal: Some(reversal.clone()), ..fresh }, change))
    })
}

/// Writes the letter of a row: subject and text. None for a kind that is not of this module.
pub(in crate::service) fn render(
    cx: &mut Cx<'_>,
    kind: &str,
    row: &OutboxRow,
    name: &str,
    _base_url: &str,
) -> Result<Option<(String, String)>, Error> {
    if kind != REVERSED {
        return Ok(None);
    }
    let p: Parameters = outbox::parse(row)?;
    let Some(grant) = store::credit::find_grant(cx.conn, p.grant_id)? else { return Ok(None) };
    let Some(reversal) = &grant.reversal else { return Ok(None) };
    let Some(award) = store::awards::find(cx.conn, grant.award)? else { return Ok(None) };
    let Some(authority) = store::organizations::find(cx.conn, grant.organization)? else {
        return Ok(None);
    };
    let Some(stored) = store::credit::find_rule(cx.conn, grant.rule)? else { return Ok(None) };
    let basis = award_basis::load(cx.conn, &award)?;
    let letter = credit_letters::credit_reversed(&CreditReversed {
        name,
        authority: &authority.name,
        title: basis.title(),
        rule: &stored.rule.title,
        reason: &reversal.reason,
    });
    Ok(Some(letter.map_err(Error::internal)?))
}
