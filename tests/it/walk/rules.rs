//! Who may read what, by the words of the process and without the service's own code.

use assay::domain::eligibility::Relation;
use assay::domain::ids::ConflictId;
use assay::domain::submission::SubmissionState as S;
use assay::domain::timestamp::Timestamp;
use chrono::TimeDelta;

use super::model::Attempt;
use super::people::Walk;

/// What is known of one of the people.
#[derive(Clone, Debug, Default)]
pub struct Someone {
    /// None for those of the district's office.
    pub school: Option<usize>,
    pub is_assessor: bool,
    pub is_lead: bool,
    pub cap: usize,
    pub has_modules: bool,
    /// Scores known papers as they like, and so drifts.
    pub is_careless: bool,
    pub license: Option<License>,
}

/// A qualification for the rubric of the micro-credential that one reader decides.
#[derive(Clone, Debug)]
pub struct License {
    /// When they first passed on work made for the purpose.
    pub provisional_at: Option<Timestamp>,
    pub passed_at: Timestamp,
    /// Passed on real work; else on work made for the purpose.
    pub is_full: bool,
    pub is_suspended: bool,
    /// When they last showed on known work how they score.
    pub seen_at: Timestamp,
}

/// A known paper that somebody has scored in the queue, by how far from its key.
#[derive(Clone, Debug)]
pub struct Seed {
    pub person: usize,
    pub at: Timestamp,
    /// Its place among all that were presented.
    pub presented: usize,
    pub offset: i16,
}

/// What somebody has declared about somebody.
#[derive(Clone, Debug)]
pub struct Tie {
    pub id: ConflictId,
    pub by: usize,
    pub about: usize,
    pub relation: Relation,
    pub ended_at: Option<Timestamp>,
}

impl Tie {
    fn counts(&self, since: Timestamp) -> bool {
        // Who coached an attempt has done so for good; who has moved out has moved out.
        let is_for_good = matches!(self.relation, Relation::Coaches | Relation::Coauthor);
        self.ended_at.is_none_or(|ended| is_for_good && ended >= since)
    }
}

impl Walk {
    fn share_school(&self, one: usize, other: usize) -> bool {
        let school = |person: usize| self.everybody.get(person).and_then(|who| who.school);
        school(one).is_some() && school(one) == school(other)
    }

    fn is_tied(&self, person: usize, attempt: &Attempt) -> bool {
        self.ties.iter().any(|tie| {
            let pair = [(tie.by, tie.about), (tie.about, tie.by)];
            pair.contains(&(person, attempt.earner)) && tie.counts(attempt.started_at)
        })
    }

    fn is_at_work_on(&self, person: usize, is_double: bool) -> bool {
        self.attempts.iter().any(|one| {
            (one.earner, one.is_double) == (person, is_double) && one.keeps_from_reading()
        })
    }

    pub fn is_licensed(&self, person: usize) -> bool {
        let Some(held) = &self.everybody[person].license else { return false };
        let is_over = |since: Timestamp, days: i64| since.plus(TimeDelta::days(days)) <= self.now;
        let is_provisional_over = !held.is_full
            && self.enough_since.max(held.provisional_at).is_some_and(|since| is_over(since, 90))
            && self.enough_since.is_some();
        self.everybody[person].has_modules
            && !held.is_suspended
            && !is_over(held.passed_at, 365)
            && !is_over(held.seen_at, 90)
            && !is_provisional_over
    }

    pub fn is_provisional(&self, person: usize) -> bool {
        self.everybody[person].license.as_ref().is_some_and(|held| !held.is_full)
    }

    /// Whether nothing speaks against this reader, whoever has the seats, and however much they hold.
    pub fn may_read(&self, person: usize, attempt: &Attempt) -> bool {
        let has_conflict = person == attempt.earner
            || self.share_school(person, attempt.earner)
            || (attempt.is_double && self.waived_until <= self.now)
            || self.is_at_work_on(person, attempt.is_double)
            || self.is_tied(person, attempt)
            || attempt.recused.contains(&person)
            || attempt.readers().any(|other| other != person && self.share_school(person, other));
        let needs_license = !attempt.is_double && attempt.state != S::Adjudication;
        !has_conflict && (!needs_license || self.is_licensed(person))
    }

