//! Which parameters decay, and which learn faster.
//!
//! The rule of the reference: neither LayerNorm parameters nor parameters called `bias` decay, nor does a learned
//! temperature. A
//! recipe may name part of a path; parameters matching it follow that entry *instead of* the rule.

use serde::{Deserialize, Serialize};

use super::model_parts::LOGIT_SCALE;

/// Part of the path of the tables that do not decay in pre-training and retrieval.
const UNDECAYED_TABLE: &str = "relative_position_bias_table";

/// Part of the path of every parameter of a question-answering head.
const ANSWER_HEAD: &str = "answer_head";

/// The path-specific entry of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterRules {
    /// Pre-training and retrieval: relative position tables do not decay.
    Pretraining,
    /// Question answering and fill-in-the-blank: the answer head learns faster, and all of it
    /// decays, biases and norms included. Relative position tables decay.
    QuestionAnswering,
}

/// What one parameter is trained with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterGroup {
    /// Decoupled weight decay, to be multiplied by the learning rate.
    pub weight_decay: f64,
    /// What the schedule's learning rate is multiplied by.
    pub learning_rate_multiplier: f64,
}

impl ParameterRules {
    /// The group of the parameter at `path`, such as `text_encoder.pooler.dense.bias`.
    pub fn group_of(
        self,
        path: &str,
        weight_decay: f64,
        answer_head_multiplier: f64,
    ) -> ParameterGroup {
        match self {
            Self::QuestionAnswering if path.contains(ANSWER_HEAD) => ParameterGroup {
                weight_decay,
                learning_rate_multiplier: answer_head_multiplier,
            },
            Self::Pretraining if path.contains(UNDECAYED_TABLE) => ParameterGroup {
                weight_decay: 0.0,
                learning_rate_multiplier: 1.0,
            },
            Self::Pretraining | Self::QuestionAnswering => ParameterGroup {
                weight_decay: if never_decays(path) {
                    0.0
                } else {
                    weight_decay
                },
                learning_rate_multiplier: 1.0,
            },
        }
    }
}

/// Only LayerNorms have parameters called `gamma` and `beta` in this workspace.
fn never_decays(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    matches!(name, "bias" | "gamma" | "beta" | LOGIT_SCALE)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;

    const TABLE: &str = "video_encoder.stages.0.blocks.1.attention.relative_position_bias_table";

    fn decay(rules: ParameterRules, path: &str) -> f64 {
        rules.group_of(path, 0.01, 10.0).weight_decay
    }

    #[test]
    fn norms_and_biases_do_not_decay() {
        for rules in [
            ParameterRules::Pretraining,
            ParameterRules::QuestionAnswering,
        ] {
            assert_eq!(decay(rules, "text_encoder.layers.0.query.bias"), 0.0);
            assert_eq!(decay(rules, "video_encoder.norm.gamma"), 0.0);
            assert_eq!(decay(rules, "video_encoder.norm.beta"), 0.0);
            assert_eq!(decay(rules, "logit_scale"), 0.0);
            assert_eq!(decay(rules, "text_encoder.layers.0.query.weight"), 0.01);
        }
    }

    #[test]
    fn position_tables_and_the_mask_token_decay() {
        assert_eq!(
            decay(ParameterRules::Pretraining, "video_encoder.mask_token"),
            0.01
        );
        assert_eq!(
            decay(ParameterRules::Pretraining, "fusion_encoder.time_positions"),
            0.01
        );
    }

    #[test]
    fn relative_position_tables_decay_only_in_question_answering() {
        assert_eq!(decay(ParameterRules::Pretraining, TABLE), 0.0);
        assert_eq!(decay(ParameterRules::QuestionAnswering, TABLE), 0.01);
    }

    #[test]
    fn every_answer_head_parameter_decays_and_learns_faster() {
        let expected = ParameterGroup {
            weight_decay: 0.01,
            learning_rate_multiplier: 10.0,
        };

        for name in ["hidden.weight", "hidden.bias", "norm.gamma"] {
            let path = format!("answer_head.{name}");
            let group = ParameterRules::QuestionAnswering.group_of(&path, 0.01, 10.0);
            assert_eq!(group, expected, "{path}");
        }
    }

    #[test]
    fn an_answer_head_is_nothing_special_in_pretraining() {
        let group = ParameterRules::Pretraining.group_of("answer_head.hidden.bias", 0.01, 10.0);

        assert_eq!(group.weight_decay, 0.0);
        assert_eq!(group.learning_rate_multiplier, 1.0);
    }
}
