//! Views in which every text is an attack.

use assay::domain::review_policy::ReviewMode;
use assay::http::web::{
    AchievedLevel, AchievementPage, AlignmentView, AskedItem, AskedLine, CatalogueItem,
    CataloguePage, CatalogueSearch, CredentialPage, CriterionView, DefinitionView, Earned,
    EvidenceView, IssuerKeyView, IssuerPage, IssuerRef, LevelView, MethodView, PartLine, PartView,
    ProblemPage, PromptView, Scored, Scoring, SkillView, StackPage, Stacked, Standing, StepView,
};

use super::samples::day;

/// Breaks out of an element, of both kinds of attribute, and of a path.
const HOSTILE: &str = r#"</title><script>alert(1)</script>" onload="x" ' onclick='y' javascript:alert(2) ../../x?y#z"#;

fn hostile() -> String {
    HOSTILE.to_owned()
}

fn issuer_ref() -> IssuerRef {
    IssuerRef { organization_id: hostile(), name: hostile() }
}

pub fn credential() -> CredentialPage {
    CredentialPage {
        has_jwt: true,
        award_id: hostile(),
        credential_id: hostile(),
        standing: Standing::Valid,
        successor_id: Some(hostile()),
        checked_on: day(21),
        title: hostile(),
        language: hostile(),
        competency: hostile(),
        skills: vec![hostile()],
        issuer: issuer_ref(),
        issued_on: Some(day(19)),
        valid_until: Some(day(30)),
        version_label: hostile(),
        current_version_label: Some(hostile()),
        is_definition_retired: false,
        earned: Earned::Scored(Scored {
            micro_credential_id: hostile(),
            version: 1,
            scoring: Scoring { mode: ReviewMode::Single, raters: 1, assessors_qualified: true },
            levels: vec![AchievedLevel {
                criterion: hostile(),
                level: 2,
                top_level: 3,
                label: hostile(),
                is_passing: true,
            }],
        }),
    }
}

pub fn stack_credential() -> CredentialPage {
    let part = PartLine { award_id: hostile(), title: hostile(), ended: Some("Suspended") };
    let earned = Earned::Stacked(Stacked { stack_id: hostile(), parts: vec![part] });
    CredentialPage { earned, ..credential() }
}

pub fn stack() -> StackPage {
    StackPage {
        stack_id: hostile(),
        achievement_id: hostile(),
        title: hostile(),
        summary: Some(hostile()),
        language: hostile(),
        organization: issuer_ref(),
        label: hostile(),
        content_hash: hostile(),
        is_retired: false,
        rule: vec![AskedLine {
            category: Some(hostile()),
            words: hostile(),
            items: vec![
                AskedItem { title: hostile(), page: Some((hostile(), 1)) },
                AskedItem { title: hostile(), page: None },
            ],
        }],
    }
}

pub fn achievement() -> AchievementPage {
    let level = || LevelView {
        level: 1,
        label: hostile(),
        descriptor: hostile(),
        is_pass_level: true,
        is_passing: true,
    };
    let prompt = PromptView {
        text: hostile(),
        word_limit: Some(300),
        alternatives: vec![hostile()],
        levels: vec![level()],
    };
    let alignment = || AlignmentView {
        framework: hostile(),
        name: hostile(),
        // Definitions take nothing but addresses in the web. Theirs may go up a path: it is not one of ours.
        url: format!("https://frameworks.example.org/{}", hostile().replace("../", "")),
    };
    let criterion = CriterionView {
        title: hostile(),
        is_essential: true,
        alignments: vec![alignment()],
        evidence: vec![hostile()],
        levels: vec![level()],
    };
    let evidence = EvidenceView {
        id: hostile(),
        title: hostile(),
        is_required: true,
        description: Some(hostile()),
        alternatives: Some(hostile()),
        media: vec![hostile()],
        max_items: 1,
    };
    AchievementPage {
        achievement_id: hostile(),
        micro_credential_id: hostile(),
        version: 1,
        organization: issuer_ref(),
        is_retired: true,
        newer_version: Some(2),
        older_version: Some(1),
        differences: vec![hostile()],
        credits: vec![hostile()],
        content_hash: hostile(),
        scoring_hash: hostile(),
        definition: DefinitionView {
            label: hostile(),
            title: hostile(),
            summary: hostile(),
            competency: hostile(),
            language: hostile(),
            license: Some(hostile()),
            audience: vec![hostile()],
            effort_hours: Some((1, 2)),
            method: Some(MethodView {
                name: hostile(),
                description: hostile(),
                steps: vec![StepView { title: hostile(), text: hostile() }],
            }),
            skills: vec![SkillView { code: hostile(), label: hostile() }],
            alignments: vec![alignment()],
            evidence_title: hostile(),
            evidence: vec![evidence],
            evidence_rules: vec![hostile()],
            parts: vec![PartView { title: hostile(), prompts: vec![prompt] }],
            criteria: vec![criterion],
            decision_prose: Some(hostile()),
            decision: vec![hostile()],
            mode: ReviewMode::Single,
            is_calibration_required: false,
            max_attempts: Some(1),
            expires_after_months: Some(12),
        },
    }
}

fn item() -> CatalogueItem {
    CatalogueItem {
        micro_credential_id: hostile(),
        version: 1,
        title: hostile(),
        language: hostile(),
        organization: hostile(),
        summary: hostile(),
        audience: vec![hostile()],
        skills: vec![hostile()],
    }
}

pub fn issuer() -> IssuerPage {
    IssuerPage {
        organization_id: hostile(),
        issuer_id: "https://badges.example.org/issuers/1".to_owned(),
        name: hostile(),
        kind: hostile(),
        url: Some(hostile()),
        email: Some(format!("{HOSTILE}@example.org")),
        keys: vec![IssuerKeyView { multikey: hostile(), state: hostile(), since: day(2) }],
        micro_credentials: vec![item()],
    }
}

pub fn catalogue() -> CataloguePage {
    CataloguePage {
        search: CatalogueSearch { q: hostile(), skill: hostile(), audience: hostile() },
        skills: vec![SkillView { code: hostile(), label: hostile() }],
        audiences: vec![hostile()],
        items: vec![item()],
        next_cursor: Some(hostile()),
    }
}

pub fn problem() -> ProblemPage {
    ProblemPage {
        code: hostile(),
        title: hostile(),
        status: Some(422),
        detail: hostile(),
        what_to_do: hostile(),
        request_id: Some(hostile()),
    }
}
