//! What a model that answers questions has beside Clover's encoders, under the parameter paths of its
//! task: a trained model is kept as Clover and this.

use burn::module::Param;
use burn::prelude::*;

use super::{MultipleChoiceModel, OpenEndedModel};
use crate::Clover;
use crate::heads::{
    MultipleChoiceHead, MultipleChoiceHeadConfig, OpenEndedHead, OpenEndedHeadConfig,
};
use crate::init::truncated_normal;

/// Which head, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerHeadConfig {
    /// Chooses from a list of answers.
    OpenEnded {
        /// Its length.
        answers: usize,
    },
    /// Chooses from a list of words for a blank.
    FillInTheBlank {
        /// Its length.
        answers: usize,
    },
    /// Scores one candidate.
    MultipleChoice,
}

/// The head of a fine-tuned model.
#[derive(Clone, Debug)]
pub enum AnswerHead<B: Backend> {
    /// Chooses from a list.
    OpenEnded(OpenEndedAnswerHead<B>),
    /// Scores one candidate.
    MultipleChoice(MultipleChoiceAnswerHead<B>),
}

/// What an [`OpenEndedModel`] has beside its encoders.
#[derive(Module, Debug)]
pub struct OpenEndedAnswerHead<B: Backend> {
    /// Scores every answer of the list.
    pub answer_head: OpenEndedHead<B>,
    /// `[1, 1, dim]`, stands between video and text where there is a blank to fill in.
    pub separator_token: Option<Param<Tensor<B, 3>>>,
}

/// What a [`MultipleChoiceModel`] has beside its encoders.
#[derive(Module, Debug)]
pub struct MultipleChoiceAnswerHead<B: Backend> {
    /// Scores one candidate.
    pub answer_head: MultipleChoiceHead<B>,
}

/// A model that answers questions, whole again.
#[derive(Clone, Debug)]
pub enum AnswerModel<B: Backend> {
    /// Chooses from a list of answers, or of words for a blank.
    OpenEnded(OpenEndedModel<B>),
    /// Scores candidates.
    MultipleChoice(MultipleChoiceModel<B>),
}

impl AnswerHeadConfig {
    /// Initializes a new head for fused features of `hidden` channels.
    pub fn init<B: Backend>(self, hidden: usize, device: &B::Device) -> AnswerHead<B> {
        let (answers, separator_token) = match self {
            Self::OpenEnded { answers } => (answers, None),
            Self::FillInTheBlank { answers } => {
                let token = truncated_normal([1, 1, hidden], 0.02, device);
                (answers, Some(token))
            }
            Self::MultipleChoice => {
                return AnswerHead::MultipleChoice(MultipleChoiceAnswerHead {
                    answer_head: MultipleChoiceHeadConfig::new(hidden).init(device),
                });
            }
        };
        AnswerHead::OpenEnded(OpenEndedAnswerHead {
            answer_head: OpenEndedHeadConfig::new(hidden, answers).init(device),
            separator_token,
        })
    }
}

impl<B: Backend> AnswerHead<B> {
    /// The task's model, from the encoders and this.
    pub fn with_encoders(self, clover: Clover<B>) -> AnswerModel<B> {
        let Clover {
            video_encoder,
            text_encoder,
            fusion_encoder,
            ..
        } = clover;
        match self {
            Self::OpenEnded(OpenEndedAnswerHead {
                answer_head,
                separator_token,
            }) => AnswerModel::OpenEnded(OpenEndedModel {
                video_encoder,
                text_encoder,
                fusion_encoder,
                answer_head,
                separator_token,
            }),
            Self::MultipleChoice(MultipleChoiceAnswerHead { answer_head }) => {
                AnswerModel::MultipleChoice(MultipleChoiceModel {
                    video_encoder,
                    text_encoder,
                    fusion_encoder,
                    answer_head,
                })
            }
        }
    }
}

impl<B: Backend> OpenEndedModel<B> {
    /// This model's encoders in place of those of a Clover, and its head.
    pub fn split(self, clover: Clover<B>) -> (Clover<B>, AnswerHead<B>) {
        let clover = Clover {
            video_encoder: self.video_encoder,
            text_encoder: self.text_encoder,
            fusion_encoder: self.fusion_encoder,
            ..clover
        };
        let head = OpenEndedAnswerHead {
            answer_head: self.answer_head,
            separator_token: self.separator_token,
        };
        (clover, AnswerHead::OpenEnded(head))
    }
}

impl<B: Backend> MultipleChoiceModel<B> {
    /// This model's encoders in place of those of a Clover, and its head.
    pub fn split(self, clover: Clover<B>) -> (Clover<B>, AnswerHead<B>) {
        let clover = Clover {
            video_encoder: self.video_encoder,
            text_encoder: self.text_encoder,
            fusion_encoder: self.fusion_encoder,
            ..clover
        };
        let answer_head = self.answer_head;
        let head = MultipleChoiceAnswerHead { answer_head };
        (clover, AnswerHead::MultipleChoice(head))
    }
}
