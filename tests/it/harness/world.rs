//! A district that works without a server: the steps of the main job as calls of use cases.
//!
//! For tests that open and close the service many times, and for benchmarks.

use std::collections::BTreeMap;

use assay::domain::ids::{AwardId, MicroCredentialId, OrganizationId, SubmissionId};
use assay::domain::organization::{OrganizationKind, Role};
use assay::domain::review::{Score, Sheet};
use assay::service::context::Proof;
use assay::service::evidence::{Inline, ItemTerms};
use assay::service::installation::{NewInstallation, initialize};
use assay::service::members::NewInvitation;
use assay::service::organizations::NewOrganization;
use assay::service::reviews::ReviewDetail;
use assay::service::submissions::{Response, Save, SubmissionDetail};
use assay::service::{
    Cx, Error, Resources, evidence, members, micro_credentials, organizations, reviews, sessions,
    submissions,
};
use serde_json::Value;

const BASE_URL: &str = "https://badges.example.org";
const PASSWORD: &str = "a long enough phrase";
/// How many earners take turns: an account costs a slow password hash, a micro-credential does not.
const EARNERS: usize = 6;

/// Whose turn it is to earn what.
pub struct Turn {
    earner: String,
    /// At which micro-credential.
    pub family: MicroCredentialId,
}

/// A district with everybody who is needed, signed in.
pub struct World {
    /// The district.
    pub district: OrganizationId,
    /// A department of it, which owns nothing.
    pub department: OrganizationId,
    designers: [String; 2],
    officer: String,
    assessor: String,
    earners: Vec<String>,
    families: Vec<MicroCredentialId>,
    taken: usize,
}

fn sign_in(resources: &Resources, email: &str) -> String {
    resources
        .run("create_session", Proof::None, |cx| sessions::create(cx, email, PASSWORD))
        .unwrap()
        .access_token
}

/// Runs a use case as the holder of a token, as a request does.
pub fn act<T>(
    resources: &Resources,
    token: &str,
    operation: &'static str,
    work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error>,
) -> T {
    resources.run(operation, Proof::Token(token), work).unwrap()
}

/// Everything an earner does, to the hand-in.
pub fn hand_in(resources: &Resources, earner: &str, family: MicroCredentialId) -> SubmissionId {
    let started = act(resources, earner, "create_submission", |cx| {
        submissions::start(cx, family, None, None)
    });
    let facts = started.submission.facts().clone();
    let (_, definition) =
        act(resources, earner, "read_version", |cx| submissions::pinned(cx.conn, &started));
    let answer = || Some(Response::Text("We agreed on roles and a signal.".to_owned()));
    let save = Save {
        responses: definition
            .rubric()
            .prompts()
            .map(|prompt| (prompt.id().as_str().to_owned(), answer()))
            .collect(),
        integrity_statement: Some(true),
        include_results: Some(true),
        ..Save::default()
    };
    act(resources, earner, "patch_submission", |cx| {
        submissions::save(cx, facts.id, &save, facts.revision)
    });
    for requirement in definition.evidence() {
        let terms = ItemTerms {
            requirement_id: requirement.id().as_str().to_owned(),
            contains_students: false,
            consent: false,
        };
        let item = Inline::Text("What was shown, in plain words.".to_owned());
        act(resources, earner, "add_evidence", |cx| {
            evidence::add_inline(cx, facts.id, &item, &terms)
        });
    }
    act(resources, earner, "submit_submission", |cx| submissions::submit(cx, facts.id));
    facts.id
}

/// A sheet over everything that a claimed review covers; `level` says which for an item of the rubric with this pass level.
pub fn sheet(detail: &ReviewDetail, level: impl Fn(&str, u8) -> u8) -> Sheet {
    let work = detail.work.as_ref().expect("the work of a claimed review");
    let definition = micro_credentials::parse_stored(&work.version).unwrap().definition;
    let scores: BTreeMap<String, Score> = definition
        .rubric()
        .items()
        .map(|item| (item.id().as_str(), item.pass_level().number()))
        .filter(|(id, _)| detail.criteria.iter().any(|covered| covered == id))
        .map(|(id, pass_level)| {
            let level = Some(level(id, pass_level));
            let feedback = Some("Say how you checked.".to_owned());
            (id.to_owned(), Score { level, unscorable: false, feedback })
        })
        .collect();
    Sheet { scores, overall_feedback: Some("You wait for everybody.".to_owned()) }
}

