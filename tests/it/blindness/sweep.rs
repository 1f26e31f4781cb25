//! Asks for everything there is, as somebody, with every id that there is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use assay::http::openapi;
use assay::http::routes::{ROUTES, Route};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::search::find;
use crate::harness::{Answer, Person, scale};

/// What ends the reading or the sign-in: asked for by the story while it goes on, and by the last sweep.
const ENDINGS: [&str; 3] = ["lock_review", "recuse_review", "end_session"];

/// The id of nothing.
const NOTHING: &str = "01900000-0000-7000-8000-000000000000";

/// A text that somebody must not learn.
#[derive(Clone, Debug)]
pub struct Canary {
    /// The text.
    pub text: String,
    /// What it tells.
    pub what: What,
}

/// What a canary tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Who the earner is: name, address, id, words of file names.
    Earner,
    /// Where they work.
    School,
    /// Who another assessor is.
    Assessor,
}

/// What may be told all the same.
pub struct Allowance {
    /// By which operation.
    pub operation: &'static str,
    /// What.
    pub what: What,
    /// Why that is no breach.
    pub reason: &'static str,
}

/// How much a sweep does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything is asked for; what is written is empty, so that the reading goes on as it stands.
    WhileReading,
    /// Everything is asked for and written as well as the description of the API allows.
    Afterwards,
}

/// Ids by the collection that they belong to; of others nobody knows more than that they were seen.
pub type Ids = BTreeMap<String, BTreeSet<String>>;

/// Somebody who looks everywhere.
pub struct Prober<'a> {
    /// Who it is, for messages.
    pub name: String,
    /// With their sign-in.
    pub person: Person,
    /// What they must not learn.
    pub canaries: Vec<Canary>,
    /// What they may be told all the same.
    pub allowed: &'a [Allowance],
    /// The ids that the test knows, by collection.
    pub ids: Ids,
    /// The operations that were asked for.
    pub asked: BTreeSet<&'static str>,
    /// How many answers were searched.
    pub n_answers: usize,
    /// What was found in a body, by the body.
    pub searched: HashMap<Vec<u8>, Vec<String>>,
    /// The allowances that were needed.
    pub needed: BTreeSet<&'static str>,
    /// What was told that must not be.
    pub breaches: Vec<String>,
    /// Which of the readers it is, and of how many.
    pub share: (usize, usize),
}

