//! Truncated and flipped files end in items or errors, never in a panic.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::sample::Sample;
use super::{AnnotationFormat, convert};

const SAMPLES: [(&[u8], AnnotationFormat); 13] = [
    (
        b"[{\"video\":\"a.mov\",\"description\":\"a dog\",\"times\":[[1,2]]}]",
        AnnotationFormat::Didemo,
    ),
    (
        b"{\"test\":[{\"video\":\"v\",\"question\":\"q\",\"option_0\":\"a\",\"option_1\":\"b\",\"answer\":1}]}",
        AnnotationFormat::ThreeSplits,
    ),
    (
        b"videoid,name,page_dir\n1,\"a \"\"cat\"\", asleep\",p\n",
        AnnotationFormat::Webvid,
    ),
    (
        b"F_00.00.51.926-00.00.54.129\t0\t0\t0\t0\ta\tb\tc\td\te\t5\n",
        AnnotationFormat::LsmdcMultipleChoice,
    ),
    (
        b"{\"clip\":\"a.mp4\",\"captions\":[{\"text\":\"a cat\",\"tags\":[\"DET\",\"NOUN\"]}]}\n",
        AnnotationFormat::Items,
    ),
    (
        b"\x80\x04](}(\x8c\x08filename\x94\x8c\x01a\x8c\x04text\x8c\x01bu}(h\x00\x8c\x01c\x8c\x04textK\x01ue.",
        AnnotationFormat::Pickle,
    ),
    (
        b"{\"v_a\":{\"duration\":9.5,\"timestamps\":[[0.5,3],[1,2]],\"sentences\":[\"a\",\"b\"]}}",
        AnnotationFormat::ActivitynetCaptions,
    ),
    (
        b"{\"database\":{\"v\":{\"subset\":\"training\",\"annotations\":[{\"segment\":[9,12],\"id\":0,\"sentence\":\"a\"}]}}}",
        AnnotationFormat::Youcook2,
    ),
    (
        b"video_id,start,end,text\nv,0.5,00:00:03.5,\"a \"\"cat\"\", asleep\"\n",
        AnnotationFormat::Howto100m,
    ),
    (
        b"{\"v\":{\"start\":[0.5,1],\"end\":[3.5,1e1],\"text\":[\"a\",\"b\"]}}",
        AnnotationFormat::Howto100m,
    ),
    (
        b"{\"YoutubeID\":\"v\",\"Start_timestamp\":\"00:07:33.689\",\"End_timestamp\":\"00:07:51.085\",\"Caption\":\"a\"}\n",
        AnnotationFormat::Internvid,
    ),
    (
        b"{\"qid\":87,\"query\":\"a\",\"duration\":126,\"vid\":\"v_660.0_810.0\",\"relevant_windows\":[[0,16],[96,114]]}\n",
        AnnotationFormat::Qvhighlights,
    ),
    (
        b"AO8RW 0.0 6.9##a person is putting a book on a shelf.\n",
        AnnotationFormat::CharadesSta,
    ),
];

/// Tables of moments go by it, as manifests do; no other does.
const NAME: &str = "sample.csv";

/// Reads the bytes as what they look like and as what they were.
fn read(sample: &Sample, content: &[u8], format: AnnotationFormat) -> bool {
    std::fs::write(sample.path(), content).unwrap();
    let mut request = sample.request();
    let _any = convert(&request);
    request.format = Some(format);
    convert(&request).is_ok()
}

#[test]
fn a_file_may_end_anywhere() {
    for (content, format) in SAMPLES {
        let sample = Sample::new(NAME, content);

        assert!(read(&sample, content, format), "{format}");
        for length in 0..content.len() {
            read(&sample, &content[..length], format);
        }
        assert!(
            !read(&sample, &content[..content.len() / 4], format),
            "{format}"
        );
    }
}

#[test]
fn any_byte_may_be_wrong() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for (content, format) in SAMPLES {
        let sample = Sample::new(NAME, content);
        for _ in 0..1_700 {
            let mut flipped = content.to_vec();
            for _ in 0..random.random_range(1..4) {
                let place = random.random_range(0..flipped.len());
                flipped[place] = random.random();
            }

            read(&sample, &flipped, format);
        }
    }
}
