//! The HTTP server of the process.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};

use super::app::App;
use super::metrics::Metrics;
use super::middleware::around;
use super::routes::{self, ROUTES, Undeclared};
use crate::service::Resources;

/// How long requests in flight may take to finish on a stop, in seconds.
const GRACE: u64 = 30;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An operation without a policy row.
    #[error(transparent)]
    Undeclared(#[from] Undeclared),
    /// The figures cannot be registered.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Listens, and returns the server that still has to be awaited, the handlers' state and the real address.
///
/// # Errors
/// [`ServerError`], in words for the operator.
pub fn bind(
    resources: Arc<Resources>,
    address: SocketAddr,
) -> Result<(Server, App, SocketAddr), ServerError> {
    routes::require_policy(ROUTES)?;
    let app = App::new(resources, Arc::new(Metrics::new()?));
    let listen = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let data = web::Data::new(app.clone());
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(data.clone())
            .wrap(actix_web::middleware::Compress::default())
            .wrap(from_fn(around))
            .configure(routes::configure)
    })
    .workers(2)
    .worker_max_blocking_threads(16)
    .client_request_timeout(Duration::from_secs(10))
    .shutdown_timeout(GRACE)
    .disable_signals()
    .listen(listener)
    .map_err(listen)?
    .run();
    Ok((server, app, address))
}
