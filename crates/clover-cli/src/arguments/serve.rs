//! `clover serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use clover_data::files::read_regular;
use clover_server::{ServerConfig, Token};

use crate::device::DeviceName;

/// Bytes of a file with a token.
const TOKEN_FILE: u64 = 8 << 10;

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The folder of an index, as `clover index` makes it.
    #[arg(long)]
    pub(crate) index: PathBuf,
    /// The bundle that answers questions; that of the index if not given.
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// Where to listen. What other machines reach needs `--token-file`.
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Another name that the server is called by, such as a proxy's; may be given several times.
    #[arg(long, value_name = "NAME[:PORT]")]
    allow_host: Vec<String>,
    /// A file with a word that clients must know, of 16 characters at least.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Take videos that clients send, keep them in this folder, and index them.
    #[arg(long, value_name = "FOLDER")]
    upload_dir: Option<PathBuf>,
    /// MiB that such a video may have.
    #[arg(long, default_value_t = MAX_UPLOAD, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    max_upload: u32,
    /// MiB that all files in the folder may have together; more are refused until some are removed.
    #[arg(long, default_value_t = MAX_UPLOAD_DIR, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    max_upload_dir: u32,
    /// Where small images of videos are kept, 512 MiB at most; in the index's folder if not given.
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,
    /// Look at those rows alone that are in the lists nearest to a query, which `clover index
    /// --approximate` made.
    #[arg(long)]
    approximate: bool,
    /// Show the page in the browser.
    #[arg(long)]
    pub(crate) open: bool,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

const MAX_UPLOAD: u32 = 2_048;
const MAX_UPLOAD_DIR: u32 = 65_536;

impl Serve {
    /// An index on this machine, shown in the browser.
    pub(crate) fn shown(index: PathBuf, bundle: Option<PathBuf>, device: DeviceName) -> Self {
        Self {
            index,
            bundle,
            listen: ServerConfig::default().listen,
            allow_host: Vec::new(),
            token_file: None,
            upload_dir: None,
            max_upload: MAX_UPLOAD,
            max_upload_dir: MAX_UPLOAD_DIR,
            cache_dir: None,
            approximate: false,
            open: true,
            device,
        }
    }

    /// What the server is told.
    pub(crate) fn config(&self) -> Result<ServerConfig> {
        let token = self.token_file.as_deref().map(|file| {
            let text = read_regular(file, TOKEN_FILE);
            let text = text.with_context(|| format!("{}: cannot be read", file.display()))?;
            // What is no text has characters that no token has.
            Ok::<_, anyhow::Error>(Token::new(&String::from_utf8_lossy(&text))?)
        });
        Ok(ServerConfig {
            listen: self.listen,
            bundle: self.bundle.clone(),
            allow_hosts: self.allow_host.clone(),
            token: token.transpose()?,
            upload_dir: self.upload_dir.clone(),
            max_upload: u64::from(self.max_upload) << 20,
            max_upload_dir: u64::from(self.max_upload_dir) << 20,
            cache_dir: self.cache_dir.clone(),
            approximate: self.approximate,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn config(words: &[&str]) -> Result<ServerConfig> {
        let line = ["clover", "serve", "--index", "i"].iter().chain(words);
        match Arguments::try_parse_from(line)?.command {
            Command::Serve(serve) => serve.config(),
            _ => panic!("another command"),
        }
    }

    #[test]
    fn a_token_is_read_from_a_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let words = ["--token-file", file.to_str().unwrap()];

        let missing = config(&words).unwrap_err().to_string();
        std::fs::write(&file, "short\n").unwrap();
        let short = config(&words).unwrap_err().to_string();
        std::fs::write(&file, "0123456789abcdef\n").unwrap();
        let read = config(&words).unwrap();

        assert!(missing.contains("token"), "{missing}");
        assert!(short.contains("--token-file"), "{short}");
        assert!(read.token.is_some() && !format!("{read:?}").contains("0123456789"));
    }

    #[test]
    fn without_a_word_it_serves_this_machine_and_takes_no_files() {
        let usual = config(&[]).unwrap();

        assert!(usual.listen.ip().is_loopback() && usual.upload_dir.is_none());
        assert_eq!(usual.max_upload, 2 << 30);
        assert_eq!(usual.max_upload_dir, ServerConfig::default().max_upload_dir);
        assert!(config(&["--max-upload", "0"]).is_err() && config(&["--listen", "here"]).is_err());
    }
}
