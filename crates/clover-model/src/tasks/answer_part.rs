//! What a model that answers questions has beside Clover's encoders, under the parameter paths of its
//! task: a trained model is kept as Clover and this.

use burn::module::Param;
use burn::prelude::*;

use super::{FillInTheBlankModel, MultipleChoiceModel, OpenEndedModel};
use crate::Clover;
use crate::heads::{
    MultipleChoiceHead, MultipleChoiceHeadConfig, OpenEndedHead, OpenEndedHeadConfig,
};
use crate::init::truncated_normal;

/// Which head, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerPartSizes {
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
pub enum AnswerPart<B: Backend> {
    /// Chooses from a list.
    OpenEnded(OpenEndedPart<B>),
    /// Scores one candidate.
    MultipleChoice(MultipleChoicePart<B>),
}

/// Chooses from a list of answers, or of words for a blank.
#[derive(Module, Debug)]
pub struct OpenEndedPart<B: Backend> {
    /// Scores every answer of the list.
    pub answer_head: OpenEndedHead<B>,
    /// `[1, 1, dim]`, stands between video and text where there is a blank to fill in.
    pub separator_token: Option<Param<Tensor<B, 3>>>,
}

/// Scores one candidate.
#[derive(Module, Debug)]
pub struct MultipleChoicePart<B: Backend> {
    /// Scores one candidate.
    pub answer_head: MultipleChoiceHead<B>,
}

impl AnswerPartSizes {
    /// Initializes a new head for fused features of `hidden` channels.
    pub fn init<B: Backend>(self, hidden: usize, device: &B::Device) -> AnswerPart<B> {
        let open_ended = |answers, separator_token| {
            AnswerPart::OpenEnded(OpenEndedPart {
                answer_head: OpenEndedHeadConfig::new(hidden, answers).init(device),
                separator_token,
            })
        };
        match self {
            Self::OpenEnded { answers } => open_ended(answers, None),
            Self::FillInTheBlank { answers } => {
                let token = truncated_normal([1, 1, hidden], 0.02, device);
                open_ended(answers, Some(token))
            }
            Self::MultipleChoice => AnswerPart::MultipleChoice(MultipleChoicePart {
                answer_head: MultipleChoiceHeadConfig::new(hidden).init(device),
            }),
        }
    }
}

/// A model that answers questions, whole again.
#[derive(Clone, Debug)]
pub enum AnswerModel<B: Backend> {
    /// Chooses from a list of answers.
    OpenEnded(OpenEndedModel<B>),
    /// Chooses from a list of words for a blank.
    FillInTheBlank(FillInTheBlankModel<B>),
    /// Scores candidates.
    MultipleChoice(MultipleChoiceModel<B>),
}

impl<B: Backend> AnswerPart<B> {
    /// The task's model, from the encoders and this.
    pub fn with_encoders(self, clover: Clover<B>) -> AnswerModel<B> {
        let Clover {
            video_encoder,
            text_encoder,
            fusion_encoder,
            ..
        } = clover;
        match self {
            Self::OpenEnded(OpenEndedPart {
                answer_head,
                separator_token: None,
            }) => AnswerModel::OpenEnded(OpenEndedModel {
                video_encoder,
                text_encoder,
                fusion_encoder,
                answer_head,
            }),
            Self::OpenEnded(OpenEndedPart {
                answer_head,
                separator_token: Some(separator_token),
            }) => AnswerModel::FillInTheBlank(FillInTheBlankModel {
                video_encoder,
                text_encoder,
                fusion_encoder,
                answer_head,
                separator_token,
            }),
            Self::MultipleChoice(MultipleChoicePart { answer_head }) => {
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
