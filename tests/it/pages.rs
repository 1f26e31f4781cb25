//! The rules of pages: what they say, what they never let through, and that everybody can read them.

mod hostile;
mod html;
mod samples;

use assay::domain::award::{AwardState, RevocationReason};
use assay::domain::review_policy::ReviewMode;
use assay::domain::submission::{SubmissionEvent, SubmissionState};
use assay::http::web::assets::{ASSETS, find_asset};
use assay::http::web::proposals::{
    AnswerLine, PageAbout, ProposalLine, ProposalsPage, proposals_page,
};
use assay::http::web::report::{ReportPage, report_page, report_sign_in_page};
use assay::http::web::{
    AcceptPage, AchievementPage, CataloguePage, CatalogueSearch, CredentialPage, IssuerPage,
    Scoring, StackPage, Standing, accept_invitation_page, achievement_page, catalogue_page,
    coaching_page, contribution_page, credential_page, issuer_page, problem_page, stack_page,
    stacks_page, submission_page, verify_page,
};

use self::html::{attribute, attribute_names, tags};
use self::samples::day;
use crate::harness::{BASE_URL, TestApp};

#[test]
fn hostile_text_stays_text_in_every_field() {
    check_escaped("credential", &credential_page(&hostile::credential()).unwrap());
    check_escaped("achievement", &achievement_page(&hostile::achievement()).unwrap());
    check_escaped("stack credential", &credential_page(&hostile::stack_credential()).unwrap());
    check_escaped("stack", &stack_page(&hostile::stack()).unwrap());
    check_escaped("issuer", &issuer_page(&hostile::issuer()).unwrap());
    check_escaped("catalogue", &catalogue_page(&hostile::catalogue()).unwrap());
    let nothing_found = CataloguePage { items: Vec::new(), ..hostile::catalogue() };
    check_escaped("empty catalogue", &catalogue_page(&nothing_found).unwrap());
    check_escaped("problem", &problem_page(&hostile::problem()).unwrap());
}

/// The text must be there, but as text: whatever tags the page has are those that it has with harmless text.
#[track_caller]
fn check_escaped(name: &str, html: &str) {
    assert!(html.contains("alert(1)"), "{name}: the text is not there");
    for tag in tags(html) {
        if tag.starts_with("<script") {
            // Our own file, whole as the template has it, and nothing that somebody typed.
            assert_eq!(tag, "<script src=\"/assets/credential.js\" defer>", "{name}");
        }
        for attribute in attribute_names(tag) {
            assert!(!attribute.starts_with("on"), "{name}: {attribute} in {tag}");
        }
        for value in [attribute(tag, "href"), attribute(tag, "src"), attribute(tag, "action")] {
            let value = value.unwrap_or_default();
            assert!(!value.starts_with("javascript"), "{name}: {tag}");
            // Whatever is put into a path stays one segment of it.
            assert!(!value.contains("../"), "{name}: {tag}");
        }
    }
    assert_eq!(html.matches("</title>").count(), 1, "{name}");
}

#[test]
fn no_page_needs_inline_script_or_style() {
    for (name, html) in every_page() {
        for tag in tags(&html) {
            assert!(!tag.starts_with("<style"), "{name}: {tag}");
            for attribute in attribute_names(tag) {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {tag}");
            }
            if tag.starts_with("<script") {
                assert!(attribute(tag, "src").is_some(), "{name}: {tag}");
            }
        }
        assert_eq!(html.matches("<script").count(), html.matches("></script>").count(), "{name}");
    }
}

#[test]
fn every_file_that_a_page_asks_for_is_there() {
    for (name, html) in every_page() {
        let mut asked = 0;
        for tag in tags(&html) {
            let is_link = tag.starts_with("<link") && attribute(tag, "rel") != Some("alternate");
            let file =
                attribute(tag, "src").or(if is_link { attribute(tag, "href") } else { None });
            if let Some(file) = file {
                asked += 1;
                // The picture of the badge is made when it is asked for (`awards::pictures`).
                let is_picture = ["/credentials/", "/achievements/"]
                    .iter()
                    .any(|folder| file.starts_with(folder) && file.ends_with(".png"));
                if is_picture {
                    continue;
                }
                let file = file.strip_prefix("/assets/");
                assert!(file.and_then(find_asset).is_some(), "{name}: {tag}");
            }
        }
        assert!(asked >= 3, "{name} asks for {asked} files");
    }
}

