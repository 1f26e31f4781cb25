//! The assessment bank: prompts and criteria that are published can be taken into other definitions, by the item of a framework that they
//! belong to. What was taken keeps the words and levels of the bank, and names where it came from.

use serde_json::{Map, Value, json};

use super::context::{Cx, new_uuid};
use super::error::{Error, Fault};
use super::micro_credentials;
use crate::domain::bank_item::BankItemKind;
use crate::domain::ids::{BankItemId, MicroCredentialId};
use crate::domain::policy::Denied;
use crate::domain::timestamp::Timestamp;
use crate::store::micro_credentials::Version;
use crate::store::{self, DbConn};

pub use crate::store::bank_items::{BankItem, BankQuery};

/// Where rows stand in a definition, and what they are.
const LISTS: [(&str, &str, BankItemKind); 3] = [
    ("part1", "prompts", BankItemKind::Prompt),
    ("part2", "criteria", BankItemKind::Criterion),
    ("part3", "prompts", BankItemKind::Prompt),
];

/// What assessors judge by. It has to be the same wherever an item is used.
const SCORED: [&str; 4] = ["text", "title", "levels", "pass_level"];
/// What is taken along besides. Ids, evidence and what is essential belong to each definition.
const TAKEN: [&str; 3] = ["word_limit", "alternatives", "alignments"];

struct FoundRow<'a> {
    pointer: String,
    kind: BankItemKind,
    row: &'a Value,
}

fn rows_of(definition: &Value) -> impl Iterator<Item = FoundRow<'_>> {
    LISTS.into_iter().flat_map(move |(part, list, kind)| {
        let rows = definition["submission"][part][list].as_array();
        rows.into_iter().flatten().enumerate().map(move |(index, row)| FoundRow {
            pointer: format!("/definition/submission/{part}/{list}/{index}"),
            kind,
            row,
        })
    })
}

fn choose<'a>(row: &Value, names: impl IntoIterator<Item = &'a &'a str>) -> Map<String, Value> {
    let chosen =
        names.into_iter().filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone())));
    chosen.collect()
}

fn item_of(row: &Value) -> Option<BankItemId> {
    row["bank_item"].as_str()?.parse().ok()
}

/// What keeps the rows of a definition that name an item of the bank from being that item.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn find_faults(conn: &mut DbConn, definition: &Value) -> Result<Vec<Fault>, Error> {
    let mut faults = Vec::new();
    for found in rows_of(definition) {
        let Some(id) = item_of(found.row) else { continue };
        let pointer = format!("{}/bank_item", found.pointer);
        let item = store::bank_items::find(conn, id)?.filter(|item| item.kind == found.kind);
        let Some(item) = item else {
            let detail = format!("the bank has no such {}", found.kind);
            faults.push(Fault::new(pointer, "unknown-bank-item", detail));
            continue;
        };
        let content: Value = serde_json::from_str(&item.content).map_err(Error::internal)?;
        if choose(found.row, &SCORED) != choose(&content, &SCORED) {
            let detail = "its words, levels and cut are not those of the bank; take bank_item out, or leave them as they are there";
            faults.push(Fault::new(pointer, "changed-bank-item", detail));
        }
    }
    Ok(faults)
}

/// Puts the rows of a version that is being published into the bank: those that belong to an item of a framework, once for each
/// micro-credential. Rows that came from the bank are counted there.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn add_rows_of(
    conn: &mut DbConn,
    version: &Version,
    now: Timestamp,
) -> Result<(), Error> {
    let definition: Value = serde_json::from_str(&version.definition).map_err(Error::internal)?;
    for FoundRow { kind, row, .. } in rows_of(&definition) {
        let id = row["id"].as_str().unwrap_or_default();
        if let Some(item) = item_of(row) {
            store::bank_items::create_use(conn, item, version.id, id)?;
            continue;
        }
        let aligned = row["alignments"].as_array().into_iter().flatten();
        let mut identifiers: Vec<String> =
            aligned.filter_map(|one| Some(one["identifier"].as_str()?.to_owned())).collect();
        identifiers.sort();
        identifiers.dedup();
        let content = Value::Object(choose(row, SCORED.iter().chain(&TAKEN))).to_string();
        if identifiers.is_empty()
            || store::bank_items::is_known(conn, version.micro_credential, &content)?
        {
            continue;
        }
        let item = BankItem {
            id: BankItemId::from_uuid(new_uuid()),
            organization: version.organization,
            micro_credential: version.micro_credential,
            version: version.id,
            version_number: version.number,
            row: id.to_owned(),
            kind,
            content,
        };
        store::bank_items::create(conn, &item, &identifiers, now)?;
    }
    Ok(())
}