impl World {
    /// Sets the installation up.
    pub fn new(resources: &Resources) -> World {
        let new = NewInstallation {
            organization: "Riverbend District".to_owned(),
            kind: OrganizationKind::District,
            name: "Admin".to_owned(),
            email: "admin@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            base_url: BASE_URL.to_owned(),
            is_demo: false,
        };
        let district = resources.as_system(|cx| initialize(cx, &new)).unwrap().organization;
        let admin = sign_in(resources, "admin@example.org");
        let organization = |name: &str, kind: OrganizationKind| {
            let new = NewOrganization {
                name: name.to_owned(),
                kind: kind.as_str().to_owned(),
                parent_id: Some(district),
                url: None,
                email: None,
            };
            act(resources, &admin, "create_organization", |cx| organizations::create(cx, &new)).id
        };
        let person = |organization: OrganizationId, name: &str, role: Role| {
            let email = format!("{name}@example.org");
            let new =
                NewInvitation { email: email.clone(), name: name.to_owned(), roles: vec![role] };
            let invited = act(resources, &admin, "create_invitation", |cx| {
                members::invite(cx, organization, &new)
            });
            let token = resources.keyring.invitation_token(&invited.invitation.id.to_string());
            resources
                .run("accept_invitation", Proof::None, |cx| members::accept(cx, &token, PASSWORD))
                .unwrap();
            sign_in(resources, &email)
        };
        let departments =
            ["Teaching", "Inclusion"].map(|name| organization(name, OrganizationKind::Department));
        let [willow, summit] =
            ["Willow", "Summit"].map(|name| organization(name, OrganizationKind::School));
        World {
            district,
            department: departments[0],
            designers: [
                person(departments[0], "designer-0", Role::Designer),
                person(departments[1], "designer-1", Role::Designer),
            ],
            officer: person(district, "officer", Role::IssuingOfficer),
            assessor: person(summit, "assessor", Role::Assessor),
            earners: (0..EARNERS)
                .map(|number| person(willow, &format!("earner-{number}"), Role::Earner))
                .collect(),
            families: Vec::new(),
            taken: 0,
        }
    }

    /// Stops signing for an organization and all below it, or lets it go on.
    pub fn switch_issuing(
        &self,
        resources: &Resources,
        organization: OrganizationId,
        stopped: bool,
    ) {
        act(resources, &self.officer, "switch_issuing", |cx| {
            organizations::switch_issuing(cx, organization, stopped)
        });
    }

    /// Publishes one more copy of the micro-credential that one reader decides when it is earned.
    fn publish(&mut self, resources: &Resources) {
        let text = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/credential-schemas/definitions/mc-ia-small-group-support.json"
        ));
        let mut definition: Value = serde_json::from_str(text).unwrap();
        definition["id"] = format!("mc-small-group-{}", self.families.len()).into();
        let [author, _] = &self.designers;
        let draft = act(resources, author, "create_micro_credential", |cx| {
            micro_credentials::create(cx, self.district, &definition)
        });
        for designer in &self.designers {
            act(resources, designer, "create_approval", |cx| {
                micro_credentials::vote(cx, draft.micro_credential, draft.number, true, "Ready.")
            });
        }
        act(resources, author, "publish_version", |cx| {
            micro_credentials::publish(cx, draft.micro_credential, draft.number)
        });
        self.families.push(draft.micro_credential);
    }

    /// An earner and a micro-credential that have not met before.
    pub fn next_turn(&mut self, resources: &Resources) -> Turn {
        let (round, seat) = (self.taken / EARNERS, self.taken % EARNERS);
        if round == self.families.len() {
            self.publish(resources);
        }
        self.taken += 1;
        Turn { earner: self.earners[seat].clone(), family: self.families[round] }
    }

    /// Everything an assessor does with a submission, to the decision: earned.
    fn score(&self, resources: &Resources, family: MicroCredentialId) {
        let assessor = &self.assessor;
        let claimed =
            act(resources, assessor, "claim_review", |cx| reviews::claim(cx, Some(family)));
        let detail = claimed.expect("work to score");
        let sheet = sheet(&detail, |_, pass_level| pass_level);
        let id = detail.review.id;
        act(resources, assessor, "put_scores", |cx| {
            reviews::save_scores(cx, id, &sheet, detail.review.revision)
        });
        let locked = act(resources, assessor, "lock_review", |cx| reviews::lock(cx, id));
        assert!(locked.is_decided);
    }

    /// The whole way from a submission to its award. Unless issuing is stopped, the award has its credential then.
    pub fn earn(&self, resources: &Resources, turn: &Turn) -> AwardId {
        let id = hand_in(resources, &turn.earner, turn.family);
        self.score(resources, turn.family);
        let detail =
            act(resources, &turn.earner, "read_submission", |cx| submissions::find(cx, id));
        match detail {
            SubmissionDetail::Own(own) => own.award.expect("an award").id,
            SubmissionDetail::Status(_) => panic!("an earner was shown somebody else's view"),
        }
    }
}
