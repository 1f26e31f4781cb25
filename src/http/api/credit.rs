//! What awards count for: rules, expectations, grants and ledgers.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Format, PageQuery, Paging, attachment, body_word, parse_word};
use crate::domain::credit::{
    Allocation, Amount, Cap, CapPeriod, CreditKind, CreditRule, Creditable, Currency, LevelAmount,
};
use crate::domain::ids::{
    AwardId, CreditGrantId, CreditRuleId, MicroCredentialId, OrganizationId, StackId,
};
use crate::domain::timestamp::Timestamp;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::credit::{self, AskedAbout, Expectation, LedgerLine, StoredRule, ledger};
use crate::service::{Error, Fault};

/// The lines of a ledger that are read at a time for its table.
const LINES: i64 = 1000;

/// In what credit is counted.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrencyBody {
    /// A stable word, like pd-hours, usd or lane.
    code: String,
    /// In words, like hours.
    unit: String,
    /// How many minor units one of them is: 60 for hours in minutes, 1 for lanes.
    minor_per_unit: i64,
}

/// How much work of a level counts.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelAmountBody {
    /// The lowest level that the work reached on any criterion.
    level: u8,
    /// How much, in minor units.
    minor: i64,
}

/// How much something counts: one amount, or one for each level.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmountBody {
    /// micro_credential or stack.
    kind: String,
    /// Its own id, like mc-shared-decision-making.
    id: String,
    /// How much, in minor units; null where it is by level.
    minor: Option<i64>,
    /// How much by the lowest level on any criterion: a row for each level, the first one for all below as well and the last one for all
    /// above. Levels count where the badge shows them; else it is the first row.
    by_level: Option<Vec<LevelAmountBody>>,
}

/// At most so much in a period.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapBody {
    /// In minor units.
    minor: i64,
    /// calendar_year, school_year (July to June) or ever; by the day on which an award was earned.
    period: String,
}

/// A rule as an authority writes it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditRuleDocument {
    /// Its own id; a later rule of the same id takes its place.
    id: String,
    /// Its title.
    title: String,
    /// Where the authority has published it.
    source_url: String,
    /// In what it counts.
    currency: CurrencyBody,
    /// How much for what.
    amounts: Vec<AmountBody>,
    /// Among what an amount can be divided.
    categories: Vec<String>,
    /// At most so much in a period; null for no cap.
    cap: Option<CapBody>,
    /// Within so many days of earning; null for no window.
    window_days: Option<u32>,
    /// Whether the authority looks at each award itself.
    needs_approval: bool,
    /// The first day on which what it names can be earned, like 2026-07-01.
    #[schema(value_type = String, format = "date")]
    valid_from: NaiveDate,
    /// The last one; null for no end.
    #[schema(value_type = Option<String>, format = "date")]
    valid_to: Option<NaiveDate>,
}

impl CreditRuleDocument {
    fn parse(self) -> Result<CreditRule, Error> {
        let mut amounts = std::collections::BTreeMap::new();
        for (place, one) in self.amounts.iter().enumerate() {
            let pointer = format!("/rule/amounts/{place}");
            let kind = body_word(
                &format!("{pointer}/kind"),
                &one.kind,
                CreditKind::parse,
                CreditKind::ALL,
            )?;
            let at = Creditable { kind, slug: one.id.clone() };
            let amount = match (one.minor, &one.by_level) {
                (Some(minor), None) => Amount::Fixed(minor),
                (None, Some(rows)) => Amount::ByLevel(
                    rows.iter()
                        .map(|row| LevelAmount { level: row.level, minor: row.minor })
                        .collect(),
                ),
                (Some(_), Some(_)) | (None, None) => {
                    let detail = "give minor or by_level, one of the two";
                    return Err(Error::invalid(&pointer, "amount", detail));
                }
            };
            if amounts.insert(at, amount).is_some() {
                let detail = "this stands there already; it counts once";
                return Err(Error::invalid(&format!("{pointer}/id"), "repeated-item", detail));
            }
        }
        let cap = match &self.cap {
            None => None,
            Some(cap) => {
                let pointer = "/rule/cap/period";
                let period = body_word(pointer, &cap.period, CapPeriod::parse, CapPeriod::ALL)?;
                Some(Cap { minor: cap.minor, period })
            }
        };
        Ok(CreditRule {
            slug: self.id,
            title: self.title,
            source_url: self.source_url,
            currency: Currency {
                code: self.currency.code,
                unit: self.currency.unit,
                minor_per_unit: self.currency.minor_per_unit,
            },
            amounts,
            categories: self.categories.into_iter().collect(),
            cap,
            window_days: self.window_days,
            needs_approval: self.needs_approval,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
        })
    }
}

