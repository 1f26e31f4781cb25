//! The bridge from async handlers down to blocking use cases, and what the handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::gate::Gate;
use super::metrics::Metrics;
use super::problem::Problem;
use super::request::Meta;
use crate::service::context::Proof;
use crate::service::idempotency::{self, Start};
use crate::service::{Cx, Error, Resources};

/// How long somebody waits before a gate.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every handler gets: the resources, the metrics, and whether the process takes requests.
#[derive(Clone)]
pub struct App {
    resources: Arc<Resources>,
    /// Counters for the operator.
    pub metrics: Arc<Metrics>,
    /// Before the expensive password hash: 19 MiB each.
    pub passwords: Arc<Gate>,
    /// Before the parsing of other people's documents.
    pub verifying: Arc<Gate>,
    /// Before what strangers may write.
    pub proposing: Arc<Gate>,
    /// Before pictures are drawn or taken apart.
    pub drawing: Arc<Gate>,
    is_stopping: Arc<AtomicBool>,
}

/// What a use case answers over HTTP.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    etag: Option<String>,
    location: Option<String>,
    body: Option<Value>,
    has_secrets: bool,
    reread: Option<Reread>,
}

/// How an answer that holds somebody's work is given again: it is not kept. The object of this kind and id is read anew, by whoever
/// asks then and may.
pub type Reread = (&'static str, String);

/// An answer, or the current representation of what was stale.
#[derive(Debug)]
pub enum Reply {
    /// It was done.
    Done(Answer),
    /// It had changed meanwhile; this is how it is now.
    Stale(Value),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Done(answer)
    }
}

/// The entity tag of a revision.
#[must_use]
pub fn etag_of(revision: i32) -> String {
    format!("\"{revision}\"")
}

impl Answer {
    /// An answer with a body.
    ///
    /// # Errors
    /// [`Error::Internal`] when the view does not become JSON.
    pub fn json(status: u16, view: &impl Serialize) -> Result<Answer, Error> {
        let body = serde_json::to_value(view).map_err(Error::internal)?;
        Ok(Answer {
            status,
            etag: None,
            location: None,
            body: Some(body),
            has_secrets: false,
            reread: None,
        })
    }

    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Answer {
        Answer { status, etag: None, location: None, body: None, has_secrets: false, reread: None }
    }

    /// The same with the entity tag of a revision.
    #[must_use]
    pub fn with_revision(mut self, revision: i32) -> Answer {
        self.etag = Some(etag_of(revision));
        self
    }

    /// The same with the address of what was made.
    #[must_use]
    pub fn with_location(mut self, location: String) -> Answer {
        self.location = Some(location);
        self
    }

    /// The same, never stored for a replay.
    #[must_use]
    pub const fn with_secrets(mut self) -> Answer {
        self.has_secrets = true;
        self
    }

    /// The same, kept for a replay by the object's id alone.
    #[must_use]
    pub fn with_reread(mut self, kind: &'static str, id: impl ToString) -> Answer {
        self.reread = Some((kind, id.to_string()));
        self
    }

    fn saved(&self) -> String {
        match &self.reread {
            Some((kind, id)) => {
                json!({ "reread": kind, "id": id, "location": self.location }).to_string()
            }
            None => json!({ "etag": self.etag, "location": self.location, "body": self.body })
                .to_string(),
        }
    }

    fn replayed(cx: &mut Cx<'_>, status: u16, saved: &str) -> Result<Answer, Error> {
        let mut saved: Value = serde_json::from_str(saved).map_err(Error::internal)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if let (Some(kind), Some(id)) = (saved["reread"].as_str(), saved["id"].as_str()) {
            let answer = super::api::read_again(cx, kind, id, status)?;
            return Ok(Answer { location: text(&saved["location"]), ..answer });
        }
        let body = saved["body"].take();
        Ok(Answer {
            status,
            etag: text(&saved["etag"]),
            location: text(&saved["location"]),
            body: (!body.is_null()).then_some(body),
            has_secrets: false,
            reread: None,
        })
    }

    fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header(("cache-control", "no-store"));
        if let Some(etag) = self.etag {
            response.insert_header(("etag", etag));
        }
        if let Some(location) = self.location {
            response.insert_header(("location", location));
        }
        match self.body {
            Some(body) => response.content_type("application/json").body(body.to_string()),
            None => response.finish(),
        }
    }
}

impl App {
    /// The handlers' view of the resources.
    #[must_use]
    pub fn new(resources: Arc<Resources>, metrics: Arc<Metrics>) -> App {
        App {
            resources,
            metrics,
            passwords: Arc::new(Gate::new(2, 20, PATIENCE)),
            verifying: Arc::new(Gate::new(4, 16, PATIENCE)),
            proposing: Arc::new(Gate::new(2, 16, PATIENCE)),
            drawing: Arc::new(Gate::new(2, 32, PATIENCE)),
            is_stopping: Arc::new(AtomicBool::new(false)),
        }
    }

    /// From now on `/health/ready` says no, so that nobody sends more.
    pub fn begin_stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    /// Whether the process is on its way out.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    /// Runs blocking work with the resources: the one bridge from async down.
    ///
    /// # Errors
    /// What the work returns, as a problem.
    pub async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Resources) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let resources = Arc::clone(&self.resources);
        let span = tracing::Span::current();
        #[expect(clippy::disallowed_methods, reason = "this is the one bridge")]
        let done = actix_web::web::block(move || span.in_scope(|| work(&resources))).await;
        match done {
            Ok(result) => Ok(result?),
            Err(cancelled) => Err(Error::internal(cancelled).into()),
        }
    }

    /// Runs a use case for whoever made the request.
    ///
    /// # Errors
    /// What the use case returns, as a problem.
    pub async fn run<T: Send + 'static>(
        &self,
        meta: &Meta,
        operation: &'static str,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let (token, continued) = (meta.access_token.clone(), meta.continued);
        self.block(move |resources| {
            let proof = match continued {
                Some((person, session)) => Proof::Continued(person, session),
                None => Proof::from(token.as_deref()),
            };
            resources.run(operation, proof, work)
        })
        .await
    }

    /// Runs a reading use case and renders its answer.
    ///
    /// # Errors
    /// What the use case returns, as a problem.
    pub async fn read(
        &self,
        meta: Meta,
        operation: &'static str,
        work: impl FnOnce(&mut Cx<'_>) -> Result<Answer, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        Ok(self.run(&meta, operation, work).await?.into_response())
    }

    /// Runs a writing use case and renders its answer, once for each `Idempotency-Key`.
    ///
    /// `parts` is everything in the request that makes it the same request: path, query and body.
    ///
    /// # Errors
    /// What the use case returns, as a problem.
    pub async fn write<R: Into<Reply>>(
        &self,
        meta: Meta,
        operation: &'static str,
        parts: Vec<Vec<u8>>,
        work: impl FnOnce(&mut Cx<'_>) -> Result<R, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let key = meta.idempotency_key.clone();
        let reply = self
            .run(&meta, operation, move |cx| {
                let (Some(key), Some(_)) = (key, cx.actor.person()) else {
                    return Ok(work(cx)?.into());
                };
                let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                let reservation = match idempotency::start(
                    cx,
                    &key,
                    &idempotency::fingerprint(operation, &parts),
                )? {
                    Start::Replay { status, answer } => {
                        return Ok(Reply::Done(Answer::replayed(cx, status, &answer)?));
                    }
                    Start::Run(reservation) => reservation,
                };
                let reply = work(cx).map(Into::into);
                match &reply {
                    Ok(Reply::Done(answer)) if !answer.has_secrets => {
                        idempotency::save(cx, &reservation, answer.status, &answer.saved())?;
                    }
                    Ok(Reply::Done(_) | Reply::Stale(_)) | Err(_) => {
                        idempotency::release(cx, &reservation)?
                    }
                }
                reply
            })
            .await?;
        match reply {
            Reply::Done(answer) => Ok(answer.into_response()),
            Reply::Stale(current) => {
                Err(Problem { current: Some(Box::new(current)), ..Error::Stale.into() })
            }
        }
    }
}