impl Prober<'_> {
    /// Searches an answer, and remembers the ids in it. Ids that the request itself had are no news.
    pub fn look(&mut self, operation: &'static str, request: &str, answer: &Answer) {
        self.asked.insert(operation);
        self.n_answers += 1;
        let mut whole = format!("{}\n", answer.status).into_bytes();
        for (name, value) in &answer.headers {
            whole.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        let texts: Vec<&str> = self.canaries.iter().map(|canary| canary.text.as_str()).collect();
        let mut found: Vec<String> = find(&whole, &texts).into_iter().map(str::to_owned).collect();
        // Many answers are the same to the byte.
        let told = self.searched.entry(answer.bytes.clone()).or_insert_with(|| {
            find(&answer.bytes, &texts).into_iter().map(str::to_owned).collect()
        });
        found.extend_from_slice(told);
        for text in found {
            let text = text.as_str();
            if request.contains(text) {
                continue;
            }
            let what = self.canaries.iter().find(|canary| canary.text == text).unwrap().what;
            let allowance = self
                .allowed
                .iter()
                .find(|allowed| allowed.operation == operation && allowed.what == what);
            match allowance {
                Some(allowed) => drop(self.needed.insert(allowed.operation)),
                None => self.breaches.push(format!(
                    "{}: {operation} ({request}, {}) tells {text}",
                    self.name, answer.status
                )),
            }
        }
        if answer.status < 300 {
            let mut seen = BTreeSet::new();
            collect(&answer.json, &mut seen);
            let known: BTreeSet<String> = self.ids.values().flatten().cloned().collect();
            let news = seen.difference(&known).cloned();
            self.ids.entry("seen".to_owned()).or_default().extend(news);
        }
    }

    /// Asks for every operation of the API and every page.
    pub fn sweep(&mut self, extent: Extent) {
        let document: Value =
            serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap();
        // The sign-in ends last.
        let (last, first): (Vec<&Route>, Vec<&Route>) =
            ROUTES.iter().partition(|route| route.operation == "end_session");
        for route in first.into_iter().chain(last) {
            if extent == Extent::WhileReading && ENDINGS.contains(&route.operation) {
                continue;
            }
            for path in self.paths(route, extent) {
                self.ask(route, &path, extent, &document);
            }
        }
    }

    fn ask(&mut self, route: &Route, path: &str, extent: Extent, document: &Value) {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        if method == Method::GET {
            for query in queries(route, &self.ids) {
                let target = format!("{path}{query}");
                let answer = self.person.get_as(&target, "application/json");
                self.look(route.operation, &target, &answer);
                // What is found has a page as well, or an answer of another form.
                if !path.starts_with("/api/") && answer.status < 400 {
                    let page = self.person.get_as(&target, "text/html");
                    self.look(route.operation, &target, &page);
                }
            }
            return;
        }
        let mut bodies = vec![json!({})];
        if extent == Extent::Afterwards && route.body.is_some() {
            let operation = &document["paths"][route.path][route.method.to_lowercase()];
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            bodies.push(example(document, schema, "", &self.ids, 0));
        }
        for body in bodies {
            let request = self.person.request(method.clone(), path).header("if-match", "\"0\"");
            let request = if route.body.is_some() { request.json(&body) } else { request };
            let answer = self.person.send(request);
            self.look(route.operation, &format!("{path} {body}"), &answer);
        }
    }

    /// The paths of a route with every id that fits: those of its collection, and where there is one place to fill a share of all that were
    /// only seen. Once the reading is over, what is read at one place is asked for with a share of every id that there is; the readers
    /// together try them all. At full scale everybody tries every id at all places of all routes, at any time.
    fn paths(&self, route: &Route, extent: Extent) -> Vec<String> {
        let is_full = scale(10) == 10;
        let mut paths = vec![String::new()];
        let steps: Vec<&str> = route.path.split('/').skip(1).collect();
        let n_open = steps.iter().filter(|step| step.starts_with('{')).count();
        for (place, step) in steps.iter().enumerate() {
            let values: Vec<String> = match *step {
                "{n}" => vec!["1".to_owned()],
                "{module}" => vec!["bias".to_owned(), "conflicts".to_owned()],
                "{code}" => vec!["not-found".to_owned(), "wrong-state".to_owned()],
                "{name}" => vec!["submission.js".to_owned(), "assay.css".to_owned()],
                "{award_id}" if n_open == 1 && place + 1 == steps.len() => {
                    let awards = self.every(Some("awards").filter(|_| !is_full), true);
                    let endings = ["", ".json", ".jwt", ".png", ".svg"];
                    awards
                        .iter()
                        .flat_map(|id| endings.map(|ending| format!("{id}{ending}")))
                        .collect()
                }
                step if step.starts_with('{') => {
                    let collection = steps[place.saturating_sub(1)];
                    let is_wide =
                        n_open == 1 && route.method == "GET" && extent == Extent::Afterwards;
                    let known = Some(collection).filter(|_| !is_wide && !is_full);
                    let mut values = self.every(known, n_open == 1);
                    if known.is_none() {
                        values.extend(self.ids.get(collection).into_iter().flatten().cloned());
                        values.sort_unstable();
                        values.dedup();
                    }
                    values
                }
                step => vec![step.to_owned()],
            };
            paths = paths
                .iter()
                .flat_map(|path| values.iter().map(move |value| format!("{path}/{value}")))
                .collect();
        }
        paths
    }

    fn every(&self, collection: Option<&str>, with_seen: bool) -> Vec<String> {
        let seen = self.ids.get("seen").into_iter().flatten();
        match collection.map(|name| self.ids.get(name)) {
            Some(Some(known)) => {
                let seen = self.own_share(seen.filter(|_| with_seen));
                known.iter().cloned().chain(seen).collect()
            }
            // Nobody has seen one: one that there is not, so that the operation is asked for all the same.
            Some(None) => {
                let seen = self.own_share(seen.filter(|_| with_seen));
                seen.into_iter().chain([NOTHING.to_owned()]).collect()
            }
            None => self.own_share(self.ids.values().flatten()),
        }
    }

    /// The ids that this prober tries at places where they do not belong: the readers divide them among themselves, so that each is tried
    /// by one of them; at full scale everybody tries all.
    fn own_share<'b>(&self, ids: impl Iterator<Item = &'b String>) -> Vec<String> {
        let (number, of) = if scale(10) == 10 { (0, 1) } else { self.share };
        ids.enumerate().filter(|(at, _)| at % of == number).map(|(_, id)| id.clone()).collect()
    }
}

