//! The program itself as a process of its own, and what it writes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything here takes: a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program with nothing in its environment but what is given.
pub fn assay(arguments: &[&str], data_dir: &Path, database_url: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(arguments).arg("--data-dir").arg(data_dir).env_clear();
    if let Some(url) = database_url {
        command.env("DATABASE_URL", url);
    }
    command
}

/// A running `assay serve`, killed when a test fails.
pub struct Served {
    /// Where it listens, `http://127.0.0.1:…`.
    pub origin: String,
    child: Child,
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Served {
    /// Starts it without a log.
    pub fn start(data_dir: &Path, database_url: Option<&str>) -> Served {
        Served::start_with(data_dir, database_url, &["--log", "off"])
    }

    /// Starts it with further arguments.
    pub fn start_with(data_dir: &Path, database_url: Option<&str>, more: &[&str]) -> Served {
        let arguments = [["serve", "--bind", "127.0.0.1:0"].as_slice(), more].concat();
        let mut child =
            assay(&arguments, data_dir, database_url).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        while !told.contains("listening on ") {
            assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "it ended: {told}");
        }
        let origin = told.rsplit("listening on ").next().unwrap().trim().to_owned();
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        // Read all the time: a pipe that is full would stop the program. It closes when the process ends.
        let listener = std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).unwrap() > 0 {
                heard.lock().unwrap().push_str(&std::mem::take(&mut line));
            }
        });
        Served { origin, child, said, listener: Some(listener) }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end. Returns the exit status and what was said since it listened.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
        let said = std::mem::take(&mut *self.said.lock().unwrap());
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Has usually ended.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Looks again and again until it is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::yield_now();
    }
}
