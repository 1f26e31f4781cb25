//! Work that nobody has begun yet: judged as any other, to know beforehand who could read it.

use std::collections::BTreeSet;

use super::{Around, Homes, Judge, Matter, Work};
use crate::domain::eligibility::{Reader, Stage, Verdict};
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::review::ReviewState;
use crate::domain::submission::SubmissionState;
use crate::service::context::new_uuid;
use crate::service::error::Error;
use crate::store::DbConn;
use crate::store::micro_credentials::Version;

/// Whose work is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// That of somebody of whom nothing is known.
    Anybody,
    /// That of somebody of a school.
    OfSchool(OrganizationId),
    /// That of a person.
    Of(PersonId),
}

impl Judge {
    /// Reads where many people belong in one go, before each of them is asked about.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn learn_people(
        &mut self,
        conn: &mut DbConn,
        people: BTreeSet<PersonId>,
    ) -> Result<(), Error> {
        self.learn_homes(conn, people)
    }

    /// The matter of an attempt that begins now and is ready to be read.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn expect(
        &mut self,
        conn: &mut DbConn,
        organization: OrganizationId,
        version: &Version,
        whose: Expected,
    ) -> Result<Matter, Error> {
        let (earner, homes) = match whose {
            Expected::Anybody => (PersonId::from_uuid(new_uuid()), Homes::default()),
            Expected::OfSchool(school) => {
                let schools = BTreeSet::from([school]);
                (PersonId::from_uuid(new_uuid()), Homes { schools, ..Homes::default() })
            }
            Expected::Of(person) => {
                self.learn_homes(conn, BTreeSet::from([person]))?;
                (person, self.homes_of(person))
            }
        };
        let known = match self.versions.get(&version.id) {
            Some(known) => known.clone(),
            None => self.learn_version(version)?,
        };
        let work = Work {
            organization,
            earner,
            family: version.micro_credential,
            started_at: self.now,
            state: SubmissionState::Queued,
        };
        self.matter_from(conn, &work, known, homes, Around::default())
    }

    /// Whether so many of these people could read a matter one after the other: 1, or 2 who go together. How much they hold now does not matter.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn can_be_read(
        &mut self,
        conn: &mut DbConn,
        assessors: &[PersonId],
        matter: &Matter,
        sheets: u8,
    ) -> Result<bool, Error> {
        for first in assessors {
            if !self.expect_verdict(conn, *first, matter)?.is_eligible() {
                continue;
            }
            if sheets < 2 {
                return Ok(true);
            }
            let schools = self.assessor(conn, *first)?.schools.clone();
            let mut begun = matter.clone();
            let reader = Reader { person: *first, state: ReviewState::Locked, schools };
            begun.facts.readers.push(reader);
            for second in assessors.iter().filter(|second| *second != first) {
                if self.expect_verdict(conn, *second, &begun)?.is_eligible() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The judgement of somebody who would hold the work: the load of this moment is not one of its rules.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn expect_verdict(
        &mut self,
        conn: &mut DbConn,
        person: PersonId,
        matter: &Matter,
    ) -> Result<Verdict, Error> {
        self.judge(conn, person, matter, Stage::Held)
    }
}
