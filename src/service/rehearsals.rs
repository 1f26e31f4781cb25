//! The rehearsal of a programme: its team hands in practice work, screens it, scores it blind and decides, by the rules that hold for live work.
//!
//! Practice work is kept apart from everything else (docs/decisions/0044): it makes no submission, review, decision, award, mail or figure, only
//! the team knows of it, and it is deleted in the commit that opens the programme.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::audit::Change;
use super::cohorts::charter_of;
use super::context::{Cx, Resources, branch_up, new_uuid};
use super::eligibility::policy_within;
use super::error::{Broken, Error, Fault};
use super::micro_credentials::parse_stored;
use super::programs::{self, Program};
use super::resolution::{self, Terms};
use super::reviews;
use crate::domain::decision_rule::Outcome;
use crate::domain::definition::Definition;
use crate::domain::ids::{PersonId, PracticeAttemptId, ProgramId};
use crate::domain::policy::{self, Denied};
use crate::domain::program::ProgramState;
use crate::domain::rehearsal::{PracticeEvent, PracticeState};
use crate::domain::resolution::Sheets;
use crate::domain::review::{Sheet, SheetFault};
use crate::domain::review_policy::Draw;
use crate::domain::rubric::Level;
use crate::domain::timestamp::Timestamp;
use crate::store::micro_credentials::Version;
use crate::store::rehearsals::{PracticeAttempt, PracticeSheet};
use crate::store::{self, DbConn, StoreError};

/// The most characters of a text that is handed in, and of a note.
const LONGEST_TEXT: usize = 5000;

/// A practice attempt as its team sees it. Neither author nor readers are named, as in live work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeView {
    /// The attempt.
    pub attempt: PracticeAttempt,
    /// The micro-credential's id in its organization.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Whether the caller has handed it in.
    pub is_own: bool,
    /// Whether the caller has scored it.
    pub is_scored_by_caller: bool,
    /// What the next sheet covers; empty where none is awaited.
    pub covers: BTreeSet<String>,
    /// Once it is decided: each level with what its author is told.
    pub levels: BTreeMap<String, (Option<u8>, Option<String>)>,
    /// Once it is decided: the words for the whole, of each sheet.
    pub overall_feedback: Vec<String>,
}

/// There is no such attempt: it reads like a programme that is not there.
const fn missing() -> Error {
    Error::NotFound("programme")
}

fn require_rehearsal(program: &Program) -> Result<(), Error> {
    if program.state == ProgramState::Rehearsal {
        return Ok(());
    }
    let detail = format!(
        "the programme is {}; practice work is handed in and read in a rehearsal",
        program.state
    );
    Err(Error::WrongState { detail, allowed_events: Vec::new() })
}

fn require(attempt: &PracticeAttempt, event: PracticeEvent) -> Result<(), Error> {
    let allowed = attempt.state.allowed_events();
    if allowed.contains(&event) {
        return Ok(());
    }
    Err(Error::WrongState {
        detail: format!("practice work that is {} cannot take {event}", attempt.state),
        allowed_events: allowed.iter().map(|event| event.as_str()).collect(),
    })
}

fn change_of(operation: &'static str, program: &Program, attempt: &PracticeAttempt) -> Change {
    Change::new(operation, Some(program.organization), "practice_attempt", attempt.id)
        .with("program", program.id)
        .with("state", attempt.state)
}