#[test]
fn every_page_has_one_h1_its_language_and_its_landmarks() {
    for (name, html) in every_page() {
        let count = |start: &str| tags(&html).iter().filter(|tag| tag.starts_with(start)).count();
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{name}");
        assert_eq!(count("<h1"), 1, "{name}");
        assert_eq!(count("<main"), 1, "{name}");
        assert_eq!(count("<header class=\"site-header\""), 1, "{name}");
        assert_eq!(count("<footer"), 1, "{name}");
        assert!(count("<nav aria-label=\"Main\"") == 1, "{name}");
        assert!(html.contains("<a class=\"skip\" href=\"#main\">"), "{name}");
        assert!(html.contains("width=device-width"), "{name}");
        assert!(!html.contains("<title> ·"), "{name}");
    }
}

#[test]
fn headings_leave_no_step_out() {
    for (name, html) in every_page() {
        let mut above = 0;
        for tag in tags(&html) {
            let Some(level) = tag.strip_prefix("<h").and_then(|rest| rest.chars().next()) else {
                continue;
            };
            let Some(level) = level.to_digit(10) else { continue };
            // The heading of the standing comes without a heading of its own; a verdict is filled in by the script.
            assert!(level <= above + 1, "{name}: {tag} under h{above}");
            above = level;
        }
    }
}

#[test]
fn tags_are_closed_in_order() {
    const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];
    for (name, html) in every_page() {
        let mut open: Vec<&str> = Vec::new();
        for tag in tags(&html) {
            if tag.starts_with("<!") {
                continue;
            }
            if let Some(closed) = tag.strip_prefix("</") {
                assert_eq!(open.pop(), closed.strip_suffix('>'), "{name}: {tag}");
            } else {
                let word = tag[1..].split([' ', '>', '/']).next().unwrap();
                if !VOID.contains(&word) && !tag.ends_with("/>") {
                    open.push(word);
                }
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
    }
}

#[test]
fn ids_are_unique_and_labels_point_at_something() {
    for (name, html) in every_page() {
        let mut ids: Vec<&str> =
            tags(&html).into_iter().filter_map(|tag| attribute(tag, "id")).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}");
        for tag in tags(&html) {
            for reference in ["for", "aria-labelledby", "aria-describedby"] {
                // Something may be described by several.
                for id in attribute(tag, reference).into_iter().flat_map(str::split_whitespace) {
                    assert!(ids.contains(&id), "{name}: {tag}");
                }
            }
            if let Some(id) = attribute(tag, "href").and_then(|link| link.strip_prefix('#')) {
                assert!(ids.contains(&id), "{name}: {tag}");
            }
        }
    }
}

#[test]
fn every_standing_is_said_in_words() {
    check_standing(Standing::Valid, "Valid now", "Signed by Riverbend School District.");
    check_standing(Standing::Superseded, "Valid, replaced by a newer one", "remains genuine");
    check_standing(
        Standing::NotYetValid { from: day(30) },
        "Not valid until 30 November 2026",
        "still to come",
    );
    check_standing(Standing::NotIssued, "Not issued yet", "has not signed");
    check_standing(Standing::Suspended, "Suspended", "until the panel has decided");
    check_standing(Standing::Expired { on: day(3) }, "Expired on 3 November 2026", "time is over");
    for (reason, class) in [
        (RevocationReason::IssuedInError, "an error in issuing it"),
        (RevocationReason::IdentityMistaken, "an error in issuing it"),
        (RevocationReason::EvidenceMisrepresented, "a review of the work behind it"),
        (RevocationReason::IntegrityUpheld, "a review of the work behind it"),
        (RevocationReason::HolderRequest, "the holder asked for that"),
    ] {
        check_standing(
            Standing::Revoked { on: day(20), reason },
            "Revoked on 20 November 2026",
            class,
        );
        let html = credential_page(&samples::credential(Standing::Revoked { on: day(20), reason }));
        assert!(!html.unwrap().contains(reason.as_str()), "the code itself is not public");
    }
}

