//! What CLIP's encoders read, as open_clip prepares it: the tokens of texts and the pixels of images.

use clover_data::text::{Tokenizer, TokenizerKind};
use clover_data::video::{Clip, PixelPipeline};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::clip::folders;
use super::fixture::Fixture;

/// A list of recorded cases, if the folder has it.
fn recorded(fixture: &Fixture, name: &str) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(fixture.folder.join(name)) else {
        println!("SKIPPED: {} has no {name}", fixture.folder.display());
        return Vec::new();
    };
    serde_json::from_str(&text).unwrap()
}

#[test]
fn texts_have_the_tokens_of_open_clip_whichever_files_are_read() {
    for fixture in folders() {
        let cases = recorded(&fixture, "tokens.json");
        let folder = fixture.folder.join("tokenizer");
        if cases.is_empty() || !folder.is_dir() {
            println!("SKIPPED: no tokenizer in {}", fixture.folder.display());
            continue;
        }
        let library = Tokenizer::read(&folder).unwrap();
        let pieces = Tokenizer::read(folder.join("vocab.json")).unwrap();
        assert_eq!(library.kind(), TokenizerKind::Bpe);
        assert_eq!(library.vocabulary(), pieces.vocabulary());

        let mut different = Vec::new();
        for case in &cases {
            let text = case["text"].as_str().unwrap();
            let expected: Vec<u32> = case["ids"]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| u32::try_from(id.as_u64().unwrap()).unwrap())
                .collect();
            let found = library.encode(text, expected.len()).unwrap();
            assert_eq!(pieces.encode(text, expected.len()).unwrap(), found);
            if found.ids != expected {
                different.push(text);
            }
        }

        assert!(different.is_empty(), "{different:?}");
        println!("{}: {} texts, none differs", fixture.name(), cases.len());
    }
}

/// Levels of 255 by which a pixel may differ from Pillow's.
const PIXEL_BOUND: f64 = 2.0;
/// Standard deviations of red, green and blue.
const DEVIATION: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

#[test]
fn pixels_are_those_of_pillow_and_torchvision() {
    for fixture in folders() {
        for case in recorded(&fixture, "pixels.json") {
            let name = case["file"].as_str().unwrap();
            let image = image::open(fixture.folder.join(name)).unwrap().to_rgb8();
            let (width, height) = (image.width() as usize, image.height() as usize);
            let clip = Clip::new(1, height, width, image.into_raw());
            let points = case["points"].as_array().unwrap();
            let places = points
                .iter()
                .flat_map(|point| point["at"].as_array().unwrap());
            // The corners are among the points.
            let size = 1 + places.map(|place| place.as_u64().unwrap()).max().unwrap() as usize;
            let mut rng = ChaCha8Rng::seed_from_u64(0);

            let found = PixelPipeline::clip(size).apply(&clip, &mut rng).values();

            let mut worst: f64 = 0.0;
            for point in points {
                let at = [0, 1, 2].map(|axis| point["at"][axis].as_u64().unwrap() as usize);
                let [channel, row, column] = at;
                let value = f64::from(found[(channel * size + row) * size + column]);
                let difference = (value - point["value"].as_f64().unwrap()).abs();
                worst = worst.max(difference * DEVIATION[channel] * 255.0);
            }
            for (channel, values) in found.chunks(size * size).enumerate() {
                let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>();
                let difference =
                    mean / values.len() as f64 - case["mean"][channel].as_f64().unwrap();
                worst = worst.max(difference.abs() * DEVIATION[channel] * 255.0);
            }
            println!("{} {name}: at most {worst:.3} of 255", fixture.name());
            assert!(worst <= PIXEL_BOUND, "{name}: {worst}");
        }
    }
}
