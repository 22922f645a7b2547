//! What a task's recipe must hold: by itself, and with the bundle it is used with.

use clover_data::text::QuestionForm;
use clover_inference::Preprocessing;
use clover_model::CloverConfig;

use super::clip_keys;
use super::keys::{Follows, first_wrong};
use super::reading::Recipe;
use super::task::{CaptionChoice, TaskKind, TaskRecipe};
use crate::TrainerError;
use crate::temperature::TemperatureChoice;

/// A patch has 4 pixels, and 7 windows a side must come out whole.
const SIZE_STEP: usize = 28;

impl Recipe for TaskRecipe {
    const COMPLETE: &'static str = include_str!("../../recipes/retrieval-custom.toml");

    fn following(mut self, before: &Self, given: &[&str]) -> Self {
        Follows(given).adjust(
            (self.epochs, &mut self.warmup_epochs),
            ([before.frames, self.frames], &mut self.test_frames),
        );
        self
    }

    fn validate(&self) -> Result<(), TrainerError> {
        let positive = [
            ("test_views", self.test_views),
            ("test_interval", self.test_interval),
            ("batch_size", self.batch_size),
            ("group_size", self.group_size),
            ("micro_batches_at_once", self.micro_batches_at_once),
            ("epochs", self.epochs),
            ("workers", self.workers),
            ("keep_checkpoints", self.keep_checkpoints),
        ];
        first_wrong(&positive, |value| value > 0, "must be positive")?;
        let checkpoints = [("checkpoint_every", self.checkpoint_every)];
        first_wrong(&checkpoints, |steps| steps > 0, "must be positive")?;
        let sizes = [("image_size", self.image_size)];
        first_wrong(
            &sizes,
            |size| size.is_multiple_of(SIZE_STEP) && size <= 2_016,
            "must be a multiple of 28 up to 2016, or 0 for the bundle's",
        )?;
        let fits = (0.0..=self.epochs as f64).contains(&self.warmup_epochs);
        let warmup = [("warmup_epochs", fits)];
        first_wrong(&warmup, |fits| fits, "must not exceed epochs")?;
        clip_keys::check(self.fps, &self.limits)?;
        self.temperature.validate()?;
        self.check_numbers()?;
        self.check_task()
    }
}

impl TaskRecipe {
    /// Numbers that are no counts.
    fn check_numbers(&self) -> Result<(), TrainerError> {
        let at_least_zero = [
            ("learning_rate", self.learning_rate),
            ("tower_multiplier", self.tower_multiplier),
            ("weight_decay", self.weight_decay),
            ("answer_head_multiplier", self.answer_head_multiplier),
            ("clip_norm", self.clip_norm),
        ];
        let is_size = |value: f64| value.is_finite() && value >= 0.0;
        first_wrong(&at_least_zero, is_size, "must be a number of at least 0")?;
        let shares = [
            ("flip_probability", self.flip_probability),
            ("minimum_ratio", self.minimum_ratio),
            ("warmup_start_ratio", self.warmup_start_ratio),
            ("answer_head_dropout", self.answer_head_dropout),
            ("max_failed_share", self.max_failed_share),
        ];
        let is_share = |value| (0.0..=1.0).contains(&value);
        first_wrong(&shares, is_share, "must lie between 0 and 1")
    }

