//! A CFRubric as the prompts and criteria of a draft: the way back from [`package_of_rubric`](super::package_of_rubric).

use serde_json::{Map, Value, json};

use super::rubric::EVIDENCE_PART;
use crate::service::definition_document::FieldError;

/// The parts that hold prompts, with the titles that they get where a draft has none.
const PROMPT_PARTS: [(&str, &str); 2] = [("part1", "Before"), ("part3", "Afterwards")];

/// Where in the package the rows of the draft come from.
#[derive(Debug, Default)]
pub struct Places {
    /// Pointer into the definition, pointer into the package, and the position in the package of each level.
    rows: Vec<(String, String, Vec<usize>)>,
}

impl Places {
    /// The place in the package of a fault at this place of the definition; the rubric as a whole for what is of no row.
    #[must_use]
    pub fn of(&self, pointer: &str) -> String {
        for (row, place, levels) in &self.rows {
            let Some(inside) = pointer.strip_prefix(row.as_str()) else { continue };
            // `/criteria/1` is no part of `/criteria/10`.
            if !(inside.is_empty() || inside.starts_with('/')) {
                continue;
            }
            let mut steps = inside.split('/').skip(1);
            return match (steps.next(), steps.next(), steps.next()) {
                (Some("levels"), Some(index), member) => {
                    let index = index.parse().ok().and_then(|index: usize| levels.get(index));
                    let Some(index) = index else { return place.clone() };
                    let level = format!("{place}/CFRubricCriterionLevels/{index}");
                    match member {
                        Some("label") => format!("{level}/quality"),
                        Some("descriptor") => format!("{level}/description"),
                        Some(_) | None => level,
                    }
                }
                (Some("title" | "text"), _, _) => format!("{place}/description"),
                (Some(_) | None, _, _) => place.clone(),
            };
        }
        "/CFRubrics/0".to_owned()
    }
}

