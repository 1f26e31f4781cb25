//! A tree with somebody for every role and something of everybody's, and a second tree with nothing but people.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::requests::Case;
use crate::harness::{District, Person, TestApp, complete_charter, definition};

/// Everybody who is tried: the roles of DOMAIN.md, a member without any, and nobody.
pub const ROLES: [&str; 16] = [
    "administrator",
    "earner",
    "coach",
    "pre_screener",
    "assessor",
    "lead_assessor",
    "designer",
    "coordinator",
    "issuing_officer",
    "review_panel",
    "data_steward",
    "credit_authority",
    "auditor",
    "key_custodian",
    "member",
    "anonymous",
];

/// What a request is about.
#[derive(Clone, Debug)]
pub struct Target {
    /// An organization.
    pub organization: String,
    /// One that publishes itself as an issuer, or does not.
    pub issuer: String,
    /// The organization that has a member.
    pub district: String,
    /// The member.
    pub person: String,
    /// The address of an account.
    pub email: String,
    /// A micro-credential: published, or an open draft.
    pub family: String,
    /// One whose version cannot be retired: retired already, or a draft.
    pub retired: String,
    /// One at which nothing new can be started: an attempt is open, or it is retired.
    pub taken: String,
    /// A programme: open, or a draft.
    pub program: String,
    /// Somebody who is invited to the programme that is open.
    pub invitee: String,
    /// A draft.
    pub submission: String,
    /// An item of it.
    pub evidence: String,
    /// A submission that is decided.
    pub decided: String,
    /// An item of that one.
    pub decided_evidence: String,
    /// A coaching of the draft that goes on; a coach's own is the earner's with them.
    pub coaching: String,
    /// One that was ended.
    pub ended_coaching: String,
    /// A leased review.
    pub review: String,
    /// An award.
    pub award: String,
    /// A stack: published, or a draft that names what nobody can earn.
    pub stack: String,
    /// One that cannot be retired: retired already, or that draft.
    pub retired_stack: String,
}

/// What one person owns.
struct Belongings {
    submission: String,
    evidence: String,
    decided: String,
    decided_evidence: String,
    coaching: String,
    ended_coaching: String,
    review: String,
    /// The submission under that review.
    reviewed: String,
    award: String,
}

