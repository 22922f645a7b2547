//! Files in the published formats of the eleven tasks. The rows are made up: only their form, and
//! its traps, are those of the real files.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use clover_data::dataset::ClipTable;
use clover_trainer::task_items::ItemsLocation;

use crate::small_run::SmallFiles;

/// A task's files: what is learned from, and what is measured on.
pub(super) struct LookAlike {
    pub(super) train: ItemsLocation,
    pub(super) test: ItemsLocation,
    /// The folder of clips.
    pub(super) clips: PathBuf,
}

/// Clips with a sentence each, under the names a data set gives them.
struct Clips {
    folder: PathBuf,
    /// Name and sentence.
    named: Vec<(String, String)>,
}

/// The answers of all questions, in turn.
const ANSWERS: [&str; 2] = ["red", "blue"];

impl LookAlike {
    /// Writes the files of a task, and its clips under the names it gives them.
    pub(super) fn write(task: &str, files: &SmallFiles, folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let lsmdc = task.contains("lsmdc");
        let [train, test] = [(&files.train, 0), (&files.held_out, 100)]
            .map(|(manifest, first)| Clips::copied(manifest, folder, lsmdc, first));
        let location = |clips: &Clips, name: &str, content: String, split: &str| {
            let path = folder.join(name);
            fs::write(&path, content).unwrap();
            ItemsLocation {
                clips: Some(clips.folder.clone()),
                ..ItemsLocation::new(path, split)
            }
        };
        let form: fn(&Clips, bool) -> (&'static str, String) = match task {
            "retrieval-msrvtt" => msrvtt,
            "retrieval-didemo" => didemo,
            "retrieval-lsmdc" => lsmdc_sentences,
            "multiple-choice-msrvtt" => msrvtt_choice,
            "multiple-choice-tgif-action" | "multiple-choice-tgif-transition" => tgif_choice,
            "multiple-choice-lsmdc" => lsmdc_choice,
            "open-ended-msrvtt-qa" => msrvtt_questions,
            "open-ended-msvd-qa" => msvd_questions,
            "open-ended-tgif-frame" => tgif_frame,
            "open-ended-lsmdc-fib" => lsmdc_blanks,
            "retrieval-custom" => own_captions,
            "multiple-choice-custom" => own_choice,
            _ => own_questions,
        };
        let [mut train, mut test] =
            [(train, true, "train"), (test, false, "test")].map(|(clips, trains, split)| {
                let (name, content) = form(&clips, trains);
                location(&clips, &format!("{split}_{name}"), content, split)
            });
        let mapped = task == "open-ended-msvd-qa";
        for location in [&mut train, &mut test] {
            let own = task.ends_with("-custom") || task.contains("tgif");
            location.request.extension =
                (!own && task != "retrieval-didemo").then(|| "gif".to_owned());
            if mapped {
                let path = folder.join("youtube_mapping.txt");
                let line = |number: usize| format!("{} vid{number}\n", name_of(number, false));
                let lines: String = (0..8).chain(100..104).map(line).collect();
                fs::write(&path, lines).unwrap();
                location.request.mapping = Some(path);
            }
        }
        Self {
            clips: train.clips.clone().unwrap(),
            train,
            test,
        }
    }
}

/// What a data set calls a clip.
fn name_of(number: usize, lsmdc: bool) -> String {
    if lsmdc {
        format!("0001_Film_00.00.{number:02}.000-00.00.{number:02}.900")
    } else {
        format!("video{number}")
    }
}

impl Clips {
    fn copied(manifest: &Path, folder: &Path, lsmdc: bool, first: usize) -> Self {
        let clips = folder.join("clips");
        let inner = if lsmdc {
            clips.join("0001_Film")
        } else {
            clips.clone()
        };
        fs::create_dir_all(&inner).unwrap();
        let table = ClipTable::open(manifest, None, &|_, _| ()).unwrap();
        let named = (first..).zip(0..table.len()).map(|(number, row)| {
            // Times have two digits.
            let name = name_of(
                if lsmdc {
                    number % 100 + number / 100 * 20
                } else {
                    number
                },
                lsmdc,
            );
            fs::copy(table.name(row), inner.join(format!("{name}.gif"))).unwrap();
            (name, table.texts(row).all().concat())
        });
        Self {
            named: named.collect(),
            folder: clips,
        }
    }

    fn rows(&self, row: impl Fn(usize, &str, &str) -> String) -> String {
        let rows = self.named.iter().enumerate();
        rows.map(|(at, (name, sentence))| row(at, name, sentence))
            .collect()
    }

    /// Five sentences, of which the one of the clip is at a place that depends on the clip.
    fn options(&self, at: usize) -> ([&str; 5], usize) {
        let sentence = |place: usize| &*self.named[(at + place) % self.named.len()].1;
        let answer = at % 5;
        (
            std::array::from_fn(|place| sentence((place + 5 - answer) % 5)),
            answer,
        )
    }
}

fn json_list(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}