    /// Keys that mean nothing for a task must not seem to mean something.
    fn check_task(&self) -> Result<(), TrainerError> {
        let kind = self.task;
        let wrong = |key, holds: bool, rule: &str| first_wrong(&[(key, holds)], |good| good, rule);
        let views = self.test_views == 1 || !kind.is_retrieval();
        wrong("test_views", views, "must be 1 in retrieval")?;
        let interval = self.test_interval == 1 || self.test_views > 1;
        wrong(
            "test_interval",
            interval,
            "must be 1 where a clip has one view",
        )?;
        let scores_options = matches!(kind, TaskKind::RankedChoice | TaskKind::MultipleChoice);
        let candidates = self.candidates == 0 || scores_options;
        wrong(
            "candidates",
            candidates,
            "must be 0 where questions have no options",
        )?;
        let names_answers = matches!(kind, TaskKind::OpenEnded | TaskKind::FillInTheBlank);
        let answers = self.answers == 0 || names_answers;
        wrong("answers", answers, "must be 0 where no answer is named")?;
        let asks_options = kind == TaskKind::MultipleChoice;
        let form = (self.question_form == QuestionForm::Alone) != asks_options
            && self.question_form != QuestionForm::MaskedAnswer;
        wrong(
            "question_form",
            form,
            "must be \"alone\", or \"with-candidate\" or \"all-options\" for multiple choice",
        )?;
        let groups = self.group_size == 1 || kind.is_retrieval() || names_answers;
        wrong(
            "group_size",
            groups,
            "must be 1 where questions have options",
        )?;
        let at_once = self.micro_batches_at_once == 1 || !kind.is_retrieval();
        wrong(
            "micro_batches_at_once",
            at_once,
            "must be 1 where items are compared",
        )?;
        let temperature = self.temperature == TemperatureChoice::default() || kind.is_retrieval();
        wrong(
            "temperature",
            temperature,
            "must be 0.05 where items are not compared",
        )?;
        let all = self.captions == CaptionChoice::All || kind.is_retrieval();
        wrong(
            "captions",
            all,
            "must be \"all\" where nothing is learned from captions",
        )
    }

