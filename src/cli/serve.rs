//! `assay serve`: the service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use tokio::signal::unix::{SignalKind, signal};

use super::resources;
use crate::config::Settings;
use crate::http::server;
use crate::service::Resources;
use crate::service::worker::Worker;
use crate::store;

/// Serves until it is told to stop.
pub fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    crate::telemetry::start(&settings.log);
    let resources = Arc::new(resources::open(settings)?);
    require_base_url(&resources, settings)?;
    serve(resources, settings, |_| Ok(()))?;
    Ok(ExitCode::SUCCESS)
}

/// BADGES.md, 14: the base URL is signed into badges; another one must be listed as an alias.
fn require_base_url(resources: &Resources, settings: &Settings) -> anyhow::Result<()> {
    let Some(installation) = store::installation::find(&mut *resources.database.connection()?)?
    else {
        tracing::warn!("this installation is not set up yet; run `assay init`");
        return Ok(());
    };
    if let Some(given) = &settings.base_url
        && *given != installation.base_url
        && !settings.base_url_aliases.contains(given)
    {
        bail!(
            "this installation was set up for {}, which is signed into its badges; {given} must be listed in --base-url-aliases",
            installation.base_url
        );
    }
    Ok(())
}

/// Serves until it is told to stop, then lets requests finish, then the worker. `ready` runs once the address is known.
pub fn serve(
    resources: Arc<Resources>,
    settings: &Settings,
    ready: impl FnOnce(&str) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let (server, app, address) = server::bind(Arc::clone(&resources), settings.bind)?;
        let worker = Worker::start(resources)?;
        super::complain(&format!("listening on http://{address}"));
        tracing::info!(%address, "listening");
        let handle = server.handle();
        let mut running = tokio::spawn(server);
        let preparing = std::thread::spawn({
            let origin = format!("http://{address}");
            move || ready(&origin)
        });
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let prepared = wait_for(preparing);
        tokio::pin!(prepared);
        let mut failed = None;
        let mut is_prepared = false;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                ended = &mut running => {
                    ended??;
                    break;
                }
                outcome = &mut prepared, if !is_prepared => {
                    is_prepared = true;
                    if let Err(error) = outcome {
                        failed = Some(error);
                        break;
                    }
                }
            }
        }
        tracing::info!("stopping: requests in flight finish, then the outbox");
        app.begin_stop();
        handle.stop(true).await;
        // The requests are done; nothing new reaches the outbox. The worker is the last to go, on a thread of its own.
        let stopping = std::thread::spawn(move || worker.stop());
        wait_for_end(stopping).await;
        tracing::info!("stopped");
        failed.map_or(Ok(()), Err)
    })
}

/// Waits for a thread without holding the reactor.
async fn wait_for(thread: std::thread::JoinHandle<anyhow::Result<()>>) -> anyhow::Result<()> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _heard = sender.send(thread.join());
    });
    match receiver.await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => bail!("a thread ended in a panic"),
        Err(_gone) => bail!("a thread was lost"),
    }
}

async fn wait_for_end(thread: std::thread::JoinHandle<()>) {
    let ended = wait_for(std::thread::spawn(move || {
        thread.join().map_err(|_panic| anyhow::anyhow!("the worker ended in a panic"))
    }));
    if let Err(error) = ended.await {
        tracing::error!(%error, "the worker did not stop cleanly");
    }
}
