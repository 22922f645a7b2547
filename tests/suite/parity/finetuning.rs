//! `finetune_*.safetensors`: the four fine-tuning tasks, with one view a text and with two.

use std::collections::HashMap;
use std::fs;

use burn::module::{AutodiffModule, Module};
use burn::optim::GradientsParams;
use burn::prelude::*;
use clover_losses::InfoNceLossConfig;
use clover_model::Noise;
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig, cls_feature};
use clover_model::tasks::{MultipleChoiceModel, OpenEndedModel, RetrievalModel};
use clover_model::weights::{self, Naming};
use safetensors::SafeTensors;

use super::deviation::Deviations;
use super::fixture::{Fixture, Recorded, assert_nothing_lost, fixtures};
use super::gradient;
use super::pretraining;
use crate::TestAutodiffBackend;

const BOUND: f64 = 1e-4;
/// `[MASK]` in the recorded texts.
const MASK_ID: i64 = 103;

type Scores = Tensor<TestAutodiffBackend, 2>;
type Ids<const D: usize> = Tensor<TestAutodiffBackend, D, Int>;
type Clips = Tensor<TestAutodiffBackend, 5>;

/// What every case has.
struct Case {
    fixture: Fixture,
    file: &'static str,
    recorded: Recorded,
    clips: Clips,
    token_ids: Ids<3>,
    mask: Ids<3>,
    labels: Ids<1>,
    deviations: Deviations,
}

impl Case {
    fn new(fixture: Fixture, file: &'static str) -> Self {
        let device = Default::default();
        let recorded = fixture.read(file);
        Self {
            clips: fixture.read(pretraining::FILE).clips("imgs_u8", &device),
            token_ids: recorded.int("token_ids", &device),
            mask: recorded.int("input_mask", &device),
            labels: recorded.int("label", &device),
            deviations: Deviations::of(&fixture.name(), file),
            recorded,
            fixture,
            file,
        }
    }

    /// Reads the state and this case's own parameters into a model, through the public import.
    fn load<M: Module<TestAutodiffBackend>>(&self, model: &mut M) {
        let files = ["state.safetensors", self.file];
        let files = files.map(|file| fs::read(self.fixture.folder.join(file)).unwrap());
        let [state, own] = files
            .each_ref()
            .map(|bytes| SafeTensors::deserialize(bytes).unwrap());
        let mut tensors: HashMap<String, _> = state
            .iter()
            .map(|(name, view)| (name.to_owned(), view))
            .collect();
        for (name, view) in own.iter() {
            if let Some(name) = name.strip_prefix("param.") {
                tensors.insert(name.to_owned(), view);
            }
        }
        let merged = safetensors::serialize(&tensors, None).unwrap();
        let mut report = weights::from_bytes(model, merged, Naming::Published).unwrap();
        // Heads of pre-training have no place in a task's model.
        report
            .unused
            .retain(|name| !name.starts_with("mlm_") && !name.starts_with("ssl_head."));
        assert_nothing_lost(&report);
    }

    fn compare<const D: usize>(&mut self, name: &str, found: Tensor<TestAutodiffBackend, D>) {
        self.deviations
            .tensor(name, found, self.recorded.data(name), BOUND);
    }

    fn compare_loss<M: AutodiffModule<TestAutodiffBackend>>(
        mut self,
        model: M,
        loss: Tensor<TestAutodiffBackend, 1>,
    ) {
        let found = f64::from(loss.clone().into_scalar());
        let recorded = f64::from(self.recorded.values("loss")[0]);
        self.deviations.number("loss", found, recorded, BOUND);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let gradients = gradient::by_published_name(model, &gradients);
        let norms = &self.fixture.about(self.file)["grad_norms"];
        gradient::compare(
            &mut self.deviations,
            &gradients,
            norms,
            &self.recorded,
            "grad.",
        );
        self.deviations.finish();
    }

    /// The texts of tasks with one text a clip.
    fn only_text(&self) -> [Ids<2>; 2] {
        [&self.token_ids, &self.mask].map(|ids| {
            let [batch, texts, length] = ids.dims();
            assert_eq!(texts, 1, "one text a clip");
            ids.clone().reshape([batch, length])
        })
    }

