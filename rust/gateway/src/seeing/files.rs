//! Files that take turns: when one is full the next one begins, and the oldest goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Files that all bytes are spread over.
const COUNT: u64 = 8;

const ENDING: &str = ".ndjson";
const BEGINNING: &str = "capture-";

pub struct Files {
    folder: PathBuf,
    most_bytes: u64,
    file: Option<BufWriter<File>>,
    written: u64,
}

impl Files {
    /// # Errors
    /// The folder cannot be made or written to.
    pub fn open(folder: &Path, most_bytes: u64) -> Result<Self, String> {
        let mut files = Self { folder: folder.to_owned(), most_bytes, file: None, written: 0 };
        let opened = fs::create_dir_all(folder).and_then(|()| files.turn());
        opened.map_err(|error| {
            let folder = folder.display();
            format!("`{folder}` cannot hold captured requests: {error}; name another --capture")
        })?;
        Ok(files)
    }

    /// Writes a line; one that is longer than a file may be is left out.
    ///
    /// # Errors
    /// Those of writing; the next line tries a file of its own.
    pub fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let (length, most) = (line.len() as u64, self.most_bytes / COUNT);
        if length > most {
            return Err(io::Error::other("a request is larger than a file may be"));
        }
        if self.file.is_none() || self.written + length > most {
            self.turn()?;
        }
        self.written += length;
        let done = self.file.as_mut().map_or(Ok(()), |file| file.write_all(line));
        if done.is_err() {
            self.file = None;
        }
        done
    }

    /// # Errors
    /// Those of writing.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }

    /// Begins the next file.
    fn turn(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file = None;
        let mut known = self.known()?;
        let mut next = known.last().map_or(0, |(number, _)| number + 1);
        // Another process may write into the folder as well.
        let file = loop {
            let path = self.folder.join(format!("{BEGINNING}{next:010}{ENDING}"));
            match private().open(&path) {
                Ok(file) => {
                    known.push((next, path));
                    break file;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => next += 1,
                Err(error) => return Err(error),
            }
        };
        let surplus = known.len().saturating_sub(COUNT as usize);
        for (_, path) in known.iter().take(surplus) {
            // Whoever reads it may have taken it away.
            let _ = fs::remove_file(path);
        }
        self.file = Some(BufWriter::with_capacity(64 << 10, file));
        self.written = 0;
        Ok(())
    }

    /// The files that are there, oldest first. Nothing else in the folder is touched.
    fn known(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut known = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.strip_prefix(BEGINNING).and_then(|name| name.strip_suffix(ENDING));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                known.push((number, path));
            }
        }
        known.sort_unstable();
        Ok(known)
    }
}

/// Files that only their owner reads.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
