//! Questions about a clip: Clover, section 4.2, for one clip and one question.
//!
//! Texts and clips are prepared as evaluation prepares them, so that an answer here is the one that an
//! evaluation of the bundle counts.

mod certainty;
mod prompt;
mod question;
mod scores;

use burn::prelude::*;
use clover_data::dataset::AnswerVocabulary;
use clover_data::text::QuestionForm;
use clover_data::video::{ClipSource, NormalizedClip, Span};
use clover_model::tasks::{AnswerModel, MultipleChoiceModel, OpenEndedModel};
use serde::Serialize;

pub use self::prompt::AnswerPrompt;
use self::question::{BLANK, Question};
use self::scores::probabilities;
use crate::{Answers, AttentionMap, AttentionOverlay, Bundle, Embedder, InferenceError};

/// Answers questions about clips, with what its bundle has.
///
/// | the bundle has | without choices | with choices |
/// |---|---|---|
/// | a list of answers, or of words for `[MASK]` | the best of the list | the best of these, if the list has them all; else by similarity |
/// | a head for choices | an error | the best of these |
/// | no head | of a [list that is given](Self::with_answers), by similarity; else an error | by similarity |
///
/// # Example
///
/// ```
/// # use burn_flex::Flex;
/// # use clover_data::text::Tokenizer;
/// # use clover_model::CloverConfig;
/// # let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "circle"];
/// # let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt")?;
/// # let config = CloverConfig::tiny(tokenizer.vocabulary().len()).with_image_size(28).with_frames(2);
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("clip.png");
/// # image::RgbImage::new(32, 32).save(&path)?;
/// # let folder = folder.path();
/// # let bundle = clover_inference::Bundle::<Flex>::init(config, tokenizer, 16, &Default::default());
/// # bundle.write(folder)?;
/// use clover_data::video::ClipSource;
/// use clover_inference::{Answerer, Bundle};
///
/// let device = Default::default();
/// let answerer = Answerer::<Flex>::new(Bundle::read(folder, &device)?, device);
/// let clip = answerer.read(ClipSource::Path(path), None)?;
/// let choices = ["red", "blue"].map(str::to_owned);
///
/// let found = answerer.answer(&clip, "a circle that is", &choices, 5)?;
///
/// println!("{}: {:.0} %", found.ranked[0].answer, 100.0 * found.ranked[0].probability);
/// # assert_eq!(found.known, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Answerer<B: Backend> {
    embedder: Embedder<B>,
    head: Option<Head<B>>,
    /// What is chosen from without a head and without choices.
    list: Option<AnswerVocabulary>,
    prompt: Option<AnswerPrompt>,
    overlay: AttentionOverlay,
}

/// The answers to a question, best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClipAnswers {
    /// The best ones.
    pub ranked: Vec<RankedAnswer>,
    /// What they were compared by.
    pub answered_by: AnsweredBy,
    /// How many were compared: the whole list, or the choices.
    pub known: usize,
    /// Whether the best one stands out. It does where it is at least 1.5 times as probable as the second,
    /// and its probability lies at least a quarter of the way from `1 / known` to 1. Never where answers were
    /// compared by similarity.
    pub sure: bool,
    /// Whether a text has more word pieces than the model reads, and its end was left out.
    pub cut: bool,
}

/// An answer, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankedAnswer {
    /// The answer.
    pub answer: String,
    /// Between 0 and 1; those of all answers that were compared sum to 1. By similarity it is relative to
    /// these answers: one of them has it even where none is true.
    pub probability: f64,
    /// The cosine of text and clip, where they were compared by similarity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
}

/// What answers were compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// The scores of a head that was trained on a list of answers.
    AnswerList,
    /// The scores of a head that was trained on questions with choices.
    MultipleChoice,
    /// The similarity of the clip and the question with each choice, or each answer of a list. No head was
    /// trained to answer, and the probabilities are those of pre-training: cosines over its temperature.
    Similarity,
}

