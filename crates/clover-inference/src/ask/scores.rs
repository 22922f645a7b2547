//! The model's scores of the answers to a question, and what they make probable.

use burn::prelude::*;
use clover_data::DataError;
use clover_data::batch::stack_clips;
use clover_data::dataset::AnswerVocabulary;
use clover_data::text::QuestionForm;
use clover_data::video::NormalizedClip;
use clover_model::Noise;
use clover_model::tasks::{MultipleChoiceModel, OpenEndedModel};

use super::question::{BLANK, Question};
use super::{AnswerPrompt, AnsweredBy, Answerer, Head, Scored};
use crate::InferenceError;
use crate::text_batch::TextBatch;

/// Choices that pass the fusion encoder together, each with the whole clip.
const TOGETHER: usize = 64;

impl<B: Backend> Answerer<B> {
    /// The score of each answer.
    pub(super) fn score(
        &self,
        clip: &NormalizedClip,
        question: &Question,
        head: Option<&Head<B>>,
    ) -> Result<Scored, InferenceError> {
        let quiet = &mut Noise::quiet();
        let (known, scores, cut) = match head {
            Some(Head::OpenEnded(known, model)) => {
                let texts = self.embedder.text_batch(&[question.text.as_str()])?;
                let blanks = self.blank_for(model, &texts)?;
                let TextBatch { ids, mask, cut, .. } = texts;
                let scores = model.forward(self.stacked(clip), 1, ids, mask, blanks, quiet);
                (known, scores, cut)
            }
            Some(Head::MultipleChoice(form, model)) => {
                return self.score_choices(clip, question, (*form, model));
            }
            None => return self.compare(clip, question),
        };
        let scores = values(scores);
        let (answers, scores) = match question.choices.is_empty() {
            true => (known.answers().to_vec(), scores),
            false => {
                let numbers = question.choices.iter().map(|choice| known.index_of(choice));
                let scores = numbers.flatten().filter_map(|number| scores.get(number));
                (question.choices.clone(), scores.copied().collect())
            }
        };
        Ok(Scored {
            answers,
            scores,
            by: AnsweredBy::AnswerList,
            temperature: 1.0,
            cut,
        })
    }

    /// How much the position that answers attends to each region and frame.
    pub(super) fn attend(
        &self,
        clip: &NormalizedClip,
        question: &Question,
        head: Option<&Head<B>>,
    ) -> Result<Tensor<B, 4>, InferenceError> {
        let clips = self.stacked(clip);
        match head {
            Some(Head::OpenEnded(_, model)) => {
                let texts = self.embedder.text_batch(&[question.text.as_str()])?;
                let blanks = self.blank_for(model, &texts)?;
                Ok(model.video_attention(clips, 1, texts.ids, texts.mask, blanks))
            }
            Some(Head::MultipleChoice(form, model)) => {
                let scored = self.score_choices(clip, question, (*form, model))?;
                let best = scored.ranked(1)?.ranked;
                let is_best = |choice: &String| best.iter().any(|best| best.answer == *choice);
                let best = question.choices.iter().position(is_best).unwrap_or(0);
                let texts = form.texts(&question.text, &question.choices);
                let TextBatch { ids, mask, .. } =
                    self.embedder.text_batch(&[texts[best].as_str()])?;
                Ok(model.video_attention(clips, 1, ids, mask))
            }
            None => Err(InferenceError::Unanswerable {
                can: "answers this question by similarity, which looks at no regions".to_owned(),
                instead: "attention needs a head that was trained to answer it",
            }),
        }
    }

    fn score_choices(
        &self,
        clip: &NormalizedClip,
        question: &Question,
        (form, model): (QuestionForm, &MultipleChoiceModel<B>),
    ) -> Result<Scored, InferenceError> {
        let texts = form.texts(&question.text, &question.choices);
        let (mut scores, mut cut) = (Vec::new(), false);
        for texts in texts.chunks(TOGETHER) {
            let texts = self.embedder.text_batch(texts)?;
            let [candidates, text_len] = texts.ids.dims();
            let shape = [1, candidates, text_len];
            let (ids, mask) = (texts.ids.reshape(shape), texts.mask.reshape(shape));
            let quiet = &mut Noise::quiet();
            scores.extend(values(model.forward(
                self.stacked(clip),
                1,
                ids,
                mask,
                quiet,
            )));
            cut |= texts.cut;
        }
        Ok(Scored {
            answers: question.choices.clone(),
            scores,
            by: AnsweredBy::MultipleChoice,
            temperature: 1.0,
            cut,
        })
    }

    /// The cosine of the clip and the question with each choice, or each answer of the list.
    fn compare(
        &self,
        clip: &NormalizedClip,
        question: &Question,
    ) -> Result<Scored, InferenceError> {
        let of_list = self.list.as_ref().filter(|_| question.choices.is_empty());
        let answers = of_list.map_or(&question.choices[..], AnswerVocabulary::answers);
        let prompt = match (&self.prompt, of_list) {
            (Some(prompt), _) => Some(prompt.clone()),
            (None, Some(_)) if !question.text.contains(BLANK) => {
                Some(AnswerPrompt::of_form(&question.text))
            }
            (None, _) => None,
        };
        let write = |answer: &String| match &prompt {
            Some(prompt) => prompt.text(&question.text, answer),
            None => question.with_choice(answer),
        };
        let texts: Vec<String> = answers.iter().map(write).collect();
        let mut cut = false;
        for text in &texts {
            cut |= self.embedder.is_cut(text)?;
        }
        let embedded = self.embedder.embed_texts(&texts)?;
        let video = self.embedder.embed_clips(&[clip]);
        let cosine = |row| {
            let both = embedded.row(row).iter().zip(video.row(0));
            both.map(|(text, video)| text * video).sum()
        };
        Ok(Scored {
            answers: answers.to_vec(),
            scores: (0..embedded.rows()).map(cosine).collect(),
            by: AnsweredBy::Similarity,
            temperature: self.embedder.temperature(),
            cut,
        })
    }

    fn stacked(&self, clip: &NormalizedClip) -> Tensor<B, 5> {
        stack_clips(&[clip], self.embedder.device())
    }

    /// Where the one blank of a sentence stands, for a model that fills it in.
    fn blank_for(
        &self,
        model: &OpenEndedModel<B>,
        texts: &TextBatch<B>,
    ) -> Result<Option<Tensor<B, 1, Int>>, InferenceError> {
        if model.separator_token.is_none() {
            return Ok(None);
        }
        let mask = self.embedder.tokenizer().special().mask;
        let ids = texts.encodings.iter().flat_map(|text| &text.ids);
        let blanks = ids.zip(0..).filter(|(id, _)| **id == mask);
        let blanks: Vec<i64> = blanks.map(|(_, place)| place).collect();
        if blanks.len() != 1 {
            let error = DataError::Blanks {
                name: "the question".to_owned(),
                found: blanks.len(),
                text_len: self.embedder.preprocessing().text_len,
            };
            return Err(error.into());
        }
        let blanks = Tensor::from_ints(blanks.as_slice(), self.embedder.device());
        Ok(Some(blanks))
    }
}

fn values<B: Backend>(scores: Tensor<B, 2>) -> Vec<f32> {
    scores.into_data().convert::<f32>().iter().collect()
}

/// What finite scores make probable: their softmax.
pub(super) fn probabilities(scores: &[f32], temperature: f64) -> Vec<f64> {
    let scaled = scores.iter().map(|&score| f64::from(score) / temperature);
    let scaled: Vec<f64> = scaled.collect();
    let highest = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scaled.iter().map(|score| (score - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}
