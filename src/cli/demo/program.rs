//! The pilot of the story: its charter, the people who are invited, and its figures.

use anyhow::bail;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::story::{Person, Story};
use crate::domain::cohort::RowOutcome;
use crate::domain::funnel::Count;
use crate::domain::ids::{AwardId, OrganizationId, ProgramId};
use crate::domain::organization::Role;
use crate::domain::program::ProgramEvent;
use crate::service::cohorts::{self, NewBatch};
use crate::service::funnel::{self, FunnelQuery};
use crate::service::inventory::{self, PeopleQuery};
use crate::service::{program_readiness, programs};

/// The charter that is shipped.
const CHARTER: &str =
    include_str!("../../../credential-schemas/charters/pilot-charter-example.json");

/// Instructional assistants who are invited beside Ana, and teachers beside Ben: the first take part, the others have not answered.
const ASSISTANTS: [&str; 9] = [
    "Grace Obi",
    "Tomas Herrera",
    "Mei Tanaka",
    "Samuel Adeyemi",
    "Lucia Moretti",
    "Noor Rahman",
    "Peter Novak",
    "Imani Brooks",
    "Elif Demir",
];
const TEACHERS: [&str; 9] = [
    "Hannah Fischer",
    "Diego Ramos",
    "Yuki Mori",
    "Clara Jensen",
    "Kofi Mensah",
    "Anika Sharma",
    "Marco Ricci",
    "Olga Petrova",
    "Sean Murphy",
];
/// How many of each of these take part.
const TAKE_PART: [usize; 2] = [7, 6];

/// What the district says its inventory is for.
const PURPOSE: &str =
    "To call on people for what they can do, not to rank them; it is not used in evaluation.";
/// A skill that the first award carries.
const SKILL: &str = "IA.PLAN";

/// The shipped charter, with what its team has still to decide.
fn charter(today: chrono::NaiveDate) -> anyhow::Result<Value> {
    let mut charter: Value = serde_json::from_str(CHARTER)?;
    charter["ai_use"] = json!("disclosed");
    charter["window"] = json!({
        "opens_on": today.to_string(), "closes_on": (today + TimeDelta::days(270)).to_string(),
    });
    charter["planning"] = json!({ "minutes_per_reading": 45, "hours_per_assessor": 20 });
    for cohort in charter["cohorts"].as_array_mut().into_iter().flatten() {
        cohort["places"] = json!(10);
    }
    charter["decisions"] = json!([{
        "id": "readers-of-the-district",
        "kind": "same_district_waiver",
        "decision": "Assessors of the district score the work of other schools.",
        "reason": "There is no other district to ask yet.",
        "compensations": ["second_score_on_not_yet", "backread_one_in_ten", "cross_department"],
    }]);
    for metric in charter["metrics"].as_array_mut().into_iter().flatten() {
        let target = match metric["id"].as_str().unwrap_or_default() {
            "enrolment_rate" | "earn_rate_final" => 7500,
            "submission_rate" => 6000,
            "earn_rate_first" => 5000,
            "educators_with_identified_skills" => 9,
            "turnaround_median_working_days" => 10,
            "exact_agreement" => 80,
            _ => 8000,
        };
        let name = if metric.get("numerator").is_some() { "target_bp" } else { "target" };
        metric[name] = json!(target);
    }
    for message in charter["communications"].as_array_mut().into_iter().flatten() {
        message["text"] = json!(match message["id"].as_str().unwrap_or_default() {
            "invite" =>
                "You are invited to show what you do well. It is no evaluation: nobody who decides about your post sees your work or its scores.",
            "principal" =>
                "Please give those who take part two hours. What they hand in is theirs and is not for staffing decisions.",
            _ => "This is what we have learned, in counts that point at nobody.",
        });
    }
    Ok(charter)
}

