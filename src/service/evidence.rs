//! Evidence: taken in while it streams, given out to its earner, the assigned reader and a coach with
//! whom it is shared, each opening recorded.

mod taken;

use sha2::{Digest, Sha256};
use url::Url;

use super::audit::Change;
use super::context::{Cx, Resources, new_uuid};
use super::error::Error;
use super::submissions::{self, OpenedEvidence};
use crate::domain::audit::hex;
use crate::domain::contribution::Contributor;
use crate::domain::definition::Definition;
use crate::domain::evidence_metadata::EvidenceMetadata;
use crate::domain::ids::{EvidenceId, PersonId, SessionId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied};
use crate::domain::review::ReviewState;
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::files::{StorageName, extension_for, open_bytes, seal_bytes};
use crate::store::evidence::StoredEvidence;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

pub use crate::files::{EvidenceReader, Incoming};
pub(super) use taken::{TakenFile, open_incoming};

/// The most characters of a text that is evidence.
const LONGEST_TEXT: usize = 100_000;
/// The most characters of a link.
const LONGEST_LINK: usize = 2000;
/// What may answer a prompt in place of text.
const RECORDINGS: [&str; 2] = ["audio/mpeg", "audio/mp4"];

/// What comes with every item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTerms {
    /// The evidence requirement, or the prompt, that the item answers.
    pub requirement_id: String,
    /// Whether students can be seen or heard.
    pub contains_students: bool,
    /// Whether the consents are there.
    pub consent: bool,
}

/// An item that is not a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// A link that opens without an account.
    Link(String),
    /// A text.
    Text(String),
}

/// An upload that was let in.
pub struct Upload {
    /// The file that its bytes go to.
    pub incoming: Incoming,
    /// Who began it.
    pub person: PersonId,
    /// In which sign-in.
    pub session: SessionId,
}

/// Authorizes an upload and opens its file. The bytes are written by the caller, outside any transaction.
///
/// # Errors
/// [`Error::Denied`], [`Error::WrongState`] once the work is handed in.
pub fn begin(cx: &mut Cx<'_>, id: SubmissionId) -> Result<Upload, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "add_evidence", &subject)?;
    stored.submission.require(SubmissionEvent::Save)?;
    let (person, session) = (cx.signed_in()?.person, cx.signed_in()?.session);
    Ok(Upload { incoming: open_incoming(cx.resources, &stored)?, person, session })
}

/// Ends an upload: checks its type against the requirement, makes it durable, then commits its row.
///
/// # Errors
/// [`Error::UnsupportedFile`], [`Error::FileTooLarge`], [`Error::Invalid`]; the file is removed then.
pub fn complete(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    incoming: Incoming,
    file_name: &str,
    terms: &ItemTerms,
) -> Result<OpenedEvidence, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "add_evidence", &subject)?;
    let (_, definition) = submissions::pinned(cx.conn, &stored)?;
    let media = require_room(cx.conn, &definition, id, terms, 0)?;
    let taken = TakenFile::new(cx.resources, &stored, incoming, file_name, &media)?;
    match add(cx, id, terms, &definition, |key| taken.item(id, terms, key)) {
        Ok(stored) => {
            Ok(OpenedEvidence { stored, name: Some(taken.name), content: None, is_shared: false })
        }
        Err(error) => {
            taken.discard(cx.resources);
            Err(error)
        }
    }
}

/// Adds a link or a text.
///
/// # Errors
/// [`Error::Invalid`] for what is wrong with it.
pub fn add_inline(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    item: &Inline,
    terms: &ItemTerms,
) -> Result<OpenedEvidence, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "add_evidence", &subject)?;
    let (_, definition) = submissions::pinned(cx.conn, &stored)?;
    check_inline(item)?;
    if matches!(item, Inline::Text(_)) && is_prompt(&definition, &terms.requirement_id) {
        // Else an item would get around the word limit of its prompt.
        let detail = "answer a prompt with text in responses; an item in its place is a recording";
        return Err(Error::invalid("/text", "answer-in-responses", detail));
    }
    let stored = add(cx, id, terms, &definition, |key| inline_item(id, terms, item, key))?;
    let (Inline::Link(content) | Inline::Text(content)) = item;
    Ok(OpenedEvidence { stored, name: None, content: Some(content.clone()), is_shared: false })
}

