//! The reference: what a submission must be after each event, in as few words as possible and without the service's own code.

use std::collections::BTreeSet;

use assay::domain::ids::{CaseId, ReviewId, SubmissionId};
use assay::domain::review::{Review, ReviewKind};
use assay::domain::submission::SubmissionState as S;
use assay::domain::timestamp::Timestamp;

/// Whose a known paper is.
pub const NOBODY: usize = usize::MAX;

/// A leased or locked review.
#[derive(Clone, Debug)]
pub struct Seat {
    pub person: usize,
    pub review: ReviewId,
    pub kind: ReviewKind,
    pub case: Option<CaseId>,
    /// It checks another sheet, after the decision.
    pub is_reread: bool,
    pub until: Timestamp,
}

impl Seat {
    /// The seat of a review that was claimed.
    pub fn of(person: usize, review: &Review) -> Seat {
        Seat {
            person,
            review: review.id,
            kind: review.kind,
            case: review.case,
            is_reread: review.seat == 6,
            until: review.lease_expires_at.unwrap(),
        }
    }

    /// Whether it is one that a first decision rests on.
    pub fn is_first_or_second(&self) -> bool {
        self.kind == ReviewKind::Reading && self.case.is_none() && !self.is_reread
    }
}

/// An open case.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: CaseId,
    pub is_appeal: bool,
    /// The earner has replied, or the fresh readings are in.
    pub is_heard: bool,
    pub votes: Vec<(usize, bool)>,
}

impl Case {
    pub fn doubt(id: CaseId) -> Case {
        Case { id, is_appeal: false, is_heard: false, votes: Vec::new() }
    }

    pub fn appeal(id: CaseId) -> Case {
        Case { is_appeal: true, ..Case::doubt(id) }
    }
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: SubmissionId,
    pub earner: usize,
    pub is_double: bool,
    /// A known paper that only looks like an attempt: of nobody, for one reader, and it decides nothing.
    pub is_known: bool,
    /// Whether a second reader was asked for.
    pub needs_two: bool,
    pub state: S,
    pub started_at: Timestamp,
    pub readings: Vec<i16>,
    pub third: Option<i16>,
    pub fresh: Vec<i16>,
    pub leased: Vec<Seat>,
    pub locked: Vec<Seat>,
    /// Who has given the seat back, and is not asked again.
    pub recused: BTreeSet<usize>,
    /// Whoever had a part in it: not for its appeal, and not on a panel.
    pub involved: BTreeSet<usize>,
    /// Whether a sheet is to be read again, and nobody does so yet.
    pub has_free_reread: bool,
    pub held_from: Option<S>,
    pub case: Option<Case>,
    pub was_appealed: bool,
    /// Whether it is earned, once it is decided.
    pub decision: Option<bool>,
    pub decided_at: Option<Timestamp>,
    /// The level that the decision rests on.
    level: i16,
}

impl Attempt {
    pub fn new(id: SubmissionId, earner: usize, is_double: bool, started_at: Timestamp) -> Attempt {
        Attempt {
            id,
            earner,
            is_double,
            is_known: false,
            needs_two: is_double,
            state: S::Submitted,
            started_at,
            readings: Vec::new(),
            third: None,
            fresh: Vec::new(),
            leased: Vec::new(),
            locked: Vec::new(),
            recused: BTreeSet::new(),
            involved: BTreeSet::from([earner]),
            has_free_reread: false,
            held_from: None,
            case: None,
            was_appealed: false,
            decision: None,
            decided_at: None,
            level: -1,
        }
    }

    /// A known paper in the place of live work.
    pub fn known(id: SubmissionId, now: Timestamp) -> Attempt {
        Attempt { is_known: true, state: S::Queued, ..Attempt::new(id, NOBODY, false, now) }
    }

