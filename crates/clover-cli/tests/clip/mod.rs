//! A small CLIP of random weights, from a file of another program to answers about clips.

use std::fs;
use std::path::Path;

use burn::prelude::*;
use burn_flex::Flex;
use clover_data::text::Tokenizer;
use clover_inference::{Bundle, FusionPart};
use clover_model::CloverConfig;
use clover_model::clip::{Activation, ClipConfig, ClipTextConfig, ClipVisionConfig, FramePooling};

use super::{Shapes, printed, refused};

const SIZE: usize = 28;

/// Letters, digits and signs, each also as the end of a word, and the tokens around a text.
fn write_tokenizer(folder: &Path) -> Tokenizer {
    fs::create_dir_all(folder).unwrap();
    let letters = ('a'..='z').chain('0'..='9').chain(['?', '.', ',', ':']);
    let letters: Vec<String> = letters.map(String::from).collect();
    let ends = letters.iter().map(|letter| format!("{letter}</w>"));
    let mut pieces: Vec<String> = letters.iter().cloned().chain(ends).collect();
    pieces.extend(["<|startoftext|>", "<|endoftext|>"].map(str::to_owned));
    let pieces = pieces
        .iter()
        .zip(0..)
        .map(|(piece, id)| format!("\"{piece}\": {id}"));
    let pieces: Vec<String> = pieces.collect();
    fs::write(
        folder.join("vocab.json"),
        format!("{{{}}}", pieces.join(", ")),
    )
    .unwrap();
    fs::write(folder.join("merges.txt"), "#version: 0.2\n").unwrap();
    Tokenizer::read(folder).unwrap()
}

/// A bundle of a CLIP that nobody trained.
fn write_bundle(folder: &Path, tokenizer: Tokenizer) {
    let device = Default::default();
    <Flex as Backend>::seed(&device, 7);
    let activation = Activation::QuickGelu;
    let pieces = tokenizer.vocabulary().len();
    let config = ClipConfig::new(
        ClipVisionConfig::new(SIZE, 14, 32, 2, 2, 16, activation),
        ClipTextConfig::new(pieces, 24, 32, 1, 2, 16, activation),
    );
    let config = CloverConfig::clip(config, 2, FramePooling::Mean);
    let bundle: Bundle<Flex> = Bundle {
        untrained: FusionPart::ALL.to_vec(),
        ..Bundle::init(config, tokenizer, 24, &device)
    };
    bundle.write(folder).unwrap();
}

#[test]
fn a_clip_is_imported_under_any_names_indexed_searched_and_asked() {
    let shapes = Shapes::render();
    let path = |name: &str| shapes.path(name).display().to_string();
    let tokenizer = write_tokenizer(&shapes.path("tokenizer"));
    write_bundle(&shapes.path("clip"), tokenizer);
    let clip = path("clip");

    // The weights under the names of three programs come back as the same bundle, bit by bit.
    let mut sums = Vec::new();
    for names in ["openai", "open-clip", "huggingface"] {
        let (out, back) = (path(names), path(&format!("from-{names}")));
        printed(&format!("weights export {clip} --clip {names} --out {out}"));
        let import = format!("weights import --clip {out} --out {back} --frames 2");
        let said = match names {
            "openai" => {
                let (error, _) = refused(&import);
                assert!(error.contains("quick-gelu for OpenAI's"), "{error}");
                printed(&format!("{import} --activation quick-gelu"))
            }
            _ => printed(&import),
        };
        assert!(
            said.contains("the fusion encoder and its heads are left out"),
            "{said}"
        );
        let sums_of = fs::read_to_string(Path::new(&back).join("checksums.txt")).unwrap();
        // That its heads have other than 64 channels, OpenAI's file alone cannot say.
        let lines = sums_of
            .lines()
            .filter(|line| !line.ends_with("config.json"));
        sums.push(lines.collect::<Vec<_>>().join("\n"));
    }
    assert!(sums[0] == sums[1] && sums[1] == sums[2], "{sums:#?}");
    assert!(sums[0].contains("model.safetensors"));

    // Import and index in one command, and once more without an import.
    let clips = shapes.files.clips.display().to_string();
    let index = path("index");
    let command = format!(
        "index {clips} --index {index} --clip {}",
        path("huggingface")
    );
    printed(&command);
    let bundles = || {
        let beside = fs::read_dir(shapes.folder.path()).unwrap();
        let names = beside.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut bundles = names.filter(|name| name.starts_with("index.clip-"));
        (bundles.next().unwrap(), bundles.next())
    };
    let (made, None) = bundles() else {
        panic!("two bundles of one CLIP")
    };
    let written = fs::metadata(shapes.path(&made).join("model.safetensors"))
        .unwrap()
        .modified();
    printed(&command);
    let again = fs::metadata(shapes.path(&made).join("model.safetensors"))
        .unwrap()
        .modified();
    assert_eq!(written.unwrap(), again.unwrap());

    let found = printed(&format!("search {index} --top 2 --json circle"));
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["moments"].as_array().unwrap().len(), 2, "{found}");
    let (error, _) = refused(&format!("search {index} --rerank circle"));
    assert!(error.contains("fusion encoder is not trained"), "{error}");

    let list = shapes.path("answers.txt");
    fs::write(&list, "red\nblue\ngreen\n").unwrap();
    let asked = format!("ask {index} colour --answers {} --json", list.display());
    let found: serde_json::Value = serde_json::from_str(&printed(&asked)).unwrap();
    let answers = &found["found"][0]["answers"];
    assert_eq!(answers["answered_by"], "similarity", "{found}");
    assert_eq!(answers["known"], 3);
    let (error, _) = refused(&format!("ask {index} colour"));
    assert!(error.contains("list of answers"), "{error}");

    // A square of 2 x 2 patches becomes one of 4 x 4, which is said.
    let larger = format!(
        "weights import --clip {} --image-size 56 --out {}",
        path("huggingface"),
        path("larger")
    );
    let said = printed(&larger);
    assert!(
        said.contains("1 resized")
            && said.contains("positions: [5, 32] to [17, 32], bicubic, antialiased"),
        "{said}"
    );
}

