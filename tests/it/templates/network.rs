//! A network of districts: its assessors read for one another, and everybody sees who gave how much.

use serde_json::{Value, json};

use super::small_group;
use crate::harness::{District, TestApp};

/// A district below a network, with everybody in it.
fn district(app: &TestApp, root: &District, network: &str, name: &str) -> District {
    let admin = &root.admin;
    let id = app.organization(admin, network, name, "district");
    let departments =
        ["Teaching", "Inclusion"].map(|name| app.organization(admin, &id, name, "department"));
    let schools = ["One", "Two"].map(|name| app.organization(admin, &id, name, "school"));
    let place = name.to_lowercase();
    let seed = |organization: &str, who: &str, role: &str| {
        app.seed(organization, &format!("{who}@{place}.example.org"), &[role])
    };
    District {
        coordinator: seed(&id, "coordinator", "coordinator"),
        officer: seed(&id, "officer", "issuing_officer"),
        custodian: seed(&id, "custodian", "key_custodian"),
        auditor: seed(&id, "auditor", "auditor"),
        designers: [
            seed(&departments[0], "designer-0", "designer"),
            seed(&departments[1], "designer-1", "designer"),
        ],
        assessor: seed(&schools[1], "assessor", "assessor"),
        earner: seed(&schools[0], "earner", "earner"),
        id,
        departments,
        schools,
        admin: admin.clone(),
    }
}

#[test]
fn balance_counts_what_each_district_read_for_the_others_and_got_from_them() {
    let app = TestApp::new();
    let root = app.district();
    let network = app.organization(&root.admin, &root.id, "Valley network", "network");
    let north = district(&app, &root, &network, "North");
    let south = district(&app, &root, &network, "South");
    let family = north.publish(&small_group());
    // The assessor of the south is pooled: a member of the network, besides being one of a school of the south.
    let pooled = app.invite(&root.admin, &network, &south.assessor.email, &["assessor"]);
    north.submit(&north.earner, &family);
    north.score(&pooled, 0);
    let other = app.seed(&north.schools[0], "second@north.example.org", &["earner"]);
    north.submit(&other, &family);
    north.score(&north.assessor, 0);
    // Somebody of the network who belongs to no district.
    let third = app.seed(&north.schools[0], "third@north.example.org", &["earner"]);
    let nowhere = app.seed(&network, "nowhere@valley.example.org", &["assessor"]);
    north.submit(&third, &family);
    north.score(&nowhere, 0);

    let path = format!("/api/v1/organizations/{network}/reciprocity");
    let coordinator = app.seed(&network, "runs@valley.example.org", &["coordinator"]);
    let told = coordinator.get(&path).expect(200);
    let of = |district: &District| -> Value {
        let lines = told["districts"].as_array().unwrap();
        let line = lines.iter().find(|line| line["organization_id"] == district.id.as_str());
        let line = line.unwrap_or_else(|| panic!("{told}"));
        json!([line["given"], line["received"], line["balance"], line["own"]])
    };
    assert_eq!(of(&north), json!([0, 2, -2, 1]));
    assert_eq!(of(&south), json!([1, 0, 1, 0]));
    assert_eq!(told["districts"].as_array().unwrap().len(), 2);
    assert_eq!((&told["given_by_others"], &told["received_by_others"]), (&json!(1), &json!(0)));
    // It names nobody, and readers do not see it.
    let text = told.to_string();
    assert!(!text.contains(&pooled.id) && !text.contains(&north.earner.id));
    assert_eq!(pooled.get(&path).problem(), "forbidden");
    assert_eq!(south.coordinator.get(&path).problem(), "forbidden");
    let stranger =
        app.seed(&app.seed_root("Harbour"), "runs@harbour.example.org", &["coordinator"]);
    assert_eq!(stranger.get(&path).problem(), "not-found");
}
