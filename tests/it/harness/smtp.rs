//! A small mail server on loopback, which says what it is told to say and remembers what it took.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the mail server answers to the parts of a letter.
#[derive(Clone, Copy)]
pub struct Answers {
    pub from: &'static str,
    pub to: &'static str,
    pub data: &'static str,
}

impl Default for Answers {
    fn default() -> Answers {
        Answers { from: "250 sender fine", to: "250 receiver fine", data: "250 taken" }
    }
}

/// A letter as the mail server took it.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
}

impl Delivered {
    pub fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        self.data.lines().find_map(|line| line.strip_prefix(&start)).unwrap().to_owned()
    }
}

/// A small mail server on loopback.
pub struct SmtpServer {
    address: SocketAddr,
    answers: Arc<Mutex<Answers>>,
    log: Arc<Mutex<Log>>,
}

/// Nobody is silent to.
const NEVER: usize = usize::MAX;

#[derive(Default)]
struct Log {
    commands: Vec<String>,
    tried: Vec<Delivered>,
    delivered: Vec<Delivered>,
    /// From so many letters on the server takes them and says nothing.
    silent_from: usize,
}

impl SmtpServer {
    pub fn start(answers: Answers) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log { silent_from: NEVER, ..Log::default() }));
        let answers = Arc::new(Mutex::new(answers));
        let (shared, asked) = (Arc::clone(&log), Arc::clone(&answers));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, asked) = (Arc::clone(&shared), Arc::clone(&asked));
                // A client may hang up whenever it likes.
                thread::spawn(move || drop(converse(&stream.unwrap(), &asked, &shared)));
            }
        });
        SmtpServer { address, answers, log }
    }

    /// Changes what is answered from now on.
    pub fn answer(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    pub fn url(&self, query: &str) -> String {
        format!("smtp://{}{query}", self.address)
    }

    /// Takes so many letters more and answers for all but the last: who sends it cannot know whether it was taken.
    pub fn fall_silent_after(&self, letters: usize) {
        let mut log = self.log.lock().unwrap();
        log.silent_from = log.delivered.len() + letters;
    }

    /// Answers again.
    pub fn speak(&self) {
        self.log.lock().unwrap().silent_from = NEVER;
    }

    /// How many letters were taken.
    pub fn count_delivered(&self) -> usize {
        self.log.lock().unwrap().delivered.len()
    }

    pub fn delivered(&self) -> Vec<Delivered> {
        self.log.lock().unwrap().delivered.clone()
    }

    /// Every letter that came as far as its text, taken or not.
    pub fn tried(&self) -> Vec<Delivered> {
        self.log.lock().unwrap().tried.clone()
    }

    pub fn commands(&self) -> Vec<String> {
        self.log.lock().unwrap().commands.clone()
    }
}

fn converse(
    mut stream: &TcpStream,
    answers: &Mutex<Answers>,
    log: &Mutex<Log>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let mut letter = Delivered::default();
    stream.write_all(b"220 mail.example.org\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?;
        log.lock().unwrap().commands.push(line.clone());
        let answers = *answers.lock().unwrap();
        let answer = match line.split(' ').next().unwrap() {
            "EHLO" => "250-mail.example.org\r\n250 8BITMIME",
            "MAIL" => {
                letter.from = line.split([':', ' ']).nth(2).unwrap().to_owned();
                answers.from
            }
            "RCPT" => {
                letter.to.push(line.split([':', ' ']).nth(2).unwrap().to_owned());
                answers.to
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    letter.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    letter.data.push('\n');
                }
                let letter = std::mem::take(&mut letter);
                let mut log = log.lock().unwrap();
                log.tried.push(letter.clone());
                if answers.data.starts_with('2') {
                    log.delivered.push(letter);
                    if log.delivered.len() >= log.silent_from {
                        // The next thing that is heard is that the client is gone.
                        continue;
                    }
                }
                answers.data
            }
            "NOOP" | "RSET" => "250 fine",
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                break;
            }
            _ => "502 what?",
        };
        // In one piece: two would wait for each other's acknowledgement.
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