/// `POST /programs/{id}/practice-attempts`: hands in practice work for a micro-credential of the charter.
///
/// # Errors
/// [`Error::WrongState`] unless the programme is rehearsed; [`Error::Invalid`] for what the charter does not name and for work that is not complete.
pub fn create(
    cx: &mut Cx<'_>,
    id: ProgramId,
    slug: &str,
    work: &BTreeMap<String, String>,
) -> Result<PracticeView, Error> {
    let (program, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "create_practice_attempt", &subject)?;
    require_rehearsal(&program)?;
    let charter = charter_of(&program)?;
    let named = charter.named_definitions().into_iter().find(|one| one.slug == slug);
    let Some(named) = named else {
        let detail = "no cohort of the charter has this micro-credential";
        return Err(Error::invalid("/micro_credential", "not-in-charter", detail));
    };
    let among = branch_up(cx.conn, program.organization)?;
    let version = store::micro_credentials::find_named(cx.conn, &among, slug, named.number)?;
    let Some(version) = version else {
        let detail = "it is not published yet; publish it, and play it through then";
        return Err(Error::invalid("/micro_credential", "definition-not-published", detail));
    };
    let definition = parse_stored(&version)?.definition;
    refuse_incomplete(&definition, work)?;
    let person = cx.signed_in()?.person;
    let now = cx.now;
    let attempt = PracticeAttempt {
        id: PracticeAttemptId::from_uuid(new_uuid()),
        program: id,
        organization: version.organization,
        version: version.id,
        person,
        state: PracticeState::Submitted,
        work: work.clone(),
        note: None,
        decision: None,
        created_at: now,
        revision: 1,
    };
    cx.write(|conn| {
        // Read again under the lock: a programme that has opened takes no practice work any more.
        let program = store::programs::find(conn, id)?.ok_or(missing())?;
        require_rehearsal(&program)?;
        store::rehearsals::create(conn, &attempt)?;
        Ok(((), change_of("create_practice_attempt", &program, &attempt)))
    })?;
    view(cx, attempt, person)
}