#[track_caller]
fn check_standing(standing: Standing, headline: &str, explanation: &str) {
    let html = credential_page(&samples::credential(standing)).unwrap();
    assert_eq!(standing.headline(), headline);
    assert!(html.contains(&format!("<p class=\"standing-word\">{headline}</p>")), "{headline}");
    assert!(html.contains(explanation), "{headline}: {explanation}");
    assert!(html.contains("As of <time datetime=\"2026-11-21\">21 November 2026</time>"));
    let says_not_to_rely = html.contains("ot rely on it");
    let is_good =
        matches!(standing, Standing::Valid | Standing::Superseded | Standing::NotYetValid { .. });
    assert_eq!(says_not_to_rely, !is_good, "{headline}");
    assert_eq!(html.contains("Valid now"), standing == Standing::Valid, "{headline}");
}

#[test]
fn credential_that_is_not_signed_offers_nothing_to_verify() {
    let signed = credential_page(&samples::credential(Standing::Valid)).unwrap();
    let json = format!("/credentials/{}.json", samples::AWARD);
    let check = format!("/verify#/credentials/{}", samples::AWARD);
    assert!(signed.contains(&json) && signed.contains(&check));
    assert!(signed.contains("assay verify FILE"));
    let page = CredentialPage { issued_on: None, ..samples::credential(Standing::NotIssued) };
    let html = credential_page(&page).unwrap();
    assert!(!html.contains(&json) && !html.contains(&check));
}

#[test]
fn scoring_is_told_in_plain_words() {
    check_scoring(ReviewMode::DoubleBlind, 2, true, "Scored blind by two trained readers.");
    check_scoring(ReviewMode::ConditionalDouble, 1, true, "Scored blind by one trained reader.");
    check_scoring(ReviewMode::Single, 1, false, "Scored blind by one reader.");
    check_scoring(ReviewMode::DoubleBlind, 12, false, "Scored blind by 12 readers.");
}

#[track_caller]
fn check_scoring(mode: ReviewMode, raters: u32, assessors_qualified: bool, expected: &str) {
    let scoring = Scoring { mode, raters, assessors_qualified };
    let earned = samples::scored(scoring, Vec::new());
    let page = CredentialPage { earned, ..samples::credential(Standing::Valid) };
    let html = credential_page(&page).unwrap();
    assert!(html.contains(expected), "{expected}");
    let warns = html.contains("Assessors were not yet calibrated for this rubric");
    assert_eq!(warns, !assessors_qualified, "{expected}");
}

#[test]
fn levels_are_shown_only_when_the_earner_included_them() {
    let without = credential_page(&samples::credential(Standing::Valid)).unwrap();
    assert!(!without.contains("Levels reached"));
    let with = credential_page(&samples::full_credential()).unwrap();
    assert!(with.contains("Levels reached") && with.contains("(3 of 3)"));
    assert_eq!(with.matches(", below the pass level").count(), 1);
}

#[test]
fn page_of_a_definition_shows_the_whole_rubric() {
    let page = samples::achievement();
    let html = achievement_page(&page).unwrap();
    let definition = &page.definition;
    let scales = definition.criteria.iter().map(|criterion| &criterion.levels);
    let prompts = definition.parts.iter().flat_map(|part| &part.prompts);
    let scales: Vec<_> = scales.chain(prompts.map(|prompt| &prompt.levels)).collect();
    assert_eq!(scales.len(), 9);
    assert_eq!(html.matches(">Pass level</span>").count(), 9, "one line for each scale");
    assert_eq!(html.matches(">Essential</span>").count(), 2);
    for level in scales.into_iter().flatten() {
        assert!(html.contains(&level.descriptor), "{}", level.descriptor);
    }
    for requirement in &definition.evidence {
        assert!(html.contains(&requirement.title), "{}", requirement.title);
    }
    assert!(html.contains("level 1 or higher on every question of: Context (passing required); Reflection (passing required)"));
    assert!(html.contains("<li>the pass level on every criterion</li>"));
    assert!(html.contains(&page.content_hash) && html.contains(&page.scoring_hash));
    assert!(!html.contains("Retired"));
}

#[test]
fn retired_version_says_that_its_credentials_stay() {
    let page =
        AchievementPage { is_retired: true, newer_version: Some(2), ..samples::achievement() };
    let html = achievement_page(&page).unwrap();
    assert!(html.contains("takes no new submissions"));
    assert!(html.contains("stay as valid as they were"));
    assert!(html.contains("/versions/2\">version 2</a>"));
}

