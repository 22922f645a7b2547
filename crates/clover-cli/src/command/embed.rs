//! `clover embed`.

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::tensor::backend::{AutodiffBackend, Backend};
use clover_data::dataset::ClipTable;
use clover_data::files::open_regular;
use clover_inference::{EmbeddedBatch, Embedder, EmbeddingFile, EmbeddingFormat};
use indicatif::ProgressBar;

use super::clip_list::{is_pattern, open_clips, source};
use super::open_bundle;
use super::text_lines::TextLines;
use crate::arguments::Embed;
use crate::device::Work;
use crate::device::processors;
use crate::interrupt::Interrupt;
use crate::output::note;
use crate::progress::bar;

/// Texts that are read before they are embedded.
const TEXTS: usize = 256;

pub(crate) fn run(arguments: Embed) -> Result<()> {
    if !(0.0..=1.0).contains(&arguments.max_failed_share) {
        bail!("--max-failed-share is not between 0 and 1");
    }
    // Before a model is read, so that a wrong extension is an error at once.
    EmbeddingFormat::of(&arguments.out)?;
    let mut tables = Vec::new();
    for clips in &arguments.clips {
        tables.push(open_list(&arguments, clips)?);
    }
    let texts = arguments.texts.as_deref().map(open_texts).transpose()?;
    let device = arguments.device;
    device.run(Embedding {
        arguments,
        tables,
        texts,
        interrupt: Interrupt::listen()?,
    })
}

fn open_list(arguments: &Embed, clips: &Path) -> Result<ClipTable> {
    if !is_pattern(clips) && !clips.exists() {
        bail!("{}: there is no such file or folder", clips.display());
    }
    open_clips(&source(&arguments.lists, clips))
}

fn open_texts(path: &Path) -> Result<TextLines<Box<dyn BufRead>>> {
    if path == Path::new("-") {
        let stdin = BufReader::new(io::stdin());
        return Ok(TextLines::new(Box::new(stdin), "standard input"));
    }
    let name = path.display().to_string();
    let file = open_regular(path).with_context(|| format!("{name}: cannot be read"))?;
    Ok(TextLines::new(Box::new(BufReader::new(file)), name))
}

/// What is to be embedded.
struct Embedding {
    arguments: Embed,
    tables: Vec<ClipTable>,
    texts: Option<TextLines<Box<dyn BufRead>>>,
    interrupt: Interrupt,
}

/// Where rows go, and how far they are.
struct Rows {
    file: EmbeddingFile,
    bar: ProgressBar,
    interrupt: Interrupt,
    skipped: usize,
}

impl Work for Embedding {
    type Output = ();

    fn run<B: AutodiffBackend>(mut self, device: B::Device) -> Result<()> {
        let arguments = &self.arguments;
        let bundle = open_bundle::<B::InnerBackend>(&arguments.bundle, &device)?;
        let embedder = bundle.into_embedder(device);
        let mut rows = Rows {
            file: EmbeddingFile::create(&arguments.out, arguments.precision.into())?,
            bar: bar("embedding", 0),
            interrupt: self.interrupt.clone(),
            skipped: 0,
        };
        let texts = self.texts.as_mut();
        let empty = texts.map_or(Ok(0), |texts| rows.embed_texts(&embedder, texts))?;
        let texts = rows.file.rows();
        let threads = arguments.threads.unwrap_or_else(processors);
        let how = (threads, arguments.max_failed_share);
        for table in self.tables {
            rows.embed_clips(&embedder, table, how)?;
        }
        let Rows {
            file, bar, skipped, ..
        } = rows;
        bar.finish_and_clear();
        let clips = file.rows() - texts;
        let names = file
            .names()
            .map(|names| format!(", their names to {}", names.display()));
        file.finish()?;
        note(&format!(
            "{}: {texts} texts and {clips} clips written, in this order{}; {skipped} clips and {empty} \
             empty lines left out",
            arguments.out.display(),
            names.unwrap_or_default()
        ));
        Ok(())
    }
}

impl Rows {
    /// Embeds every line; returns how many were empty.
    fn embed_texts<B: Backend>(
        &mut self,
        embedder: &Embedder<B>,
        lines: &mut TextLines<impl BufRead>,
    ) -> Result<usize> {
        self.bar.set_prefix("texts");
        loop {
            let texts = lines.take(TEXTS).collect::<Result<Vec<String>>>()?;
            if texts.is_empty() {
                return Ok(lines.empty());
            }
            let embeddings = embedder.embed_texts(&texts)?;
            for (row, text) in texts.iter().enumerate() {
                self.file.push(text, embeddings.row(row))?;
            }
            self.bar.set_message(self.file.rows().to_string());
            self.go_on()?;
        }
    }

