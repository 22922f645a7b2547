//! What the model must fill in: hidden words of the text and hidden regions of the clip.

mod block;
mod random_token;
mod replacement;
mod semantic;
mod text_masking;
mod whole_word;

pub use block::{REGION_GRID, RegionMask};
pub use random_token::mask_random_tokens;
pub use replacement::{IGNORED_LABEL, MaskedTokens};
pub use semantic::{candidate_counts, choose_words, first_words, verb_spans};
pub use text_masking::{TextMasker, TextMasking};
pub use whole_word::mask_whole_words;
