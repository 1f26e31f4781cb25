//! Runs what takes files apart, in a process of its own.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::metadata::{STRIP_LIMIT, Table};
use super::store::FilesError;

/// The word of the command line that the process is started with.
pub const COMMAND: &str = "strip-metadata";
/// The word that a process is started with that reads a table.
pub const TABLE_COMMAND: &str = "read-table";
/// The longest document whose table is read, and the longest table, in bytes.
pub const TABLE_LIMIT: u64 = 4 * 1024 * 1024;
/// How the process says that the file cannot be taken apart, or keeps its metadata.
pub const CANNOT: u8 = 3;
/// How much comes at a time.
const CHUNK: usize = 64 * 1024;

/// Where the program is that takes metadata out: this very one.
#[derive(Clone, Debug)]
pub struct Stripper {
    program: PathBuf,
}

impl Stripper {
    /// Takes metadata out with this program.
    #[must_use]
    pub fn new(program: PathBuf) -> Stripper {
        Stripper { program }
    }

    /// Hands the file without its metadata to `write`. Returns whether it could be taken out; when not, what was written is not to be used.
    ///
    /// # Errors
    /// [`FilesError`] when the file cannot be read, the process not be started, or `write` fails.
    pub fn strip(
        &self,
        media_type: &str,
        original: impl Read + Send,
        write: &mut dyn FnMut(&[u8]) -> Result<(), FilesError>,
    ) -> Result<bool, FilesError> {
        self.run(&[COMMAND, media_type], original, STRIP_LIMIT, write)
    }

    /// The first table of a DOCX; none when it cannot be taken apart or has no table.
    ///
    /// # Errors
    /// [`FilesError`] when the process cannot be started.
    pub fn read_table(&self, file: &[u8]) -> Result<Option<Table>, FilesError> {
        let mut rows = Vec::new();
        let is_read = self.run(&[TABLE_COMMAND], file, TABLE_LIMIT, &mut |part| {
            rows.extend_from_slice(part);
            Ok(())
        })?;
        Ok(serde_json::from_slice(&rows).ok().filter(|_| is_read))
    }

    /// Gives a process a file, and hands what it answers to `write`. Returns whether it was done.
    ///
    /// The process gets the file and nothing else: no environment, no arguments but these, and the limits that it sets itself.
    fn run(
        &self,
        arguments: &[&str],
        mut original: impl Read + Send,
        limit: u64,
        write: &mut dyn FnMut(&[u8]) -> Result<(), FilesError>,
    ) -> Result<bool, FilesError> {
        let io = FilesError::io("take a file apart");
        let mut child = Command::new(&self.program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(&io)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let copied = std::thread::scope(|scope| {
            let feeding = scope.spawn(move || match stdin {
                Some(mut stdin) => feed(&mut original, &mut stdin),
                None => Ok(()),
            });
            let copied = stdout.map_or(Ok(()), |mut stdout| {
                let mut chunk = vec![0; CHUNK];
                let mut left = limit + 1024 * 1024;
                loop {
                    let n_read = stdout.read(&mut chunk).map_err(&io)?;
                    let Some(part) = chunk.get(..n_read).filter(|part| !part.is_empty()) else {
                        return Ok(());
                    };
                    left = left.saturating_sub(u64::try_from(n_read).unwrap_or(u64::MAX));
                    if left == 0 {
                        return Err(FilesError::TooLarge { limit });
                    }
                    write(part)?;
                }
            });
            // The original must have been read to its true end: only then is it known to be whole.
            let fed = feeding.join().unwrap_or(Err(FilesError::Interrupted));
            copied.and(fed)
        });
        if copied.is_err() {
            // Whatever it was doing, nobody waits for it.
            let _gone = child.kill();
        }
        let status = child.wait().map_err(&io)?;
        copied.map(|()| status.success())
    }
}

fn feed(original: &mut impl Read, stdin: &mut impl Write) -> Result<(), FilesError> {
    let mut chunk = vec![0; CHUNK];
    let mut is_listening = true;
    loop {
        let n_read = original.read(&mut chunk).map_err(FilesError::io("read a file"))?;
        let Some(part) = chunk.get(..n_read).filter(|part| !part.is_empty()) else { return Ok(()) };
        // A process that has given up does not read on; the original is read to its end all the same.
        is_listening = is_listening && stdin.write_all(part).is_ok();
    }
}
