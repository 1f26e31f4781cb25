//! Evidence: uploads stream to disk, downloads stream from it, never whole in memory.

use actix_multipart::Multipart;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::uploads::{self, Received, missing, read_field, read_flag, receive};
use crate::domain::contribution::Contributor;
use crate::domain::ids::{EvidenceId, PersonId, SessionId, SubmissionId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path};
use crate::service::evidence::{self, Content, EvidenceReader, Inline, ItemTerms, Opened, Upload};
use crate::service::submissions::{self, OpenedEvidence, SubmissionDetail};
use crate::service::{Cx, Error, Fault};

/// A link or a text as evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// The evidence requirement that it answers.
    requirement_id: String,
    /// A link that opens without an account.
    url: Option<String>,
    /// Or a text.
    text: Option<String>,
    /// Whether students can be seen or heard.
    #[serde(default)]
    contains_students: bool,
    /// Whether the consents are there; needed when they are.
    #[serde(default)]
    consent: bool,
}

/// An item of evidence.
#[derive(Serialize, ToSchema)]
pub struct EvidenceView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The requirement or prompt that it answers.
    requirement_id: String,
    /// file, link or text.
    kind: String,
    /// The name of a file: the earner's own for the earner, a neutral one for a reader.
    file_name: Option<String>,
    /// The type that the bytes have.
    media_type: Option<String>,
    /// How many bytes.
    size_bytes: i64,
    /// SHA-256 of the bytes.
    sha256: String,
    /// The link.
    url: Option<String>,
    /// The text.
    text: Option<String>,
    /// Whether students can be seen or heard.
    contains_students: bool,
    /// Whether the consents are there.
    consent: bool,
    /// What readers get: `removed` (a copy without what a picture, PDF or Office document says about whoever made it: properties, authors of
    /// comments and of tracked changes, where a photograph was taken), `none` (there is nothing to take out), `kept` (it could not be taken out,
    /// because the file is damaged, locked, has macros or is a film or a recording: look yourself before you hand it in, or hand in a PDF) or
    /// `unknown`.
    metadata: &'static str,
    /// colleague, family or student: who has added it by a link of the earner's; null for the earner.
    contributor: Option<&'static str>,
    /// Whether its earner has made it together with others, as they say. With whom is not told.
    is_shared: bool,
    /// Where the content can be read.
    content_path: String,
    /// When it was handed in; not shown to readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    created_at: Option<String>,
}

impl EvidenceView {
    /// As its earner sees it.
    #[must_use]
    pub fn own(item: OpenedEvidence) -> EvidenceView {
        let created_at = item.stored.created_at.to_string();
        let (size_bytes, sha256) = (item.stored.size_bytes, item.stored.sha256.clone());
        EvidenceView {
            created_at: Some(created_at),
            size_bytes,
            sha256,
            ..EvidenceView::blinded(item)
        }
    }

    /// As a reader sees it: `name` is neutral already, and when it came is nobody's business.
    #[must_use]
    pub fn blinded(item: OpenedEvidence) -> EvidenceView {
        let stored = item.stored;
        let (url, text) = match stored.kind.as_str() {
            "link" => (item.content, None),
            "text" => (None, item.content),
            _ => (None, None),
        };
        EvidenceView {
            content_path: format!(
                "/api/v1/submissions/{}/evidence/{}/content",
                stored.submission, stored.id
            ),
            id: stored.id.to_string(),
            requirement_id: stored.requirement,
            kind: stored.kind,
            file_name: item.name,
            media_type: stored.media_type,
            // Of the copy, where there is one: the original's would be known to whoever knows the file.
            size_bytes: stored.copy.as_ref().map_or(stored.size_bytes, |copy| copy.size_bytes),
            sha256: stored.copy.map_or(stored.sha256, |copy| copy.sha256),
            metadata: stored.metadata.as_str(),
            contributor: stored.contributor.map(Contributor::as_str),
            is_shared: item.is_shared,
            url,
            text,
            contains_students: stored.contains_students,
            consent: stored.consent,
            created_at: None,
        }
    }
}

fn answer(id: SubmissionId, item: OpenedEvidence) -> Result<Answer, Error> {
    let evidence = item.stored.id;
    let location = format!("/api/v1/submissions/{id}/evidence/{evidence}");
    let answer = Answer::json(201, &EvidenceView::own(item))?.with_location(location);
    Ok(answer.with_reread("evidence", format!("{id}/{evidence}")))
}

/// An item as its earner sees it now. `ids` names the submission and the item.
///
/// # Errors
/// What reading it says.
pub fn read_again(cx: &mut Cx<'_>, ids: &str, status: u16) -> Result<Answer, Error> {
    let gone = || Error::NotFound("evidence");
    let (submission, item) = ids.split_once('/').ok_or_else(gone)?;
    let submission: SubmissionId = submission.parse().map_err(|_no_id| gone())?;
    let SubmissionDetail::Own(own) = submissions::find(cx, submission)? else { return Err(gone()) };
    let found = own.evidence.into_iter().find(|evidence| evidence.stored.id.to_string() == item);
    Answer::json(status, &EvidenceView::own(found.ok_or_else(gone)?))
}

