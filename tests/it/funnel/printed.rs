//! The outcome report on paper: it says what the figures say, to whoever may read them, and leaves nobody signed in.

use assay::store::schema::sessions;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Far, Pilot};
use crate::harness::{Answer, PASSWORD};

impl Pilot {
    fn paper(&self) -> String {
        self.program.replace("/api/v1", "") + "/report"
    }

    /// Sends the form of the first page; `more` is what is ticked.
    fn sign_in_for_report(&self, email: &str, password: &str, more: &str) -> Answer {
        let password = password.replace(' ', "+");
        let form = format!("email={}&password={password}{more}", email.replace('@', "%40"));
        let anybody = self.app.anybody();
        let request = anybody
            .request(Method::POST, &self.paper())
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        anybody.send(request)
    }

    fn live_sessions(&self) -> i64 {
        sessions::table
            .filter(sessions::ended_at.is_null())
            .count()
            .get_result(&mut *self.app.resources.database.connection().unwrap())
            .unwrap()
    }
}

fn text_of(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.clone()).unwrap()
}

/// The days have gone on, so everybody signs in afresh.
pub fn check(pilot: &Pilot, plan: &[Far]) {
    let n_live = pilot.live_sessions();
    let answer = pilot.sign_in_for_report("coordinator@example.org", PASSWORD, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(pilot.live_sessions(), n_live, "nobody stays signed in");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers["content-security-policy"].contains("style-src 'self'"));
    let html = text_of(&answer);
    assert!(
        html.contains("If educators whom regular professional learning reaches least"),
        "{html}"
    );

    let coordinator = pilot.app.sign_in("coordinator@example.org");
    let path = format!("{}/funnel", pilot.program);
    // Every number that is shown stands there, as the document has it.
    let shown = coordinator.get(&path).expect(200);
    let n_lines = check_figures(&html, &shown);
    assert!(n_lines > 8, "{n_lines} figures");
    assert!(html.contains("<td>0.1%</td>"), "the target of ten basis points: {html}");
    // Five more have come a week later than the thirty.
    assert!(html.contains("87.5% (35 of 40)"), "{html}");
    // A chart of everybody at least, with ids of its own, and no page within the page.
    assert!(html.contains("<svg") && html.contains(r#"id="everybody-title""#));
    assert_eq!(html.matches("<html").count(), 1);
    assert!(!html.contains("<style") && !html.contains(" style="));
    assert!(html.contains("attempts that were voided"));
    assert!(html.contains("has not said yet what it counts skills for"));

    // The purpose of the inventory is printed once somebody has said it, as text.
    let organization = &pilot.district.id;
    let purpose = json!({ "statement": "To call on people.\nNot to rank <anybody>." });
    let at = format!("/api/v1/organizations/{organization}/inventory-purpose");
    pilot.app.admin().put(&at, "\"0\"", &purpose).expect(200);
    let html = text_of(&pilot.sign_in_for_report("coordinator@example.org", PASSWORD, ""));
    assert!(html.contains("<p>To call on people.</p>"), "{html}");
    assert!(html.contains("Not to rank &#60;anybody&#62;."), "{html}");
    assert!(html.contains("Members of the organization who hold it"));

    // Exact numbers are the steward's, and say so.
    let exact = pilot.sign_in_for_report("steward@example.org", PASSWORD, "&exact=on");
    assert_eq!(exact.status, 200, "{exact:?}");
    let exact = text_of(&exact);
    assert!(exact.contains("Exact numbers, for the data steward."));
    let n_started = plan.iter().filter(|far| **far >= Far::Started).count();
    assert!(exact.contains(&format!(r#"<td class="number">{n_started}</td>"#)), "{exact}");
    let refused = pilot.sign_in_for_report("coordinator@example.org", PASSWORD, "&exact=on");
    assert_eq!(refused.status, 403);
    refusals(pilot);
}

/// Each figure of the document as a line of the page. Returns how many were shown.
fn check_figures(html: &str, report: &Value) -> usize {
    let words = |value: &Value| value.as_u64().map_or_else(|| "–".to_owned(), |n| n.to_string());
    let mut n_shown = 0;
    for figure in report["total"]["figures"].as_array().unwrap() {
        let name = figure["numerator_is"].as_str().unwrap();
        if figure["as_of"].is_null() {
            assert!(
                !html.contains(&format!(r#"<th scope="row">{name}"#)),
                "{name}: there is no file"
            );
            continue;
        }
        let (_, line) = html
            .split_once(&format!(r#"<th scope="row">{name}"#))
            .unwrap_or_else(|| panic!("{name} in {html}"));
        let (line, _) = line.split_once("</tr>").unwrap();
        let cells: Vec<&str> = line
            .split(r#"<td class="number">"#)
            .skip(1)
            .map(|cell| cell.split_once("</td>").unwrap().0)
            .collect();
        assert_eq!(cells[0], words(&figure["numerator"]), "{name}");
        if !figure["denominator_is"].is_null() {
            assert_eq!(cells[1], words(&figure["denominator"]), "{name}");
            let whole = figure["share_bp"].as_u64().map(|share| (share / 100).to_string());
            assert!(cells[2].starts_with(whole.as_deref().unwrap_or("–")), "{name}: {}", cells[2]);
        }
        n_shown += usize::from(!figure["numerator"].is_null());
    }
    n_shown
}

/// Who may not read the figures gets no report, and stays signed in nowhere.
fn refusals(pilot: &Pilot) {
    let n_live = pilot.live_sessions();
    let harbour = pilot.app.seed_root("Harbour");
    pilot.app.seed(&harbour, "far@harbour.example.org", &["coordinator"]);
    let by_form = |email: &str, password: &str| pilot.sign_in_for_report(email, password, "");
    assert_eq!(by_form("far@harbour.example.org", PASSWORD).status, 403);
    assert_eq!(by_form("earner@example.org", PASSWORD).status, 403);
    assert_eq!(pilot.live_sessions(), n_live + 1, "the stranger's own");
    let wrong = by_form("coordinator@example.org", "not the password");
    assert_eq!(wrong.status, 401);
    assert!(!text_of(&wrong).contains("theory"));
    // The first page is the same for every id.
    let page = pilot.app.anybody().get_as(&pilot.paper(), "text/html");
    let other = pilot
        .app
        .anybody()
        .get_as("/programs/01900000-0000-7000-8000-000000000000/report", "text/html");
    assert_eq!((page.status, other.status), (200, 200));
    let without_id = |answer: &Answer| {
        let html = text_of(answer);
        let (before, after) = html.split_once("action=\"/programs/").unwrap();
        format!("{before}{}", after.split_once("/report").unwrap().1)
    };
    assert_eq!(without_id(&page), without_id(&other));
    let anybody = pilot.app.anybody();
    for body in
        ["", "email=a%40example.org", "email=a&password=b&remember=yes", "email=%00&password=x"]
    {
        let request = anybody
            .request(Method::POST, &pilot.paper())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned());
        let status = anybody.send(request).status;
        assert!(status == 400 || status == 422, "{body}: {status}");
    }
    let json = anybody.post(&pilot.paper(), &json!({ "email": "a", "password": "b" }));
    assert_eq!(json.status, 415);
}