fn msrvtt(clips: &Clips, trains: bool) -> (&'static str, String) {
    if !trains {
        let row = |at: usize, name: &str, sentence: &str| {
            format!("ret{at},msr{at},{name},\"{sentence}\"\n")
        };
        return (
            "jsfusion.csv",
            format!("key,vid_key,video_id,sentence\n{}", clips.rows(row)),
        );
    }
    let rows = |row: fn(&str, &str) -> String| {
        let rows: Vec<String> = clips
            .named
            .iter()
            .map(|(name, text)| row(name, text))
            .collect();
        json_list(&rows)
    };
    let videos = rows(|name, _| {
        format!(r#"{{"video_id":"{name}","split":"train","start time":1,"end time":2}}"#)
    });
    // Two sentences a video.
    let sentences = rows(|name, text| {
        let one = |text: &str| format!(r#"{{"sen_id":0,"video_id":"{name}","caption":"{text}"}}"#);
        format!("{},{}", one(text), one("a shape moves"))
    });
    (
        "data.json",
        format!(r#"{{"videos":{videos},"sentences":{sentences}}}"#),
    )
}

fn didemo(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let rows = clips.named.iter().flat_map(|(name, sentence)| {
        [sentence.as_str(), "then it stops"].map(|text| {
            format!(
                r#"{{"num_segments":6,"description":"{text}","dl_link":"https://a","times":[[1,1],[1,2]],"video":"{name}.gif","annotation_id":1}}"#
            )
        })
    });
    ("data.json", json_list(&rows.collect::<Vec<_>>()))
}

/// The columns before the sentence.
fn lsmdc_times(name: &str) -> String {
    let times = ["00.00.01.000", "00.00.02.000"].repeat(2).join("\t");
    format!("{name}\t{times}")
}

fn lsmdc_sentences(clips: &Clips, _trains: bool) -> (&'static str, String) {
    // A quote that stands alone.
    let row = |_, name: &str, sentence: &str| format!("{}\t\"{sentence}\n", lsmdc_times(name));
    ("annos.csv", clips.rows(row))
}

fn msrvtt_choice(clips: &Clips, trains: bool) -> (&'static str, String) {
    if trains {
        return msrvtt(clips, true);
    }
    let row = |at: usize, name: &str, _: &str| {
        let (options, answer) = clips.options(at);
        format!("{{\"clip_name\":\"{name}\",\"options\":{options:?},\"answer\":{answer}}}\n")
    };
    ("mc.jsonl", clips.rows(row))
}

fn tgif_choice(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let header = "gif_name\tquestion\ta1\ta2\ta3\ta4\ta5\tanswer\tvid_id\tkey\r\n";
    let row = |at: usize, name: &str, _: &str| {
        let (options, answer) = clips.options(at);
        let options = options.join("\t");
        format!("{name}\twhat moves ?\t{options}\t{answer}\tACTION{at}\t{at}\r\n")
    };
    (
        "action_question.csv",
        format!("{header}{}", clips.rows(row)),
    )
}

fn lsmdc_choice(clips: &Clips, trains: bool) -> (&'static str, String) {
    let row = |at: usize, name: &str, _: &str| {
        let (mut options, answer) = clips.options(at);
        let times = lsmdc_times(name);
        if trains {
            // The right one is always the first.
            options.swap(0, answer);
            return format!("{times}\t{}\n", options.join("\t"));
        }
        format!("{times}\t{}\t{}\n", options.join("\t"), answer + 1)
    };
    ("multiple_choice.csv", clips.rows(row))
}

fn msrvtt_questions(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let row = |at: usize, name: &str, _: &str| {
        let answer = ANSWERS[at % 2];
        format!(
            "{{\"answer\":\"{answer}\",\"question\":\"what moves\",\"video_id\":\"{name}\",\"answer_type\":\"what\"}}\n"
        )
    };
    ("qa.jsonl", clips.rows(row))
}

fn msvd_questions(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let rows: Vec<String> = clips
        .named
        .iter()
        .enumerate()
        .map(|(at, (name, _))| {
            let (answer, number) = (ANSWERS[at % 2], name.trim_start_matches("video"));
            format!(
                r#"{{"answer":"{answer}","id":{at},"question":"what moves","video_id":{number}}}"#
            )
        })
        .collect();
    ("qa.json", json_list(&rows))
}

fn tgif_frame(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let header = "gif_name\tquestion\tanswer\ttype\tvid_id\tkey\tdescription\r\n";
    let row = |at: usize, name: &str, sentence: &str| {
        let answer = ANSWERS[at % 2];
        format!("{name}\twhat color ?\t{answer}\t0\tFRAMEQA{at}\t{at}\t{sentence}\r\n")
    };
    (
        "frameqa_question.csv",
        format!("{header}{}", clips.rows(row)),
    )
}

fn lsmdc_blanks(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let row = |at: usize, name: &str, sentence: &str| {
        let (times, answer) = (lsmdc_times(name), ANSWERS[at % 2]);
        format!("{times}\t{sentence}\ta _____ shape moves\t{answer}\n")
    };
    ("FIB.csv", clips.rows(row))
}

/// The project's own form, a line an item.
fn own(clips: &Clips, rest: impl Fn(usize, &str) -> String) -> String {
    let mut lines = String::new();
    for (at, (name, sentence)) in clips.named.iter().enumerate() {
        writeln!(lines, "{{\"clip\":\"{name}.gif\",{}}}", rest(at, sentence)).unwrap();
    }
    lines
}

fn own_captions(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let rest = |_, sentence: &str| format!("\"captions\":[\"{sentence}\",\"it is {sentence}\"]");
    ("captions.jsonl", own(clips, rest))
}

fn own_choice(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let rest = |at: usize, _: &str| {
        let (options, answer) = clips.options(at);
        format!("\"question\":\"what is seen\",\"options\":{options:?},\"answer\":{answer}")
    };
    ("choice.jsonl", own(clips, rest))
}

fn own_questions(clips: &Clips, _trains: bool) -> (&'static str, String) {
    let rest = |at: usize, _: &str| {
        format!(
            "\"question\":\"what color\",\"answers\":[\"{}\"]",
            ANSWERS[at % 2]
        )
    };
    ("questions.jsonl", own(clips, rest))
}