/// `POST /api/v1/submissions/{id}/evidence`
pub async fn add_evidence(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    if uploads::is_form(&request) {
        let form = Multipart::new(request.headers(), payload);
        return add_file(app, meta, id, form).await;
    }
    let body = JsonBody::<NewItem>::from_request(&request, &mut payload.into_inner()).await?;
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let NewItem { requirement_id, url, text, contains_students, consent } = body.value;
    let item = match (url, text) {
        (Some(url), None) => Inline::Link(url),
        (None, Some(text)) => Inline::Text(text),
        (Some(_), Some(_)) | (None, None) => {
            let fault = Fault::new(
                "",
                "url-or-text",
                "send either url or text; a file goes as multipart/form-data",
            );
            return Err(Problem::new("invalid", "an item is either a link or a text")
                .with_errors(vec![fault]));
        }
    };
    let terms = ItemTerms { requirement_id, contains_students, consent };
    app.write(meta, "add_evidence", parts, move |cx| {
        answer(id, evidence::add_inline(cx, id, &item, &terms)?)
    })
    .await
}

/// What an upload has brought so far.
#[derive(Default)]
struct Form {
    file: Option<(PersonId, SessionId, Received)>,
    requirement_id: Option<String>,
    contains_students: Option<bool>,
    consent: Option<bool>,
}

async fn add_file(
    app: web::Data<App>,
    meta: Meta,
    id: SubmissionId,
    mut multipart: Multipart,
) -> Result<HttpResponse, Problem> {
    let mut form = Form::default();
    while let Some(field) = uploads::next_field(&mut multipart).await? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" if form.file.is_none() => {
                let Upload { incoming, person, session } =
                    app.run(&meta, "add_evidence", move |cx| evidence::begin(cx, id)).await?;
                form.file = Some((person, session, receive(&app, field, incoming).await?));
            }
            // Each once: a form that never ends is no form.
            "requirement_id" if form.requirement_id.is_none() => {
                form.requirement_id = Some(read_field(field).await?);
            }
            "contains_students" if form.contains_students.is_none() => {
                form.contains_students = Some(read_flag(field, "/contains_students").await?);
            }
            "consent" if form.consent.is_none() => {
                form.consent = Some(read_flag(field, "/consent").await?);
            }
            _ => {
                let detail =
                    "the form takes file, requirement_id, contains_students and consent, each once";
                return Err(uploads::unknown_field(&name, detail));
            }
        }
    }
    let (person, session, received) = form.file.ok_or_else(|| missing("/file", "choose a file"))?;
    let requirement_id = form.requirement_id.ok_or_else(|| {
        missing("/requirement_id", "say which evidence requirement the file answers")
    })?;
    let terms = ItemTerms {
        requirement_id,
        contains_students: form.contains_students.unwrap_or_default(),
        consent: form.consent.unwrap_or_default(),
    };
    let parts = vec![
        meta.target.clone().into_bytes(),
        terms.requirement_id.clone().into_bytes(),
        vec![u8::from(terms.contains_students), u8::from(terms.consent)],
        received.file_name.clone().into_bytes(),
        received.sha256.to_vec(),
    ];
    // A large file takes longer than an access token lives; the sign-in must still be there.
    let meta = Meta { continued: Some((person, session)), ..meta };
    app.write(meta, "add_evidence", parts, move |cx| {
        let Received { incoming, file_name, .. } = received;
        answer(id, evidence::complete(cx, id, incoming, &file_name, &terms)?)
    })
    .await
}

/// `DELETE /api/v1/submissions/{id}/evidence/{evidence_id}`
pub async fn delete_evidence(
    app: web::Data<App>,
    meta: Meta,
    Path((id, evidence_id)): Path<(SubmissionId, EvidenceId)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "delete_evidence", parts, move |cx| {
        evidence::delete(cx, id, evidence_id)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// `GET /api/v1/submissions/{id}/evidence/{evidence_id}/content`
pub async fn read_evidence_content(
    app: web::Data<App>,
    meta: Meta,
    Path((id, evidence_id)): Path<(SubmissionId, EvidenceId)>,
) -> Result<HttpResponse, Problem> {
    let opened: Opened = app
        .run(&meta, "read_evidence_content", move |cx| evidence::open(cx, id, evidence_id))
        .await?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, opened.media_type))
        .insert_header((header::CONTENT_DISPOSITION, attachment(&opened.file_name)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // Media do not shrink, and a client wants to know how much is to come.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    match opened.content {
        Content::Inline(text) => Ok(response.body(text)),
        Content::File(reader) => {
            let size = u64::try_from(opened.size_bytes).unwrap_or(0);
            Ok(response.no_chunking(size).streaming(stream(app, reader)))
        }
    }
}

/// A stored file, read on the blocking threads, one chunk ahead of nobody.
fn stream(
    app: web::Data<App>,
    reader: Box<EvidenceReader>,
) -> impl futures_util::Stream<Item = Result<web::Bytes, Problem>> {
    futures_util::stream::unfold(Some(reader), move |reader| {
        let app = app.clone();
        async move {
            let mut reader = reader?;
            let read = app
                .block(move |_| {
                    let chunk = evidence::read_chunk(&mut reader)?;
                    Ok((chunk, reader))
                })
                .await;
            match read {
                Ok((Some(chunk), reader)) => Some((Ok(web::Bytes::from(chunk)), Some(reader))),
                Ok((None, _)) => None,
                Err(problem) => Some((Err(problem), None)),
            }
        }
    })
}

/// A name as attachment (RFC 6266): plain ASCII for old readers, UTF-8 for the others.
fn attachment(file_name: &str) -> header::ContentDisposition {
    let ascii: String =
        file_name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
    let mut parameters = vec![header::DispositionParam::Filename(ascii.clone())];
    if ascii != file_name {
        parameters.push(header::DispositionParam::FilenameExt(header::ExtendedValue {
            charset: header::Charset::Ext("UTF-8".to_owned()),
            language_tag: None,
            value: file_name.as_bytes().to_vec(),
        }));
    }
    header::ContentDisposition { disposition: header::DispositionType::Attachment, parameters }
}