fn refuse_incomplete(
    definition: &Definition,
    work: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let mut wanted: BTreeSet<&str> =
        definition.rubric().prompts().map(|prompt| prompt.id().as_str()).collect();
    let evidence = definition.evidence().iter();
    wanted.extend(evidence.clone().filter(|one| one.is_required()).map(|one| one.id().as_str()));
    let mut known = wanted.clone();
    known.extend(evidence.map(|one| one.id().as_str()));
    let mut faults = Vec::new();
    for id in &wanted {
        if !work.contains_key(*id) {
            faults.push(Fault::new(format!("/texts/{id}"), "missing", "write something for it"));
        }
    }
    for (id, text) in work {
        if !known.contains(id.as_str()) {
            let detail = "the definition has no prompt or requirement of this id";
            faults.push(Fault::new("/texts", "unknown-id", detail));
        } else if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
            let detail = format!("write 1 to {LONGEST_TEXT} characters");
            faults.push(Fault::new(format!("/texts/{id}"), "text", detail));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let summary = "the practice work is not complete; each part is listed".to_owned();
    Err(Error::Invalid { code: "incomplete", summary, faults })
}

/// `GET /programs/{id}/practice-attempts`: the practice work of a rehearsal, without names.
///
/// # Errors
/// [`Error::Denied`] for everybody but the team.
pub fn list(
    cx: &mut Cx<'_>,
    id: ProgramId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<PracticeView>, Error> {
    let (_, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "list_practice_attempts", &subject)?;
    let person = cx.signed_in()?.person;
    let found = store::rehearsals::list(cx.conn, id, after, limit)?;
    found.into_iter().map(|attempt| view(cx, attempt, person)).collect()
}

/// An attempt of a rehearsal that goes on, which is not the caller's own: nobody screens or scores what is theirs.
fn load_of_another(
    conn: &mut DbConn,
    id: ProgramId,
    attempt: PracticeAttemptId,
    person: PersonId,
) -> Result<(Program, PracticeAttempt), Error> {
    let program = store::programs::find(conn, id)?.ok_or(missing())?;
    require_rehearsal(&program)?;
    let found = store::rehearsals::find(conn, id, attempt)?.ok_or(missing())?;
    if found.person == person {
        return Err(Denied::Forbidden.into());
    }
    Ok((program, found))
}

/// `POST /programs/{id}/practice-attempts/{attempt_id}/screening`: says whether it is complete, or why not.
///
/// # Errors
/// [`Error::WrongState`] unless it waits for that, [`Denied::Forbidden`] for one's own, [`Error::Invalid`] for a return without a word.
pub fn screen(
    cx: &mut Cx<'_>,
    id: ProgramId,
    attempt: PracticeAttemptId,
    is_complete: bool,
    note: &str,
) -> Result<PracticeView, Error> {
    let (_, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "screen_practice_attempt", &subject)?;
    let person = cx.signed_in()?.person;
    let screened = cx.write(|conn| {
        let (program, found) = load_of_another(conn, id, attempt, person)?;
        require(&found, PracticeEvent::Screen)?;
        let is_blank = note.trim().is_empty();
        if note.chars().count() > LONGEST_TEXT || is_blank != is_complete {
            let detail = "say what is missing where it is not complete, and nothing where it is";
            return Err(Error::invalid("/note", "note", detail));
        }
        let state = if is_complete { PracticeState::Queued } else { PracticeState::Returned };
        let note = (!is_blank).then(|| note.trim().to_owned());
        let next = PracticeAttempt { state, note, ..found };
        store::rehearsals::save(conn, &next)?;
        let change = change_of("screen_practice_attempt", &program, &next);
        Ok((PracticeAttempt { revision: next.revision + 1, ..next }, change))
    })?;
    view(cx, screened, person)
}

/// `POST /programs/{id}/practice-attempts/{attempt_id}/sheets`: a whole sheet, locked at once; the last one that is needed decides.
///
/// # Errors
/// [`Error::WrongState`] unless a reader is awaited, [`Error::AlreadyThere`] for a second sheet of the same person, [`Denied::Forbidden`] for one's own
/// work, [`Error::Invalid`] for a sheet that could not be locked.
pub fn score(
    cx: &mut Cx<'_>,
    id: ProgramId,
    attempt: PracticeAttemptId,
    sheet: &Sheet,
) -> Result<PracticeView, Error> {
    let (_, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "score_practice_attempt", &subject)?;
    let person = cx.signed_in()?.person;
    let (now, resources) = (cx.now, cx.resources);
    let scored = cx.write(|conn| {
        let (program, found) = load_of_another(conn, id, attempt, person)?;
        require(&found, PracticeEvent::Score)?;
        let (_, definition) = pinned(conn, &found)?;
        let terms = terms_of(conn, resources, &found, &definition, now)?;
        let is_third = found.state == PracticeState::Adjudication;
        let known = sheets_of(conn, &found)?;
        let covered = covers(&terms, &known, found.state)?;
        let mut kept = sheet.clone();
        kept.scores.retain(|id, _| covered.contains(id));
        let mut scales = reviews::scales(&definition);
        scales.retain(|scale| covered.contains(scale.id));
        let mut faults = kept.faults_of_lock(&scales);
        if is_third {
            // The readers have named the strengths of the whole.
            faults.retain(|fault| *fault != SheetFault::OverallFeedbackMissing);
        }
        reviews::refuse_faults(faults, "the sheet cannot be locked yet")?;
        let new =
            PracticeSheet { id: new_uuid().to_string(), reader: person, is_third, sheet: kept };
        match store::rehearsals::create_sheet(conn, attempt, &new, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "you have scored it; somebody else reads it now".to_owned();
                return Err(Error::AlreadyThere { code: "already-scored", detail });
            }
            other => other?,
        }
        let sheets = sheets_of(conn, &found)?;
        let next = advance(&terms, &definition, found, &sheets, now)?;
        store::rehearsals::save(conn, &next)?;
        let change = change_of("score_practice_attempt", &program, &next);
        Ok((PracticeAttempt { revision: next.revision + 1, ..next }, change))
    })?;
    view(cx, scored, person)
}

fn pinned(conn: &mut DbConn, attempt: &PracticeAttempt) -> Result<(Version, Definition), Error> {
    let version =
        store::micro_credentials::find_pinned(conn, attempt.organization, attempt.version)?
            .ok_or_else(|| Error::internal(Broken("practice work of no version")))?;
    let definition = parse_stored(&version)?.definition;
    Ok((version, definition))
}

fn sheets_of(conn: &mut DbConn, attempt: &PracticeAttempt) -> Result<Sheets, Error> {
    let mut sheets = Sheets::default();
    for one in store::rehearsals::list_sheets(conn, attempt.id)? {
        if one.is_third {
            sheets.third = Some(one.sheet);
        } else {
            sheets.readings.push(one.sheet);
        }
    }
    Ok(sheets)
}

/// By which rules practice work is read: those of live work that nobody has read yet.
fn terms_of<'a>(
    conn: &mut DbConn,
    resources: &Resources,
    attempt: &PracticeAttempt,
    definition: &'a Definition,
    now: Timestamp,
) -> Result<Terms<'a>, Error> {
    let program = store::programs::find(conn, attempt.program)?.ok_or(missing())?;
    let review = policy_within(conn, program.organization, definition, now)?;
    let number = resources.keyring.draw(&attempt.id.to_string());
    Ok(Terms::new(definition, review, Draw::new(number).map_err(Error::internal)?))
}

