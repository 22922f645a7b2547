//! The rows of the comparison.
//!
//! Clover, section 4.4, names them; it does not publish the settings of the first three. Here all
//! rows share model, data, order, steps and optimizer, and differ in nothing but:
//!
//! | row | alignment | ranking | word loss | hidden words |
//! |---|---|---|---|---|
//! | IND-A | InfoNCE | no | none | |
//! | IND-F | none | no | focal | semantic |
//! | COMB | InfoNCE | no | focal | semantic |
//! | baseline | InfoNCE | no | cross-entropy | 15 % of the pieces, as BERT |
//! | + tri-modal alignment | tri-modal | no | cross-entropy | as before |
//! | + semantic masking | tri-modal | no | focal | semantic |
//! | + pair-wise ranking | tri-modal | yes | focal | semantic |
//!
//! The last row is Clover. What its objectives add to a CLIP is another comparison, whose rows go on from the same
//! model, pre-trained on the same pairs with InfoNCE alone, for equally many steps:
//!
//! | row | alignment | ranking | word loss | hidden words |
//! |---|---|---|---|---|
//! | CLIP | none: it is measured as it is | | | |
//! | + InfoNCE | InfoNCE | no | none | |
//! | + tri-modal alignment | tri-modal | no | none | 15 % of the pieces |
//! | + pair-wise ranking | tri-modal | yes | none | 15 % of the pieces |
//! | + semantic masking | tri-modal | yes | focal | semantic |

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{PretrainingRecipe, WordChoice};
use crate::objective::{Alignment, WordLoss};

/// BERT's share of hidden pieces (Devlin et al., 2019).
const BERT_SHARE: f64 = 0.15;

/// A row of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AblationRow {
    /// Alignment alone.
    IndA,
    /// Fusion alone, learned from masked words.
    IndF,
    /// Alignment and fusion, stacked.
    Comb,
    /// Masked words as BERT learns them, and InfoNCE.
    Baseline,
    /// The baseline with Clover's alignment.
    TriModalAlignment,
    /// The row before with Clover's words.
    SemanticMasking,
    /// The row before with Clover's ranking: Clover.
    Clover,
    /// The CLIP that the rows below go on from.
    Clip,
    /// Fine-tuned with what it was pre-trained with.
    ClipInfoNce,
    /// With Clover's alignment instead.
    ClipTriModalAlignment,
    /// The row before with Clover's ranking.
    ClipRanking,
    /// The row before with Clover's words: all of Clover.
    ClipSemanticMasking,
}

impl AblationRow {
    /// All rows, in the order of the table.
    pub const ALL: [Self; 12] = [
        Self::IndA,
        Self::IndF,
        Self::Comb,
        Self::Baseline,
        Self::TriModalAlignment,
        Self::SemanticMasking,
        Self::Clover,
        Self::Clip,
        Self::ClipInfoNce,
        Self::ClipTriModalAlignment,
        Self::ClipRanking,
        Self::ClipSemanticMasking,
    ];

    /// What is claimed: the first of each is better than the second. Each idea adds to the row before, and
    /// all of them together to what Clover is compared with.
    pub const CLAIMS: [(Self, Self); 13] = [
        (Self::TriModalAlignment, Self::Baseline),
        (Self::SemanticMasking, Self::TriModalAlignment),
        (Self::Clover, Self::SemanticMasking),
        (Self::Clover, Self::Baseline),
        (Self::Clover, Self::IndA),
        (Self::Clover, Self::IndF),
        (Self::Clover, Self::Comb),
        (Self::ClipInfoNce, Self::Clip),
        (Self::ClipTriModalAlignment, Self::ClipInfoNce),
        (Self::ClipRanking, Self::ClipTriModalAlignment),
        (Self::ClipSemanticMasking, Self::ClipRanking),
        (Self::ClipSemanticMasking, Self::ClipInfoNce),
        (Self::ClipSemanticMasking, Self::Clip),
    ];