    fn may_take(&self, person: usize, attempt: &Attempt) -> bool {
        let who = &self.everybody[person];
        attempt.has_seat_for(person, who.is_assessor, who.is_lead) && self.may_read(person, attempt)
    }

    /// Whether the person has scored an earlier attempt of the same earner.
    fn knows(&self, person: usize, attempt: &Attempt) -> bool {
        self.attempts.iter().any(|one| {
            one.id != attempt.id
                && (one.earner, one.is_double) == (attempt.earner, attempt.is_double)
                && one.locked.iter().any(|seat| seat.person == person)
        })
    }

    /// Whether the person goes last, and somebody else could take it in time.
    fn is_spared(&self, person: usize, attempt: &Attempt) -> bool {
        self.knows(person, attempt)
            && self.due_on(attempt).is_none_or(|due| self.now <= due)
            && (0..self.everybody.len()).any(|other| {
                other != person
                    && self.everybody[other].cap > 0
                    && self.may_take(other, attempt)
                    && !self.knows(other, attempt)
            })
    }

    /// What the model has to say of a person and an attempt, for whoever looks for a difference.
    pub fn words_on(&self, person: usize, index: usize) -> String {
        let attempt = &self.attempts[index];
        let readers: Vec<usize> = (0..self.everybody.len())
            .filter(|other| self.may_take(*other, attempt) && !self.knows(*other, attempt))
            .collect();
        format!(
            "at {}, {person} {:?} licensed {} may read {} may take {} spared {} beside {readers:?}, due {:?}: {attempt:?}",
            self.now,
            self.everybody[person],
            self.is_licensed(person),
            self.may_read(person, attempt),
            self.may_take(person, attempt),
            self.is_spared(person, attempt),
            self.due_on(attempt),
        )
    }

    /// Everything that a claim of this person may bring.
    pub fn list_open_to(&self, person: usize) -> Vec<usize> {
        (0..self.attempts.len())
            .filter(|index| {
                let attempt = &self.attempts[*index];
                self.may_take(person, attempt) && !self.is_spared(person, attempt)
            })
            .collect()
    }

    pub fn n_held(&self, person: usize) -> usize {
        let held = self.attempts.iter().flat_map(|one| &one.leased);
        held.filter(|seat| seat.person == person).count()
    }

    /// A known paper was scored. Of the last five, with four criteria each and a key at the pass levels, seven in ten must be exact and eight
    /// in ten on the right side; from three papers on that is judged. Whoever falls short is suspended, and gives back what they hold.
    pub fn drift(&mut self, person: usize, presented: usize, offset: i16) {
        let now = self.now;
        self.seeds.push(Seed { person, at: now, presented, offset });
        let Some(held) = &mut self.everybody[person].license else { return };
        held.seen_at = now;
        let passed_at = held.passed_at;
        let mut own: Vec<&Seed> = self
            .seeds
            .iter()
            .filter(|seed| seed.person == person && seed.at >= passed_at)
            .collect();
        own.sort_by_key(|seed| (seed.at, seed.presented));
        let last = &own[own.len().saturating_sub(5)..];
        let n_exact = last.iter().filter(|seed| seed.offset == 0).count();
        let n_right = last.iter().filter(|seed| seed.offset >= 0).count();
        let is_short = 10 * n_exact < 7 * last.len() || 10 * n_right < 8 * last.len();
        if last.len() < 3 || !is_short {
            return;
        }
        held.is_suspended = true;
        for attempt in self.attempts.iter_mut().filter(|one| !one.is_double) {
            while let Some(number) = attempt
                .leased
                .iter()
                .position(|seat| seat.person == person && attempt.is_at_work(seat))
            {
                attempt.leave(number, false);
            }
        }
    }
}