    /// Embeds the clips of a list; those that cannot be read are named.
    fn embed_clips<B: Backend>(
        &mut self,
        embedder: &Embedder<B>,
        table: ClipTable,
        how: (usize, f64),
    ) -> Result<()> {
        for item in table.skipped() {
            self.skip(&item.to_string());
        }
        self.bar = bar("clips", table.len() as u64);
        let names = table.clone();
        embedder.embed_each_clip::<anyhow::Error>(table, how, &mut |batch| {
            match batch {
                EmbeddedBatch::Clips(clips) => {
                    for clip in clips {
                        self.file.push(&names.name(clip.index), &clip.video)?;
                    }
                }
                EmbeddedBatch::Skipped(item) => self.skip(&item.to_string()),
                EmbeddedBatch::Done(done) => self.bar.set_position(done as u64),
            }
            self.go_on()
        })?;
        self.bar.finish_and_clear();
        Ok(())
    }

    fn skip(&mut self, item: &str) {
        self.skipped += 1;
        self.bar.suspend(|| note(&format!("skipped {item}")));
    }

    fn go_on(&self) -> Result<()> {
        if self.interrupt.asked() {
            self.bar.finish_and_clear();
            bail!(
                "stopped after {} rows; nothing was written",
                self.file.rows()
            );
        }
        Ok(())
    }
}

#[cfg(feature = "flex")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use burn::backend::Autodiff;
    use burn_flex::Flex;
    use clap::Parser;
    use clover_inference::EmbeddedBatch;

    /// Runs a command line in a folder with a bundle.
    fn embed(folder: &Path, words: &[&str]) -> Result<()> {
        let path = |word: &&str| match word.starts_with('@') {
            true => folder.join(&word[1..]).display().to_string(),
            false => (*word).to_owned(),
        };
        let line = ["clover", "embed", "@bundle"].iter().chain(words).map(path);
        let Command::Embed(arguments) = Arguments::parse_from(line).command else {
            panic!("another command")
        };
        let clips = arguments
            .clips
            .iter()
            .map(|clips| open_list(&arguments, clips));
        let tables = clips.collect::<Result<Vec<_>>>()?;
        let texts = arguments.texts.as_deref().map(open_texts).transpose()?;
        let embedding = Embedding {
            arguments: *arguments,
            tables,
            texts,
            interrupt: Interrupt::default(),
        };
        embedding.run::<Autodiff<Flex>>(Default::default())
    }

    #[test]
    fn texts_and_clips_are_written_as_the_embedder_embeds_them_without_the_broken_ones() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let clips = super::super::bundle_folder::small::write(folder, None);
        std::fs::write(&clips[1], "not a video").unwrap();
        std::fs::write(folder.join("texts.txt"), "a red circle\n\na blue square\n").unwrap();
        let list = clips[0].parent().unwrap().display().to_string();
        let words = [list.as_str(), "--texts", "@texts.txt", "--out", "@out.npy"];

        embed(folder, &words).unwrap();
        let strict = [&words[..], &["--max-failed-share", "0.1"]].concat();
        let refused = embed(folder, &strict).unwrap_err();

        let bundle = open_bundle::<Flex>(&folder.join("bundle"), &Default::default()).unwrap();
        let embedder = bundle.into_embedder(Default::default());
        let texts = ["a red circle", "a blue square"].map(str::to_owned);
        let mut expected = embedder.embed_texts(&texts).unwrap().values;
        let table = ClipTable::open(Path::new(&list), None, &|_, _| ()).unwrap();
        let mut visit = |batch: EmbeddedBatch<'_>| {
            if let EmbeddedBatch::Clips(clips) = batch {
                clips.iter().for_each(|clip| expected.extend(&clip.video));
            }
            Ok::<_, anyhow::Error>(())
        };
        embedder
            .embed_each_clip(table, (1, 1.0), &mut visit)
            .unwrap();
        let bytes = std::fs::read(folder.join("out.npy")).unwrap();
        let header = String::from_utf8_lossy(&bytes[10..256]).into_owned();
        assert!(
            header.contains(&format!("'shape': (4, {})", expected.len() / 4)),
            "{header}"
        );
        let found = bytes[256..].chunks_exact(4);
        let found: Vec<f32> = found
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect();
        assert_eq!(found.len(), expected.len());
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        let names = std::fs::read_to_string(folder.join("out.names.txt")).unwrap();
        let names: Vec<&str> = names.lines().collect();
        assert_eq!(names[..2], ["a red circle", "a blue square"]);
        assert_eq!(names[3], clips[2].display().to_string());
        assert!(refused.to_string().contains("1 of 3"), "{refused}");
    }

    #[test]
    fn nothing_to_embed_and_lists_that_are_gone_are_errors_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        super::super::bundle_folder::small::write(folder, None);
        std::fs::write(folder.join("empty.txt"), "\n\n").unwrap();

        let empty = embed(folder, &["--texts", "@empty.txt", "--out", "@out.jsonl"]).unwrap_err();
        let gone = embed(folder, &["--texts", "@gone.txt", "--out", "@out.npy"]).unwrap_err();
        let no_clips = embed(folder, &["@gone", "--out", "@out.npy"]).unwrap_err();

        assert!(empty.to_string().contains("not one embedding"), "{empty}");
        assert!(
            gone.to_string().contains("gone.txt: cannot be read"),
            "{gone}"
        );
        assert!(
            no_clips.to_string().contains("gone: there is no such"),
            "{no_clips}"
        );
        assert!(!folder.join("out.npy").exists() && !folder.join("out.jsonl").exists());
    }
}
