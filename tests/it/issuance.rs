//! Issuing what waits, besides what a kill leaves (see `crash`).

use assay::domain::award::AwardState;
use assay::domain::ids::{AwardId, OrganizationId};
use assay::service::{Resources, issuance};
use assay::store::{self, DbConn};
use diesel::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use crate::harness::{TestDatabase, World, settings};

/// Copies an award that waits, so many times, into another organization.
fn copy_into(resources: &Resources, organization: OrganizationId, award: AwardId, times: usize) {
    let mut lease = resources.database.connection().unwrap();
    let conn: &mut DbConn = &mut lease;
    let run = |conn: &mut DbConn, sql: String| {
        assert_eq!(diesel::sql_query(&sql).execute(conn).unwrap(), 1, "{sql}");
    };
    for number in 1..=times {
        let (copy, submission) = (Uuid::now_v7(), Uuid::now_v7());
        let original = format!("(SELECT submission_id FROM awards WHERE id = '{award}')");
        run(
            conn,
            format!(
                "INSERT INTO submissions (id, organization_id, micro_credential_id, version_id, earner_id, attempt, state, \
                 integrity_statement, include_results, revision, created_at, updated_at) \
                 SELECT '{submission}', organization_id, micro_credential_id, version_id, earner_id, attempt + {number}, state, \
                 integrity_statement, include_results, revision, created_at, updated_at \
                 FROM submissions WHERE id = {original}"
            ),
        );
        run(
            conn,
            format!(
                "INSERT INTO decisions (submission_id, outcome, raters, assessors_qualified, decided_at) \
                 SELECT '{submission}', outcome, raters, assessors_qualified, decided_at \
                 FROM decisions WHERE submission_id = {original}"
            ),
        );
        run(
            conn,
            format!(
                "INSERT INTO awards (id, organization_id, submission_id, micro_credential_id, version_id, earner_id, state, \
                 revision, created_at) \
                 SELECT '{copy}', '{organization}', '{submission}', micro_credential_id, version_id, earner_id, state, \
                 revision, created_at \
                 FROM awards WHERE id = '{award}'"
            ),
        );
    }
}

#[test]
fn awards_behind_a_stop_do_not_hold_the_others() {
    let (folder, database) = (TempDir::new().unwrap(), TestDatabase::new());
    let resources = assay::cli::resources::open(&settings(&folder, &database, None)).unwrap();
    let mut world = World::new(&resources);
    world.switch_issuing(&resources, world.department, true);
    world.switch_issuing(&resources, world.district, true);
    let turn = world.next_turn(&resources);
    let first = world.earn(&resources, &turn);
    copy_into(&resources, world.department, first, 250);
    let turn = world.next_turn(&resources);
    let last = world.earn(&resources, &turn);
    assert_eq!(resources.as_system(issuance::issue_pending).unwrap(), 0, "all signing is stopped");
    world.switch_issuing(&resources, world.district, false);
    assert_eq!(resources.as_system(issuance::issue_pending).unwrap(), 2);
    for award in [first, last] {
        let issued =
            store::awards::find(&mut resources.database.connection().unwrap(), award).unwrap();
        assert_eq!(issued.unwrap().state, AwardState::Active);
    }
    assert_eq!(
        resources.as_system(issuance::issue_pending).unwrap(),
        0,
        "the others go on waiting"
    );
}
