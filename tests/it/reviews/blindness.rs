//! The assessor does not learn whose work it is.

use serde_json::{Value, json};

use super::path_of;
use crate::harness::{Answer, District, PASSWORD, TestApp};

const NAME: &str = "Zora Quillfeather";
const EMAIL: &str = "zora.quillfeather@marigold.example.org";
const SCHOOL: &str = "Marigold Primary School";
const FILE_NAME: &str = "quillfeather-room-7.pdf";

#[test]
fn nothing_that_an_assessor_reaches_says_whose_work_it_is() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let school = app.organization(&district.admin, &district.id, SCHOOL, "school");
    let invitation = json!({ "email": EMAIL, "name": NAME, "roles": ["earner"] });
    let path = format!("/api/v1/organizations/{school}/invitations");
    let invited = district.admin.post(&path, &invitation).expect(201);
    let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
    let acceptance = json!({ "token": token, "password": PASSWORD });
    app.anybody().post("/api/v1/invitations/accept", &acceptance).expect(200);
    let earner = app.sign_in(EMAIL);

    let id = district.fill(&earner, &family);
    let submission = format!("/api/v1/submissions/{id}");
    earner.upload(&id, "a3", FILE_NAME, b"%PDF-1.7\n").expect(201);
    earner
        .upload(&id, "r1", "zora.m4a", b"\0\0\0\x14ftypM4A \0\0\x02\0isom\0\0\0\x08free")
        .expect(201);
    earner.act(&format!("{submission}/submit")).expect(200);

    let mut seen: Vec<(String, Answer)> = Vec::new();
    let assessor = &district.assessor;
    let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
    let (review, etag) = (claimed.json.clone(), claimed.etag());
    let path = path_of(&review);
    assert_eq!(review["submission_id"], id.as_str());
    seen.push(("claim".to_owned(), claimed));
    let items = review["work"]["evidence"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    for item in items {
        assert_eq!(item.get("created_at"), None, "when it came is nobody's business");
        let content = item["content_path"].as_str().unwrap();
        let opened = assessor.get(content);
        assert_eq!(opened.status, 200);
        let named = opened.headers["content-disposition"].clone();
        let requirement = item["requirement_id"].as_str().unwrap();
        assert!(named.contains(&format!("filename=\"{requirement}-")), "{named}");
        seen.push((content.to_owned(), opened));
    }
    let names: Vec<&Value> = items.iter().map(|item| &item["file_name"]).collect();
    assert!(names.contains(&&json!("a3-2.pdf")), "{names:?}");
    assert!(names.contains(&&json!("r1-1.m4a")), "{names:?}");

    let sheet = District::sheet(&review, 0);
    let scores = format!("{path}/scores");
    seen.push(("scores".to_owned(), assessor.put(&scores, &etag, &sheet)));
    seen.push(("stale".to_owned(), assessor.put(&scores, &etag, &sheet)));
    seen.push(("renew".to_owned(), assessor.act(&format!("{path}/renew"))));
    for path in [
        path.as_str(),
        "/api/v1/reviews",
        "/api/v1/me",
        "/api/v1/organizations",
        "/api/v1/submissions",
        "/api/v1/awards",
        "/api/v1/audit-events",
        &submission,
        &format!("/api/v1/organizations/{}/members", district.schools[1]),
        &format!("/api/v1/micro-credentials/{family}"),
        &format!("/achievements/{family}/versions/1"),
    ] {
        seen.push((path.to_owned(), assessor.get(path)));
    }
    seen.push(("lock".to_owned(), assessor.act(&format!("{path}/lock"))));
    seen.push(("after the lock".to_owned(), assessor.get(&path)));
    seen.push(("lock again".to_owned(), assessor.act(&format!("{path}/lock"))));
    let decided = earner.get(&submission).expect(200);
    let award = decided["award"]["path"].as_str().unwrap().to_owned();
    for (_, answer) in &seen {
        assert!(
            !String::from_utf8_lossy(&answer.bytes).contains(&award),
            "no way to the badge either"
        );
    }
    // And from the badge itself nobody learns a name.
    seen.push(("badge".to_owned(), app.anybody().get(&award)));
    seen.push(("page of the badge".to_owned(), app.anybody().get_as(&award, "text/html")));

    let secrets = [
        NAME,
        "Zora",
        "Quillfeather",
        EMAIL,
        "marigold",
        SCHOOL,
        FILE_NAME,
        "room-7",
        &earner.id,
        &school,
    ];
    for (what, answer) in &seen {
        let mut text = String::from_utf8_lossy(&answer.bytes).to_lowercase();
        for (name, value) in &answer.headers {
            text.push_str(&format!("\n{name}: {}", value.to_lowercase()));
        }
        for secret in secrets {
            assert!(!text.contains(&secret.to_lowercase()), "{what} tells {secret}: {text}");
        }
    }
}
