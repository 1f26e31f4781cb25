//! Many assessors at one queue, from what was handed in to its decision: nobody holds too much, nothing is held twice, nobody reads what
//! they must not, everything is decided, and everybody is linked.
//!
//! The assessors are dealt to threads. In a round everybody has one turn, the threads side by side; so all get as much to do, however the
//! machine deals its time, and a round in which nobody got on is the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use assay::domain::ids::{MicroCredentialId, PersonId, SessionId, SubmissionId};
use assay::domain::review::{LOAD_CAP, ReviewKind, ReviewState};
use assay::domain::submission::SubmissionState;
use assay::service::context::Proof;
use assay::service::reviews::ReviewDetail;
use assay::service::{Cx, Error, Resources, reviews};
use assay::store;
use serde_json::json;
use uuid::Uuid;

use crate::harness::statements::{count_statements, statements_of};
use crate::harness::world::{act, hand_in, sheet};
use crate::harness::{TestApp, definition, scale};

const SCHOOLS: usize = 8;
const ASSESSORS: usize = 40;
const LEADS: usize = 4;
const THREADS: usize = 4;
/// Micro-credentials, so that one earner hands in more than once.
const FAMILIES: usize = 4;
/// What a claim may cost, in statements: as much with a thousand submissions in the queue as with a hundred. On PostgreSQL one that has
/// met others is tried again, but the fourth time it is alone.
const MOST_STATEMENTS_OF_CLAIM: u64 = 4 * 130;

/// Work that waits, and who is there to read it.
struct Floor {
    resources: Arc<Resources>,
    earner_of: BTreeMap<SubmissionId, PersonId>,
    school_of: BTreeMap<PersonId, usize>,
    /// Who holds what now, as the readers know it.
    holders: Mutex<BTreeMap<SubmissionId, PersonId>>,
}

/// Somebody at work.
struct Reader {
    number: usize,
    id: PersonId,
    /// For as long as it takes: an access token might end before.
    session: SessionId,
    held: VecDeque<ReviewDetail>,
    spent: Spent,
}

/// What it took, in SQL statements.
#[derive(Default)]
struct Spent {
    claims: Vec<u64>,
    claims_in_vain: Vec<u64>,
    sheets: u64,
    locks: u64,
}

impl Floor {
    fn new(app: &TestApp, n_submissions: usize) -> (Floor, Vec<Reader>) {
        let district = app.district();
        let families: Vec<MicroCredentialId> = (0..FAMILIES)
            .map(|number| {
                let mut double = definition("mc-ia-small-group-support");
                double["id"] = json!(format!("mc-double-{number}"));
                double["review_policy"]["mode"] = json!("double_blind");
                district.publish(&double).parse().unwrap()
            })
            .collect();
        let schools: Vec<String> = (0..SCHOOLS)
            .map(|number| {
                let name = format!("School {number}");
                app.organization(&district.admin, &district.id, &name, "school")
            })
            .collect();
        let mut school_of = BTreeMap::new();
        let mut earner_of = BTreeMap::new();
        for number in 0..n_submissions / FAMILIES {
            let email = format!("earner-{number}@example.org");
            let earner = app.seed(&schools[number % SCHOOLS], &email, &["earner"]);
            let id: PersonId = earner.id.parse().unwrap();
            school_of.insert(id, number % SCHOOLS);
            for family in &families {
                earner_of.insert(hand_in(&app.resources, &earner.token, *family), id);
            }
        }
        let mut readers = Vec::new();
        for number in 0..ASSESSORS + LEADS {
            let role = if number < ASSESSORS { "assessor" } else { "lead_assessor" };
            let email = format!("reader-{number}@example.org");
            // Lead assessors are of the district's office.
            let home = if number < ASSESSORS { &schools[number % SCHOOLS] } else { &district.id };
            let person = app.seed(home, &email, &[role]);
            let school = if number < ASSESSORS { number % SCHOOLS } else { SCHOOLS + number };
            let id: PersonId = person.id.parse().unwrap();
            school_of.insert(id, school);
            let session = act(&app.resources, &person.token, "read_me", |cx| {
                cx.signed_in().map(|signed_in| signed_in.session)
            });
            let (held, spent) = (VecDeque::new(), Spent::default());
            readers.push(Reader { number, id, session, held, spent });
        }
        let holders = Mutex::new(BTreeMap::new());
        let resources = Arc::clone(&app.resources);
        (Floor { resources, earner_of, school_of, holders }, readers)
    }
}