impl From<&CreditRule> for CreditRuleDocument {
    fn from(rule: &CreditRule) -> CreditRuleDocument {
        let amount = |(at, amount): (&Creditable, &Amount)| {
            let (minor, by_level) = match amount {
                Amount::Fixed(minor) => (Some(*minor), None),
                Amount::ByLevel(rows) => {
                    let row =
                        |row: &LevelAmount| LevelAmountBody { level: row.level, minor: row.minor };
                    (None, Some(rows.iter().map(row).collect()))
                }
            };
            AmountBody { kind: at.kind.to_string(), id: at.slug.clone(), minor, by_level }
        };
        CreditRuleDocument {
            id: rule.slug.clone(),
            title: rule.title.clone(),
            source_url: rule.source_url.clone(),
            currency: CurrencyBody {
                code: rule.currency.code.clone(),
                unit: rule.currency.unit.clone(),
                minor_per_unit: rule.currency.minor_per_unit,
            },
            amounts: rule.amounts.iter().map(amount).collect(),
            categories: rule.categories.iter().cloned().collect(),
            cap: rule.cap.map(|cap| CapBody { minor: cap.minor, period: cap.period.to_string() }),
            window_days: rule.window_days,
            needs_approval: rule.needs_approval,
            valid_from: rule.valid_from,
            valid_to: rule.valid_to,
        }
    }
}

/// A rule to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCreditRule {
    /// What it says.
    rule: CreditRuleDocument,
}

/// A rule of an authority.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditRuleView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The authority.
    #[schema(format = "uuid")]
    organization_id: String,
    /// What it says.
    rule: CreditRuleDocument,
    /// When it was written.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it ended, or another took its place.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
}

impl From<&StoredRule> for CreditRuleView {
    fn from(stored: &StoredRule) -> CreditRuleView {
        CreditRuleView {
            id: stored.id.to_string(),
            organization_id: stored.organization.to_string(),
            rule: CreditRuleDocument::from(&stored.rule),
            created_at: stored.created_at.to_string(),
            ended_at: stored.ended_at.map(|moment| moment.to_string()),
        }
    }
}