fn is_prompt(definition: &Definition, id: &str) -> bool {
    definition.rubric().prompts().any(|prompt| prompt.id().as_str() == id)
}

fn check_inline(item: &Inline) -> Result<(), Error> {
    match item {
        Inline::Link(url) => {
            let is_web = Url::parse(url)
                .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
            if !is_web || url.chars().count() > LONGEST_LINK {
                return Err(Error::invalid(
                    "/url",
                    "not-a-link",
                    "give a web address that begins with https://",
                ));
            }
        }
        Inline::Text(text) => {
            if text.trim().is_empty() {
                return Err(Error::invalid(
                    "/text",
                    "text-empty",
                    "write something, or leave the item out",
                ));
            }
            if text.chars().count() > LONGEST_TEXT {
                let detail =
                    format!("a text has at most {LONGEST_TEXT} characters; upload a file instead");
                return Err(Error::invalid("/text", "too-long", detail));
            }
        }
    }
    Ok(())
}

fn blank(id: SubmissionId, terms: &ItemTerms) -> StoredEvidence {
    StoredEvidence {
        id: EvidenceId::from_uuid(new_uuid()),
        submission: id,
        requirement: terms.requirement_id.clone(),
        kind: String::new(),
        media_type: None,
        size_bytes: 0,
        sha256: String::new(),
        storage_name: None,
        sealed_name: None,
        sealed_content: None,
        contains_students: terms.contains_students,
        consent: terms.consent,
        created_at: crate::domain::timestamp::Timestamp::new(chrono::DateTime::UNIX_EPOCH),
        metadata: EvidenceMetadata::None,
        copy: None,
        contributor: None,
    }
}

fn add(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    terms: &ItemTerms,
    definition: &Definition,
    make: impl Fn(&crate::files::DataKey) -> Result<StoredEvidence, Error>,
) -> Result<StoredEvidence, Error> {
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let stored = store::submissions::find(conn, id)?.ok_or(Error::Stale)?;
        submissions::reopen(conn, &stored.submission, now)?;
        let key = submissions::open_key(resources, &stored)?;
        put(conn, "add_evidence", &stored, terms, definition, make(&key)?, now)
    })
}

/// Adds an item to a draft, in the caller's transaction.
fn put(
    conn: &mut DbConn,
    operation: &'static str,
    stored: &StoredSubmission,
    terms: &ItemTerms,
    definition: &Definition,
    item: StoredEvidence,
    now: Timestamp,
) -> Result<(StoredEvidence, Change), Error> {
    let facts = stored.submission.facts();
    require_room(conn, definition, facts.id, terms, 0)?;
    let item = StoredEvidence { created_at: now, ..item };
    store::evidence::create(conn, &item)?;
    submissions::touch(conn, facts.id, now)?;
    let change = Change::new(operation, Some(facts.organization), "evidence", item.id)
        .with("submission", facts.id)
        .with("requirement", &item.requirement)
        .with("kind", &item.kind)
        .with("sha256", &item.sha256);
    Ok((item, change))
}

/// A link or a text as an item, its content sealed.
fn inline_item(
    id: SubmissionId,
    terms: &ItemTerms,
    item: &Inline,
    key: &crate::files::DataKey,
) -> Result<StoredEvidence, Error> {
    let (kind, media_type, content) = match item {
        Inline::Link(url) => ("link", None, url),
        Inline::Text(text) => ("text", Some("text/plain".to_owned()), text),
    };
    let bytes = content.as_bytes();
    Ok(StoredEvidence {
        kind: kind.to_owned(),
        media_type,
        size_bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        sha256: hex(&Sha256::digest(bytes)),
        sealed_content: Some(seal_bytes(key, bytes, b"content").map_err(Error::internal)?),
        ..blank(id, terms)
    })
}