impl Reader {
    /// Runs a use case as a request of this person does. Returns how many statements it took.
    fn run<T>(
        &self,
        floor: &Floor,
        operation: &'static str,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error>,
    ) -> (Result<T, Error>, u64) {
        let proof = Proof::Continued(self.id, self.session);
        statements_of(|| floor.resources.run(operation, proof, work))
    }

    /// Asks for work, and locks a sheet when enough lies here or nothing else came. Returns whether anything was done.
    fn turn(&mut self, floor: &Floor) -> bool {
        let (claimed, statements) = self.run(floor, "claim_review", |cx| reviews::claim(cx, None));
        let has_come = match claimed {
            Ok(Some(detail)) => {
                self.spent.claims.push(statements);
                let submission = detail.review.submission;
                assert_ne!(
                    floor.school_of[&floor.earner_of[&submission]], floor.school_of[&self.id],
                    "an earner of one's school"
                );
                assert!(detail.other_sheets.is_empty(), "a sheet before one's own");
                let before = floor.holders.lock().unwrap().insert(submission, self.id);
                assert_eq!(before, None, "held by two");
                self.held.push_back(detail);
                assert!(self.held.len() <= LOAD_CAP);
                true
            }
            Ok(None) => {
                self.spent.claims_in_vain.push(statements);
                assert!(self.held.len() < LOAD_CAP);
                false
            }
            Err(Error::WrongState { .. }) => {
                assert_eq!(self.held.len(), LOAD_CAP);
                false
            }
            Err(other) => panic!("{other:?}"),
        };
        // Some lock at once, some let their work lie until they can take no more.
        let is_enough = self.held.len() > self.number % LOAD_CAP || !has_come;
        let Some(detail) = self.held.pop_front_if(|_| is_enough) else { return has_come };
        self.lock(floor, &detail);
        true
    }

    fn lock(&mut self, floor: &Floor, detail: &ReviewDetail) {
        let (id, submission) = (detail.review.id, detail.review.submission);
        let sheet = sheet(detail, |item, pass_level| {
            level(submission, self.number, detail.review.kind, item, pass_level)
        });
        let revision = detail.review.revision;
        let (saved, statements) =
            self.run(floor, "put_scores", |cx| reviews::save_scores(cx, id, &sheet, revision));
        saved.unwrap();
        self.spent.sheets += statements;
        // From here on the next may have it.
        assert_eq!(floor.holders.lock().unwrap().remove(&submission), Some(self.id));
        let (locked, statements) = self.run(floor, "lock_review", |cx| reviews::lock(cx, id));
        locked.unwrap();
        self.spent.locks += statements;
    }
}

/// What a reader sees in a piece of work. Mostly it is the same for everybody; one in four readers sees one criterion a level higher or
/// lower, which is sometimes across the cut.
fn level(
    submission: SubmissionId,
    reader: usize,
    kind: ReviewKind,
    item: &str,
    pass_level: u8,
) -> u8 {
    let bytes = submission.to_string().into_bytes();
    let draw = |at: usize| usize::from(bytes[bytes.len() - 1 - at]);
    if item.starts_with(['q', 'r']) || kind == ReviewKind::Adjudication {
        return pass_level;
    }
    let seen = if draw(0) % 4 == 0 { pass_level - 1 } else { pass_level };
    let is_other = item.ends_with(&((draw(1) + reader) % 4 + 1).to_string());
    if (draw(2) + reader).is_multiple_of(4) && is_other {
        return if draw(3) % 2 == 0 { seen + 1 } else { seen.saturating_sub(1) };
    }
    seen
}

/// Whether everybody is linked to everybody by submissions that two have read: severity can be compared only then.
fn is_linked(pairs: &[(PersonId, PersonId)]) -> bool {
    let mut next: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for (one, other) in pairs {
        next.entry(*one).or_default().push(*other);
        next.entry(*other).or_default().push(*one);
    }
    let Some(first) = next.keys().next().copied() else { return true };
    let mut seen = BTreeSet::from([first]);
    let mut waiting = vec![first];
    while let Some(person) = waiting.pop() {
        for other in next.get(&person).into_iter().flatten() {
            if seen.insert(*other) {
                waiting.push(*other);
            }
        }
    }
    seen.len() == next.len()
}

