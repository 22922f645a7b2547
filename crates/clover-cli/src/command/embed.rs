//! `clover embed`.

mod text_lines;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::tensor::backend::{AutodiffBackend, Backend};
use clover_data::dataset::{ClipTable, ConvertRequest};
use clover_inference::{EmbeddedBatch, Embedder, EmbeddingFile, EmbeddingFormat};
use indicatif::ProgressBar;

use self::text_lines::TextLines;
use super::open_bundle;
use crate::arguments::Embed;
use crate::device::Work;
use crate::interrupt::Interrupt;
use crate::processes::processors;
use crate::progress::{bar, say};

/// Texts that are read before they are embedded.
const TEXTS: usize = 256;

pub(super) fn run(arguments: Embed) -> Result<()> {
    if !(0.0..=1.0).contains(&arguments.max_failed_share) {
        bail!("--max-failed-share is not between 0 and 1");
    }
    // Before a model is read: a wrong name shall not cost the time.
    EmbeddingFormat::of(&arguments.out)?;
    let mut tables = Vec::new();
    for clips in &arguments.clips {
        tables.push(open_clips(&arguments, clips)?);
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

fn open_clips(arguments: &Embed, clips: &Path) -> Result<ClipTable> {
    let scan = bar("reading shards", 0);
    let request = ConvertRequest {
        split: arguments.split.clone(),
        ..arguments.reading.request(clips)
    };
    let table = ClipTable::open_as(&request, arguments.videos.as_deref(), &|done, total| {
        scan.set_length(total as u64);
        scan.set_position(done as u64);
    });
    scan.finish_and_clear();
    Ok(table?)
}

fn open_texts(path: &Path) -> Result<TextLines<Box<dyn BufRead>>> {
    if path == Path::new("-") {
        let stdin = BufReader::new(io::stdin());
        return Ok(TextLines::new(Box::new(stdin), "standard input"));
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("{name}: cannot be read"))?;
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
        say(&format!(
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
            self.bar.inc(texts.len() as u64);
            self.bar.set_length(self.bar.position());
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
        self.bar.suspend(|| say(&format!("skipped {item}")));
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