/// The queries of a route: none, and each of its names with what it may mean.
fn queries(route: &Route, ids: &Ids) -> Vec<String> {
    let mut queries = vec![String::new()];
    for name in route.query {
        let values: Vec<String> = match *name {
            "limit" => vec!["100".to_owned()],
            "all" => vec!["true".to_owned()],
            "format" => ["csv", "svg", "svg_severity"].map(str::to_owned).to_vec(),
            "person_id" => ids["members"].iter().cloned().collect(),
            "organization_id" => ids["organizations"].iter().cloned().collect(),
            "micro_credential_id" => ids["micro-credentials"].iter().cloned().collect(),
            "state" => ["leased", "locked", "decided", "active"].map(str::to_owned).to_vec(),
            "framework_item" => vec![NOTHING.to_owned()],
            "kind" => ["prompt", "criterion"].map(str::to_owned).to_vec(),
            "q" | "skill" | "audience" => vec!["teacher".to_owned()],
            "cursor" => vec!["made-up".to_owned()],
            "cohort" => vec!["ia".to_owned()],
            "message" => vec!["invite".to_owned()],
            "by" => vec!["audience".to_owned(), "school".to_owned()],
            "group" => vec!["teacher".to_owned()],
            "stack_id" => vec![NOTHING.to_owned()],
            "exact" => vec!["true".to_owned()],
            "rate_minor" => vec!["4500&currency=EUR".to_owned()],
            "currency" => vec!["EUR".to_owned()],
            "from" => vec!["1".to_owned()],
            other => panic!("say here what the query {other} may be"),
        };
        // What a report is about goes with every other name of its query.
        let about = ["micro_credential_id", "organization_id"]
            .into_iter()
            .find(|about| about != name && route.query.contains(about));
        let mut others = vec![String::new()];
        if let Some(about) = about {
            let known =
                if about == "organization_id" { "organizations" } else { "micro-credentials" };
            others.extend(ids[known].iter().map(|id| format!("&{about}={id}")));
        }
        for value in values {
            queries.extend(others.iter().map(|other| format!("?{name}={value}{other}")));
        }
    }
    queries
}

/// Ids in an answer, but for that of the request.
fn collect(value: &Value, seen: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            members
                .iter()
                .filter(|(name, _)| *name != "request_id")
                .for_each(|(_, value)| collect(value, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, seen)),
        Value::String(text) => {
            seen.extend(
                text.split(['/', ':', '#', '?', '.'])
                    .filter(|part| part.len() == 36 && part.parse::<uuid::Uuid>().is_ok())
                    .map(str::to_owned),
            );
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A body that the schema takes, with ids that there are.
fn example(document: &Value, schema: &Value, name: &str, ids: &Ids, depth: usize) -> Value {
    if depth > 8 {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let inner = document.pointer(reference.trim_start_matches('#')).unwrap();
        return example(document, inner, name, ids, depth + 1);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let inner = choices.iter().find(|inner| inner["type"] != "null").unwrap();
            return example(document, inner, name, ids, depth + 1);
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    let kind = schema["type"].as_str().map(str::to_owned).or_else(|| {
        let kinds = schema["type"].as_array()?;
        kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").map(str::to_owned)
    });
    match kind.as_deref() {
        Some("object") => {
            let mut object = Map::new();
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                object.insert(name.clone(), example(document, inner, name, ids, depth + 1));
            }
            Value::Object(object)
        }
        Some("array") => json!([example(document, &schema["items"], name, ids, depth + 1)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("string") if schema["format"] == "date-time" => json!("2027-01-01T00:00:00Z"),
        Some("string") => {
            let collection = match name {
                "person_id" | "assessor_id" => "members",
                "organization_id" | "parent_id" => "organizations",
                "micro_credential_id" => "micro-credentials",
                "submission_id" => "submissions",
                _ => return json!("probe"),
            };
            json!(ids[collection].first().unwrap())
        }
        _ => json!({}),
    }
}