#[test]
fn assessors_are_linked_when_pairs_lead_from_each_to_each() {
    let person = |number| PersonId::from_uuid(Uuid::from_u128(number));
    let pair = |one, other| (person(one), person(other));
    assert!(is_linked(&[]));
    assert!(is_linked(&[pair(1, 2), pair(3, 2), pair(3, 4)]));
    assert!(!is_linked(&[pair(1, 2), pair(3, 4)]));
}

#[test]
fn forty_assessors_bring_everything_to_its_decision_by_the_rules() {
    count_statements();
    let n_submissions = scale(1000);
    let app = TestApp::new();
    let (floor, readers) = Floor::new(&app, n_submissions);
    let begun = Usage::now();
    let readers = work_until_nothing_is_left(&floor, readers);
    let used = Usage::now().since(&begun);
    assert!(floor.holders.lock().unwrap().is_empty());
    assert!(readers.iter().all(|reader| reader.held.is_empty()));
    let n_adjudicated = check_decisions(&floor);
    let n_differing = n_submissions / 20;
    assert!(n_adjudicated > n_differing, "sheets differ too seldom: {n_adjudicated}");
    assert!(n_adjudicated < n_submissions / 2, "leads decide too much: {n_adjudicated}");
    app.audit_events();
    let figures = Figures::of(&readers, n_submissions);
    if n_submissions == 1000 {
        print(&used, n_adjudicated, &figures);
    }
    assert!(figures.mean_claim <= MOST_STATEMENTS_OF_CLAIM, "{figures}");
}

/// Rounds with everybody's turns, until one in which nobody got on.
fn work_until_nothing_is_left(floor: &Floor, readers: Vec<Reader>) -> Vec<Reader> {
    let mut teams: Vec<Vec<Reader>> = (0..THREADS).map(|_| Vec::new()).collect();
    for reader in readers {
        teams[reader.number % THREADS].push(reader);
    }
    loop {
        let has_moved = std::thread::scope(|scope| {
            let round = |team: &mut Vec<Reader>| {
                let moved = team.iter_mut().map(|reader| reader.turn(floor));
                moved.filter(|moved| *moved).count() > 0
            };
            let threads: Vec<_> =
                teams.iter_mut().map(|team| scope.spawn(move || round(team))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|moved| *moved).count()
        });
        if has_moved == 0 {
            return teams.into_iter().flatten().collect();
        }
    }
}

/// Looks at every submission as the database has it. Returns how many were adjudicated.
fn check_decisions(floor: &Floor) -> usize {
    let mut conn = floor.resources.database.connection().unwrap();
    let mut pairs: Vec<(PersonId, PersonId)> = Vec::new();
    let mut n_adjudicated = 0;
    for (id, earner) in &floor.earner_of {
        let stored = store::submissions::find(&mut conn, *id).unwrap().unwrap();
        assert_eq!(stored.submission.state(), SubmissionState::Decided);
        let decision = store::decisions::find(&mut conn, *id).unwrap().unwrap();
        let mut readings = store::reviews::list_of_submission(&mut conn, *id).unwrap();
        assert!(readings.iter().all(|review| review.state == ReviewState::Locked), "{readings:?}");
        let third = readings.extract_if(.., |one| one.kind == ReviewKind::Adjudication).count();
        assert!(third <= 1);
        n_adjudicated += third;
        assert_eq!(usize::try_from(decision.raters).unwrap(), 2 + third);
        let readers: Vec<PersonId> =
            readings.iter().map(|review| review.assessor.unwrap()).collect();
        let [one, other] = readers[..] else { panic!("not two readers: {readings:?}") };
        let schools: BTreeSet<usize> =
            [one, other, *earner].iter().map(|person| floor.school_of[person]).collect();
        assert_eq!(schools.len(), 3, "two of one school: {readings:?}");
        pairs.push((one, other));
        let is_earned = decision.outcome.as_str() == "earned";
        let award = store::awards::find_of_submission(&mut conn, *id).unwrap();
        assert_eq!(award.map(|award| award.state.as_str()), is_earned.then_some("active"));
    }
    assert!(is_linked(&pairs), "some readers cannot be compared with the others");
    let linked: BTreeSet<PersonId> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
    assert_eq!(linked.len(), ASSESSORS, "everybody is part of it");
    // Pairs that have not read together come first: few repeat.
    let distinct: BTreeSet<(PersonId, PersonId)> =
        pairs.iter().map(|(one, other)| (*one.min(other), *one.max(other))).collect();
    assert!(distinct.len() * 3 >= pairs.len().min(ASSESSORS * 5) * 2, "{} pairs", distinct.len());
    n_adjudicated
}