/// What a bundle was fine-tuned to answer with.
#[derive(Debug)]
enum Head<B: Backend> {
    /// With a list of answers, or of words for a blank.
    OpenEnded(AnswerVocabulary, OpenEndedModel<B>),
    MultipleChoice(QuestionForm, MultipleChoiceModel<B>),
}

/// A score of each answer that was compared.
struct Scored {
    answers: Vec<String>,
    scores: Vec<f32>,
    by: AnsweredBy,
    /// What scores are divided by to be logits.
    temperature: f64,
    cut: bool,
}

impl<B: Backend> Answerer<B> {
    /// Answers with a bundle's model.
    pub fn new(bundle: Bundle<B>, device: B::Device) -> Self {
        let reading = bundle.preprocessing.clip_reading();
        let overlay = AttentionOverlay::new(reading, &bundle.config);
        let head = bundle.answers.map(|(answers, head)| {
            let clover = bundle.clover.clone();
            let known = answers.vocabulary();
            match (head.with_encoders(clover), answers) {
                (AnswerModel::OpenEnded(model), _) => Head::OpenEnded(known, model),
                (AnswerModel::MultipleChoice(model), answers) => {
                    let form = match answers {
                        Answers::MultipleChoice { question_form } => question_form,
                        _ => QuestionForm::WithCandidate,
                    };
                    Head::MultipleChoice(form, model)
                }
            }
        });
        let (tokenizer, preprocessing) = (bundle.tokenizer, bundle.preprocessing);
        Self {
            embedder: Embedder::new(bundle.clover, tokenizer, preprocessing, device),
            head,
            list: None,
            prompt: None,
            overlay,
        }
    }

    /// The same with a list to choose from where a question comes without choices, by similarity.
    ///
    /// # Errors
    ///
    /// The bundle has a head, which answers by itself.
    pub fn with_answers(self, list: AnswerVocabulary) -> Result<Self, InferenceError> {
        match self.head {
            Some(_) => Err(InferenceError::Unanswerable {
                can: "has a head that was trained to answer".to_owned(),
                instead: "ask without a list of answers, or with a few choices",
            }),
            None => Ok(Self {
                list: Some(list),
                ..self
            }),
        }
    }

    /// The same with a template for answers that are compared by similarity. Without one, a choice follows the
    /// question or fills its `[MASK]`, and the answers of a list are written by the
    /// [form of the question](AnswerPrompt::of_form).
    #[must_use]
    pub fn with_prompt(self, prompt: AnswerPrompt) -> Self {
        Self {
            prompt: Some(prompt),
            ..self
        }
    }

    /// The same model, for embeddings.
    pub fn embedder(&self) -> &Embedder<B> {
        &self.embedder
    }

    /// What lays [attention](Self::attention) over the frames of a clip.
    pub fn overlay(&self) -> &AttentionOverlay {
        &self.overlay
    }

    /// Reads a clip, or a span of it, as the model was trained to see it; without any randomness.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has no such span.
    pub fn read(
        &self,
        clip: ClipSource,
        span: Option<Span>,
    ) -> Result<NormalizedClip, InferenceError> {
        self.embedder.read(clip, span)
    }

    /// Answers a question about a clip that was [read](Self::read), with the `top` best answers. Where
    /// choices are given, it is one of these.
    ///
    /// A model for blanks is asked with a sentence that has one `[MASK]`.
    ///
    /// # Errors
    ///
    /// The bundle does not answer such a question; the question or a choice is empty or has more than
    /// [`MAX_CAPTION_WORDS`](clover_data::dataset::MAX_CAPTION_WORDS) words; there is one choice only, or
    /// more than a thousand; the model's scores are not numbers.
    ///
    /// # Panics
    ///
    /// Panics if the clip has another size than the model's.
    pub fn answer(
        &self,
        clip: &NormalizedClip,
        question: &str,
        choices: &[String],
        top: usize,
    ) -> Result<ClipAnswers, InferenceError> {
        let question = Question::new(question, choices)?;
        let head = self.head_for(&question)?;
        self.score(clip, &question, head)?.ranked(top)
    }