#[test]
fn weights_of_no_part_and_weights_that_are_no_numbers_are_refused_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let tokenizer = write_tokenizer(&folder.path().join("tokenizer"));
    write_bundle(&folder.path().join("clip"), tokenizer);
    let import = |from: &str, option: &str| {
        format!(
            "weights import --clip {} --out {} --strict{option}",
            path(from),
            path("back")
        )
    };
    for name in ["stray", "infinite"] {
        printed(&format!(
            "weights export {} --clip huggingface --out {}",
            path("clip"),
            path(name)
        ));
    }
    printed(&import("stray", ""));
    change(
        &folder.path().join("stray/model.safetensors"),
        |header, values| {
            let place = [values.len(), values.len() + 4];
            let stray = serde_json::json!({"dtype": "F32", "shape": [1], "data_offsets": place});
            header.insert("ema.decay".to_owned(), stray);
            values.extend(0.9_f32.to_le_bytes());
        },
    );
    change(
        &folder.path().join("infinite/model.safetensors"),
        |header, values| {
            let place = header["logit_scale"]["data_offsets"][0].as_u64().unwrap() as usize;
            values[place..place + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        },
    );

    let (stray, _) = refused(&import("stray", ""));
    let (infinite, _) = refused(&import("infinite", " --refuse-not-finite"));

    assert!(stray.contains("unused: ema.decay"), "{stray}");
    assert!(infinite.contains("logit_scale"), "{infinite}");
    let reported = printed(&import("infinite", ""));
    assert!(reported.contains("not finite: logit_scale"), "{reported}");
}

/// Changes the header and the values of a file of safetensors.
fn change(
    path: &Path,
    change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>, &mut Vec<u8>),
) {
    let bytes = fs::read(path).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, values) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let (mut header, mut values) = (serde_json::from_slice(header).unwrap(), values.to_vec());
    change(&mut header, &mut values);
    let header = serde_json::to_vec(&header).unwrap();
    let length = (header.len() as u64).to_le_bytes();
    fs::write(path, [&length[..], &header, &values].concat()).unwrap();
}

#[test]
fn a_clip_is_evaluated_without_training_where_comparing_is_enough() {
    let shapes = Shapes::render();
    let tokenizer = write_tokenizer(&shapes.path("tokenizer"));
    let bundle = shapes.path("clip");
    write_bundle(&bundle, tokenizer);
    let test = &shapes.files.test;
    let list = shapes.path("answers.txt");
    fs::write(&list, "red\nblue\ngreen\nyellow\nyes\nno\n").unwrap();
    let evaluate = |task: &str, data: &Path, more: &str| {
        format!(
            "evaluate {task} --data {} --videos {} --bundle {} --out {} {more}",
            data.display(),
            shapes.files.clips.display(),
            bundle.display(),
            shapes.path(task).display()
        )
    };

    let retrieval = printed(&evaluate("retrieval-custom", &test.retrieval, ""));
    let answers = format!("--answers {}", list.display());
    let open = printed(&evaluate("open-ended-custom", &test.open_ended, &answers));
    let (without, _) = refused(&evaluate("open-ended-custom", &test.open_ended, ""));

    assert!(
        retrieval.contains("zero-shot, text to video"),
        "{retrieval}"
    );
    assert!(
        open.contains("zero-shot, by similarity: accuracy"),
        "{open}"
    );
    assert!(without.contains("--answers FILE"), "{without}");
}