#[test]
fn front_page_tells_nothing_published_from_nothing_found() {
    let empty = catalogue_page(&CataloguePage::default()).unwrap();
    assert!(empty.contains("Nothing published yet"));
    let search = CatalogueSearch {
        q: "robotics".to_owned(),
        skill: "CL.VOICE".to_owned(),
        audience: "instructional_coach".to_owned(),
    };
    let page = CataloguePage { search, items: Vec::new(), ..samples::catalogue() };
    let html = catalogue_page(&page).unwrap();
    assert!(html.contains(
        "There is nothing for “robotics” and the skill “Designing participation across roles” \
         and the audience “Instructional coach”."
    ));
    assert!(!html.contains("Nothing published yet"));
}

#[test]
fn next_page_of_a_search_keeps_the_search() {
    let search = CatalogueSearch { q: "a&b c".to_owned(), ..CatalogueSearch::default() };
    let html = catalogue_page(&CataloguePage { search, ..samples::catalogue() }).unwrap();
    let link = tags(&html).into_iter().find(|tag| attribute(tag, "rel") == Some("next")).unwrap();
    assert_eq!(attribute(link, "href"), Some("/?q=a%26b+c&#38;cursor=next%2Bpage"));
}

#[test]
fn link_of_an_issuer_leads_to_the_web_or_nowhere() {
    check_issuer_link("https://www.riverbend.example.org", true);
    check_issuer_link("http://www.riverbend.example.org/a?b=c", true);
    check_issuer_link("javascript:alert(1)", false);
    check_issuer_link(" \tjavascript:alert(1)", false);
    check_issuer_link("data:text/html,x", false);
    check_issuer_link("https://riverbend.example.org@evil.example.com", false);
    check_issuer_link("//evil.example.com", false);
    check_issuer_link("www.riverbend.example.org", false);
}

#[track_caller]
fn check_issuer_link(url: &str, expected: bool) {
    let html = issuer_page(&IssuerPage { url: Some(url.to_owned()), ..samples::issuer() }).unwrap();
    let links = tags(&html)
        .into_iter()
        .filter(|tag| attribute(tag, "rel") == Some("noopener noreferrer nofollow"));
    assert_eq!(links.count() == 1, expected, "{url}");
}

#[test]
fn mail_link_of_an_issuer_holds_one_address_and_nothing_else() {
    check_mail_link("badges+pd@riverbend.example.org", true);
    check_mail_link("a@b.example?bcc=c@d.example", false);
    check_mail_link("a@b.example,c@d.example", false);
    check_mail_link("a%0abcc:c@d.example", false);
    check_mail_link("a@", false);
    check_mail_link("badges", false);
}

#[track_caller]
fn check_mail_link(email: &str, expected: bool) {
    let page = IssuerPage { email: Some(email.to_owned()), ..samples::issuer() };
    let html = issuer_page(&page).unwrap();
    let links = tags(&html).into_iter().filter_map(|tag| attribute(tag, "href"));
    let links: Vec<&str> = links.filter(|link| link.starts_with("mailto:")).collect();
    let whole = format!("mailto:{email}");
    assert_eq!(links, if expected { vec![whole.as_str()] } else { Vec::new() });
}

#[test]
fn forms_that_need_a_script_are_locked_without_it() {
    for html in [
        verify_page().unwrap(),
        accept_invitation_page(&AcceptPage {}).unwrap(),
        contribution_page().unwrap(),
        coaching_page().unwrap(),
        submission_page().unwrap(),
        stacks_page().unwrap(),
    ] {
        // A password or a badge must never end up in an address.
        assert!(html.contains("<noscript>"));
        let tags = tags(&html);
        let count = |start: &str, with: &str| {
            tags.iter().filter(|tag| tag.starts_with(start) && tag.contains(with)).count()
        };
        let n_forms = count("<form", "");
        assert!(n_forms > 0);
        assert_eq!(count("<form", " method=\"post\""), n_forms);
        assert_eq!((count("<fieldset", ""), count("<fieldset", " disabled")), (n_forms, n_forms));
    }
}