    /// What files and recipes call the row.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::IndA => "ind-a",
            Self::IndF => "ind-f",
            Self::Comb => "comb",
            Self::Baseline => "baseline",
            Self::TriModalAlignment => "tri-modal-alignment",
            Self::SemanticMasking => "semantic-masking",
            Self::Clover => "clover",
            Self::Clip => "clip",
            Self::ClipInfoNce => "clip-info-nce",
            Self::ClipTriModalAlignment => "clip-tri-modal-alignment",
            Self::ClipRanking => "clip-ranking",
            Self::ClipSemanticMasking => "clip-semantic-masking",
        }
    }

    /// Whether the row goes on from a pre-trained model.
    #[must_use]
    pub fn goes_on(self) -> bool {
        self >= Self::Clip
    }

    /// The row's pre-training: Clover's recipe with the row's objectives.
    #[must_use]
    pub fn apply(self, clover: &PretrainingRecipe) -> PretrainingRecipe {
        let (alignment, ranking, word_loss) = match self {
            Self::IndA | Self::Clip | Self::ClipInfoNce => {
                (Alignment::InfoNce, false, WordLoss::None)
            }
            Self::IndF => (Alignment::None, false, WordLoss::Focal),
            Self::Comb => (Alignment::InfoNce, false, WordLoss::Focal),
            Self::Baseline => (Alignment::InfoNce, false, WordLoss::CrossEntropy),
            Self::TriModalAlignment => (Alignment::TriModal, false, WordLoss::CrossEntropy),
            Self::SemanticMasking => (Alignment::TriModal, false, WordLoss::Focal),
            Self::ClipTriModalAlignment => (Alignment::TriModal, false, WordLoss::None),
            Self::ClipRanking => (Alignment::TriModal, true, WordLoss::None),
            Self::Clover | Self::ClipSemanticMasking => {
                (Alignment::TriModal, true, WordLoss::Focal)
            }
        };
        let hides_any = matches!(self, Self::ClipTriModalAlignment | Self::ClipRanking);
        let (text_masking, masked_share) = match word_loss {
            _ if hides_any => (WordChoice::RandomToken, BERT_SHARE),
            WordLoss::CrossEntropy => (WordChoice::RandomToken, BERT_SHARE),
            WordLoss::Focal | WordLoss::None => (WordChoice::Semantic, clover.masked_share),
        };
        PretrainingRecipe {
            alignment,
            ranking,
            word_loss,
            text_masking,
            masked_share,
            ..clover.clone()
        }
    }
}

impl fmt::Display for AblationRow {
    /// What tables call the row.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::IndA => "IND-A",
            Self::IndF => "IND-F",
            Self::Comb => "COMB",
            Self::Baseline => "baseline",
            Self::TriModalAlignment | Self::ClipTriModalAlignment => "+ tri-modal alignment",
            Self::SemanticMasking => "+ semantic masking",
            Self::Clover => "+ pair-wise ranking (Clover)",
            Self::Clip => "CLIP",
            Self::ClipInfoNce => "+ InfoNCE",
            Self::ClipRanking => "+ pair-wise ranking",
            Self::ClipSemanticMasking => "+ semantic masking (Clover)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{AblationRecipe, Recipe};

    fn differing(one: AblationRow, other: AblationRow) -> Vec<String> {
        let clover = AblationRecipe::open("ablation/rendered")
            .unwrap()
            .pretraining;
        let [one, other] =
            [one, other].map(|row| serde_json::to_value(row.apply(&clover)).unwrap());
        let keys = one.as_object().unwrap().keys();
        keys.filter(|key| one[*key] != other[*key])
            .cloned()
            .collect()
    }

    #[test]
    fn each_row_adds_one_idea_to_the_one_before() {
        use AblationRow::{Baseline, Clover, Comb, IndA, IndF, SemanticMasking, TriModalAlignment};

        assert_eq!(differing(IndA, Comb), ["word_loss"]);
        assert_eq!(differing(IndF, Comb), ["alignment"]);
        assert_eq!(differing(Baseline, TriModalAlignment), ["alignment"]);
        let words = ["masked_share", "text_masking", "word_loss"];
        assert_eq!(differing(TriModalAlignment, SemanticMasking), words);
        assert_eq!(differing(SemanticMasking, Clover), ["ranking"]);
        let [clip, aligned, ranked, all] = [
            AblationRow::ClipInfoNce,
            AblationRow::ClipTriModalAlignment,
            AblationRow::ClipRanking,
            AblationRow::ClipSemanticMasking,
        ];
        let hidden = ["alignment", "masked_share", "text_masking"];
        assert_eq!(differing(clip, aligned), hidden);
        assert_eq!(differing(aligned, ranked), ["ranking"]);
        assert_eq!(differing(ranked, all), words);
    }

    #[test]
    fn the_last_row_is_the_recipe_itself() {
        let clover = AblationRecipe::open("ablation/rendered")
            .unwrap()
            .pretraining;

        assert_eq!(AblationRow::Clover.apply(&clover), clover);
        let baseline = AblationRow::Baseline.apply(&clover);
        assert_eq!(
            (baseline.text_masking, baseline.masked_share),
            (WordChoice::RandomToken, 0.15)
        );
    }

    #[test]
    fn recipes_and_files_use_the_same_names() {
        for row in AblationRow::ALL {
            assert_eq!(serde_json::to_value(row).unwrap(), row.key());
        }
    }
}
