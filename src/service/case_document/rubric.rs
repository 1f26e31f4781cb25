//! The rubric of a published version as a CFRubric, in a package of its own.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::credential::document::{criterion_url, level_url};
use crate::domain::alignment::Alignment;
use crate::domain::definition::Definition;
use crate::domain::ids::BankItemId;
use crate::domain::rubric::{Level, Prompt, RubricLevel};

/// The part of a submission that is handed in as evidence, and judged by criteria.
pub(super) const EVIDENCE_PART: &str = "part2";

/// What a rubric is exported from.
pub struct RubricSource<'a> {
    /// The achievement's URL, one a version.
    pub achievement: &'a str,
    /// The address of the package.
    pub package: &'a str,
    /// Who owns the micro-credential.
    pub creator: &'a str,
    /// When the version was published, in the form of RFC 3339.
    pub published_at: &'a str,
    /// The definition.
    pub definition: &'a Definition,
}

/// The package: a CFDocument about the version, and one CFRubric.
///
/// Prompts are criteria of two levels, in the category of their part. The cut, whether a criterion is essential, and whatever else of a
/// row has no place in CASE 1.1 stand among the extensions, so that [`put_rubric`](super::put_rubric) gives the same rows again; weights
/// are left out, since there are none. Identifiers follow from the version, so that the export of a version is the same at any time.
#[must_use]
pub fn package_of_rubric(source: &RubricSource<'_>) -> Value {
    let RubricSource { achievement, package, creator, published_at, definition } = source;
    let about = definition.about();
    let rubric_uri = format!("{achievement}#rubric");
    let rubric_id = guid(&rubric_uri);
    let mut rows = Vec::new();
    for part in definition.rubric().parts() {
        for prompt in part.prompts() {
            rows.push(Row {
                id: prompt.id().as_str(),
                category: part.title(),
                text: prompt.text(),
                levels: prompt.levels(),
                pass_level: Prompt::PASS_LEVEL,
                is_essential: false,
                alignments: prompt.alignments(),
                own: own_members(part.id().as_str(), prompt.id().as_str(), prompt.bank_item())
                    .chain([
                        ("ext:wordLimit", prompt.word_limit().map(|limit| json!(limit))),
                        ("ext:alternatives", list_of(prompt.alternatives())),
                    ])
                    .collect(),
            });
        }
    }
    for criterion in definition.rubric().criteria() {
        let evidence: Vec<&str> = criterion.evidence().iter().map(|id| id.as_str()).collect();
        rows.push(Row {
            id: criterion.id().as_str(),
            category: definition.evidence_title(),
            text: criterion.title(),
            levels: criterion.levels(),
            pass_level: criterion.pass_level(),
            is_essential: criterion.is_essential(),
            alignments: criterion.alignments(),
            own: own_members(EVIDENCE_PART, criterion.id().as_str(), criterion.bank_item())
                .chain([("ext:evidence", Some(json!(evidence)))])
                .collect(),
        });
    }
    let criteria: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| criterion(source, &rubric_id, index + 1, row))
        .collect();
    let mut document = json!({
        "identifier": guid(package),
        "uri": package,
        "caseVersion": "1.1",
        "creator": creator,
        "title": about.title,
        "description": about.summary,
        "language": about.language,
        "version": definition.label(),
        "lastChangeDateTime": published_at,
    });
    let aligned: Vec<Value> = definition.alignments().iter().map(alignment).collect();
    if !aligned.is_empty() {
        document["extensions"] = json!({ "ext:alignments": aligned });
    }
    json!({
        "CFDocument": document,
        "CFRubrics": [{
            "identifier": rubric_id,
            "uri": rubric_uri,
            "title": about.title,
            "description": about.competency,
            "lastChangeDateTime": published_at,
            "CFRubricCriteria": criteria,
        }],
    })
}

struct Row<'a> {
    id: &'a str,
    category: &'a str,
    text: &'a str,
    levels: &'a [RubricLevel],
    pass_level: Level,
    is_essential: bool,
    alignments: &'a [Alignment],
    /// What CASE has no place for, by the name of its extension.
    own: Vec<(&'static str, Option<Value>)>,
}

fn own_members(
    part: &str,
    id: &str,
    bank_item: Option<BankItemId>,
) -> impl Iterator<Item = (&'static str, Option<Value>)> {
    let bank_item = bank_item.map(|item| json!(item));
    [("ext:part", Some(json!(part))), ("ext:id", Some(json!(id))), ("ext:bankItem", bank_item)]
        .into_iter()
}

fn list_of(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| json!(texts))
}

fn criterion(source: &RubricSource<'_>, rubric: &str, position: usize, row: &Row<'_>) -> Value {
    let uri = criterion_url(source.achievement, row.id);
    let id = guid(&uri);
    let levels: Vec<Value> = row
        .levels
        .iter()
        .map(|level| {
            let number = level.level().number();
            let uri = level_url(source.achievement, row.id, &number.to_string());
            json!({
                "identifier": guid(&uri),
                "uri": uri,
                "quality": level.label(),
                "description": level.descriptor(),
                "score": number,
                "position": u32::from(number) + 1,
                "rubricCriterionId": id,
                "lastChangeDateTime": source.published_at,
            })
        })
        .collect();
    let mut extensions = Map::new();
    extensions.insert("ext:passLevel".to_owned(), json!(row.pass_level.number()));
    extensions.insert("ext:essential".to_owned(), json!(row.is_essential));
    for (name, value) in &row.own {
        if let Some(value) = value {
            extensions.insert((*name).to_owned(), value.clone());
        }
    }
    let aligned: Vec<Value> = row.alignments.iter().map(alignment).collect();
    if !aligned.is_empty() {
        extensions.insert("ext:alignments".to_owned(), json!(aligned));
    }
    let mut criterion = json!({
        "identifier": id,
        "uri": uri,
        "category": row.category,
        "description": row.text,
        "position": position,
        "rubricId": rubric,
        "lastChangeDateTime": source.published_at,
        "CFRubricCriterionLevels": levels,
        "extensions": extensions,
    });
    // CASE has room for one item. All of them stand among the extensions.
    let first = row.alignments.iter().find_map(|one| Some((one, one.identifier.as_ref()?)));
    if let Some((one, identifier)) = first {
        criterion["CFItemURI"] =
            json!({ "title": one.name, "identifier": identifier, "uri": one.url });
    }
    criterion
}

/// An alignment as a definition writes it.
fn alignment(alignment: &Alignment) -> Value {
    let mut object = Map::new();
    let members = [
        ("framework", Some(&alignment.framework)),
        ("name", Some(&alignment.name)),
        ("url", Some(&alignment.url)),
        ("identifier", alignment.identifier.as_ref()),
        ("code", alignment.code.as_ref()),
        ("description", alignment.description.as_ref()),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            object.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(object)
}

/// An identifier that follows from an address: CASE takes UUIDs of versions 1 to 5 only, so the bytes of a SHA-256 are written like
/// those of the name-based version 5.
fn guid(uri: &str) -> String {
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(Sha256::digest(uri.as_bytes())).for_each(|(to, from)| *to = from);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid().hyphenated().to_string()
}
