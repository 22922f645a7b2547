//! Files that clients send: bounded in size, kind, number and time, and whole or not there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use clover_data::video::MediaType;
use http_body_util::BodyExt;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::catalog::Id;
use crate::error::ServerError;
use crate::jobs::{Job, Jobs};
use crate::problem::Problem;
use crate::upload_space::{UploadRoom, UploadSpace};

/// Files that are received at the same time.
const AT_ONCE: usize = 2;
/// For the next bytes, and for all of them.
const NEXT_WITHIN: Duration = Duration::from_secs(30);
const ALL_WITHIN: Duration = Duration::from_secs(3_600);
/// Letters of a name that are kept.
const NAME: usize = 60;
/// Files that are not whole yet.
const PARTIAL: &str = ".clover-upload-";

/// The folder for files that are sent.
#[derive(Debug)]
pub(crate) struct Uploads {
    folder: PathBuf,
    pub(crate) max_bytes: u64,
    space: UploadSpace,
    places: Semaphore,
    pub(crate) jobs: Arc<Jobs>,
}

/// A file that is removed unless it became whole.
struct Partial {
    path: PathBuf,
    whole: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.whole {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Uploads {
    /// Takes a folder for files, which is made where it is not there. What a server that was killed left half
    /// written is removed. A file has at most `max_bytes`, all of them at most `max_folder_bytes`.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub(crate) fn new(
        folder: &Path,
        max_bytes: u64,
        max_folder_bytes: u64,
    ) -> Result<Self, ServerError> {
        let prepared = std::fs::create_dir_all(folder)
            .and_then(|()| folder.canonicalize())
            .and_then(|folder| clean(&folder).map(|()| folder));
        let folder = prepared.map_err(|source| ServerError::File {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            space: UploadSpace::new(folder.clone(), max_folder_bytes),
            folder,
            max_bytes,
            places: Semaphore::new(AT_ONCE),
            jobs: Arc::default(),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Receives a file that a client calls `name`.
    pub(crate) async fn receive(
        &self,
        name: &str,
        announced: Option<u64>,
        body: Body,
    ) -> Result<Arc<Job>, Problem> {
        if announced.is_some_and(|bytes| bytes > self.max_bytes) {
            return Err(self.too_large());
        }
        self.jobs.check_place()?;
        let Ok(_place) = self.places.try_acquire() else {
            return Err(Problem::busy(
                "other files are being sent; send this one after them",
            ));
        };
        let mut room = self.space.room(announced.unwrap_or_default()).await?;
        let id = Id::random();
        let mut partial = Partial {
            path: self.folder.join(format!("{PARTIAL}{id}")),
            whole: false,
        };
        let received = self.write(&partial.path, &mut room, body);
        let kind = tokio::time::timeout(ALL_WITHIN, received).await;
        let kind = kind.map_err(|_| slow())??;
        let stem = safe_name(name);
        let file = format!("{stem}-{}.{}", &id.to_string()[..8], kind.extension);
        let path = self.folder.join(file);
        tokio::fs::rename(&partial.path, &path)
            .await
            .map_err(|error| Problem::of_writing(&error))?;
        partial.whole = true;
        room.keep();
        let folder = self.folder.clone();
        let _ = tokio::task::spawn_blocking(move || clover_data::files::sync_folder(&folder)).await;
        let shown: String = name
            .chars()
            .filter(|letter| !letter.is_control())
            .take(200)
            .collect();
        let job = Arc::new(Job::new(shown, path));
        self.jobs.add(Arc::clone(&job));
        Ok(job)
    }

    /// Writes a body beside the others, and tells what it is.
    async fn write(
        &self,
        path: &Path,
        room: &mut UploadRoom<'_>,
        mut body: Body,
    ) -> Result<MediaType, Problem> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .await;
        let mut file = file.map_err(|error| Problem::of_writing(&error))?;
        let (mut head, mut kind, mut bytes) = (Vec::new(), None, 0_u64);
        loop {
            let next = tokio::time::timeout(NEXT_WITHIN, body.frame()).await;
            let Some(frame) = next.map_err(|_| slow())? else {
                break;
            };
            let frame = frame.map_err(|_| Problem::bad_request("the file was cut off"))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            bytes += data.len() as u64;
            if bytes > self.max_bytes {
                return Err(self.too_large());
            }
            room.take(data.len() as u64)?;
            if kind.is_none() {
                let missing = MediaType::HEAD_BYTES.saturating_sub(head.len());
                head.extend(data.iter().take(missing));
                // What is nothing known is not written on.
                if head.len() >= MediaType::HEAD_BYTES {
                    kind = Some(kind_of(&head)?);
                }
            }
            file.write_all(&data)
                .await
                .map_err(|error| Problem::of_writing(&error))?;
        }
        let kind = match kind {
            Some(kind) => kind,
            None => kind_of(&head)?,
        };
        finish(file)
            .await
            .map_err(|error| Problem::of_writing(&error))?;
        Ok(kind)
    }

    fn too_large(&self) -> Problem {
        let most = self.max_bytes;
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the file has more than {most} bytes"),
        )
    }
}

async fn finish(mut file: File) -> io::Result<()> {
    file.flush().await?;
    file.sync_all().await
}

fn kind_of(head: &[u8]) -> Result<MediaType, Problem> {
    MediaType::of_head(head).ok_or_else(|| {
        let kinds = MediaType::KNOWN.map(|kind| kind.extension).join(", ");
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the file is none of {kinds}, whatever its name"),
        )
    })
}

fn slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the file came too slowly")
}