    /// The recipe with what it leaves to the bundle filled in.
    ///
    /// # Errors
    ///
    /// Texts are longer than the model's positions, clips have more frames than the video or the fusion
    /// encoder has positions for, or another size than the latter has regions for.
    pub fn fitted(
        &self,
        config: &CloverConfig,
        bundle: &Preprocessing,
    ) -> Result<Self, TrainerError> {
        let given = |value: usize, otherwise| if value == 0 { otherwise } else { value };
        // The fusion encoder has positions for the frames trained with; alone, embeddings need none.
        let test_frames = match self.task.is_retrieval() {
            true => bundle.frames,
            false => bundle.frames.min(config.frames),
        };
        let recipe = Self {
            frames: given(self.frames, config.frames),
            test_frames: given(self.test_frames, test_frames),
            fps: match self.fps {
                0.0 => bundle.fps.unwrap_or_default(),
                given => given,
            },
            image_size: given(self.image_size, config.image_size),
            text_len: given(self.text_len, bundle.text_len),
            test_text_len: given(self.test_text_len, bundle.text_len),
            ..self.clone()
        };
        let longest = config.text.longest_text();
        let lengths = [
            ("text_len", recipe.text_len),
            ("test_text_len", recipe.test_text_len),
        ];
        let rule = format!("must lie between 3 and the {longest} positions of the model");
        first_wrong(&lengths, |length| (3..=longest).contains(&length), &rule)?;
        let frames = [
            ("frames", recipe.frames),
            ("test_frames", recipe.test_frames),
        ];
        clip_keys::check_frames(config, &frames)?;
        if recipe.task.is_retrieval() {
            return Ok(recipe);
        }
        let fusion = config.fusion();
        let steps = fusion.time_positions;
        let rule = format!("the bundle's fusion encoder has positions for {steps} time steps only");
        first_wrong(
            &frames,
            |frames| config.video.output_frames(frames) <= steps,
            &rule,
        )?;
        let rows = config.video.output_rows(recipe.image_size);
        let size = [("image_size", rows * rows == fusion.space_positions)];
        let rule = format!(
            "gives {} regions where the bundle's fusion encoder has {}",
            rows * rows,
            fusion.space_positions
        );
        first_wrong(&size, |fits| fits, &rule)?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{PretrainingRecipe, ShippedRecipe};
    use clover_data::video::PixelPipeline;
    use clover_model::clip::{Activation, ClipVisionConfig, FramePooling, TemporalPoolingConfig};
    use clover_model::video_encoder::ClipVideoConfig;

    #[test]
    fn a_recipe_written_out_reads_back() {
        let recipe = TaskRecipe::open("multiple-choice-tgif-action").unwrap();

        let again = TaskRecipe::from_toml(&recipe.to_toml().unwrap(), "again").unwrap();

        assert_eq!(again, recipe);
    }

    #[test]
    fn a_stray_key_a_missing_one_and_one_without_meaning_are_refused_by_name() {
        let text = ShippedRecipe::find("open-ended-msvd-qa").unwrap().text;
        let stray = format!("lerning_rate = 1.0\n{text}");
        let missing = text.replace("clip_norm = 50.0\n", "");
        let refused = |text: &str| {
            let error = TaskRecipe::from_toml(text, "mine.toml").unwrap_err();
            format!("{error:?} {error}")
        };

        assert!(refused(&stray).contains("learning_rate"));
        assert!(refused(&missing).contains("clip_norm"));
        for (name, key) in [
            ("retrieval-msrvtt", "test_views=4"),
            ("retrieval-msrvtt", "answers=100"),
            ("open-ended-msvd-qa", "candidates=5"),
            ("open-ended-msvd-qa", "question_form=all-options"),
            ("multiple-choice-lsmdc", "question_form=alone"),
            ("multiple-choice-lsmdc", "captions=one-an-epoch"),
            ("multiple-choice-lsmdc", "image_size=100"),
            ("multiple-choice-lsmdc", "group_size=5"),
            ("retrieval-msrvtt", "group_size=0"),
        ] {
            let recipe = TaskRecipe::open(name).unwrap();

            let error = recipe.with_overrides(&[key]).unwrap_err().to_string();

            let key = key.split_once('=').unwrap().0;
            assert!(error.contains(key), "{name}: {error}");
        }
    }

    #[test]
    fn a_clip_of_more_frames_than_the_pooling_has_positions_is_refused_by_key_and_bound() {
        let clip =
            ClipVideoConfig::new(ClipVisionConfig::new(28, 4, 32, 2, 2, 32, Activation::Gelu));
        let pooling = FramePooling::Temporal(TemporalPoolingConfig::new().with_positions(6));
        let config = CloverConfig {
            video: clip.with_pooling(pooling).into(),
            ..CloverConfig::clip_nano(100)
        };
        let bundle = Preprocessing {
            frames: 4,
            fps: None,
            pixels: PixelPipeline::clip(28),
            text_len: 16,
        };
        let fitted = |frames: &str, test_frames: &str| {
            let recipe = TaskRecipe::open("retrieval-clip-msrvtt").unwrap();
            let recipe = recipe.with_overrides(&[frames, test_frames]).unwrap();
            recipe
                .fitted(&config, &bundle)
                .map_err(|error| error.to_string())
        };

        assert!(fitted("frames=6", "test_frames=6").is_ok());
        let refused = fitted("frames=7", "test_frames=6").unwrap_err();
        assert!(
            refused.contains("recipe: frames: must not exceed the 6"),
            "{refused}"
        );
        let refused = fitted("frames=6", "test_frames=7").unwrap_err();
        assert!(
            refused.contains("recipe: test_frames: must not exceed the 6"),
            "{refused}"
        );
        let pretraining = PretrainingRecipe::open("pretrain-clip").unwrap();
        let pretraining = pretraining
            .with_overrides(&["frames=7", "test_frames=7"])
            .unwrap();
        let refused = pretraining.check_lengths(&config).unwrap_err().to_string();
        assert!(
            refused.contains("recipe: frames: must not exceed the 6"),
            "{refused}"
        );
    }

    #[test]
    fn keys_are_replaced_one_by_one() {
        let recipe = TaskRecipe::open("open-ended-custom").unwrap();

        let recipe = recipe
            .with_overrides(&["task=fill-in-the-blank", "learning_rate=5e-4"])
            .unwrap();

        assert_eq!(recipe.task, TaskKind::FillInTheBlank);
        assert!((recipe.learning_rate - 5e-4).abs() < 1e-12);
    }
}
