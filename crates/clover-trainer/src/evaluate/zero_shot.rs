//! Questions put to a model that has no head for them: the answer most like the clip.
//!
//! Radford et al., "CLIP" (2021), section 3.1: a class is a sentence, and the sentence closest to the image is the
//! answer. Options are read with their question; the answers of a list are written by the
//! [form of the question](AnswerPrompt::of_form).

use std::collections::BTreeMap;

use burn::prelude::*;
use burn::tensor::TensorData;
use clover_data::batch::{ClipBatch, views_apart};
use clover_data::dataset::{AnswerVocabulary, ClipTable, Texts};
use clover_inference::{AnswerPrompt, Embedder};
use clover_model::Noise;

use super::AnswerScores;
use crate::TrainerError;

/// Answers by the options' cosines.
pub(super) struct SimilarOption<'e, B: Backend>(pub(super) &'e Embedder<B>);

/// Answers by the cosines of a list's answers, each written as a sentence.
pub(super) struct SimilarAnswer<'e, B: Backend> {
    embedder: &'e Embedder<B>,
    /// `[answers, dim]` of each template.
    lists: Vec<Tensor<B, 2>>,
    /// The template of each question.
    of_question: Vec<usize>,
}

impl<'e, B: Backend> SimilarAnswer<'e, B> {
    /// Embeds the list once for each form that a question has.
    pub(super) fn new(
        embedder: &'e Embedder<B>,
        questions: &ClipTable,
        answers: &AnswerVocabulary,
    ) -> Result<Self, TrainerError> {
        let mut templates = BTreeMap::new();
        let mut lists = Vec::new();
        let mut of_question = Vec::new();
        for row in 0..questions.len() {
            let question = match questions.texts(row) {
                Texts::Question { question, .. } => question,
                _ => String::new(),
            };
            let prompt = AnswerPrompt::of_form(&question);
            // A list for each question would be embedded as often as there are questions.
            let prompt = match prompt.has_question() {
                true => AnswerPrompt::default(),
                false => prompt,
            };
            let known = templates.get(&prompt).copied();
            let number = known.unwrap_or(lists.len());
            if known.is_none() {
                let texts = answers.answers().iter();
                let texts: Vec<String> = texts.map(|answer| prompt.text("", answer)).collect();
                let rows = embedder.embed_texts(&texts)?;
                let rows = TensorData::new(rows.values.clone(), [rows.rows(), rows.dim]);
                lists.push(Tensor::from_data(rows, embedder.device()));
                templates.insert(prompt, number);
            }
            of_question.push(number);
        }
        Ok(Self {
            embedder,
            lists,
            of_question,
        })
    }
}

impl<B: Backend> AnswerScores<B> for SimilarOption<'_, B> {
    fn scores(&self, questions: ClipBatch<B>, views: usize, noise: &mut Noise) -> Tensor<B, 2> {
        let (batch, model) = (questions.items.len(), self.0.model());
        let texts = model.embed_text(questions.token_ids, questions.attention_mask, noise);
        let [rows, dim] = texts.dims();
        let options = rows / batch;
        assert!(
            questions.items.iter().all(|item| item.texts == options),
            "multiple choice: options of different number"
        );
        let clips = views_apart(questions.clips, views);
        let clips = unit_length(model.embed_video(clips, views, noise));
        let texts = unit_length(texts).reshape([batch, options, dim]);
        let cosines = texts.matmul(clips.reshape([batch, dim, 1]));
        cosines.reshape([batch, options]) / self.0.temperature()
    }
}

impl<B: Backend> AnswerScores<B> for SimilarAnswer<'_, B> {
    fn scores(&self, questions: ClipBatch<B>, views: usize, noise: &mut Noise) -> Tensor<B, 2> {
        let clips = views_apart(questions.clips, views);
        let clips = unit_length(self.embedder.model().embed_video(clips, views, noise));
        let rows = questions.items.iter().enumerate().map(|(row, item)| {
            let list = self.lists[self.of_question[item.index]].clone();
            let clip = questions.clip_of.get(row).copied().unwrap_or(row);
            clips.clone().narrow(0, clip, 1).matmul(list.transpose())
        });
        Tensor::cat(rows.collect(), 0) / self.embedder.temperature()
    }
}

fn unit_length<B: Backend>(rows: Tensor<B, 2>) -> Tensor<B, 2> {
    let length = rows.clone().powi_scalar(2).sum_dim(1).sqrt();
    rows / length.clamp_min(1e-12)
}