/// Puts the rubric of a package in the place of a definition's prompts and criteria, and says where each row comes from.
///
/// What an export of ours has set aside in extensions comes back as it was. A rubric of others becomes criteria: levels in the order of
/// their `position` are numbered from 0, no evidence is named, and the cut is 0, which publishing refuses until somebody has set it.
/// Whether the outcome is a definition is not asked here.
///
/// # Errors
/// Every fault, with its pointer into the package: not one rubric exactly, a criterion or level without words, an unknown part.
pub fn put_rubric(package: &Value, definition: &mut Value) -> Result<Places, Vec<FieldError>> {
    let rubrics = package["CFRubrics"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [rubric] = rubrics else {
        let detail = "Send a package with one rubric, the one that is meant.".to_owned();
        return Err(vec![FieldError::new("/CFRubrics".to_owned(), "one_rubric", detail)]);
    };
    let (mut errors, mut places) = (Vec::new(), Places::default());
    let mut rows: [(&str, Vec<Value>); 3] =
        [("part1", Vec::new()), (EVIDENCE_PART, Vec::new()), ("part3", Vec::new())];
    let criteria = ordered(&rubric["CFRubricCriteria"]);
    for (number, (index, criterion)) in criteria.into_iter().enumerate() {
        let place = format!("/CFRubrics/0/CFRubricCriteria/{index}");
        let own = &criterion["extensions"];
        let part = own["ext:part"].as_str().unwrap_or(EVIDENCE_PART);
        let Some((part, list)) = rows.iter_mut().find(|(known, _)| *known == part) else {
            let detail = "A submission has the parts part1, part2 and part3.".to_owned();
            errors.push(FieldError::new(
                format!("{place}/extensions/ext:part"),
                "unknown_part",
                detail,
            ));
            continue;
        };
        let (levels, order) = levels(criterion, &place, &mut errors);
        let text = words(&criterion["description"], &place, "description", &mut errors);
        let id = own.get("ext:id").cloned().unwrap_or_else(|| json!(format!("c{}", number + 1)));
        let mut row = Map::new();
        row.insert("id".to_owned(), id);
        row.insert("levels".to_owned(), json!(levels));
        let list_name = if *part == EVIDENCE_PART {
            row.insert("title".to_owned(), json!(text));
            let evidence = own.get("ext:evidence").cloned().unwrap_or_else(|| json!([]));
            row.insert("evidence".to_owned(), evidence);
            let cut = own.get("ext:passLevel").cloned().unwrap_or_else(|| json!(0));
            row.insert("pass_level".to_owned(), cut);
            let essential = own.get("ext:essential").cloned().unwrap_or(Value::Bool(false));
            row.insert("essential".to_owned(), essential);
            "criteria"
        } else {
            row.insert("text".to_owned(), json!(text));
            for (name, member) in
                [("ext:wordLimit", "word_limit"), ("ext:alternatives", "alternatives")]
            {
                if let Some(value) = own.get(name) {
                    row.insert(member.to_owned(), value.clone());
                }
            }
            "prompts"
        };
        for (name, member) in [("ext:alignments", "alignments"), ("ext:bankItem", "bank_item")] {
            if let Some(value) = own.get(name) {
                row.insert(member.to_owned(), value.clone());
            }
        }
        if !row.contains_key("alignments")
            && let Some(aligned) = aligned(package, criterion)
        {
            row.insert("alignments".to_owned(), json!([aligned]));
        }
        let pointer = format!("/submission/{part}/{list_name}/{}", list.len());
        places.rows.push((pointer, place, order));
        list.push(Value::Object(row));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let [(_, part1), (_, criteria), (_, part3)] = rows;
    let submission = &mut definition["submission"];
    submission[EVIDENCE_PART]["criteria"] = Value::Array(criteria);
    for ((part, title), prompts) in PROMPT_PARTS.into_iter().zip([part1, part3]) {
        if prompts.is_empty() {
            if let Some(parts) = submission.as_object_mut() {
                parts.remove(part);
            }
            continue;
        }
        if submission[part]["title"].is_null() {
            submission[part]["title"] = json!(title);
        }
        submission[part]["prompts"] = Value::Array(prompts);
    }
    Ok(places)
}

/// The items of a list by their `position`, with the place of each in the list. Those without one keep their place behind the others.
fn ordered(list: &Value) -> Vec<(usize, &Value)> {
    let mut items: Vec<(usize, &Value)> =
        list.as_array().into_iter().flatten().enumerate().collect();
    items.sort_by_key(|(index, item)| (item["position"].as_i64().unwrap_or(i64::MAX), *index));
    items
}

/// The levels of a criterion, lowest first, numbered from 0, and where each stands in the package.
fn levels(
    criterion: &Value,
    place: &str,
    errors: &mut Vec<FieldError>,
) -> (Vec<Value>, Vec<usize>) {
    let (mut found, mut order) = (Vec::new(), Vec::new());
    for (number, (index, level)) in
        ordered(&criterion["CFRubricCriterionLevels"]).into_iter().enumerate()
    {
        let place = format!("{place}/CFRubricCriterionLevels/{index}");
        let label =
            level["quality"].as_str().map_or_else(|| format!("Level {number}"), str::to_owned);
        let descriptor = words(&level["description"], &place, "description", errors);
        found.push(json!({ "level": number, "label": label, "descriptor": descriptor }));
        order.push(index);
    }
    (found, order)
}

/// The words of a member, which have to be there.
fn words(value: &Value, place: &str, member: &str, errors: &mut Vec<FieldError>) -> String {
    let text = value.as_str().unwrap_or_default();
    if text.trim().is_empty() {
        let detail = "Write the words by which assessors judge.".to_owned();
        errors.push(FieldError::new(format!("{place}/{member}"), "blank", detail));
    }
    text.to_owned()
}

/// The item of a framework that a criterion of others is linked to.
fn aligned(package: &Value, criterion: &Value) -> Option<Value> {
    let link = criterion.get("CFItemURI")?;
    Some(json!({
        "framework": package["CFDocument"]["title"],
        "name": link["title"],
        "url": link["uri"],
        "identifier": link["identifier"],
    }))
}