    /// Whether it keeps its earner from another attempt.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, S::Decided | S::Appealed | S::Withdrawn | S::Voided | S::Expired)
    }

    /// Whether its earner is at work on the micro-credential, and so reads nobody else's there: until nothing can come of it any more.
    pub fn keeps_from_reading(&self) -> bool {
        self.is_open() || self.state == S::Appealed
    }

    /// The sheets that the first decision rests on.
    pub fn sheets_needed(&self) -> usize {
        1 + usize::from(self.needs_two) + usize::from(self.third.is_some())
    }

    pub fn can_be_withdrawn(&self) -> bool {
        matches!(self.state, S::Submitted | S::Queued) && self.readings.is_empty()
    }

    pub fn can_be_flagged(&self) -> bool {
        matches!(self.state, S::Submitted | S::Queued | S::InReview | S::Adjudication)
    }

    /// Everybody who has a seat now.
    pub fn readers(&self) -> impl Iterator<Item = usize> + '_ {
        self.leased.iter().chain(&self.locked).map(|seat| seat.person)
    }

    fn has_seat(&self, person: usize) -> bool {
        self.readers().any(|reader| reader == person)
    }

    pub fn has_seat_for(&self, person: usize, is_assessor: bool, is_lead: bool) -> bool {
        if self.recused.contains(&person) || self.has_seat(person) || self.earner == person {
            return false;
        }
        if self.state == S::Adjudication {
            return is_lead
                && !self.leased.iter().any(|seat| seat.kind == ReviewKind::Adjudication);
        }
        if self.state == S::Appealed {
            let n_leased = self.leased.iter().filter(|seat| seat.case.is_some()).count();
            let is_fresh = is_assessor && !self.involved.contains(&person);
            return is_fresh && n_leased + self.fresh.len() < 2;
        }
        let is_read_again = self.state == S::Decided && self.has_free_reread;
        is_assessor && (is_read_again || matches!(self.state, S::Submitted | S::Queued))
    }

    pub fn sit(&mut self, seat: Seat) {
        self.involved.insert(seat.person);
        if matches!(self.state, S::Submitted | S::Queued) {
            self.state = S::InReview;
        }
        self.has_free_reread &= !seat.is_reread;
        self.leased.push(seat);
    }

    pub fn is_at_work(&self, seat: &Seat) -> bool {
        let expected = match (seat.case, seat.kind) {
            (None, _) if seat.is_reread => S::Decided,
            (Some(_), _) => S::Appealed,
            (None, ReviewKind::Adjudication) => S::Adjudication,
            (None, ReviewKind::Reading) => S::InReview,
        };
        self.state == expected
    }

    /// The seat is given back.
    pub fn leave(&mut self, number: usize, is_recused: bool) {
        let seat = self.leased.remove(number);
        if is_recused {
            self.recused.insert(seat.person);
        }
        self.has_free_reread |= seat.is_reread;
        if self.is_known {
            self.state = S::Voided;
        } else if self.state == S::InReview {
            self.state = S::Queued;
        }
    }

    /// Locks a sheet. Where its reader is only provisionally qualified, a second one is asked for.
    pub fn lock(&mut self, number: usize, offset: i16, is_provisional: bool, at: Timestamp) {
        let seat = self.leased.remove(number);
        self.locked.push(seat.clone());
        if self.is_known {
            self.state = S::Voided;
        } else if seat.is_reread {
            // It changes nothing.
        } else if seat.case.is_some() {
            self.fresh.push(offset);
            if self.fresh.len() == 2 {
                self.case.as_mut().unwrap().is_heard = true;
            }
        } else if seat.kind == ReviewKind::Adjudication {
            self.third = Some(offset);
            self.decide(offset, at);
        } else {
            self.readings.push(offset);
            self.needs_two |= offset < 0 || is_provisional;
            self.resolve(at);
        }
    }

    fn resolve(&mut self, at: Timestamp) {
        match self.readings[..] {
            [_] if self.needs_two => self.state = S::Queued,
            [first] => self.decide(first, at),
            [one, other] => {
                let is_split = (one < 0) != (other < 0) || (one - other).abs() >= 2;
                if is_split {
                    self.state = S::Adjudication;
                } else {
                    self.decide(one.min(other), at);
                }
            }
            _ => panic!("more than two readings: {self:?}"),
        }
    }

    fn decide(&mut self, level: i16, at: Timestamp) {
        self.state = S::Decided;
        self.level = level;
        self.decision = Some(level >= 0);
        self.decided_at = Some(at);
    }

    pub fn vote(&mut self, person: usize, is_for_earner: bool, now: Timestamp) {
        let case = self.case.as_mut().unwrap();
        case.votes.push((person, is_for_earner));
        if case.votes.len() < 3 {
            return;
        }
        let is_for_earner = case.votes.iter().filter(|(_, yes)| *yes).count() >= 2;
        let is_appeal = case.is_appeal;
        let voters: Vec<usize> = case.votes.iter().map(|(who, _)| *who).collect();
        self.involved.extend(voters);
        self.case = None;
        if is_appeal {
            self.state = S::Decided;
            if is_for_earner {
                let (low, high) =
                    (self.fresh[0].min(self.fresh[1]), self.fresh[0].max(self.fresh[1]));
                let is_split = (low < 0) != (high < 0) || high - low >= 2;
                let found = if is_split { self.level.clamp(low, high) } else { low };
                self.level = self.level.max(found);
                self.decision = Some(self.decision == Some(true) || self.level >= 0);
            }
        } else if is_for_earner {
            self.state = self.held_from.take().unwrap();
            for seat in &mut self.leased {
                seat.until = now.plus(chrono::TimeDelta::hours(72));
            }
        } else {
            self.state = S::Voided;
            self.leased.clear();
        }
    }
}