    /// The recorded test with several views: its clips, views a text, and texts. A batch whose clips
    /// are no whole groups of views has some more.
    fn several_views(&self) -> (Tensor<TestAutodiffBackend, 5>, usize, usize) {
        let about = &self.fixture.about(self.file)["multiclip"];
        let [views, texts] =
            ["clips", "texts"].map(|key| about[key].as_u64().unwrap().try_into().unwrap());
        let clips = self.clips.clone().narrow(0, 0, views * texts);
        (clips, views, texts)
    }

    fn answer_head(&self) -> OpenEndedHeadConfig {
        let answers = self.fixture.size("qa_labels");
        OpenEndedHeadConfig::new(self.fixture.size("hidden"), answers).with_dropout(0.0)
    }

    /// The first rows of the fused tokens, as many as are recorded.
    fn compare_fused(
        &mut self,
        fused: clover_model::fusion_encoder::FusedTokens<TestAutodiffBackend>,
    ) {
        let name = "act.fusion.last_hidden_state";
        let [rows, tokens, _] = self.recorded.data(name).shape[..] else {
            panic!("{name}")
        };
        let found = Tensor::cat(vec![fused.video, fused.text], 1).narrow(0, 0, rows);
        let [_, ours, dim] = found.dims();
        if ours == tokens {
            return self.compare(name, found);
        }
        // The token between video and text has an output too, which nothing uses.
        let text_len = self.token_ids.dims()[2];
        let recorded: Tensor<TestAutodiffBackend, 3> =
            self.recorded.float(name, &Default::default());
        let video = recorded.clone().narrow(1, 0, tokens - text_len - 1);
        let text = recorded.narrow(1, tokens - text_len, text_len);
        let expected = Tensor::cat(vec![video, text], 1);
        assert_eq!(expected.dims(), [rows, ours, dim]);
        self.deviations
            .tensor(name, found, &expected.into_data(), BOUND);
    }
}

fn cross_entropy(scores: Scores, labels: Ids<1>) -> Tensor<TestAutodiffBackend, 1> {
    clover_kernels::softmax_cross_entropy(scores, labels).mean()
}

fn first<const D: usize>(ids: &Ids<D>, rows: usize) -> Ids<D> {
    ids.clone().narrow(0, 0, rows)
}

#[test]
fn retrieval_equals_the_published_one() {
    for fixture in fixtures() {
        let mut case = Case::new(fixture, "finetune_retrieval.safetensors");
        let device = Default::default();
        let mut model = RetrievalModel::from(case.fixture.config().init(&device));
        // The fusion encoder has no place in this model either.
        let state = case.fixture.folder.join("state.safetensors");
        let report = weights::read_file(&mut model, &state, Naming::Published).unwrap();
        assert!(report.is_complete(), "{report}");
        let [ids, mask] = case.only_text();
        let (grouped, views, texts) = case.several_views();
        let clips = case.clips.clone();

        case.compare(
            "test_multiclip.visual_emb",
            model.embed_video(grouped, views, &mut Noise::quiet()),
        );
        let few = model.embed_text(first(&ids, texts), first(&mask, texts), &mut Noise::quiet());
        case.compare("test_multiclip.text_emb", few);
        let video = model.embed_video(clips, 1, &mut Noise::quiet());
        let text = model.embed_text(ids, mask, &mut Noise::quiet());
        for part in ["act", "test"] {
            case.compare(&format!("{part}.visual_emb"), video.clone());
            case.compare(&format!("{part}.text_emb"), text.clone());
        }

        let loss = InfoNceLossConfig::new().init().forward(video, text);
        case.compare_loss(model, loss);
    }
}