/// What somebody adds.
pub(super) enum Given {
    /// A link or a text.
    Inline(Inline),
    /// A file that has come whole.
    File(TakenFile),
}

/// Adds what somebody without an account gives, in the caller's transaction.
///
/// # Errors
/// [`Error::WrongState`] once the work is handed in, [`Error::Invalid`] where there is no room any more.
pub(super) fn contribute(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    (terms, contributor): (&ItemTerms, Contributor),
    definition: &Definition,
    given: &Given,
    resources: &Resources,
    now: Timestamp,
) -> Result<(StoredEvidence, Change), Error> {
    submissions::reopen(conn, &stored.submission, now)?;
    let key = submissions::open_key(resources, stored)?;
    let id = stored.submission.facts().id;
    let item = match given {
        Given::Inline(item) => inline_item(id, terms, item, &key)?,
        Given::File(taken) => taken.item(id, terms, &key)?,
    };
    let item = StoredEvidence { contributor: Some(contributor), ..item };
    let (item, change) = put(conn, "create_contribution", stored, terms, definition, item, now)?;
    Ok((item, change.with("contributor", contributor)))
}

/// The media types that the requirement takes, if there is room for one item more beside those that are promised to others, and the terms
/// are in order.
pub(super) fn require_room(
    conn: &mut DbConn,
    definition: &Definition,
    id: SubmissionId,
    terms: &ItemTerms,
    n_promised: usize,
) -> Result<Vec<String>, Error> {
    if terms.contains_students && !terms.consent {
        let detail = "students can be seen or heard in this item: confirm that the consents are there (consent: true)";
        return Err(Error::invalid("/consent", "consent-missing", detail));
    }
    let n_items = store::evidence::list(conn, id)?
        .iter()
        .filter(|item| item.requirement == terms.requirement_id)
        .count()
        + n_promised;
    let (media, max_items) = match definition.find_evidence(&terms.requirement_id) {
        Some(requirement) => {
            let most = usize::try_from(requirement.max_items().get()).unwrap_or(usize::MAX);
            (requirement.media().to_vec(), most)
        }
        None => {
            let accommodations = store::cohorts::find_accommodations(conn, id)?;
            let takes_recording = definition.rubric().prompts().any(|prompt| {
                prompt.id().as_str() == terms.requirement_id
                    && submissions::may_be_recorded(prompt, &accommodations)
            });
            if !takes_recording {
                let known: Vec<&str> = definition
                    .evidence()
                    .iter()
                    .map(|requirement| requirement.id().as_str())
                    .collect();
                let detail =
                    format!("there is no such requirement; requirements are {}", known.join(", "));
                return Err(Error::invalid("/requirement_id", "unknown-requirement", detail));
            }
            (RECORDINGS.map(str::to_owned).to_vec(), 1)
        }
    };
    if let Some(fault) = submissions::fault_of_items(max_items, n_items + 1, "/requirement_id") {
        let summary = fault.detail.clone();
        return Err(Error::Invalid { code: "too-many-items", summary, faults: vec![fault] });
    }
    Ok(media)
}

/// `DELETE /submissions/{id}/evidence/{evidence_id}`: takes an item away while the work is not handed in.
///
/// # Errors
/// [`Error::WrongState`] once it is; [`Error::NotFound`] for another submission's item.
pub fn delete(cx: &mut Cx<'_>, id: SubmissionId, evidence: EvidenceId) -> Result<(), Error> {
    let (_, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "delete_evidence", &subject)?;
    let now = cx.now;
    let item = cx.write(|conn| {
        let stored = store::submissions::find(conn, id)?.ok_or(Error::Stale)?;
        submissions::reopen(conn, &stored.submission, now)?;
        let item = store::evidence::find(conn, id, evidence)?.ok_or(Error::NotFound("evidence"))?;
        for (prompt, response) in store::submissions::list_responses(conn, id)? {
            if response == store::submissions::StoredResponse::Evidence(evidence) {
                store::submissions::save_response(conn, id, &prompt, None)?;
            }
        }
        store::evidence::delete(conn, id, evidence)?;
        store::co_earners::end_of(conn, evidence, now)?;
        submissions::touch(conn, id, now)?;
        let change = Change::new(
            "delete_evidence",
            Some(stored.submission.facts().organization),
            "evidence",
            evidence,
        )
        .with("submission", id)
        .with("sha256", &item.sha256);
        Ok((item, change))
    })?;
    let copy = item.copy.map(|copy| copy.storage_name);
    for name in [item.storage_name, copy].into_iter().flatten() {
        if let Ok(name) = StorageName::parse(&name)
            && let Err(error) = cx.resources.evidence.remove(&name)
        {
            tracing::warn!(%error, "a file whose row is gone could not be removed; the sweeper will");
        }
    }
    Ok(())
}