#[test]
fn scripts_put_nothing_into_a_page_but_text() {
    for asset in ASSETS.iter().filter(|asset| asset.media_type.starts_with("text/javascript")) {
        let script = std::str::from_utf8(asset.bytes).unwrap();
        let script = script.replace("http://www.w3.org/2000/svg", "");
        for way_in in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "setTimeout",
            ".href",
            ".style",
            "srcdoc",
            "http://",
            "https://",
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "caches",
            "cookie",
        ] {
            assert!(!script.contains(way_in), "{}: {way_in}", asset.name);
        }
    }
}

/// A module that is not there leaves its page dead, and nothing but a browser would tell.
#[test]
fn modules_import_what_is_there_and_are_loaded_as_modules() {
    let mut n_imports = 0;
    for asset in ASSETS.iter() {
        let text = std::str::from_utf8(asset.bytes).unwrap();
        for line in text.lines().filter(|line| line.starts_with("import ")) {
            let (names, from) = line["import ".len()..].split_once(" from ").unwrap();
            let file = from.trim_end_matches(';').trim_matches('"').strip_prefix("./").unwrap();
            let module = find_asset(file).unwrap_or_else(|| panic!("{}: {line}", asset.name));
            let module = std::str::from_utf8(module.bytes).unwrap();
            for name in names.trim_matches(['{', ' ', '}']).split(", ") {
                let is_exported = ["function", "async function", "class", "const"]
                    .iter()
                    .any(|kind| module.contains(&format!("\nexport {kind} {name}")));
                assert!(is_exported, "{}: {name} of {file}", asset.name);
            }
            let tag = format!("<script src=\"/assets/{}\" defer>", asset.name);
            assert!(every_page().iter().all(|(_, html)| !html.contains(&tag)), "{}", asset.name);
            n_imports += 1;
        }
    }
    assert!(n_imports >= 5, "{n_imports}");
}

#[test]
fn stylesheet_and_emblem_fetch_nothing() {
    for name in ["assay.css", "hallmark.svg"] {
        let text = std::str::from_utf8(find_asset(name).unwrap().bytes).unwrap();
        let text = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for way_out in ["url(", "@import", "http:", "https:", "//", "href", "<script", "<style"] {
            assert!(!text.contains(way_out), "{name}: {way_out}");
        }
    }
}

#[test]
fn assets_have_their_own_names_and_strong_tags() {
    for asset in ASSETS.iter() {
        assert_eq!(ASSETS.iter().filter(|other| other.name == asset.name).count(), 1);
        assert_eq!(ASSETS.iter().filter(|other| other.etag == asset.etag).count(), 1);
        assert!(asset.etag.len() == 34 && asset.etag.starts_with('"') && asset.etag.ends_with('"'));
    }
    assert!(find_asset("../assay.css").is_none() && find_asset("").is_none());
}

/// WCAG 2.2, 1.4.3: 4.5 to 1 for text; 1.4.11: 3 to 1 for the edges of fields and for focus.
#[test]
fn colours_of_every_scheme_have_enough_contrast() {
    let css = std::str::from_utf8(find_asset("assay.css").unwrap().bytes).unwrap();
    let schemes: Vec<&str> =
        css.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    assert_eq!(schemes.len(), 3, "light, dark and paper");
    for scheme in schemes {
        // Paper keeps what it does not change from light or dark; only what it sets is printed in colour.
        let colour = |name: &str| colour_of(scheme, name);
        for ground in ["paper", "card"] {
            for text in ["ink", "ink-soft", "accent", "link", "good", "warn", "bad", "still"] {
                check_contrast(text, colour(text), ground, colour(ground), 4.5);
            }
            check_contrast("edge", colour("edge"), ground, colour(ground), 3.0);
            if colour("focus").is_some() {
                check_contrast("focus", colour("focus"), ground, colour(ground), 3.0);
            }
        }
        for tone in ["good", "warn", "bad", "still"] {
            let ground = format!("{tone}-ground");
            for text in [tone, "ink", "ink-soft"] {
                check_contrast(text, colour(text), &ground, colour(&ground), 4.5);
            }
        }
        for text in ["on-brand", "on-brand-soft"] {
            if colour(text).is_some() {
                check_contrast(text, colour(text), "brand", colour("brand"), 4.5);
                check_contrast(text, colour(text), "button", colour("button"), 4.5);
            }
        }
    }
}

