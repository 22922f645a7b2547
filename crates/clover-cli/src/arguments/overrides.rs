//! Keys of a recipe on the command line.

use clap::Args;
use clover_trainer::TrainerError;
use clover_trainer::recipe::PretrainingRecipe;

/// Keys of the recipe that a run replaces.
#[derive(Args, Debug)]
pub(crate) struct Overrides {
    /// Any keys of the recipe, each `key=value`; they win over the options below.
    #[arg(value_name = "KEY=VALUE")]
    keys: Vec<String>,
    /// Size of the model: nano (for tests), tiny, small or base.
    #[arg(long)]
    preset: Option<String>,
    /// Frames of a clip.
    #[arg(long)]
    frames: Option<usize>,
    /// Height and width of a clip in pixels, a multiple of 28.
    #[arg(long)]
    image_size: Option<usize>,
    /// Word pieces of a text.
    #[arg(long)]
    text_len: Option<usize>,
    /// Pairs of a step.
    #[arg(long)]
    batch_size: Option<usize>,
    /// Times through the data.
    #[arg(long)]
    epochs: Option<usize>,
    /// Largest learning rate.
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Epochs of linear warm-up.
    #[arg(long)]
    warmup_epochs: Option<usize>,
    /// Steps between two checkpoints.
    #[arg(long)]
    checkpoint_every: Option<u64>,
    /// Stop when more than this share of the items is broken.
    #[arg(long)]
    max_failed_share: Option<f64>,
    /// Threads that decode.
    #[arg(long)]
    workers: Option<usize>,
    /// Seed of everything random.
    #[arg(long)]
    seed: Option<u64>,
}

impl Overrides {
    /// With a further `key=value` in front of the others.
    pub(crate) fn with_key(mut self, key: String) -> Self {
        self.keys.insert(0, key);
        self
    }

    /// The recipe with the given keys replaced.
    pub(crate) fn apply(
        self,
        mut recipe: PretrainingRecipe,
    ) -> Result<PretrainingRecipe, TrainerError> {
        fn set<T>(key: &mut T, given: Option<T>) {
            if let Some(value) = given {
                *key = value;
            }
        }
        set(&mut recipe.preset, self.preset);
        set(&mut recipe.frames, self.frames);
        set(&mut recipe.image_size, self.image_size);
        set(&mut recipe.text_len, self.text_len);
        set(&mut recipe.batch_size, self.batch_size);
        if let Some(epochs) = self.epochs {
            recipe.epochs = epochs;
            // A shorter run than the recipe's must not be all warm-up.
            recipe.warmup_epochs = recipe.warmup_epochs.min(epochs / 4);
        }
        set(&mut recipe.learning_rate, self.learning_rate);
        set(&mut recipe.warmup_epochs, self.warmup_epochs);
        set(&mut recipe.checkpoint_every, self.checkpoint_every);
        set(&mut recipe.max_failed_share, self.max_failed_share);
        set(&mut recipe.workers, self.workers);
        set(&mut recipe.seed, self.seed);
        recipe.with_overrides(&self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn changed(options: &str) -> Result<PretrainingRecipe, TrainerError> {
        let line = format!("clover pretrain --data a.csv --vocab v.txt --out runs/x {options}");
        let arguments = Arguments::parse_from(line.split(' '));
        let Command::Pretrain(pretrain) = arguments.command else {
            panic!("another command")
        };
        pretrain.overrides.apply(PretrainingRecipe::pretrain()?)
    }

    #[test]
    fn only_given_keys_are_replaced() {
        let shipped = PretrainingRecipe::pretrain().unwrap();

        let recipe = changed("--epochs 2 --seed 7").unwrap();

        let expected = PretrainingRecipe {
            epochs: 2,
            seed: 7,
            warmup_epochs: 0,
            ..shipped
        };
        assert_eq!(recipe, expected);
    }

    #[test]
    fn any_key_can_be_replaced_and_wins_over_an_option() {
        let recipe = changed("--epochs 9 clip_norm=5 epochs=8 text_masking=whole-word").unwrap();

        assert_eq!((recipe.clip_norm, recipe.epochs), (5.0, 8));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = changed("clipnorm=5").unwrap_err();

        assert!(error.to_string().contains("clip_norm"), "{error}");
    }
}
