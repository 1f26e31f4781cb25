//! Views to write pages of: one of each kind, made of a shipped definition.

use assay::domain::award::RevocationReason;
use assay::domain::review_policy::ReviewMode;
use assay::http::web::report::{
    AimLine, ExclusionLine, FigureLine, GroupPart, GroupTable, ReportPage, SkillLine, StageLine,
};
use assay::http::web::{
    AchievedLevel, AchievementPage, AskedItem, AskedLine, CatalogueItem, CataloguePage,
    CatalogueSearch, CredentialPage, DefinitionView, Earned, IssuerKeyView, IssuerPage, IssuerRef,
    PartLine, ProblemPage, Scored, Scoring, StackPage, Stacked, Standing,
};
use assay::images::{Plot, Unit, draw_plot_as};
use assay::service::definition_document;
use chrono::NaiveDate;

pub const AWARD: &str = "0199a5c2-7c11-7d40-9a41-5f2f3a1c9e77";
const FAMILY: &str = "0199a5c0-11aa-7b02-8f00-2b8c7b7f0a10";
const ORGANIZATION: &str = "0199a5bf-0000-7e31-b2a7-91c2d5b3e4f6";

pub fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

pub fn issuer_ref() -> IssuerRef {
    IssuerRef {
        organization_id: ORGANIZATION.to_owned(),
        name: "Riverbend School District".to_owned(),
    }
}

pub fn definition() -> (DefinitionView, String, String) {
    let text =
        include_str!("../../../credential-schemas/definitions/mc-shared-decision-making.json");
    let parsed = definition_document::parse(&serde_json::from_str(text).unwrap()).unwrap();
    (DefinitionView::from(&parsed.definition), parsed.content_hash, parsed.scoring_hash)
}

pub fn credential(standing: Standing) -> CredentialPage {
    let (definition, _, _) = definition();
    CredentialPage {
        has_jwt: true,
        award_id: AWARD.to_owned(),
        credential_id: format!("https://badges.riverbend.example.org/credentials/{AWARD}"),
        standing,
        successor_id: None,
        checked_on: day(21),
        title: definition.title,
        language: definition.language,
        competency: definition.competency,
        skills: definition.skills.into_iter().map(|skill| skill.label).collect(),
        issuer: issuer_ref(),
        issued_on: Some(day(19)),
        valid_until: None,
        version_label: "1.0.0".to_owned(),
        current_version_label: None,
        is_definition_retired: false,
        earned: scored(
            Scoring { mode: ReviewMode::DoubleBlind, raters: 2, assessors_qualified: true },
            Vec::new(),
        ),
    }
}

pub fn scored(scoring: Scoring, levels: Vec<AchievedLevel>) -> Earned {
    let micro_credential_id = FAMILY.to_owned();
    Earned::Scored(Scored { micro_credential_id, version: 1, scoring, levels })
}

/// A stack, one part of which does not count today.
pub fn stack_credential() -> CredentialPage {
    let part = |title: &str, ended| PartLine {
        award_id: AWARD.to_owned(),
        title: title.to_owned(),
        ended,
    };
    CredentialPage {
        title: "Grow your own".to_owned(),
        skills: Vec::new(),
        earned: Earned::Stacked(Stacked {
            stack_id: FAMILY.to_owned(),
            parts: vec![
                part("Small-group support", None),
                part("Students as leaders", Some("Suspended")),
            ],
        }),
        ..credential(Standing::Suspended)
    }
}

fn asked(title: &str, page: Option<(String, u32)>) -> AskedItem {
    AskedItem { title: title.to_owned(), page }
}

pub fn stack() -> StackPage {
    StackPage {
        stack_id: FAMILY.to_owned(),
        achievement_id: format!("https://badges.riverbend.example.org/stacks/{FAMILY}"),
        title: "Grow your own".to_owned(),
        summary: Some("From instructional assistant to teacher.".to_owned()),
        language: "en".to_owned(),
        organization: issuer_ref(),
        label: "1.0.0".to_owned(),
        content_hash: "5a43ed5b537b74f4e4660666cfe81da954dcdea9f599b82cf006a7ba26182369".to_owned(),
        is_retired: true,
        rule: vec![
            AskedLine {
                category: Some("Foundational".to_owned()),
                words: "This one:".to_owned(),
                items: vec![asked("Small-group support", Some((FAMILY.to_owned(), 2)))],
            },
            AskedLine {
                category: None,
                words: "Any one of these:".to_owned(),
                items: vec![asked("Students as leaders", None), asked("Shared decisions", None)],
            },
        ],
    }
}

/// A revoked credential with everything that a page can show.
pub fn full_credential() -> CredentialPage {
    let level = |criterion: &str, level, label: &str, is_passing| AchievedLevel {
        criterion: criterion.to_owned(),
        level,
        top_level: 3,
        label: label.to_owned(),
        is_passing,
    };
    CredentialPage {
        valid_until: Some(day(30)),
        current_version_label: Some("1.1.0".to_owned()),
        earned: scored(
            Scoring { mode: ReviewMode::Single, raters: 1, assessors_qualified: false },
            vec![
                level("One shared priority from cause", 2, "Proficient", true),
                level("Participation and voice across roles", 3, "Exemplary", true),
                level("Two-way communication", 1, "Emerging", false),
            ],
        ),
        ..credential(Standing::Revoked { on: day(20), reason: RevocationReason::IssuedInError })
    }
}

