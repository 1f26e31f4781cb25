//! Awards.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Paging, parse_word, submissions};
use crate::domain::award::{AwardState, RevocationReason};
use crate::domain::ids::{AwardId, MicroCredentialId, PersonId, SigningKeyId};
use crate::domain::timestamp::Timestamp;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::awards::{self, Award, AwardDetail, ListAwards};
use crate::service::bulk_revocations::{self, BulkRevocation, Filter};
use crate::service::{Cx, Error, renewals};

/// An award.
#[derive(Serialize, ToSchema)]
pub struct AwardView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Who owns the micro-credential or the stack.
    #[schema(format = "uuid")]
    organization_id: String,
    /// At which micro-credential; null for a stack.
    #[schema(format = "uuid")]
    micro_credential_id: Option<String>,
    /// Of which stack; null for work that was scored.
    #[schema(format = "uuid")]
    stack_id: Option<String>,
    /// Who earned it.
    #[schema(format = "uuid")]
    person_id: String,
    /// The submission that earned it; null for a stack.
    #[schema(format = "uuid")]
    submission_id: Option<String>,
    /// pending_key, active, suspended, expired, superseded or revoked.
    state: &'static str,
    /// What can happen next.
    allowed_events: Vec<&'static str>,
    /// The public page of its badge.
    path: String,
    /// When it was earned.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was signed.
    #[schema(format = "date-time")]
    issued_at: Option<String>,
    /// When it ends.
    #[schema(format = "date-time")]
    valid_until: Option<String>,
    /// When it was suspended; null unless it is.
    #[schema(format = "date-time")]
    suspended_at: Option<String>,
    /// The award that it renews.
    #[schema(format = "uuid")]
    renews: Option<String>,
    /// The award that renews it.
    #[schema(format = "uuid")]
    renewed_by: Option<String>,
    /// When that one took its place; null unless it is superseded.
    #[schema(format = "date-time")]
    superseded_at: Option<String>,
    /// When it was revoked.
    #[schema(format = "date-time")]
    revoked_at: Option<String>,
    /// Why.
    revocation_reason: Option<&'static str>,
}

impl From<AwardDetail> for AwardView {
    fn from(detail: AwardDetail) -> AwardView {
        let award = detail.award;
        AwardView {
            id: award.id.to_string(),
            organization_id: award.organization.to_string(),
            micro_credential_id: award.micro_credential().map(|id| id.to_string()),
            stack_id: award.stack().map(|id| id.to_string()),
            person_id: award.earner.to_string(),
            submission_id: award.submission().map(|id| id.to_string()),
            state: award.state.as_str(),
            allowed_events: award
                .state
                .allowed_events()
                .iter()
                .map(|event| event.as_str())
                .collect(),
            path: format!("/credentials/{}", award.id),
            created_at: award.created_at.to_string(),
            issued_at: award.issued_at.map(|moment| moment.to_string()),
            valid_until: award.valid_until.map(|moment| moment.to_string()),
            suspended_at: detail.suspended_at.map(|moment| moment.to_string()),
            renews: detail.renews.map(|id| id.to_string()),
            renewed_by: detail.renewed_by.map(|id| id.to_string()),
            superseded_at: detail.superseded_at.map(|moment| moment.to_string()),
            revoked_at: award.revoked_at.map(|moment| moment.to_string()),
            revocation_reason: award.revocation_reason.map(RevocationReason::as_str),
        }
    }
}

