use super::*;
use crate::text::TagScores;

fn tags(caption: &str) -> Vec<String> {
    let words: Vec<&str> = caption.split(' ').collect();
    let tags = PartOfSpeechTagger::new().tag(&words);
    tags.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_sentence_has_no_tags() {
    assert!(PartOfSpeechTagger::new().tag(&[]).is_empty());
}

#[test]
fn a_word_of_two_kinds_follows_its_neighbours() {
    assert_eq!(tags("a man walks his dog")[2], "VERB");
    assert_eq!(tags("long walks on the beach")[1], "NOUN");
    assert_eq!(tags("people dance on a stage")[1], "VERB");
    assert_eq!(tags("a dance on a stage")[1], "NOUN");
    assert_eq!(tags("a man is painting a wall")[3], "VERB");
    assert_eq!(tags("the painting on the wall")[1], "NOUN");
}

#[test]
fn a_form_of_be_is_an_auxiliary_and_have_only_before_a_verb() {
    assert_eq!(tags("the sky is blue")[2], "AUX");
    assert_eq!(tags("a man has fallen")[2], "AUX");
    assert_eq!(tags("a man has a hat")[2], "VERB");
}

#[test]
fn all_training_captions_are_read() {
    for line in TRAINING.lines() {
        assert!(parse_tagged_sentence(line).is_some(), "{line}");
    }
}

fn held_out_scores() -> TagScores {
    let tagger = PartOfSpeechTagger::new();
    let mut scores = TagScores::default();
    for line in include_str!("../../../gold/held_out.txt").lines() {
        let truth = parse_tagged_sentence(line).unwrap();
        let words: Vec<&str> = truth.iter().map(|token| token.text.as_str()).collect();
        scores.add(&truth, &tagger.tag(&words));
    }
    scores
}

#[test]
fn held_out_nouns_and_verbs_are_found() {
    let scores = held_out_scores();

    let nouns = [PartOfSpeech::Noun, PartOfSpeech::ProperNoun];
    let verbs = [PartOfSpeech::Verb];
    assert!(scores.support(&nouns) > 500, "{scores}");
    assert!(scores.recall(&[PartOfSpeech::Noun]) >= 0.95, "{scores}");
    assert!(scores.recall(&nouns) >= 0.95, "{scores}");
    assert!(scores.recall(&verbs) >= 0.92, "{scores}");
    assert!(scores.precision(&nouns) >= 0.9, "{scores}");
    assert!(scores.precision(&verbs) >= 0.9, "{scores}");
}