impl Story<'_> {
    /// Writes the charter, rehearses, has the team approve it, and opens the pilot.
    pub(super) fn open_pilot(
        &self,
        coordinator: &Person,
        district: OrganizationId,
        team: [&Person; 3],
    ) -> anyhow::Result<ProgramId> {
        let charter = charter(self.resources.now().as_utc().date_naive())?;
        let program = self
            .act(coordinator, "create_program", |cx| programs::create(cx, district, &charter))?
            .id;
        let step = |event, operation, reason| {
            self.act(coordinator, operation, |cx| {
                programs::step(cx, program, event, operation, reason)
            })
        };
        let report = self.act(coordinator, "read_program_readiness", |cx| {
            program_readiness::find(cx, program, None)
        })?;
        if !report.is_ready() {
            bail!("the pilot is not ready to open: {:?}", report.findings);
        }
        let hours = |minutes: Option<u64>| minutes.unwrap_or_default().div_ceil(60);
        self.tell(&format!(
            "Before anybody is invited, a readiness report counts: {} readings would take {} hours, and {} assessors give {}.",
            report.hours.readings,
            hours(report.hours.needed_minutes),
            report.hours.assessors,
            hours(report.hours.available_minutes),
        ));
        step(ProgramEvent::Rehearse, "rehearse_program", "The team wants to try it out first.")?;
        for (voter, comment) in team.into_iter().zip([
            "This is what we agreed on.",
            "Let us look at the wording of the mails after a month.",
            "Colleagues I have asked would take part.",
        ]) {
            self.act(voter, "create_program_approval", |cx| {
                programs::vote(cx, program, true, comment)
            })?;
        }
        step(ProgramEvent::Open, "open_program", "The rehearsal went well.")?;
        Ok(program)
    }

    /// Invites both cohorts by list. Ana, Ben and most of the others take part.
    pub(super) fn take_part(
        &self,
        coordinator: &Person,
        program: ProgramId,
        schools: [(OrganizationId, &str); 3],
        [ana, ben]: [&Person; 2],
    ) -> anyhow::Result<()> {
        let willow = schools[0].1;
        let cohorts =
            [("ia", "instructional_assistant", ana, ASSISTANTS), ("t45", "teacher", ben, TEACHERS)];
        for ((cohort, audience, first, names), n_enrolled) in cohorts.into_iter().zip(TAKE_PART) {
            let mut rows = vec![format!("{},{},{audience},{willow}", first.email, first.name)];
            let mut willing = vec![first.clone()];
            for (place, (name, (school, school_name))) in
                names.into_iter().zip(schools.into_iter().cycle()).enumerate()
            {
                let person = self.invite(coordinator, school, name, &[Role::Earner])?;
                rows.push(format!("{},{name},{audience},{school_name}", person.email));
                if place < n_enrolled {
                    willing.push(person);
                }
            }
            let batch = NewBatch {
                cohort: cohort.to_owned(),
                csv: format!("email,name,audience,school\n{}", rows.join("\n")),
                is_dry_run: false,
                again: false,
            };
            let report = self.act(coordinator, "create_cohort_invitations", |cx| {
                cohorts::create(cx, program, &batch)
            })?;
            if report.count(RowOutcome::New) != rows.len() {
                bail!("not everybody of the list was invited: {:?}", report.rows);
            }
            self.resources.as_system(cohorts::send_waiting)?;
            for person in &willing {
                self.act(person, "create_enrolment", |cx| cohorts::enrol(cx, program))?;
            }
        }
        Ok(())
    }

    /// Says what skills are counted for, lets the earner of an award be named for it, and asks who can lead a skill: by name those who
    /// want to be asked.
    pub(super) fn ask_who_can_lead(
        &self,
        administrator: &Person,
        coordinator: &Person,
        district: OrganizationId,
        (earner, award): (&Person, AwardId),
    ) -> anyhow::Result<Value> {
        self.act(administrator, "put_inventory_purpose", |cx| {
            inventory::put_purpose(cx, district, PURPOSE, 0)
        })?;
        self.act(earner, "put_sharing", |cx| inventory::put_sharing(cx, award, true, 0))?;
        let wanted =
            PeopleQuery { organization: district, skill: SKILL.to_owned(), after: None, limit: 10 };
        let found = self
            .act(coordinator, "list_people_with_skill", |cx| inventory::list_people(cx, wanted))?;
        if !found.iter().any(|person| person.name == earner.name) {
            bail!("{} is not among those who can be asked", earner.name);
        }
        let names: Vec<&str> = found.iter().map(|person| person.name.as_str()).collect();
        Ok(json!({ "purpose": PURPOSE, "skill": SKILL, "people": names }))
    }

    /// The figures of the pilot as a coordinator sees them.
    pub(super) fn figures(
        &self,
        coordinator: &Person,
        program: ProgramId,
    ) -> anyhow::Result<Vec<Value>> {
        let report = self.act(coordinator, "read_funnel", |cx| {
            funnel::find(cx, program, &FunnelQuery::default())
        })?;
        let figures = [Count::Invited, Count::Enrolled, Count::Submitted, Count::Earned];
        let lines = figures.into_iter().map(|count| {
            let target = count.metric().and_then(|metric| report.targets.get(metric));
            json!({
                "name": count.as_str(),
                "count": report.total.counts.get(&count),
                "of": count.of().map(Count::as_str),
                "share_bp": report.total.share_bp(count),
                "target_bp": target,
            })
        });
        Ok(lines.collect())
    }
}