/// `POST /api/v1/organizations/{id}/credit-rules`
pub async fn create_credit_rule(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    body: JsonBody<NewCreditRule>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_credit_rule", parts, move |cx| {
        // Who may not know of the organization is told that first.
        credit::list_rules(cx, organization, None, 0)?;
        let rule = body.value.rule.parse()?;
        let stored = credit::create_rule(cx, organization, &rule)?;
        Answer::json(201, &CreditRuleView::from(&stored))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/credit-rules`
pub async fn list_credit_rules(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = page.paging()?;
    app.read(meta, "list_credit_rules", move |cx| {
        let found = credit::list_rules(cx, organization, paging.after.as_deref(), paging.fetch())?;
        let view = |rule| CreditRuleView::from(&rule);
        Answer::json(200, &paging.page(found, |one| one.id.to_string(), view))
    })
    .await
}

/// `POST /api/v1/credit-rules/{id}/end`
pub async fn end_credit_rule(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CreditRuleId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "end_credit_rule", parts, move |cx| {
        Answer::json(200, &CreditRuleView::from(&credit::end_rule(cx, id)?))
    })
    .await
}

/// What an authority's rule says.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpectationView {
    /// will_count or may_count.
    answer: &'static str,
    /// Why it may and not will: needs_approval, cap_leaves_less.
    doubts: Vec<&'static str>,
    /// How much, in minor units; the most, where it is by level.
    minor: i64,
    /// The least that it can be: the same where it is not by level.
    least_minor: i64,
    /// Whether it is by level: more than the least is given only where you choose that the badge shows levels.
    needs_results: bool,
    /// The name of the authority.
    authority: String,
    /// The rule, with its source.
    rule: CreditRuleView,
}

/// What is known before you start.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditOutlookView {
    /// The best that a rule says: will_count, may_count, or not_known where no rule names it. That is no no: ask your authority.
    answer: &'static str,
    /// Rule by rule.
    rules: Vec<ExpectationView>,
}

impl From<Expectation> for ExpectationView {
    fn from(one: Expectation) -> ExpectationView {
        ExpectationView {
            answer: one.outlook.as_str(),
            doubts: one.doubts.iter().map(|doubt| doubt.as_str()).collect(),
            minor: one.amount.most(),
            least_minor: one.amount.least(),
            needs_results: matches!(one.amount, Amount::ByLevel(_)),
            authority: one.authority,
            rule: CreditRuleView::from(&one.rule),
        }
    }
}

/// About what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutlookParameters {
    micro_credential_id: Option<MicroCredentialId>,
    stack_id: Option<StackId>,
}

/// `GET /api/v1/credit-outlook`
pub async fn read_credit_outlook(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<OutlookParameters>,
) -> Result<HttpResponse, Problem> {
    let about = match (parameters.micro_credential_id, parameters.stack_id) {
        (Some(family), None) => AskedAbout::MicroCredential(family),
        (None, Some(stack)) => AskedAbout::Stack(stack),
        (None, None) | (Some(_), Some(_)) => {
            let detail =
                "say with micro_credential_id or stack_id what it is about, one of the two";
            let fault = Fault::new("", "micro_credential_id", detail);
            return Err(Problem::new("invalid", detail).with_errors(vec![fault]));
        }
    };
    app.read(meta, "read_credit_outlook", move |cx| {
        let found = credit::outlook(cx, about)?;
        let view = CreditOutlookView {
            answer: found.outlook.as_str(),
            rules: found.rules.into_iter().map(ExpectationView::from).collect(),
        };
        Answer::json(200, &view)
    })
    .await
}

/// A part of an amount.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationBody {
    /// One of the rule's categories.
    category: String,
    /// How much, in minor units.
    minor: i64,
}

/// Credit for an award.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// The award, as its badge's address names it.
    #[schema(value_type = String, format = "uuid")]
    award_id: AwardId,
    /// Divided how.
    allocations: Vec<AllocationBody>,
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The authority.
    #[schema(format = "uuid")]
    organization_id: String,
    /// By which rule.
    #[schema(format = "uuid")]
    rule_id: String,
    /// For which award.
    #[schema(format = "uuid")]
    award_id: String,
    /// To whom.
    #[schema(format = "uuid")]
    person_id: String,
    /// In which period of the rule's cap the award was earned.
    period: String,
    /// How much, in minor units.
    minor: i64,
    /// Divided how.
    allocations: Vec<AllocationBody>,
    /// When.
    #[schema(format = "date-time")]
    granted_at: String,
    /// When it was taken back; null where it was not.
    #[schema(format = "date-time")]
    reversed_at: Option<String>,
}

impl From<&credit::Grant> for GrantView {
    fn from(grant: &credit::Grant) -> GrantView {
        let allocation =
            |one: &Allocation| AllocationBody { category: one.category.clone(), minor: one.minor };
        GrantView {
            id: grant.id.to_string(),
            organization_id: grant.organization.to_string(),
            rule_id: grant.rule.to_string(),
            award_id: grant.award.to_string(),
            person_id: grant.person.to_string(),
            period: grant.period.clone(),
            minor: grant.minor,
            allocations: grant.allocations.iter().map(allocation).collect(),
            granted_at: grant.granted_at.to_string(),
            reversed_at: grant.reversal.as_ref().map(|one| one.reversed_at.to_string()),
        }
    }
}

/// `POST /api/v1/credit-rules/{id}/grants`
pub async fn create_credit_grant(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CreditRuleId>,
    body: JsonBody<NewGrant>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_credit_grant", parts, move |cx| {
        let allocations: Vec<Allocation> = body
            .value
            .allocations
            .iter()
            .map(|one| Allocation { category: one.category.clone(), minor: one.minor })
            .collect();
        let grant = credit::grant(cx, id, body.value.award_id, &allocations)?;
        Answer::json(201, &GrantView::from(&grant))
    })
    .await
}

/// Why credit is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditReversalBody {
    /// In words; the person reads them.
    reason: String,
}

/// `POST /api/v1/credit-grants/{id}/reversal`
pub async fn reverse_credit_grant(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CreditGrantId>,
    body: JsonBody<CreditReversalBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "reverse_credit_grant", parts, move |cx| {
        let grant = credit::reverse(cx, id, &body.value.reason)?;
        Answer::json(201, &GrantView::from(&grant))
    })
    .await
}

/// A line of a ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerLineView {
    /// The id of the entry: the grant's own, or that of its reversal.
    #[schema(format = "uuid")]
    entry_id: String,
    /// grant, or reversal: amounts of a reversal are negative, so that sums are right.
    entry: &'static str,
    /// The grant that it is about.
    #[serde(flatten)]
    grant: GrantView,
    /// Why it was taken back.
    reason: Option<String>,
    /// The level of the rule's row that applied; told to the person alone.
    level: Option<u8>,
    /// The person's name; null once it was erased.
    name: Option<String>,
    /// The rule's own id.
    rule: String,
    /// Its currency.
    currency: CurrencyBody,
    /// When the award was earned.
    #[schema(format = "date-time")]
    earned_at: String,
    /// revoked or suspended where the award has been since: to be looked at, and nothing is taken back by itself. Else null.
    flag: Option<&'static str>,
}

fn line_view(line: &LedgerLine, is_own: bool, now: Timestamp) -> LedgerLineView {
    let currency = &line.rule.rule.currency;
    LedgerLineView {
        entry_id: line.entry.to_string(),
        entry: ledger::word(line.entry),
        grant: GrantView::from(&ledger::signed(line)),
        reason: line.grant.reversal.as_ref().map(|one| one.reason.clone()),
        level: line.grant.level.filter(|_| is_own),
        name: line.name.clone(),
        rule: line.rule.rule.slug.clone(),
        currency: CurrencyBody {
            code: currency.code.clone(),
            unit: currency.unit.clone(),
            minor_per_unit: currency.minor_per_unit,
        },
        earned_at: line.award.1.to_string(),
        flag: credit::flag(line, now).map(|state| state.as_str()),
    }
}

/// Which lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerParameters {
    format: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/organizations/{id}/credit-grants`
pub async fn list_credit_grants(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    Query(parameters): Query<LedgerParameters>,
) -> Result<HttpResponse, Problem> {
    let forms = [Format::Json, Format::Csv];
    let parse = |word: &str| Format::parse(word).filter(|form| *form != Format::Svg);
    let format = parse_word("format", parameters.format.as_deref(), parse, &forms)?;
    if format == Some(Format::Csv) {
        let text = app
            .run(&meta, "list_credit_grants", move |cx| {
                let (mut text, mut after) = (ledger::csv_header(), None::<String>);
                loop {
                    let page = credit::list_grants(cx, organization, after.as_deref(), LINES)?;
                    text.extend(page.iter().map(|line| ledger::csv_lines(line, cx.now)));
                    match page.last() {
                        Some(last) => after = Some(last.entry.to_string()),
                        None => return Ok(text),
                    }
                }
            })
            .await?;
        return Ok(attachment("text/csv; charset=utf-8", "credit-ledger.csv", text));
    }
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    app.read(meta, "list_credit_grants", move |cx| {
        let now = cx.now;
        let found = credit::list_grants(cx, organization, paging.after.as_deref(), paging.fetch())?;
        let view = |line| line_view(&line, false, now);
        Answer::json(200, &paging.page(found, |line| line.entry.to_string(), view))
    })
    .await
}

/// `GET /api/v1/me/credit-grants`
pub async fn list_own_credit(
    app: web::Data<App>,
    meta: Meta,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = page.paging()?;
    app.read(meta, "list_own_credit", move |cx| {
        let now = cx.now;
        let found = credit::list_own_grants(cx, paging.after.as_deref(), paging.fetch())?;
        let view = |line| line_view(&line, true, now);
        Answer::json(200, &paging.page(found, |line| line.entry.to_string(), view))
    })
    .await
}