#[track_caller]
fn check_contrast(text: &str, above: Option<f64>, ground: &str, below: Option<f64>, least: f64) {
    let (above, below) = (above.unwrap(), below.unwrap());
    let contrast = (above.max(below) + 0.05) / (above.min(below) + 0.05);
    assert!(contrast >= least, "{text} on {ground}: {contrast:.2}");
}

/// The relative luminance of a custom property that is set to `#rrggbb`.
fn colour_of(scheme: &str, name: &str) -> Option<f64> {
    let start = scheme.find(&format!("--{name}: #"))? + name.len() + 5;
    let channel = |index: usize| {
        let digits = &scheme[start + 2 * index..start + 2 * index + 2];
        let value = f64::from(u8::from_str_radix(digits, 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2))
}

#[test]
fn whatever_becomes_of_a_submission_has_words_on_its_page() {
    let script = find_asset("submission.js").unwrap();
    let script = std::str::from_utf8(script.bytes).unwrap();
    let states = SubmissionState::ALL.iter().filter(|state| **state != SubmissionState::Decided);
    let words = states
        .map(|state| state.as_str())
        .chain(SubmissionEvent::ALL.iter().map(|event| event.as_str()))
        .chain(AwardState::ALL.iter().map(|state| state.as_str()))
        .chain(["earned", "not_yet", "working", "closed"]);
    for word in words {
        assert!(script.contains(&format!("\n  {word}: ")), "{word}");
    }
}

#[test]
fn whatever_becomes_of_an_award_that_a_stack_asks_for_has_words_on_its_page() {
    let script = find_asset("stacks.js").unwrap();
    let script = std::str::from_utf8(script.bytes).unwrap();
    for state in AwardState::ALL.iter().filter(|state| **state != AwardState::Active) {
        assert!(script.contains(&format!("\n  {state}: ")), "{state}");
    }
}

#[test]
fn page_of_a_stack_leads_to_what_it_asks_for_and_to_ones_own_progress() {
    let html = stack_page(&StackPage { is_retired: false, ..samples::stack() }).unwrap();
    assert!(html.contains("Each of these parts"));
    let links: Vec<&str> =
        tags(&html).into_iter().filter_map(|tag| attribute(tag, "href")).collect();
    let asked = format!("/achievements/{}/versions/2", samples::stack().stack_id);
    assert!(links.contains(&asked.as_str()) && links.contains(&"/stacks"), "{links:?}");
    assert!(html.contains("Any one of these:") && html.contains("Shared decisions"));
    // Nobody begins what cannot be earned any more.
    assert!(!stack_page(&samples::stack()).unwrap().contains("href=\"/stacks\""));
}

#[test]
fn page_of_a_submission_is_the_same_whether_there_is_one_or_not() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let submission = district.submit(&district.earner, &family);
    let there = app.anybody().get_as(&format!("/submissions/{submission}"), "text/html");
    assert_eq!(there.status, 200);
    assert_eq!(there.headers["content-type"], "text/html; charset=utf-8");
    for nowhere in [&family, &district.id, "0190b6c0-7a1e-7000-8000-000000000001"] {
        let nothing = app.anybody().get_as(&format!("/submissions/{nowhere}"), "text/html");
        assert_eq!(nothing.status, 200);
        assert_eq!(nothing.bytes, there.bytes);
        let lasting = |headers: &std::collections::BTreeMap<String, String>| {
            let mut headers = headers.clone();
            for own in ["x-request-id", "date"] {
                headers.remove(own);
            }
            headers
        };
        assert_eq!(lasting(&nothing.headers), lasting(&there.headers));
    }
    // Whoever has signed in gets no other page: only the script asks as somebody.
    assert_eq!(district.earner.get(&format!("/submissions/{submission}")).bytes, there.bytes);
    for no_id in ["1", "new", "0190b6c0-7a1e-7000-8000-00000000000g"] {
        assert_eq!(app.anybody().get(&format!("/submissions/{no_id}")).status, 404, "{no_id}");
    }
}

