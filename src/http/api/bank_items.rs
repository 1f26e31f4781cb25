//! The assessment bank.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::micro_credentials::edited;
use super::{Paging, parse_word};
use crate::domain::bank_item::BankItemKind;
use crate::domain::ids::{BankItemId, MicroCredentialId, OrganizationId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::bank_items::{self, BankQuery, CountedItem, TakeItem};

/// A prompt or criterion that can be taken into a draft.
#[derive(Serialize, ToSchema)]
pub struct BankItemView {
    /// Its id: `bank_item` of the rows that were taken from it.
    #[schema(format = "uuid")]
    id: String,
    /// prompt or criterion.
    kind: &'static str,
    /// Who has published it.
    #[schema(format = "uuid")]
    organization_id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// In which version.
    version: i32,
    /// Its id there.
    row_id: String,
    /// Its words, levels and alignments, as a definition writes them.
    content: Value,
    /// How many rows of other published versions were taken from it.
    uses: i64,
}

impl TryFrom<CountedItem> for BankItemView {
    type Error = Error;

    fn try_from(counted: CountedItem) -> Result<BankItemView, Error> {
        let item = counted.item;
        Ok(BankItemView {
            id: item.id.to_string(),
            kind: item.kind.as_str(),
            organization_id: item.organization.to_string(),
            micro_credential_id: item.micro_credential.to_string(),
            version: item.version_number,
            row_id: item.row,
            content: serde_json::from_str(&item.content).map_err(Error::internal)?,
            uses: counted.uses,
        })
    }
}

/// Which items a list shows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankParameters {
    framework_item: Option<String>,
    kind: Option<String>,
    organization_id: Option<OrganizationId>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/bank-items`
pub async fn list_bank_items(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<BankParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    let kind = parameters.kind.as_deref();
    let query = BankQuery {
        identifier: parameters.framework_item,
        kind: parse_word("kind", kind, BankItemKind::parse, BankItemKind::ALL)?,
        organization: parameters.organization_id,
        after: paging.after.clone(),
        limit: paging.fetch(),
    };
    app.read(meta, "list_bank_items", move |cx| {
        let fetched = bank_items::list(cx, &query)?;
        let views =
            fetched.into_iter().map(BankItemView::try_from).collect::<Result<Vec<_>, _>>()?;
        Answer::json(200, &paging.page(views, |view| view.id.clone(), |view| view))
    })
    .await
}

/// `GET /api/v1/bank-items/{id}`
pub async fn read_bank_item(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<BankItemId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_bank_item", move |cx| {
        Answer::json(200, &BankItemView::try_from(bank_items::find(cx, id)?)?)
    })
    .await
}

/// What is taken from the bank, and how it stands in the draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBody {
    /// The item of the bank.
    #[schema(value_type = String, format = "uuid")]
    bank_item_id: BankItemId,
    /// The id of the new prompt or criterion.
    id: String,
    /// For a prompt: part1 or part3.
    part: Option<String>,
    /// For a criterion: ids of the evidence requirements that show it.
    #[serde(default)]
    evidence: Vec<String>,
    /// For a criterion: whether a rule over essential criteria names it.
    #[serde(default)]
    essential: bool,
}

/// `POST /api/v1/micro-credentials/{id}/versions/{n}/bank-items`
pub async fn take_bank_item(
    app: web::Data<App>,
    meta: Meta,
    Path((family, number)): Path<(MicroCredentialId, i32)>,
    if_match: IfMatch,
    body: JsonBody<TakeBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let TakeBody { bank_item_id, id, part, evidence, essential } = body.value;
    let take = TakeItem { item: bank_item_id, row: id, part, evidence, is_essential: essential };
    app.write(meta, "take_bank_item", parts, move |cx| {
        let done = bank_items::take(cx, family, number, &take, if_match.0);
        edited(cx, family, number, done)
    })
    .await
}
