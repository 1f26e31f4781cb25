//! The real program on the data folder of a test, for measures that a test's own process would spoil.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::harness::TestApp;

/// A running `assay serve`, killed when dropped.
pub struct Server {
    /// Where it listens.
    pub origin: String,
    child: Child,
}

impl Server {
    /// Starts beside the test's own server, on the same data.
    pub fn start(app: &TestApp) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command
            .env_clear()
            .args(["--bind", "127.0.0.1:0", "--data-dir"])
            .arg(app.folder())
            .stderr(Stdio::piped())
            .stdout(Stdio::null());
        if let Some(url) = app.database_url() {
            command.env("DATABASE_URL", url);
        }
        let mut child = command.arg("serve").spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let origin = lines
            .find_map(|line| Some(line.unwrap().split_once("listening on ")?.1.to_owned()))
            .expect("the program says where it listens");
        // The log is read to its end, so that the program never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Server { origin, child }
    }

    fn status(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }

    /// The memory in use now, in bytes. The peak begins anew where the system allows that.
    pub fn rest(&self) -> u64 {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        match std::fs::write(path, "5") {
            Ok(()) => self.status("VmRSS:"),
            Err(_) => self.status("VmHWM:"),
        }
    }

    /// The most memory that was ever in use, in bytes.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        self.child.wait().unwrap();
    }
}