/// What the next sheet covers; nothing where none is awaited.
fn covers(
    terms: &Terms<'_>,
    sheets: &Sheets,
    state: PracticeState,
) -> Result<BTreeSet<String>, Error> {
    match state {
        PracticeState::Adjudication => terms.disputed(sheets),
        PracticeState::Queued => terms.coverage_of_next(sheets),
        PracticeState::Submitted | PracticeState::Returned | PracticeState::Decided => {
            Ok(BTreeSet::new())
        }
    }
}

/// Where an attempt stands after a sheet. A backread holds nothing, and is not practised.
fn advance(
    terms: &Terms<'_>,
    definition: &Definition,
    attempt: PracticeAttempt,
    sheets: &Sheets,
    now: Timestamp,
) -> Result<PracticeAttempt, Error> {
    if sheets.readings.len() == 1 && terms.second_reading(sheets)?.is_some() {
        return Ok(PracticeAttempt { state: PracticeState::Queued, ..attempt });
    }
    let settled = terms.settle(sheets)?;
    if settled.values().any(|one| one.open_dispute().is_some()) {
        return Ok(PracticeAttempt { state: PracticeState::Adjudication, ..attempt });
    }
    let decision = Some((resolution::outcome_of(definition, &settled)?, now));
    Ok(PracticeAttempt { state: PracticeState::Decided, decision, ..attempt })
}

fn view(
    cx: &mut Cx<'_>,
    attempt: PracticeAttempt,
    person: PersonId,
) -> Result<PracticeView, Error> {
    let (version, definition) = pinned(cx.conn, &attempt)?;
    let terms = terms_of(cx.conn, cx.resources, &attempt, &definition, cx.now)?;
    let listed = store::rehearsals::list_sheets(cx.conn, attempt.id)?;
    let sheets = sheets_of(cx.conn, &attempt)?;
    let (mut levels, mut overall_feedback) = (BTreeMap::new(), Vec::new());
    if attempt.state == PracticeState::Decided {
        for (id, one) in terms.settle(&sheets)? {
            let feedback = sheets.feedback_on(id.as_str(), one);
            levels.insert(id.as_str().to_owned(), (one.level().map(Level::number), feedback));
        }
        let words = listed.iter().filter_map(|one| one.sheet.overall_feedback.clone());
        overall_feedback.extend(words.filter(|text| !text.trim().is_empty()));
    }
    Ok(PracticeView {
        slug: parse_stored(&version)?.slug,
        title: version.title,
        is_own: attempt.person == person,
        is_scored_by_caller: listed.iter().any(|one| one.reader == person),
        covers: covers(&terms, &sheets, attempt.state)?,
        levels,
        overall_feedback,
        attempt,
    })
}

/// `GET /programs/{id}/practice-attempts/{attempt_id}/badge`: what a badge would say, unmistakably for practice. It has no proof, names no issuer and no
/// status list, and no verifier takes it for valid.
///
/// # Errors
/// [`Error::WrongState`] unless it was decided as earned.
pub fn badge(cx: &mut Cx<'_>, id: ProgramId, attempt: PracticeAttemptId) -> Result<Value, Error> {
    let (_, subject) = programs::load(cx.conn, id)?;
    policy::require(&cx.actor, "read_practice_badge", &subject)?;
    let found = store::rehearsals::find(cx.conn, id, attempt)?.ok_or(missing())?;
    let Some((Outcome::Earned, decided_at)) = found.decision else {
        let detail = "there is a practice badge of what was decided as earned".to_owned();
        return Err(Error::WrongState { detail, allowed_events: Vec::new() });
    };
    let (version, definition) = pinned(cx.conn, &found)?;
    let name = format!("PRACTICE, NOT A CREDENTIAL: {}", version.title);
    Ok(json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": format!("urn:uuid:{}", found.id),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": name,
        "description": "Made in the rehearsal of a programme. Nobody has earned it, and nobody has signed it.",
        "issuer": { "id": format!("urn:uuid:{id}"), "type": ["Profile"], "name": "PRACTICE, NO ISSUER" },
        "validFrom": decided_at.to_string(),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "achievement": {
                "id": format!("urn:uuid:{}", version.id),
                "type": ["Achievement"],
                "name": name,
                "description": definition.about().summary,
                "criteria": { "narrative": "Practice only." },
            },
        },
    }))
}