#[test]
fn links_of_the_letters_lead_to_pages() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (submission, award) = district.award(&district.earner, &family);
    app.send_mail();
    let mut links: Vec<String> = std::fs::read_dir(app.folder().join("mail"))
        .unwrap()
        .flat_map(|file| {
            let letter = std::fs::read_to_string(file.unwrap().path()).unwrap();
            letter
                .lines()
                .filter_map(|line| line.strip_prefix(BASE_URL))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    links.sort();
    links.dedup();
    for page in [format!("/submissions/{submission}"), format!("/credentials/{award}")] {
        assert!(links.contains(&page), "{page} in {links:?}");
    }
    let mut invitations = 0;
    for link in links {
        let (path, fragment) = link.split_once('#').unwrap_or((&link, ""));
        assert_eq!(app.anybody().get_as(path, "text/html").status, 200, "{path}");
        if path == "/invitations/accept" {
            // The form that the page's script reads.
            assert!(fragment.len() == 43);
            invitations += 1;
        }
    }
    assert!(invitations > 5);
}

/// A page with one proposal that is answered, or with none for a version that is retired.
fn proposals(is_open: bool) -> ProposalsPage {
    let line = ProposalLine {
        credit_name: Some("A. Colleague".to_owned()),
        sent_on: "3 November 2026".to_owned(),
        version: Some(1),
        paragraphs: vec!["Say what counts as written down.".to_owned()],
        removed: None,
        differences: vec!["Title: “Old” became “New”.".to_owned()],
        answer: Some(AnswerLine {
            outcome: "taken up",
            on: "4 November 2026".to_owned(),
            paragraphs: vec!["It is in the next version.".to_owned()],
        }),
        became: Some(2),
    };
    ProposalsPage {
        about: PageAbout::Rubric {
            micro_credential_id: "01900000-0000-7000-8000-000000000000".to_owned(),
            version: 1,
        },
        title: "Small-group support".to_owned(),
        language: Some("en".to_owned()),
        is_open,
        items: vec![line].into_iter().filter(|_| is_open).collect(),
        has_more: is_open,
    }
}

/// The page of a charter with a proposal that was taken down.
fn proposals_for_charter() -> ProposalsPage {
    let mut page = proposals(true);
    page.about = PageAbout::Charter {
        program_id: "01900000-0000-7000-8000-000000000000".to_owned(),
        theory: vec!["If people can show what they do well, the district can see it.".to_owned()],
    };
    page.language = None;
    for item in &mut page.items {
        item.paragraphs.clear();
        item.removed = Some((vec!["It names somebody.".to_owned()], "5 November 2026".to_owned()));
    }
    page
}

fn every_page() -> Vec<(&'static str, String)> {
    let retired =
        AchievementPage { is_retired: true, newer_version: Some(2), ..samples::achievement() };
    let page_of_pending =
        CredentialPage { issued_on: None, ..samples::credential(Standing::NotIssued) };
    let exact = ReportPage { is_exact: true, purpose: Vec::new(), ..samples::report() };
    vec![
        ("credential", credential_page(&samples::credential(Standing::Valid)).unwrap()),
        ("full credential", credential_page(&samples::full_credential()).unwrap()),
        ("pending credential", credential_page(&page_of_pending).unwrap()),
        ("stack credential", credential_page(&samples::stack_credential()).unwrap()),
        ("stack", stack_page(&samples::stack()).unwrap()),
        ("achievement", achievement_page(&samples::achievement()).unwrap()),
        ("retired achievement", achievement_page(&retired).unwrap()),
        ("issuer", issuer_page(&samples::issuer()).unwrap()),
        ("catalogue", catalogue_page(&samples::catalogue()).unwrap()),
        ("empty catalogue", catalogue_page(&CataloguePage::default()).unwrap()),
        ("verify", verify_page().unwrap()),
        ("invitation", accept_invitation_page(&AcceptPage {}).unwrap()),
        ("contribution", contribution_page().unwrap()),
        ("stacks", stacks_page().unwrap()),
        ("coaching", coaching_page().unwrap()),
        ("submission", submission_page().unwrap()),
        ("proposals", proposals_page(&proposals(true)).unwrap()),
        ("proposals for a charter", proposals_page(&proposals_for_charter()).unwrap()),
        ("proposals of a retired version", proposals_page(&proposals(false)).unwrap()),
        ("problem", problem_page(&samples::problem()).unwrap()),
        ("sign-in for a report", report_sign_in_page("an id").unwrap()),
        ("report", report_page(&samples::report()).unwrap()),
        ("exact report", report_page(&exact).unwrap()),
    ]
}