    /// Where in the clip the best answer to a question looks: the attention of the position that answers
    /// to each time step and region.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer); or the question is answered by similarity, which looks at no regions.
    ///
    /// # Panics
    ///
    /// As [`answer`](Self::answer).
    pub fn attention(
        &self,
        clip: &NormalizedClip,
        question: &str,
        choices: &[String],
    ) -> Result<AttentionMap, InferenceError> {
        let question = Question::new(question, choices)?;
        let head = self.head_for(&question)?;
        let attention = self.attend(clip, &question, head)?;
        let maps = AttentionMap::of_batch(attention);
        maps.into_iter().next().ok_or(InferenceError::NotFinite)
    }

    /// The head that answers such a question; none where it is answered by similarity.
    fn head_for(&self, question: &Question) -> Result<Option<&Head<B>>, InferenceError> {
        let unanswerable = |can: String, instead| InferenceError::Unanswerable { can, instead };
        let chosen = !question.choices.is_empty();
        let lists_all = |known: &AnswerVocabulary| {
            let mut choices = question.choices.iter();
            choices.all(|choice| known.index_of(choice).is_some())
        };
        match &self.head {
            None if chosen || self.list.is_some() => Ok(None),
            None => Err(unanswerable(
                "was not fine-tuned to answer questions, and can only compare a clip with texts"
                    .to_owned(),
                "give choices or a list of answers, or fine-tune it on questions (`clover finetune`)",
            )),
            Some(head @ Head::MultipleChoice(form, _)) if chosen => {
                // Without candidates in its texts, such a head has nothing to choose from.
                match form {
                    QuestionForm::WithCandidate | QuestionForm::AllOptions => Ok(Some(head)),
                    QuestionForm::Alone | QuestionForm::MaskedAnswer => Err(unanswerable(
                        format!("has a head for choices whose texts do not name them ({form:?})"),
                        "its question form must be with-candidate or all-options",
                    )),
                }
            }
            Some(Head::MultipleChoice(..)) => Err(unanswerable(
                "chooses among answers that come with the question".to_owned(),
                "give at least two choices",
            )),
            Some(head @ Head::OpenEnded(known, model)) if lists_all(known) => {
                if model.separator_token.is_none() || question.text.contains(BLANK) {
                    return Ok(Some(head));
                }
                Err(unanswerable(
                    format!("fills in a blank with one of {} words", known.len()),
                    "ask with a sentence that has one [MASK], such as \"a man plays the [MASK]\"",
                ))
            }
            Some(Head::OpenEnded(..)) => Ok(None),
        }
    }
}

impl Scored {
    fn ranked(self, top: usize) -> Result<ClipAnswers, InferenceError> {
        if !self.scores.iter().all(|score| score.is_finite()) {
            return Err(InferenceError::NotFinite);
        }
        let probabilities = probabilities(&self.scores, self.temperature);
        let by_similarity = self.by == AnsweredBy::Similarity;
        let known = self.answers.len();
        let each = self.answers.into_iter().zip(self.scores).zip(probabilities);
        let answers = each.map(|((answer, score), probability)| RankedAnswer {
            answer,
            probability,
            similarity: by_similarity.then_some(f64::from(score)),
        });
        let mut ranked: Vec<RankedAnswer> = answers.collect();
        // Of equally probable ones, the first of the list is the one that evaluation takes.
        ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let probable = ranked.iter().map(|answer| answer.probability);
        let sure = !by_similarity && certainty::is_sure(probable);
        ranked.truncate(top.max(1));
        Ok(ClipAnswers {
            ranked,
            answered_by: self.by,
            known,
            sure,
            cut: self.cut,
        })
    }
}

#[cfg(test)]
mod tests;
