//! The process that is killed, from both sides.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use assay::cli::resources;
use assay::service::context::Boundary;
use assay::service::{cohorts, issuance, outbox};

use super::{BOUNDARIES, settings};

const DATA_DIR: &str = "ASSAY_CRASH_DATA_DIR";
const DATABASE_URL: &str = "ASSAY_CRASH_DATABASE_URL";
const STOP: &str = "ASSAY_CRASH_STOP";

/// What stands before each line, since the test harness writes lines of its own.
const MARK: &str = "crash-test: ";
/// The longest random pause between the last line and the kill, in microseconds: about the time of an award.
const LONGEST_PAUSE: u64 = 20_000;

/// A line that the process tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It has come to a boundary.
    At(Boundary),
    /// It has written some invitations.
    Invited,
    /// It has sent a mail.
    Mailed,
    /// Nothing is left to do.
    Idle,
}

impl Line {
    /// Reads a line; none for what the test harness writes.
    fn parse(text: &str) -> Option<Line> {
        let word = text.strip_prefix(MARK)?;
        let boundaries = BOUNDARIES.into_iter().map(Line::At);
        boundaries
            .chain([Line::Invited, Line::Mailed, Line::Idle])
            .find(|line| line.to_string() == word)
    }

    /// Tells it, in one write.
    fn tell(self) {
        std::io::stderr().write_all(format!("{MARK}{self}\n").as_bytes()).unwrap();
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Line::At(Boundary::Intent) => "intent",
            Line::At(Boundary::Sign) => "sign",
            Line::At(Boundary::Store) => "store",
            Line::At(Boundary::Outbox) => "outbox",
            Line::Invited => "invited",
            Line::Mailed => "mailed",
            Line::Idle => "idle",
        })
    }
}

/// Where the process stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// At this boundary.
    pub boundary: Boundary,
    /// The time it comes there that counts, from 1.
    pub nth: usize,
}

impl Stop {
    fn parse(text: &str) -> Option<Stop> {
        let (word, nth) = text.split_once(' ')?;
        let boundary =
            BOUNDARIES.into_iter().find(|boundary| Line::At(*boundary).to_string() == word)?;
        Some(Stop { boundary, nth: nth.parse().ok()? })
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Line::At(self.boundary), self.nth)
    }
}

/// What the process is told.
pub struct Order {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The PostgreSQL database; none for the embedded one.
    pub database_url: Option<String>,
    /// Where it stands still; none to go through.
    pub stop: Option<Stop>,
}

#[expect(clippy::disallowed_methods, reason = "a process that is killed is told its work here")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Order {
    fn from_environment() -> Option<Order> {
        Some(Order {
            data_dir: variable(DATA_DIR)?.into(),
            database_url: variable(DATABASE_URL),
            stop: variable(STOP).map(|text| Stop::parse(&text).unwrap()),
        })
    }

    /// Issues what waits and sends what is due, as the worker does, until it is killed.
    fn obey(self) -> ! {
        let mut resources = resources::open(&settings(&self.data_dir, self.database_url)).unwrap();
        let times = AtomicUsize::new(0);
        resources.at_boundary = Arc::new(move |boundary| {
            Line::At(boundary).tell();
            if let Some(stop) = self.stop
                && stop.boundary == boundary
                && times.fetch_add(1, Ordering::SeqCst) + 1 == stop.nth
            {
                stand_still();
            }
        });
        while resources.as_system(issuance::issue_pending).unwrap() > 0 {}
        while resources.as_system(cohorts::send_page).unwrap() > 0 {
            Line::Invited.tell();
        }
        while outbox::send_next(&resources).unwrap() {
            Line::Mailed.tell();
        }
        Line::Idle.tell();
        stand_still()
    }
}

fn stand_still() -> ! {
    loop {
        std::thread::park();
    }
}

/// Issues until it is killed, when it is told to; as one test among the others it checks the words that both sides use.
#[test]
fn child_that_issues() {
    if let Some(order) = Order::from_environment() {
        order.obey();
    }
    for boundary in BOUNDARIES {
        let stop = Stop { boundary, nth: 2 };
        assert_eq!(Stop::parse(&stop.to_string()), Some(stop));
        for line in [Line::At(boundary), Line::Invited, Line::Mailed, Line::Idle] {
            assert_eq!(Line::parse(&format!("{MARK}{line}")), Some(line));
            assert_eq!(Line::parse(&line.to_string()), None);
        }
    }
}

/// The process, seen from the side that kills it.
pub struct Child {
    process: std::process::Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
    /// Everything it has written, for the message when it does not do what it was told.
    written: String,
}

impl Child {
    /// Starts a process with this order.
    pub fn start(order: &Order) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "crash::child::child_that_issues", "--nocapture", "--test-threads=1"])
            .env(DATA_DIR, &order.data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(url) = &order.database_url {
            command.env(DATABASE_URL, url);
        }
        if let Some(stop) = order.stop {
            command.env(STOP, stop.to_string());
        }
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        Child { process, lines, written: String::new() }
    }

    /// The next line; none once the process is gone.
    fn next_line(&mut self) -> Option<Line> {
        for text in self.lines.by_ref() {
            let text = text.unwrap();
            let line = Line::parse(&text);
            self.written.push_str(&text);
            self.written.push('\n');
            if line.is_some() {
                return line;
            }
        }
        None
    }

    /// Kills the process once it stands where it was told to.
    #[track_caller]
    pub fn kill_where_it_stands(mut self, stop: Stop) {
        let mut times = 0;
        while times < stop.nth {
            match self.next_line() {
                Some(Line::At(boundary)) => times += usize::from(boundary == stop.boundary),
                Some(Line::Invited | Line::Mailed | Line::Idle) | None => {
                    // Nobody else ends it.
                    let _gone = self.process.kill();
                    panic!("the process did not stop at {stop}:\n{}", self.written);
                }
            }
        }
        let last = self.kill();
        assert_eq!(last, None, "the process went on beyond {stop}");
    }

    /// Kills the process at a random moment after so many lines. Returns the last one it has told.
    #[track_caller]
    pub fn kill_after(mut self, n_lines: usize) -> Option<Line> {
        let mut last = None;
        for _ in 0..n_lines {
            match self.next_line() {
                Some(line) => last = Some(line),
                None => panic!("the process ended by itself:\n{}", self.written),
            }
            if last == Some(Line::Idle) {
                break;
            }
        }
        let pause = Duration::from_micros(rand::random_range(0..=LONGEST_PAUSE));
        let began = Instant::now();
        while began.elapsed() < pause {
            std::hint::spin_loop();
        }
        self.kill().or(last)
    }

    /// `kill -9`. Returns the last line that was told and not read before.
    #[track_caller]
    fn kill(mut self) -> Option<Line> {
        self.process.kill().unwrap();
        let status = self.process.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "{status}:\n{}", self.written);
        let mut last = None;
        while let Some(line) = self.next_line() {
            last = Some(line);
        }
        last
    }
}
