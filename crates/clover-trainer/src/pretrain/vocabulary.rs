//! The word pieces of a run: those it is given, or made of its captions.

use clover_data::text::{Tokenizer, TokenizerKind};

use super::PretrainingPlan;
use super::lists::Tables;
use crate::TrainerError;

/// Pieces made of captions, at most: as many as BERT has. Captions that are few make fewer, since a piece has
/// to occur; so no recipe has to say how many.
const MOST_PIECES: usize = 30_522;

/// The pieces that the plan names, or that an earlier part of the run made; none where they are still to be made.
pub(super) fn given(plan: &PretrainingPlan) -> Result<Option<Tokenizer>, TrainerError> {
    let made = || {
        let there = Tokenizer::FILES
            .iter()
            .any(|name| plan.folder.join(name).is_file());
        (plan.resume && there).then_some(&plan.folder)
    };
    // A model that starts from a bundle knows the bundle's.
    let given = plan.vocabulary.as_ref().or(plan.start_from.as_ref());
    let read = given.or_else(made).map(Tokenizer::read);
    Ok(read.transpose()?)
}

/// Pieces made of the captions to train on: CLIP's text encoder has its own kind.
pub(super) fn of_captions(
    plan: &PretrainingPlan,
    tables: &Tables,
) -> Result<Tokenizer, TrainerError> {
    let kind = match plan.recipe.model(MOST_PIECES)?.is_clip() {
        true => TokenizerKind::Bpe,
        false => TokenizerKind::WordPiece,
    };
    let captions = tables.all().into_iter().flat_map(|table| {
        (0..table.len()).flat_map(|row| {
            let texts = table.texts(row);
            let captions = texts.all().into_iter();
            captions.map(str::to_owned).collect::<Vec<_>>()
        })
    });
    Ok(Tokenizer::train(kind, captions, MOST_PIECES)?)
}

/// The files of pieces that were made, by which a resumed run finds them in its folder.
pub(super) fn made_files(
    plan: &PretrainingPlan,
    tokenizer: &Tokenizer,
) -> Result<Vec<(&'static str, String)>, TrainerError> {
    match plan.vocabulary.is_some() || plan.start_from.is_some() {
        true => Ok(Vec::new()),
        false => Ok(tokenizer.files()?),
    }
}