/// What an item holds.
pub enum Content {
    /// A file, chunk by chunk.
    File(Box<EvidenceReader>),
    /// A link or a text.
    Inline(String),
}

/// An item that was opened for somebody.
pub struct Opened {
    /// What it holds.
    pub content: Content,
    /// The type of a file.
    pub media_type: String,
    /// How many bytes.
    pub size_bytes: i64,
    /// The name to save it under: the earner's own for the earner, a neutral one for a reader.
    pub file_name: String,
}

/// `GET /submissions/{id}/evidence/{evidence_id}/content`: opens an item and records who did, in the same request.
///
/// # Errors
/// [`Error::Denied`] for anybody but the earner, the reader who holds the submission now, and a coach with whom it is shared.
pub fn open(cx: &mut Cx<'_>, id: SubmissionId, evidence: EvidenceId) -> Result<Opened, Error> {
    let (stored, mut subject) = submissions::load(cx.conn, id)?;
    let person = cx.signed_in()?.person;
    let holds = |role| cx.actor.holds(role, subject.organization, &subject.above);
    let (may_read, may_screen, may_judge, may_coach) = (
        holds(Role::Assessor) || holds(Role::LeadAssessor),
        holds(Role::PreScreener),
        holds(Role::ReviewPanel),
        holds(Role::Coach),
    );
    // Each way to the work is only as good as the role behind it.
    let purpose = if subject.owner == Some(person) {
        Some("own")
    } else if may_read && is_reading(cx.conn, &stored, person, cx.now)? {
        Some("score")
    } else if may_screen && is_screening(cx.conn, &stored, person)? {
        Some("screen")
    } else if may_judge && super::cases::may_judge(cx.conn, &stored, person)? {
        Some("judge")
    } else if may_coach && super::coachings::may_open(cx.conn, id, person)? {
        Some("coach")
    } else {
        None
    };
    subject.assigned = purpose.map(|_| person);
    subject.kind = "evidence";
    // Who may read neither as earner nor as reader learns nothing, a coordinator included.
    if policy::require(&cx.actor, "read_evidence_content", &subject).is_err() {
        return Err(Denied::Hidden("evidence").into());
    }
    let is_owner = subject.owner == Some(person);
    if purpose == Some("score") && !super::eligibility::may_hold(cx.conn, person, &stored, cx.now)?
    {
        return Err(Denied::Hidden("evidence").into());
    }
    let items = store::evidence::list(cx.conn, id)?;
    let item = items.iter().find(|item| item.id == evidence).ok_or(Error::NotFound("evidence"))?;
    let key = submissions::open_key(cx.resources, &stored)?;
    let now = cx.now;
    let purpose = purpose.unwrap_or("own");
    store::write(cx.conn, |conn| {
        store::evidence::record_access(
            conn,
            &new_uuid().to_string(),
            &item.id.to_string(),
            id,
            person,
            purpose,
            now,
        )
        .map_err(Error::from)
    })?;
    let media_type = item.media_type.clone().unwrap_or_else(|| "text/plain".to_owned());
    let own_name = match (&item.sealed_name, is_owner) {
        (Some(sealed), true) => Some(opened_text(&key, sealed, b"name")?),
        (Some(_) | None, _) => None,
    };
    let file_name = own_name.unwrap_or_else(|| neutral_name(&items, item));
    // Readers get the copy; the original is its earner's alone.
    let copy = item.copy.as_ref().filter(|_| !is_owner);
    let size_bytes = copy.map_or(item.size_bytes, |copy| copy.size_bytes);
    let storage_name = copy.map(|copy| &copy.storage_name).or(item.storage_name.as_ref());
    let content = match (storage_name, &item.sealed_content) {
        (Some(name), _) => {
            let name = StorageName::parse(name).map_err(Error::internal)?;
            Content::File(Box::new(cx.resources.evidence.open_file(&name, &key)?))
        }
        (None, Some(sealed)) => Content::Inline(opened_text(&key, sealed, b"content")?),
        (None, None) => return Err(Error::NotFound("evidence")),
    };
    Ok(Opened { content, media_type, size_bytes, file_name })
}