/// What the process has used so far.
struct Usage {
    began: std::time::Instant,
    /// User and system time in clock ticks of 10 ms; none where the kernel does not tell.
    cpu: Option<(u64, u64)>,
}

impl Usage {
    fn now() -> Usage {
        let stat = std::fs::read_to_string("/proc/self/stat").ok();
        let cpu = stat.and_then(|stat| {
            // The name before may hold anything; after its bracket the state is the first field.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        });
        Usage { began: std::time::Instant::now(), cpu }
    }

    fn since(self, before: &Usage) -> String {
        let wall = self.began.duration_since(before.began).as_secs_f64();
        match (self.cpu, before.cpu) {
            (Some((user, system)), Some((user_before, system_before))) => format!(
                "{wall:.0} s on the wall, {:.0} s of CPU time in user mode and {:.0} s in the system",
                (user - user_before) as f64 / 100.0,
                (system - system_before) as f64 / 100.0
            ),
            (Some(_) | None, _) => format!("{wall:.0} s on the wall"),
        }
    }
}

/// Statements for each decision, and for each call.
struct Figures {
    per_decision: u64,
    n_claims: usize,
    mean_claim: u64,
    highest_claim: u64,
    n_in_vain: usize,
    mean_in_vain: u64,
    highest_in_vain: u64,
    mean_sheet: u64,
    mean_lock: u64,
}

fn mean(sum: u64, count: usize) -> u64 {
    sum / u64::try_from(count.max(1)).unwrap()
}

impl Figures {
    fn of(readers: &[Reader], n_decisions: usize) -> Figures {
        let all = |part: fn(&Spent) -> &Vec<u64>| -> Vec<u64> {
            readers.iter().flat_map(|reader| part(&reader.spent).iter().copied()).collect()
        };
        let (claims, in_vain) = (all(|spent| &spent.claims), all(|spent| &spent.claims_in_vain));
        let sum = |part: fn(&Spent) -> u64| readers.iter().map(|one| part(&one.spent)).sum::<u64>();
        let (sheets, locks) = (sum(|spent| spent.sheets), sum(|spent| spent.locks));
        let total = claims.iter().sum::<u64>() + in_vain.iter().sum::<u64>() + sheets + locks;
        Figures {
            per_decision: mean(total, n_decisions),
            n_claims: claims.len(),
            mean_claim: mean(claims.iter().sum(), claims.len()),
            highest_claim: claims.iter().copied().max().unwrap_or(0),
            n_in_vain: in_vain.len(),
            mean_in_vain: mean(in_vain.iter().sum(), in_vain.len()),
            highest_in_vain: in_vain.iter().copied().max().unwrap_or(0),
            mean_sheet: mean(sheets, claims.len()),
            mean_lock: mean(locks, claims.len()),
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (claim, in_vain) = (self.mean_claim, self.mean_in_vain);
        writeln!(f, "{} statements for each decision", self.per_decision)?;
        writeln!(f, "{} claims: {claim} each, at most {}", self.n_claims, self.highest_claim)?;
        writeln!(
            f,
            "{} in vain: {in_vain} each, at most {}",
            self.n_in_vain, self.highest_in_vain
        )?;
        write!(f, "{} for each saved sheet, {} for each lock", self.mean_sheet, self.mean_lock)
    }
}

#[expect(clippy::print_stdout, reason = "docs/BENCHMARKS.md says how to read it")]
fn print(used: &str, n_adjudicated: usize, figures: &Figures) {
    println!("{used}; {n_adjudicated} adjudicated\n{figures}");
}