pub fn achievement() -> AchievementPage {
    let (definition, content_hash, scoring_hash) = definition();
    AchievementPage {
        achievement_id: "https://badges.example.org/achievements/a/versions/1".to_owned(),
        micro_credential_id: FAMILY.to_owned(),
        version: 1,
        organization: issuer_ref(),
        is_retired: false,
        newer_version: None,
        older_version: None,
        differences: Vec::new(),
        credits: Vec::new(),
        content_hash,
        scoring_hash,
        definition,
    }
}

pub fn items() -> Vec<CatalogueItem> {
    let texts = [
        include_str!("../../../credential-schemas/definitions/mc-shared-decision-making.json"),
        include_str!("../../../credential-schemas/definitions/mc-students-as-leaders.json"),
        include_str!("../../../credential-schemas/definitions/mc-ia-small-group-support.json"),
    ];
    let items = texts.iter().map(|text| {
        let parsed = definition_document::parse(&serde_json::from_str(text).unwrap()).unwrap();
        let view = DefinitionView::from(&parsed.definition);
        CatalogueItem {
            micro_credential_id: FAMILY.to_owned(),
            version: 1,
            title: view.title,
            language: view.language,
            organization: "Riverbend School District".to_owned(),
            summary: view.summary,
            audience: view.audience,
            skills: view.skills.into_iter().map(|skill| skill.label).collect(),
        }
    });
    items.collect()
}

pub fn catalogue() -> CataloguePage {
    let (definition, _, _) = definition();
    CataloguePage {
        search: CatalogueSearch::default(),
        skills: definition.skills,
        audiences: definition.audience,
        items: items(),
        next_cursor: Some("next+page".to_owned()),
    }
}

pub fn issuer() -> IssuerPage {
    let key = |multikey: &str, state: &str, since| IssuerKeyView {
        multikey: multikey.to_owned(),
        state: state.to_owned(),
        since,
    };
    IssuerPage {
        organization_id: ORGANIZATION.to_owned(),
        issuer_id: format!("https://badges.riverbend.example.org/issuers/{ORGANIZATION}"),
        name: "Riverbend School District".to_owned(),
        kind: "district".to_owned(),
        url: Some("https://www.riverbend.example.org".to_owned()),
        email: Some("badges@riverbend.example.org".to_owned()),
        keys: vec![
            key("z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQXJt2PxWzR6Xn", "active", day(12)),
            key("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "retired", day(2)),
        ],
        micro_credentials: items(),
    }
}

pub fn problem() -> ProblemPage {
    ProblemPage {
        code: "not-found".to_owned(),
        title: "Not found".to_owned(),
        status: Some(404),
        detail: "There is no such credential here, or it must not be shown.".to_owned(),
        what_to_do: "Check the address, or ask whoever gave you the link for a new one.".to_owned(),
        request_id: Some("0199a5c2-9999-7d40-9a41-5f2f3a1c9e77".to_owned()),
    }
}

/// A report with something in every part of it.
pub fn report() -> ReportPage {
    let plot = Plot {
        title: "Pilot".to_owned(),
        subtitle: "Counted in persons".to_owned(),
        axis: "Share".to_owned(),
        unit: Unit::Percent,
        ticks: vec![0.0, 1.0],
        thresholds: Vec::new(),
        rows: Vec::new(),
        empty: Some("Nobody was invited yet.".to_owned()),
        legend: None,
    };
    let cells = || ["18".to_owned(), "25".to_owned(), "72%".to_owned()];
    ReportPage {
        title: "Pilot: instructional assistants".to_owned(),
        organization: "Riverbend District".to_owned(),
        counted_on: "26 November 2026".to_owned(),
        window: Some("1 March 2026 to 30 June 2026".to_owned()),
        standing: "The programme is closed.",
        is_exact: false,
        theory: vec![
            "If educators can show what they do well, the district can see it.".to_owned(),
        ],
        aims: [Some(true), Some(false), None]
            .map(|is_met| AimLine {
                what: "invited persons who enrolled".to_owned(),
                of: Some("invited persons".to_owned()),
                wanted: "75%".to_owned(),
                reached: "75% (30 of 40)".to_owned(),
                is_met,
                source: Some("district file".to_owned()),
            })
            .into(),
        figures: vec![FigureLine {
            what: "persons who have earned something",
            of: Some("persons who have handed in an attempt"),
            cells: cells(),
            on: "26 November 2026".to_owned(),
        }],
        stages: vec![StageLine { what: "from handing in to the decision", cells: cells() }],
        plot: draw_plot_as(&plot, "everybody").svg().to_owned(),
        groups: vec![
            GroupPart {
                id: "by-audience",
                heading: "By audience",
                plot: Some(draw_plot_as(&plot, "audience").svg().to_owned()),
                tables: vec![GroupTable {
                    names: vec!["Librarian".to_owned(), "Teacher".to_owned()],
                    lines: vec![(
                        "persons who were invited",
                        vec!["20".to_owned(), "20".to_owned()],
                    )],
                }],
            },
            GroupPart { id: "by-school", heading: "By school", plot: None, tables: Vec::new() },
        ],
        exclusions: vec![
            ExclusionLine { words: "people on a list", count: Some(0) },
            ExclusionLine { words: "attempts that were voided", count: None },
        ],
        purpose: vec!["To call on people for what they do well.".to_owned()],
        skills: vec![SkillLine {
            label: "Small-group support".to_owned(),
            told: "at least 15".to_owned(),
        }],
    }
}