/// What is left of a name once it can be no path, no option and nothing hidden.
fn safe_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let letters = stem.chars().map(|letter| match letter.is_alphanumeric() {
        true => letter,
        false => ' ',
    });
    let letters: String = letters.take(NAME).collect();
    let words: Vec<&str> = letters.split_whitespace().collect();
    match words.is_empty() {
        true => "video".to_owned(),
        false => words.join(" "),
    }
}

fn clean(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(PARTIAL) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0;";

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(work)
    }

    fn files(uploads: &Uploads) -> Vec<String> {
        let entries = uploads.folder().read_dir().unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn names_are_no_paths() {
        for (name, safe) in [
            ("dog.mp4", "dog"),
            ("../../etc/passwd", "passwd"),
            ("C:\\a\\b c.d.gif", "b c d"),
            ("-rf.mp4", "rf"),
            (".hidden", "video"),
            ("\0\n\u{202e}", "video"),
            ("", "video"),
            ("H\u{fc}ndchen \u{1f600}.mp4", "H\u{fc}ndchen"),
        ] {
            assert_eq!(safe_name(name), safe);
        }
        assert!(safe_name(&"x".repeat(9_999)).len() <= NAME);
    }

    #[test]
    fn a_file_is_there_whole_under_the_extension_of_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path(), 1_000, 1_000).unwrap();

        let job = run(uploads.receive("a dog.mp4", None, Body::from(GIF))).unwrap();

        let found = files(&uploads);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("a dog-") && found[0].ends_with(".gif"),
            "{found:?}"
        );
        assert_eq!(std::fs::read(&job.path).unwrap(), GIF);
        assert!(uploads.jobs.find(&job.id.to_string()).is_ok());
    }

    #[test]
    fn what_is_too_large_or_nothing_known_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(format!("{PARTIAL}old")), "half").unwrap();
        let uploads = Uploads::new(folder.path(), 100, 1_000).unwrap();
        let status = |announced, body: Vec<u8>| {
            let received = run(uploads.receive("a.mp4", announced, Body::from(body)));
            received.map(|_| ()).unwrap_err().status.as_u16()
        };

        assert_eq!(status(Some(101), Vec::new()), 413);
        assert_eq!(status(Some(10), [GIF, &[0; 100]].concat()), 413);
        assert_eq!(status(None, b"<html>".to_vec()), 415);
        assert_eq!(
            status(
                None,
                b"PK\x03\x04 a zip, and more than sixty-four bytes of it, so that it is known"
                    .to_vec()
            ),
            415
        );
        assert_eq!(status(None, Vec::new()), 415);
        assert_eq!(files(&uploads), Vec::<String>::new());
    }
}
