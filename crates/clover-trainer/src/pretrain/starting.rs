//! What the model of a run starts from: random weights, or a bundle's.

use burn::tensor::backend::AutodiffBackend;
use clover_data::text::Tokenizer;
use clover_data::video::{ChannelOrder, PixelPipeline};
use clover_inference::{bundle_preprocessing, bundle_sizes, start_from_bundle};
use clover_model::{Clover, CloverConfig, materialize_parameters};

use super::{Observe, PretrainingEvent, PretrainingPlan};
use crate::TrainerError;

/// The sizes of the model: those of the bundle, for the clips of the recipe; or those of the
/// recipe's preset.
pub(super) fn sizes(
    plan: &PretrainingPlan,
    tokenizer: &Tokenizer,
) -> Result<CloverConfig, TrainerError> {
    let Some(folder) = &plan.start_from else {
        let preset = plan.recipe.model(tokenizer.vocabulary().len())?;
        check_end(plan, &preset, tokenizer)?;
        return Ok(preset);
    };
    let mut config = bundle_sizes(folder, tokenizer)?.with_frames(plan.recipe.frames);
    plan.recipe.set_dropout(&mut config);
    config.time_positions = None;
    if plan.recipe.image_size > 0 {
        config.set_image_size(plan.recipe.image_size);
    }
    plan.recipe.check_lengths(&config)?;
    Ok(config)
}

/// What the model sees of a clip, where that is not the recipe's to say: a CLIP's colours are those of its bundle, or
/// CLIP's.
pub(super) fn pixels(
    plan: &PretrainingPlan,
    config: &CloverConfig,
) -> Result<Option<PixelPipeline>, TrainerError> {
    match &plan.start_from {
        _ if !config.is_clip() => Ok(None),
        Some(folder) => Ok(Some(bundle_preprocessing(folder)?.pixels)),
        None => Ok(Some(PixelPipeline::clip(config.image_size))),
    }
}

/// Refuses a vocabulary whose end of a text CLIP's text encoder would look for in vain: it takes the largest
/// number for it.
fn check_end(
    plan: &PretrainingPlan,
    config: &CloverConfig,
    tokenizer: &Tokenizer,
) -> Result<(), TrainerError> {
    let last = tokenizer.vocabulary().len() as u32;
    if config.is_clip() && tokenizer.special().sep + 1 != last {
        return Err(TrainerError::RecipeValue {
            key: "preset",
            reason: format!(
                "the end of a text is the last piece of a CLIP's vocabulary, and `[SEP]` is not that of {}: move \
                 its line to the end, or take a folder with CLIP's tokenizer",
                plan.vocabulary.as_ref().unwrap_or(&plan.folder).display()
            ),
        });
    }
    Ok(())
}

/// A model of these sizes, with random weights where no bundle gives it any.
pub(super) fn model<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    config: &CloverConfig,
    device: &B::Device,
    observe: &mut Observe<'_>,
) -> Result<Clover<B>, TrainerError> {
    let Some(folder) = &plan.start_from else {
        return Ok(plan.recipe.starting_weights.draw(config.init(device)));
    };
    // Training reads clips in the usual order, and those of a CLIP in its own.
    let channels = match pixels(plan, config)? {
        Some(own) => own.channels,
        None => ChannelOrder::default(),
    };
    let (clover, report) = start_from_bundle(folder, config, channels, device)?;
    let report = &report;
    let _ = observe(PretrainingEvent::StartsFrom { folder, report });
    // What the bundle had is there already.
    materialize_parameters(&clover);
    Ok(clover)
}