/// Which awards a list shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwardParameters {
    person_id: Option<PersonId>,
    micro_credential_id: Option<MicroCredentialId>,
    state: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/awards`
pub async fn list_awards(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<AwardParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    let list = ListAwards {
        person: parameters.person_id,
        micro_credential: parameters.micro_credential_id,
        state: parse_word(
            "state",
            parameters.state.as_deref(),
            AwardState::parse,
            AwardState::ALL,
        )?,
        after: paging.after.clone(),
        limit: paging.fetch(),
    };
    app.read(meta, "list_awards", move |cx| {
        let fetched = awards::list(cx, &list)?;
        let fetched = awards::details(cx, fetched)?;
        let key = |detail: &AwardDetail| detail.award.id.to_string();
        Answer::json(200, &paging.page(fetched, key, AwardView::from))
    })
    .await
}

fn view(cx: &mut Cx<'_>, award: Award) -> Result<AwardView, Error> {
    let found = awards::details(cx, vec![award])?.into_iter().next();
    found.map(AwardView::from).ok_or(Error::NotFound("award"))
}

fn answer(cx: &mut Cx<'_>, award: Award) -> Result<Answer, Error> {
    answer_with(cx, 200, award)
}

/// An award as an answer of this status.
pub(super) fn answer_with(cx: &mut Cx<'_>, status: u16, award: Award) -> Result<Answer, Error> {
    let revision = award.revision;
    Ok(Answer::json(status, &view(cx, award)?)?.with_revision(revision))
}

/// The answer of an action, or the award as it is now for whoever has read an older one.
fn reply(cx: &mut Cx<'_>, id: AwardId, done: Result<Award, Error>) -> Result<Reply, Error> {
    match done {
        Ok(award) => Ok(answer(cx, award)?.into()),
        Err(Error::Stale) => stale(cx, id),
        Err(error) => Err(error),
    }
}

fn stale(cx: &mut Cx<'_>, id: AwardId) -> Result<Reply, Error> {
    let award = awards::find(cx, id)?;
    Ok(Reply::Stale(serde_json::to_value(view(cx, award)?).map_err(Error::internal)?))
}

/// `GET /api/v1/awards/{id}`
pub async fn read_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<AwardId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_award", move |cx| {
        let award = awards::find(cx, id)?;
        answer(cx, award)
    })
    .await
}

/// Why an award is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeBody {
    /// issued_in_error, evidence_misrepresented, identity_mistaken, integrity_upheld or holder_request.
    reason_code: String,
    /// Who decided it and why; for staff only.
    note: String,
}

fn parse_reason(word: &str) -> Result<RevocationReason, Error> {
    RevocationReason::parse(word).ok_or_else(|| {
        let known: Vec<&str> = RevocationReason::ALL.iter().map(|reason| reason.as_str()).collect();
        let detail = format!("the reason is one of {}", known.join(", "));
        Error::invalid("/reason_code", "unknown-reason", detail)
    })
}

/// Everything that makes it the same request: with another entity tag it is another one.
fn parts_of(meta: &Meta, if_match: Option<IfMatch>, body: &[u8]) -> Vec<Vec<u8>> {
    let tag = if_match.map(|tag| tag.0.to_string()).unwrap_or_default();
    vec![meta.target.clone().into_bytes(), tag.into_bytes(), body.to_vec()]
}

/// `POST /api/v1/awards/{id}/revoke`
pub async fn revoke_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<AwardId>,
    if_match: Option<IfMatch>,
    body: JsonBody<RevokeBody>,
) -> Result<HttpResponse, Problem> {
    let parts = parts_of(&meta, if_match, &body.bytes);
    app.write(meta, "revoke_award", parts, move |cx| {
        // Who may not revoke is told that first, and not what the reasons are called.
        awards::find(cx, id)?;
        let reason = parse_reason(&body.value.reason_code)?;
        let revision = if_match.map(|tag| tag.0);
        let done = awards::revoke(cx, id, reason, &body.value.note, revision);
        reply(cx, id, done)
    })
    .await
}

/// Why an award is suspended or reinstated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelBody {
    /// Which panel decided it and why; for staff only.
    note: String,
}

/// `POST /api/v1/awards/{id}/suspend`
pub async fn suspend_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<AwardId>,
    if_match: Option<IfMatch>,
    body: JsonBody<PanelBody>,
) -> Result<HttpResponse, Problem> {
    let parts = parts_of(&meta, if_match, &body.bytes);
    app.write(meta, "suspend_award", parts, move |cx| {
        let done = awards::suspend(cx, id, &body.value.note, if_match.map(|tag| tag.0));
        reply(cx, id, done)
    })
    .await
}

/// `POST /api/v1/awards/{id}/reinstate`
pub async fn reinstate_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<AwardId>,
    if_match: Option<IfMatch>,
    body: JsonBody<PanelBody>,
) -> Result<HttpResponse, Problem> {
    let parts = parts_of(&meta, if_match, &body.bytes);
    app.write(meta, "reinstate_award", parts, move |cx| {
        let done = awards::reinstate(cx, id, &body.value.note, if_match.map(|tag| tag.0));
        reply(cx, id, done)
    })
    .await
}

/// `POST /api/v1/awards/{id}/renew`
pub async fn renew_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<AwardId>,
    if_match: Option<IfMatch>,
) -> Result<HttpResponse, Problem> {
    let parts = parts_of(&meta, if_match, b"");
    app.write(meta, "renew_award", parts, move |cx| {
        match renewals::renew(cx, id, if_match.map(|tag| tag.0)) {
            Ok(stored) => {
                let id = stored.submission.facts().id;
                let answer = submissions::read_again(cx, id, 201)?;
                Ok(answer.with_location(format!("/api/v1/submissions/{id}")).into())
            }
            Err(Error::Stale) => stale(cx, id),
            Err(error) => Err(error),
        }
    })
    .await
}

/// Which awards are meant: those that fit everything that is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkFilter {
    /// At this micro-credential.
    #[schema(value_type = Option<String>, format = "uuid")]
    micro_credential_id: Option<MicroCredentialId>,
    /// In this version of it.
    version: Option<i32>,
    /// Whose badge was ever signed with this key, in one form or another, also if it was signed again since.
    #[schema(value_type = Option<String>, format = "uuid")]
    signing_key_id: Option<SigningKeyId>,
    /// Signed then or later.
    #[schema(format = "date-time")]
    issued_from: Option<String>,
    /// Signed then or earlier.
    #[schema(format = "date-time")]
    issued_to: Option<String>,
    /// One of these, at most 1,000.
    #[schema(value_type = Option<Vec<String>>)]
    award_ids: Option<Vec<AwardId>>,
}

/// What is to be revoked, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRevocationBody {
    /// Which awards, of organizations where you are issuing officer.
    filter: BulkFilter,
    /// issued_in_error, evidence_misrepresented, identity_mistaken, integrity_upheld or holder_request.
    reason_code: String,
    /// Who decided it and why; for staff only.
    note: String,
    /// Only look.
    dry_run: bool,
    /// How many the preview has counted; needed unless it is one.
    expected_count: Option<i64>,
}

/// What a bulk revocation found, or did.
#[derive(Serialize, ToSchema)]
pub struct BulkRevocationView {
    /// Whether it was only looked.
    dry_run: bool,
    /// How many awards would be revoked, or were.
    count: i64,
    /// How many that fit were revoked before.
    already_revoked: i64,
    /// How many that fit cannot be revoked: not signed yet, expired or superseded.
    not_revocable: i64,
    /// The most that are revoked by one request.
    most: i64,
    /// The first of those that are counted.
    items: Vec<AwardView>,
}

fn parse_moment(pointer: &str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    text.map(|text| {
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|moment| Timestamp::new(moment.to_utc()))
            .map_err(|_not_a_time| {
                let detail = "a time is written like 2026-11-21T19:00:00Z";
                Error::invalid(pointer, "not-a-time", detail)
            })
    })
    .transpose()
}

impl BulkRevocationBody {
    fn command(self) -> Result<BulkRevocation, Error> {
        let expected = if self.dry_run {
            None
        } else {
            Some(self.expected_count.ok_or_else(|| {
                let detail = "send the count of the preview, so that nothing is revoked that nobody has seen";
                Error::invalid("/expected_count", "missing-field", detail)
            })?)
        };
        let filter = self.filter;
        Ok(BulkRevocation {
            filter: Filter {
                micro_credential: filter.micro_credential_id,
                version: filter.version,
                signing_key: filter.signing_key_id,
                issued_from: parse_moment("/filter/issued_from", filter.issued_from.as_deref())?,
                issued_to: parse_moment("/filter/issued_to", filter.issued_to.as_deref())?,
                awards: filter.award_ids,
            },
            reason: parse_reason(&self.reason_code)?,
            note: self.note,
            expected,
        })
    }
}

/// `POST /api/v1/awards/bulk-revocations`
pub async fn bulk_revoke_awards(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<BulkRevocationBody>,
) -> Result<HttpResponse, Problem> {
    let parts = parts_of(&meta, None, &body.bytes);
    app.write(meta, "bulk_revoke_awards", parts, move |cx| {
        // Who may not revoke is told that first.
        bulk_revocations::require_officer(cx)?;
        let dry_run = body.value.dry_run;
        let done = bulk_revocations::revoke(cx, &body.value.command()?)?;
        let items = awards::details(cx, done.first)?.into_iter().map(AwardView::from).collect();
        Answer::json(
            200,
            &BulkRevocationView {
                dry_run,
                count: done.count,
                already_revoked: done.already_revoked,
                not_revocable: done.not_revocable,
                most: bulk_revocations::MOST,
                items,
            },
        )
    })
    .await
}