/// An item with how often it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedItem {
    /// The item.
    pub item: BankItem,
    /// How many rows of published versions were taken from it.
    pub uses: i64,
}

fn counted(conn: &mut DbConn, items: Vec<BankItem>) -> Result<Vec<CountedItem>, Error> {
    let ids: Vec<BankItemId> = items.iter().map(|item| item.id).collect();
    let uses = store::bank_items::count_uses(conn, &ids)?;
    let count =
        |item: BankItem| CountedItem { uses: uses.get(&item.id).copied().unwrap_or(0), item };
    Ok(items.into_iter().map(count).collect())
}

/// `GET /bank-items`. The bank is public, like the rubrics that it is made of.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn list(cx: &mut Cx<'_>, query: &BankQuery) -> Result<Vec<CountedItem>, Error> {
    let items = store::bank_items::list(cx.conn, query)?;
    counted(cx.conn, items)
}

/// `GET /bank-items/{id}`.
///
/// # Errors
/// [`Error::Denied`] when there is none.
pub fn find(cx: &mut Cx<'_>, id: BankItemId) -> Result<CountedItem, Error> {
    let hidden = || Error::Denied(Denied::Hidden("bank item"));
    let item = store::bank_items::find(cx.conn, id)?.ok_or_else(hidden)?;
    counted(cx.conn, vec![item])?.pop().ok_or_else(hidden)
}

/// What is taken, and under which name it stands in the draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeItem {
    /// The item.
    pub item: BankItemId,
    /// The id of the new row.
    pub row: String,
    /// For a prompt: `part1` or `part3`.
    pub part: Option<String>,
    /// For a criterion: ids of the evidence requirements that show it.
    pub evidence: Vec<String>,
    /// For a criterion: whether a rule over essential criteria names it.
    pub is_essential: bool,
}

/// `POST /micro-credentials/{id}/versions/{n}/bank-items`: takes an item into a draft, behind the rows that are there.
///
/// # Errors
/// [`Error::Invalid`] for an unknown item, a part that does not fit it, or a draft that would not follow the schema any more; otherwise
/// as of [`micro_credentials::edit`].
pub fn take(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
    take: &TakeItem,
    revision: i32,
) -> Result<Version, Error> {
    let draft = micro_credentials::require_edit(cx, "take_bank_item", family, number)?;
    let item = store::bank_items::find(cx.conn, take.item)?.ok_or_else(|| {
        Error::invalid("/bank_item_id", "unknown-bank-item", "the bank has no such item")
    })?;
    let mut definition: Value = serde_json::from_str(&draft.definition).map_err(Error::internal)?;
    let mut row: Map<String, Value> =
        serde_json::from_str(&item.content).map_err(Error::internal)?;
    row.insert("id".to_owned(), json!(take.row));
    row.insert("bank_item".to_owned(), json!(item.id));
    let (part, list) = match item.kind {
        BankItemKind::Prompt => {
            let part = take.part.as_deref().filter(|part| ["part1", "part3"].contains(part));
            let part = part.ok_or_else(|| {
                Error::invalid("/part", "part", "a prompt stands in part1 or part3; say in which")
            })?;
            (part, "prompts")
        }
        BankItemKind::Criterion => {
            row.insert("evidence".to_owned(), json!(take.evidence));
            row.insert("essential".to_owned(), json!(take.is_essential));
            ("part2", "criteria")
        }
    };
    let rows = definition["submission"][part][list].as_array_mut().ok_or_else(|| {
        let detail = "the draft does not have this part yet; write it with its first prompt";
        Error::invalid("/part", "part-missing", detail)
    })?;
    rows.push(Value::Object(row));
    micro_credentials::edit(cx, family, number, &definition, revision)
}