/// Answers of a list, at the start of the text, or at its blank in a model for that.
fn compare_answers(mut case: Case, mut model: OpenEndedModel<TestAutodiffBackend>) {
    case.load(&mut model);
    let [ids, mask] = case.only_text();
    let (grouped, views, texts) = case.several_views();
    let clips = case.clips.clone();
    let token = model.separator_token.as_ref().map(|token| token.val());
    let positions = |ids: &Ids<2>| token.as_ref().map(|_| blanks(ids));

    let (few, few_mask) = (first(&ids, texts), first(&mask, texts));
    let few_positions = positions(&few);
    let quiet = &mut Noise::quiet();
    let few = model.forward(grouped, views, few, few_mask, few_positions, quiet);
    case.compare("test_multiclip.result", few);
    let video = model.video_encoder.forward(clips.clone(), quiet);
    let text = model.text_encoder.forward(ids.clone(), mask.clone(), quiet);
    let attention =
        model
            .fusion_encoder
            .last_attention(video.grid, token.clone(), text, mask.clone());
    case.compare(
        "test.attention_mean_last_layer.sample0",
        attention.narrow(0, 0, 1),
    );
    let fused = model.fuse(clips.clone(), 1, ids.clone(), mask.clone(), quiet);
    let input = match positions(&ids) {
        Some(blanks) => {
            let [batch, length, dim] = fused.text.dims();
            let rows = fused.text.clone().reshape([batch * length, dim]);
            clover_kernels::gather_rows(rows, blanks)
        }
        None => cls_feature(fused.text.clone()),
    };
    case.compare("act.qa_input", input);
    case.compare_fused(fused);
    let positions = positions(&ids);
    let scores = model.forward(clips, 1, ids, mask, positions, quiet);
    case.compare("act.qa_logits", scores.clone());
    case.compare("test.result", scores.clone());

    let loss = cross_entropy(scores, case.labels.clone());
    case.compare_loss(model, loss);
}

#[test]
fn open_ended_answers_equal_the_published_ones() {
    for fixture in fixtures() {
        let case = Case::new(fixture, "finetune_qa_oe.safetensors");
        let device = Default::default();
        let clover = case.fixture.config().init(&device);
        let model = OpenEndedModel::from_clover(clover, &case.answer_head(), &device);
        compare_answers(case, model);
    }
}

#[test]
fn filled_blanks_equal_the_published_ones() {
    for fixture in fixtures() {
        let case = Case::new(fixture, "finetune_fib.safetensors");
        let device = Default::default();
        let clover = case.fixture.config().init(&device);
        let model = OpenEndedModel::with_blanks(clover, &case.answer_head(), &device);
        compare_answers(case, model);
    }
}

#[test]
fn multiple_choice_scores_equal_the_published_ones() {
    for fixture in fixtures() {
        let mut case = Case::new(fixture, "finetune_qa_mc.safetensors");
        let device = Default::default();
        let clover = case.fixture.config().init(&device);
        let head = MultipleChoiceHeadConfig::new(case.fixture.size("hidden")).with_dropout(0.0);
        let mut model = MultipleChoiceModel::from_clover(clover, &head, &device);
        case.load(&mut model);
        let (ids, mask, clips) = (
            case.token_ids.clone(),
            case.mask.clone(),
            case.clips.clone(),
        );
        let (grouped, views, texts) = case.several_views();
        let [batch, candidates, length] = ids.dims();

        let few = model.forward(
            grouped,
            views,
            first(&ids, texts),
            first(&mask, texts),
            &mut Noise::quiet(),
        );
        case.compare("test_multiclip.result", few);
        // The recorded attention is that of the first clip's first candidate.
        let one = [&ids, &mask].map(|ids| ids.clone().slice([0..1, 0..1]).reshape([1, length]));
        let [one_text, one_mask] = one;
        let video = model
            .video_encoder
            .forward(clips.clone().narrow(0, 0, 1), &mut Noise::quiet());
        let text = model
            .text_encoder
            .forward(one_text, one_mask.clone(), &mut Noise::quiet());
        let attention = model
            .fusion_encoder
            .last_attention(video.grid, None, text, one_mask);
        case.compare("test.attention_mean_last_layer.sample0", attention);
        let fused = model.fuse(
            clips.clone(),
            1,
            ids.clone(),
            mask.clone(),
            &mut Noise::quiet(),
        );
        case.compare("act.qa_input", cls_feature(fused.text.clone()));
        case.compare_fused(fused);
        let scores = model.forward(clips, 1, ids, mask, &mut Noise::quiet());
        case.compare(
            "act.qa_logits",
            scores.clone().reshape([batch * candidates, 1]),
        );
        case.compare("test.result", scores.clone());

        let loss = cross_entropy(scores, case.labels.clone());
        case.compare_loss(model, loss);
    }
}

/// Where `[MASK]` stands, row-major.
fn blanks(ids: &Ids<2>) -> Ids<1> {
    let ids: Vec<i64> = ids.clone().into_data().convert::<i64>().to_vec().unwrap();
    let positions: Vec<i64> = (0..)
        .zip(ids)
        .filter(|(_, id)| *id == MASK_ID)
        .map(|(position, _)| position)
        .collect();
    Tensor::from_ints(positions.as_slice(), &Default::default())
}