/// Whether the person holds a reading of the submission that goes on now.
fn is_reading(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    person: PersonId,
    now: Timestamp,
) -> Result<bool, Error> {
    let state = stored.submission.state();
    let id = stored.submission.facts().id;
    Ok(store::reviews::list_of_submission(conn, id)?.iter().any(|review| {
        review.assessor == Some(person)
            && review.state == ReviewState::Leased
            && !review.is_lapsed(now)
            && super::reviews::is_at_work(review, state)
    }))
}

/// Whether the person looks just now whether the submission is complete.
fn is_screening(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    person: PersonId,
) -> Result<bool, Error> {
    let open = super::screening::find_open(conn, stored.submission.facts().id)?;
    let is_waiting = stored.submission.state() == SubmissionState::Submitted;
    Ok(is_waiting && open.is_some_and(|screening| screening.screener == person))
}

fn opened_text(
    key: &crate::files::DataKey,
    sealed: &[u8],
    context: &[u8],
) -> Result<String, Error> {
    String::from_utf8(open_bytes(key, sealed, context).map_err(Error::internal)?)
        .map_err(Error::internal)
}

/// A name that says what the item is for and nothing about whose it is: `a3-2.pdf`.
#[must_use]
pub fn neutral_name(items: &[StoredEvidence], item: &StoredEvidence) -> String {
    let number = 1 + items
        .iter()
        .filter(|other| other.requirement == item.requirement)
        .take_while(|other| other.id != item.id)
        .count();
    let extension = item.media_type.as_deref().and_then(extension_for).unwrap_or("txt");
    format!("{}-{number}.{extension}", item.requirement)
}

/// The items of a submission with names and contents opened, for its earner. Without the key, what was sealed stays so.
///
/// # Errors
/// [`Error::Internal`] when the database or the key fails.
pub fn open_all(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
) -> Result<Vec<OpenedEvidence>, Error> {
    let id = stored.submission.facts().id;
    let items = store::evidence::list(conn, id)?;
    let shared = super::co_earners::shared_items(conn, id)?;
    if stored.sealed_key.is_none() {
        let sealed = items.into_iter().map(|stored| OpenedEvidence {
            is_shared: shared.contains(&stored.id),
            stored,
            name: None,
            content: None,
        });
        return Ok(sealed.collect());
    }
    let key = submissions::open_key(resources, stored)?;
    items
        .into_iter()
        .map(|stored| {
            let name = stored
                .sealed_name
                .as_deref()
                .map(|sealed| opened_text(&key, sealed, b"name"))
                .transpose()?;
            let content = stored
                .sealed_content
                .as_deref()
                .map(|sealed| opened_text(&key, sealed, b"content"))
                .transpose()?;
            let is_shared = shared.contains(&stored.id);
            Ok(OpenedEvidence { stored, name, content, is_shared })
        })
        .collect()
}

/// Reads the next bytes of an opened file, at most 64 KiB; none at its end.
///
/// # Errors
/// [`Error::Internal`] when the file was altered or cannot be read.
pub fn read_chunk(reader: &mut EvidenceReader) -> Result<Option<Vec<u8>>, Error> {
    reader.next().transpose().map_err(Error::internal)
}