/// Two trees and everybody in them.
pub struct World {
    /// The service.
    pub app: TestApp,
    /// The address of a status list.
    pub status_list: String,
    /// A training set in use.
    pub set: String,
    /// A set that is not in use.
    pub draft_set: String,
    /// The rubric of both.
    pub scoring_hash: String,
    /// A framework of the district.
    pub framework: String,
    /// A criterion of the assessment bank.
    pub bank_item: String,
    /// A proposal for the charter of the open programme, shown and not answered.
    pub proposal: String,
    root: String,
    valley: String,
    school: String,
    people: BTreeMap<&'static str, Person>,
    strangers: BTreeMap<&'static str, Person>,
    belongings: BTreeMap<&'static str, Belongings>,
    bystander: Person,
    stacks: [String; 3],
    published: String,
    draft: String,
    retired: String,
    work: String,
    open_program: String,
    draft_program: String,
    invitee: String,
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// The small definition under another name.
fn named(id: &str) -> Value {
    let mut definition = definition("mc-ia-small-group-support");
    definition["id"] = json!(id);
    definition
}

impl World {
    pub fn new() -> World {
        let app = TestApp::new();
        let admin = app.admin();
        let root = admin.get("/api/v1/me").expect(200)["memberships"][0]["organization_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let valley = app.organization(&admin, &root, "Valley", "district");
        let departments = ["Teaching", "Inclusion"]
            .map(|name| app.organization(&admin, &valley, name, "department"));
        let school = app.organization(&admin, &valley, "Willow", "school");
        let seed = |organization: &str, name: &str, roles: &[&str]| {
            app.seed(organization, &format!("{name}@valley.example.org"), roles)
        };
        let bystander = seed(&valley, "bystander", &["earner"]);
        let district = District {
            admin: admin.clone(),
            coordinator: admin.clone(),
            officer: admin.clone(),
            custodian: admin.clone(),
            auditor: admin.clone(),
            designers: [
                seed(&departments[0], "designer-0", &["designer"]),
                seed(&departments[1], "designer-1", &["designer"]),
            ],
            assessor: seed(&valley, "reader", &["assessor"]),
            earner: bystander.clone(),
            schools: [school.clone(), school.clone()],
            departments,
            id: valley.clone(),
        };
        let mut aligned = named("mc-published");
        aligned["submission"]["part2"]["criteria"][0]["alignments"] = json!([{
            "framework": "District goals", "name": "Goal 2", "url": "https://goals.example.org/2",
            "identifier": "11111111-2222-4333-8444-555555555555",
        }]);
        let published = district.publish(&aligned);
        let bank = app.anybody().get("/api/v1/bank-items").expect(200);
        let bank_item = id_of(&bank["items"][0]);
        let work = district.publish(&named("mc-work"));
        district.publish(&named("mc-unearned"));
        let retired = district.publish(&named("mc-retired"));
        let path = format!("/api/v1/micro-credentials/{retired}/versions/1/retire");
        district.designers[0].act(&path).expect(200);
        let body = json!({ "organization_id": valley, "definition": named("mc-draft") });
        let draft =
            id_of(&district.designers[0].post("/api/v1/micro-credentials", &body).expect(201));

        let runs = seed(&valley, "runs-programs", &["coordinator"]);
        let charter = complete_charter("pilot-open", &["mc-published"]);
        let open_program = district.open_program(&runs, &charter);
        let body = json!({ "organization_id": valley, "charter": complete_charter("pilot-draft", &["mc-published"]) });
        let draft_program = id_of(&runs.post("/api/v1/programs", &body).expect(201));

        let words = json!({ "text": "Invite the bus drivers as well." });
        let path = format!("/api/v1/programs/{open_program}/proposals");
        let proposal = id_of(&bystander.post(&path, &words).expect(201));
        let csv = "email,name,audience,school\nguest@valley.example.org,Guest,instructional_assistant,Willow";
        let path = format!("/api/v1/programs/{open_program}");
        let body = json!({ "csv": csv });
        runs.post(&format!("{path}/cohorts/ia/invitations"), &body).expect(200);
        let invitee = id_of(&runs.get(&format!("{path}/invitees")).expect(200)["items"][0]);

        let mut people = BTreeMap::from([("anonymous", app.anybody())]);
        let mut strangers = BTreeMap::from([("anonymous", app.anybody())]);
        let abroad = app.seed_root("Harbour");
        let mut owners = vec![("bystander", bystander.clone())];
        for role in ROLES.into_iter().filter(|role| *role != "anonymous") {
            // A pre-screener would keep everybody's work from its readers: they become one later.
            let roles: Vec<&str> = ["earner", "assessor", role]
                .into_iter()
                .filter(|role| !matches!(*role, "member" | "pre_screener"))
                .collect();
            owners.push((role, seed(&valley, role, &roles)));
            let held: Vec<&str> = [role].into_iter().filter(|role| *role != "member").collect();
            strangers
                .insert(role, app.seed(&abroad, &format!("{role}@harbour.example.org"), &held));
        }
        let advisers = ["adviser-0", "adviser-1"].map(|name| seed(&valley, name, &["coach"]));
        let coach = owners.iter().find(|(name, _)| *name == "coach").map(|(_, one)| one.clone());
        let mut belongings = BTreeMap::new();
        for (name, owner) in &owners {
            let of_earner = coach.clone().filter(|_| *name == "earner");
            let coaches = [of_earner.unwrap_or(advisers[0].clone()), advisers[1].clone()];
            let own = own(&app, &district, owner, name, &published, &work, &coaches);
            belongings.insert(*name, own);
        }
        for (role, owner) in owners {
            if role == "bystander" {
                continue;
            }
            // From here on everybody has nothing but the one role.
            let path = format!("/api/v1/organizations/{valley}/members/{}", owner.id);
            let etag = admin.get(&path).etag();
            let held: Vec<&str> = [role].into_iter().filter(|role| *role != "member").collect();
            admin.put(&path, &etag, &json!({ "roles": held, "state": "confirmed" })).expect(200);
            people.insert(role, app.sign_in(&owner.email));
        }
        let body =
            json!({ "micro_credential_id": published, "kind": "practice", "title": "Begun" });
        let lead = &people["lead_assessor"];
        let draft_set = id_of(&lead.post("/api/v1/calibration-sets", &body).expect(201));
        let path = format!("/api/v1/calibration-sets/{draft_set}");
        let read = lead.get(&path).expect(200);
        let scoring_hash = read["scoring_hash"].as_str().unwrap().to_owned();
        let set = training_set(&people["lead_assessor"], &published);
        let body = json!({ "name": "collective-leadership" });
        let path = format!("/api/v1/organizations/{valley}/shipped-frameworks");
        let framework = id_of(&district.designers[0].post(&path, &body).expect(201));
        let stacks = stacks(&district);
        let badge = app.anybody().get(&format!("/credentials/{}", belongings["earner"].award));
        let status_list = badge.expect(200)["credentialStatus"]["statusListCredential"]
            .as_str()
            .unwrap()
            .trim_start_matches(crate::harness::BASE_URL)
            .to_owned();
        World {
            app,
            status_list,
            set,
            draft_set,
            scoring_hash,
            framework,
            bank_item,
            root,
            valley,
            school,
            people,
            strangers,
            belongings,
            bystander,
            stacks,
            published,
            draft,
            retired,
            work,
            proposal,
            open_program,
            draft_program,
            invitee,
        }
    }

    /// Who asks.
    pub fn actor(&self, role: &str, case: Case) -> &Person {
        match case {
            Case::Own | Case::Other => &self.people[role],
            Case::Foreign => &self.strangers[role],
        }
    }

    /// What for. A stranger without an account owns nothing and asks for somebody else's.
    pub fn target(&self, role: &str, case: Case) -> Target {
        let owner = if case == Case::Own && role != "anonymous" { role } else { "bystander" };
        let person = self.people.get(owner).unwrap_or(&self.bystander);
        let things = &self.belongings[owner];
        let coached = &self.belongings[if owner == "coach" { "earner" } else { owner }];
        let is_own = case == Case::Own;
        let pick = |own: &String, other: &String| if is_own { own.clone() } else { other.clone() };
        Target {
            organization: match case {
                Case::Own | Case::Foreign => self.valley.clone(),
                Case::Other => self.root.clone(),
            },
            issuer: pick(&self.root, &self.school),
            district: self.valley.clone(),
            person: person.id.clone(),
            email: person.email.clone(),
            family: pick(&self.published, &self.draft),
            retired: pick(&self.retired, &self.draft),
            taken: match case {
                Case::Own | Case::Foreign => self.work.clone(),
                Case::Other => self.retired.clone(),
            },
            program: pick(&self.open_program, &self.draft_program),
            invitee: self.invitee.clone(),
            submission: things.submission.clone(),
            evidence: things.evidence.clone(),
            decided: things.decided.clone(),
            decided_evidence: things.decided_evidence.clone(),
            coaching: coached.coaching.clone(),
            ended_coaching: coached.ended_coaching.clone(),
            review: things.review.clone(),
            award: things.award.clone(),
            stack: pick(&self.stacks[0], &self.stacks[2]),
            retired_stack: pick(&self.stacks[1], &self.stacks[2]),
        }
    }

    /// Ids of nothing.
    pub fn missing() -> Target {
        let id = || uuid::Uuid::now_v7().to_string();
        Target {
            organization: id(),
            issuer: id(),
            district: id(),
            person: id(),
            email: "nobody@example.org".to_owned(),
            family: id(),
            retired: id(),
            taken: id(),
            program: id(),
            invitee: id(),
            submission: id(),
            evidence: id(),
            decided: id(),
            decided_evidence: id(),
            coaching: id(),
            ended_coaching: id(),
            review: id(),
            award: id(),
            stack: id(),
            retired_stack: id(),
        }
    }

    /// Every id that a list could show.
    pub fn known(&self, list: &str) -> Vec<String> {
        let things = self.belongings.values();
        match list {
            "/api/v1/submissions" => things
                .flat_map(|own| [&own.submission, &own.decided, &own.reviewed])
                .cloned()
                .collect(),
            "/api/v1/awards" => things.map(|own| own.award.clone()).collect(),
            "/api/v1/reviews" => things.map(|own| own.review.clone()).collect(),
            "/api/v1/programs" => vec![self.open_program.clone(), self.draft_program.clone()],
            "/api/v1/organizations" => {
                let everything = self.app.admin().get("/api/v1/organizations?limit=100");
                let page = everything.expect(200);
                let items = page["items"].as_array().unwrap();
                let mut all: Vec<String> = items.iter().map(id_of).collect();
                let stranger = &self.strangers["member"];
                let abroad = stranger.get("/api/v1/organizations").expect(200);
                all.extend(abroad["items"].as_array().unwrap().iter().map(id_of));
                all
            }
            other => panic!("{other}"),
        }
    }
}

/// A stack that nobody here meets, one that is retired, and a draft that cannot be published.
fn stacks(district: &District) -> [String; 3] {
    let [author, colleague] = &district.designers;
    let draft = |id: &str, named: [&str; 2]| {
        let body = json!({ "definition": {
            "schema_version": "0.1-draft", "kind": "stack_definition", "id": id, "version": "1.0.0",
            "title": "A stack", "rule": { "type": "all_of", "ids": named },
        }});
        let path = format!("/api/v1/organizations/{}/stacks", district.id);
        id_of(&author.post(&path, &body).expect(201))
    };
    let published = draft("stack-published", ["mc-published", "mc-unearned"]);
    let retired = draft("stack-retired", ["mc-published", "mc-unearned"]);
    for stack in [&published, &retired] {
        colleague.act(&format!("/api/v1/stacks/{stack}/publish")).expect(200);
    }
    colleague.act(&format!("/api/v1/stacks/{retired}/retire")).expect(200);
    [published, retired, draft("stack-draft", ["mc-published", "mc-draft"])]
}

/// A training set in use, with an anchor for each level.
fn training_set(lead: &Person, family: &str) -> String {
    let body = json!({ "micro_credential_id": family, "kind": "training", "title": "Anchors" });
    let set = id_of(&lead.post("/api/v1/calibration-sets", &body).expect(201));
    let path = format!("/api/v1/calibration-sets/{set}");
    for level in 0..3 {
        let anchor = |id: &str| json!({ "criterion_id": id, "level": level, "rationale": "Seen." });
        let anchors: Vec<Value> = ["c1", "c2", "c3", "c4"].iter().map(|id| anchor(id)).collect();
        let item = |id: &str| json!({ "requirement_id": id, "text": "A page." });
        let work = json!({
            "responses": { "q1": "We agreed.", "r1": "I will wait." },
            "evidence": [item("a1"), item("a2"), item("a3")],
        });
        let paper = json!({ "work": work, "anchors": anchors });
        lead.post(&format!("{path}/papers"), &paper).expect(201);
    }
    lead.act(&format!("{path}/publish")).expect(200);
    set
}

/// An award with its submission, a review and a draft.
fn own(
    app: &TestApp,
    district: &District,
    owner: &Person,
    name: &str,
    published: &str,
    work: &str,
    coaches: &[Person; 2],
) -> Belongings {
    let (decided, award) = district.award(owner, published);
    let detail = owner.get(&format!("/api/v1/submissions/{decided}")).expect(200);
    let decided_evidence = id_of(&detail["evidence"][0]);
    // Somebody else's work at a micro-credential of its own, so that it is the one that is claimed.
    let family = district.publish(&named(&format!("mc-for-{}", name.replace('_', "-"))));
    let author =
        app.seed(&district.id, &format!("author-for-{name}@valley.example.org"), &["earner"]);
    let reviewed = district.submit(&author, &family);
    let reader = if name == "bystander" { &district.assessor } else { owner };
    let body = json!({ "micro_credential_id": family });
    let review = id_of(&reader.post("/api/v1/reviews/claim", &body).expect(201));
    let path = format!("/api/v1/micro-credentials/{work}/submissions");
    let submission = id_of(&owner.post(&path, &json!({})).expect(201));
    let item = json!({ "requirement_id": "a3", "text": "What was shown." });
    let path = format!("/api/v1/submissions/{submission}/evidence");
    let evidence = id_of(&owner.send(owner.request(Method::POST, &path).json(&item)).expect(201));
    let path = format!("/api/v1/submissions/{submission}/coachings");
    let ask = |coach: &Person| {
        let body = json!({ "person_id": coach.id, "shares": ["responses"] });
        id_of(&owner.post(&path, &body).expect(201))
    };
    let [coaching, ended_coaching] = [ask(&coaches[0]), ask(&coaches[1])];
    let ended = owner.delete(&format!("/api/v1/coachings/{ended_coaching}"));
    assert_eq!(ended.status, 204);
    Belongings {
        submission,
        evidence,
        decided,
        decided_evidence,
        coaching,
        ended_coaching,
        review,
        reviewed,
        award,
    }
}
