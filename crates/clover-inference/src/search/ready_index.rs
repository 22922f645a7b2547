//! An index made ready to be searched, once its rows are written.

use std::ops::ControlFlow;
use std::path::Path;

use burn::prelude::*;
use clover_data::dataset::ClipTable;

use super::Calibration;
use crate::index::{
    IndexEvent, IndexSettings, IndexWriter, LibrarySource, UpdateOptions, UpdateSummary, VideoIndex,
};
use crate::{Embedder, InferenceError, NeutralTexts};

/// Brings an index of one folder, list or shard up to date, or begins it, and makes it
/// [ready](ready_index) to be searched. `bundle` is where the embedder's model lies.
///
/// # Errors
///
/// As of [`IndexWriter::open`], [`IndexWriter::update`] and [`ready_index`].
pub fn index_clips<B: Backend>(
    folder: &Path,
    (bundle, embedder): (&Path, &Embedder<B>),
    (source, clips): (LibrarySource, ClipTable),
    options: &UpdateOptions,
    visit: &mut dyn FnMut(IndexEvent<'_>) -> ControlFlow<()>,
) -> Result<(VideoIndex, UpdateSummary), InferenceError> {
    let mut writer = IndexWriter::open(folder, &IndexSettings::of_bundle(bundle)?)?;
    let source = writer.source(source, clips)?;
    let summary = writer.update(embedder, &[source], options, visit)?;
    let neutral = NeutralTexts::of_bundle(bundle)?;
    Ok((ready_index(folder, embedder, &neutral, false)?, summary))
}

/// Reads an index, [measures](Calibration) what scores mean in it and, where `approximate`, sorts its rows into
/// [lists](VideoIndex::build_inverted_file) unless these are there for all of them.
///
/// # Errors
///
/// A file of the index cannot be read or written, or a text not be embedded.
pub fn ready_index<B: Backend>(
    folder: &Path,
    embedder: &Embedder<B>,
    neutral: &NeutralTexts,
    approximate: bool,
) -> Result<VideoIndex, InferenceError> {
    let mut index = VideoIndex::open(folder)?;
    Calibration::measure(&index, embedder, neutral)?;
    if approximate && index.rows() > 0 {
        // Damaged ones are built anew, too.
        let lists = index.read_inverted_file();
        if !lists.is_ok_and(|lists| lists.is_some_and(|lists| lists.later_rows() == 0)) {
            index.build_inverted_file(&embedder.embed_texts(&neutral.texts)?)?;
        }
        index.read_inverted_file()?;
    }
    Ok(index)
}
