//! Films with edit lists and in fragments, written for these tests from the boxes of a small one.

use std::path::Path;
use std::time::Duration;

use mp4_atom::{
    Atom, Ctts, CttsEntry, Decode, Edts, Elst, ElstEntry, Encode, FixedPoint, Mfhd, Moof, Moov,
    Mvex, Stbl, Stco, Stsc, StscEntry, Stsz, StszSamples, Stts, SttsEntry, Tfdt, Tfhd, Traf, Trex,
    Trun, TrunEntry, TrunSamples,
};

use super::{Clip, DecodeLimits, VideoDecoder, open_bytes};
use crate::DataError;

/// Frames of the film, of which the first is shown this long after it is decoded, and the length
/// of one, in the track's unit of 1/10240 s.
const FRAMES: usize = 12;
const DELAY: u64 = 2048;
const LENGTH: u64 = 1024;

fn small() -> Vec<u8> {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/media");
    std::fs::read(media.join("small.mp4")).unwrap()
}

/// The film without its last box, and that.
fn parts() -> (Vec<u8>, Moov) {
    let mut film = small();
    let at = film.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    let moov = Moov::decode(&mut &film[at..]).unwrap();
    film.truncate(at);
    (film, moov)
}

fn decoder(film: Vec<u8>) -> Result<Box<dyn VideoDecoder>, DataError> {
    open_bytes(film, Path::new("a.mp4"), &DecodeLimits::default())
}

fn whole(film: Vec<u8>) -> Clip {
    let mut decoder = decoder(film).unwrap();
    let all: Vec<usize> = (0..decoder.frame_count()).collect();
    decoder.decode(&all).unwrap()
}

/// The frames of the small film that another one shows, and when, in milliseconds.
fn shown(film: Vec<u8>) -> (Vec<usize>, Vec<u128>) {
    let original = whole(small());
    let times = decoder(film.clone()).unwrap().times().unwrap();
    let clip = whole(film);
    let frame_of = |pixels: &[u8]| {
        let mut frames = 0..FRAMES;
        frames
            .find(|frame| original.frame(*frame) == pixels)
            .unwrap()
    };
    let frames = (0..clip.frames()).map(|frame| frame_of(clip.frame(frame)));
    (
        frames.collect(),
        times.iter().map(Duration::as_millis).collect(),
    )
}

/// A piece of `duration` milliseconds from a frame on, at a rate.
fn piece(duration: u64, frame: f64, rate: [i16; 2]) -> ElstEntry {
    ElstEntry {
        segment_duration: duration,
        media_time: Some(DELAY + (frame * LENGTH as f64) as u64),
        media_rate: FixedPoint::new(rate[0], rate[1]),
    }
}

fn plain(duration: u64, frame: f64) -> ElstEntry {
    piece(duration, frame, [1, 0])
}

fn empty(duration: u64) -> ElstEntry {
    ElstEntry {
        media_time: None,
        ..plain(duration, 0.0)
    }
}

fn edits(entries: &[ElstEntry]) -> Option<Edts> {
    let entries = entries.to_vec();
    Some(Edts {
        elst: Some(Elst { entries }),
    })
}

fn edited(entries: &[ElstEntry]) -> Vec<u8> {
    let (mut film, mut moov) = parts();
    moov.trak[0].edts = edits(entries);
    moov.encode(&mut film).unwrap();
    film
}

#[test]
fn pieces_are_shown_one_after_the_other_as_ffmpeg_shows_them() {
    // Frames and times of the first six as FFmpeg 9.0 gives them.
    for (what, entries, frames, times) in [
        (
            "a cut",
            vec![plain(400, 8.0)],
            vec![8, 9, 10, 11],
            vec![0, 100, 200, 300],
        ),
        (
            "a cut within a frame",
            vec![plain(300, 3.5)],
            vec![4, 5, 6],
            vec![0, 100, 200],
        ),
        (
            "a delay",
            vec![empty(500), plain(200, 0.0)],
            vec![0, 1],
            vec![500, 600],
        ),
        (
            "two pieces",
            vec![plain(200, 7.0), plain(200, 1.0)],
            vec![7, 8, 1, 2],
            vec![0, 100, 200, 300],
        ),
        (
            "a repeat",
            vec![plain(200, 5.0); 2],
            vec![5, 6, 5, 6],
            vec![0, 100, 200, 300],
        ),
        (
            "a piece longer than the film",
            vec![plain(9_000, 10.0)],
            vec![10, 11],
            vec![0, 100],
        ),
        (
            "a gap",
            vec![plain(100, 2.0), empty(300), plain(100, 4.0)],
            vec![2, 4],
            vec![0, 400],
        ),
        (
            "to the end",
            vec![plain(0, 9.0)],
            vec![9, 10, 11],
            vec![0, 100, 200],
        ),
        (
            "twice as fast",
            vec![piece(200, 4.0, [2, 0])],
            vec![4, 5, 6, 7],
            vec![0, 50, 100, 150],
        ),
        (
            "half as fast",
            vec![piece(400, 4.0, [0, i16::MIN])],
            vec![4, 5],
            vec![0, 200],
        ),
        (
            "a dwell",
            vec![piece(500, 6.0, [0, 0]), plain(200, 6.0)],
            vec![6, 6, 7],
            vec![0, 500, 600],
        ),
        ("within a frame", vec![plain(40, 3.5)], vec![3], vec![0]),
    ] {
        assert_eq!(shown(edited(&entries)), (frames, times), "{what}");
    }
}

#[test]
fn the_length_of_a_film_is_what_is_shown_of_it() {
    let seconds = |entries: &[ElstEntry]| decoder(edited(entries)).unwrap().seconds().unwrap();

    for (entries, length) in [
        (vec![plain(1_200, 0.0)], 1.2),
        (vec![plain(400, 8.0)], 0.4),
        (vec![empty(500), plain(200, 0.0)], 0.7),
        (vec![plain(9_000, 10.0)], 0.2),
        (vec![plain(200, 7.0), piece(500, 1.0, [0, 0])], 0.7),
    ] {
        assert!((seconds(&entries) - length).abs() < 1e-9, "{entries:?}");
    }
}

#[test]
fn a_list_that_shows_nothing_is_an_error_and_one_without_edits_shows_everything() {
    for entries in [vec![empty(500)], vec![plain(500, 40.0)]] {
        let error = decoder(edited(&entries)).err().unwrap();
        assert_eq!(
            error.to_string(),
            "a.mp4: its edit list shows none of its frames"
        );
    }

    assert_eq!(shown(edited(&[])).0, (0..FRAMES).collect::<Vec<_>>());
}

#[test]
fn frames_repeated_without_end_are_refused() {
    let entries = vec![plain(1_200, 0.0); 100_000];

    let error = decoder(edited(&entries)).err().unwrap();

    assert!(matches!(error, DataError::OverLimit { .. }), "{error}");
}

/// How a film is cut into fragments.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Pictures listed in `moov`.
    listed: usize,
    /// Pictures of a fragment.
    each: usize,
    base: Base,
    /// Whether fragments say when they are decoded, and the first of the two recordings it begins.
    timed: bool,
    /// Whether what all pictures share stands in `trex` instead of beside each.
    shared: bool,
}

#[derive(Debug, Clone, Copy)]
enum Base {
    /// Places are counted from the beginning of the file.
    File,
    /// From the beginning of the fragment, said or not.
    Moof,
    Unsaid,
}

/// The pictures of the film in the order they are decoded: bytes and delay.
fn pictures(film: &[u8], boxes: &Stbl) -> Vec<(Vec<u8>, i64)> {
    let StszSamples::Different { sizes } = &boxes.stsz.samples else {
        unreachable!()
    };
    let delays = boxes.ctts.as_ref().unwrap().entries.iter();
    let delays = delays.flat_map(|run| vec![run.sample_offset; run.sample_count as usize]);
    let mut at = boxes.stco.as_ref().unwrap().entries[0] as usize;
    let cut = |(size, delay): (&u32, i64)| {
        let bytes = film[at..at + *size as usize].to_vec();
        at += *size as usize;
        (bytes, delay)
    };
    sizes.iter().zip(delays).map(cut).collect()
}

/// The film in fragments; its `moov` is `change`d first.
fn fragmented(cut: Cut, change: impl FnOnce(&mut Moov)) -> Vec<u8> {
    let (mut film, mut moov) = parts();
    let pictures = pictures(&film, &moov.trak[0].mdia.minf.stbl);
    let track = moov.trak[0].tkhd.track_id;
    moov.trak[0].edts = None;
    list(&mut moov.trak[0].mdia.minf.stbl, &pictures[..cut.listed]);
    moov.mvex = Some(Mvex {
        mehd: None,
        trex: vec![Trex {
            track_id: track,
            default_sample_description_index: 1,
            default_sample_duration: if cut.shared { LENGTH as u32 } else { 7 },
            default_sample_size: 0,
            default_sample_flags: 0x0101_0000,
        }],
    });
    change(&mut moov);
    moov.encode(&mut film).unwrap();
    for (number, some) in pictures[cut.listed..].chunks(cut.each).enumerate() {
        let first = (cut.listed + number * cut.each) as u64;
        let entry = |(at, (bytes, delay)): (usize, &(Vec<u8>, i64))| TrunEntry {
            duration: (!cut.shared).then_some(LENGTH as u32),
            size: Some(bytes.len() as u32),
            // Groups are of six pictures.
            flags: ((first as usize + at) % 6 == 0).then_some(0x0200_0000),
            cts: Some(*delay),
        };
        let mut entries: Vec<TrunEntry> = some.iter().enumerate().map(entry).collect();
        if !cut.shared {
            for entry in &mut entries {
                entry.flags.get_or_insert(0x0101_0000);
            }
        }
        let start = film.len();
        let mut moof = Moof {
            mfhd: Mfhd {
                sequence_number: number as u32,
            },
            traf: vec![Traf {
                tfhd: Tfhd {
                    track_id: track,
                    base_data_offset: matches!(cut.base, Base::File).then_some(0),
                    default_base_is_moof: matches!(cut.base, Base::Moof),
                    ..Tfhd::default()
                },
                tfdt: cut.timed.then_some(Tfdt {
                    base_media_decode_time: first * LENGTH,
                }),
                trun: vec![Trun {
                    data_offset: Some(0),
                    samples: TrunSamples::Explicit(entries),
                }],
                ..Traf::default()
            }],
        };
        let mut header = Vec::new();
        moof.encode(&mut header).unwrap();
        let from = if matches!(cut.base, Base::File) {
            start
        } else {
            0
        };
        moof.traf[0].trun[0].data_offset = Some((from + header.len() + 8) as i32);
        moof.encode(&mut film).unwrap();
        let data: Vec<u8> = some.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        film.extend((data.len() as u32 + 8).to_be_bytes());
        film.extend(b"mdat");
        film.extend(data);
    }
    film
}

/// Lists only the first pictures of a film.
fn list(boxes: &mut Stbl, pictures: &[(Vec<u8>, i64)]) {
    let count = pictures.len() as u32;
    let run = StscEntry {
        first_chunk: 1,
        samples_per_chunk: count,
        sample_description_index: 1,
    };
    boxes.stts = Stts {
        entries: vec![SttsEntry {
            sample_count: count,
            sample_delta: LENGTH as u32,
        }],
    };
    let delays = pictures.iter().map(|(_, delay)| CttsEntry {
        sample_count: 1,
        sample_offset: *delay,
    });
    boxes.ctts = Some(Ctts {
        entries: delays.collect(),
    });
    boxes.stsc = Stsc { entries: vec![run] };
    boxes.stsz = Stsz {
        samples: StszSamples::Different {
            sizes: pictures
                .iter()
                .map(|(bytes, _)| bytes.len() as u32)
                .collect(),
        },
    };
    let first = boxes.stco.as_ref().unwrap().entries[0];
    boxes.stco = Some(Stco {
        entries: if count > 0 { vec![first] } else { Vec::new() },
    });
    boxes.stss = Some(mp4_atom::Stss {
        entries: (1..=count).step_by(6).collect(),
    });
}

const CUT: Cut = Cut {
    listed: 0,
    each: 6,
    base: Base::Moof,
    timed: true,
    shared: false,
};

#[test]
fn fragments_of_every_kind_show_the_whole_film() {
    let frames: Vec<usize> = (0..FRAMES).collect();
    let times: Vec<u128> = (0..FRAMES as u128).map(|frame| 100 * frame).collect();

    for listed in [0, 6, 9] {
        for base in [Base::File, Base::Moof, Base::Unsaid] {
            for (timed, shared, each) in [(true, false, 6), (false, true, 2), (true, true, 1)] {
                let cut = Cut {
                    listed,
                    each,
                    base,
                    timed,
                    shared,
                };
                let film = fragmented(cut, |_| ());

                let length = decoder(film.clone()).unwrap().seconds().unwrap();
                assert_eq!(shown(film), (frames.clone(), times.clone()), "{cut:?}");
                assert!((length - 1.2).abs() < 1e-9, "{cut:?}: {length}");
            }
        }
    }
}

#[test]
fn an_edit_list_hides_what_is_listed_beside_it_and_shifts_fragments() {
    let cut = Cut { listed: 6, ..CUT };
    let film = |entries: &[ElstEntry]| fragmented(cut, |moov| moov.trak[0].edts = edits(entries));

    let (frames, times) = shown(film(&[plain(400, 2.0)]));
    assert_eq!(frames, (2..FRAMES).collect::<Vec<_>>());
    assert_eq!(times, (0..10).map(|frame| 100 * frame).collect::<Vec<_>>());

    let (frames, times) = shown(film(&[empty(300), plain(0, 0.0)]));
    assert_eq!(frames, (0..FRAMES).collect::<Vec<_>>());
    assert_eq!((times[0], times[11]), (300, 1400));
}

#[test]
fn recordings_one_after_the_other_are_shown_so() {
    let once = fragmented(Cut { each: 12, ..CUT }, |_| ());
    let fragment = once.windows(4).position(|kind| kind == b"moof").unwrap() - 4;
    let twice = [&once[..], &once[fragment..]].concat();

    let (frames, times) = shown(twice);

    let all: Vec<usize> = (0..FRAMES).collect();
    assert_eq!(frames, [&all[..], &all].concat());
    assert!(times.is_sorted() && times[12] == 1200, "{times:?}");
}

#[test]
fn fragments_of_other_tracks_are_stepped_over() {
    let film = fragmented(CUT, |moov| {
        let mut other = moov.trak[0].clone();
        other.tkhd.track_id = 77;
        other.mdia.minf.stbl.stsd.codecs.clear();
        moov.trak.push(other);
    });

    assert_eq!(shown(film).0.len(), FRAMES);
}

/// A film whose only fragment is this one.
fn with_fragment(traf: Traf) -> DataError {
    let (mut film, mut moov) = parts();
    list(&mut moov.trak[0].mdia.minf.stbl, &[]);
    moov.encode(&mut film).unwrap();
    Moof {
        mfhd: Mfhd { sequence_number: 1 },
        traf: vec![traf],
    }
    .encode(&mut film)
    .unwrap();
    decoder(film).err().unwrap()
}

#[test]
fn what_no_fragment_can_hold_is_refused_before_it_is_believed() {
    let traf = |count, size, time| Traf {
        tfhd: Tfhd {
            track_id: 1,
            default_sample_size: Some(size),
            ..Tfhd::default()
        },
        tfdt: Some(Tfdt {
            base_media_decode_time: time,
        }),
        trun: vec![Trun {
            data_offset: None,
            samples: TrunSamples::Inherited {
                count,
                first_flags: None,
            },
        }],
        ..Traf::default()
    };

    let error = with_fragment(traf(u32::MAX, 0, 0));
    assert!(matches!(error, DataError::OverLimit { .. }), "{error}");
    let error = with_fragment(traf(100, u32::MAX, 0));
    assert!(error.to_string().contains("cut short"), "{error}");
    let error = with_fragment(traf(1, 1, u64::MAX));
    assert!(error.to_string().contains("later than any film"), "{error}");
    let error = with_fragment(traf(0, 0, 0));
    assert_eq!(error.to_string(), "a.mp4: it has no frames");
}

#[test]
fn a_run_shorter_than_the_number_of_its_pictures_is_an_error() {
    let mut film = fragmented(CUT, |_| ());
    let run = film
        .windows(4)
        .position(|kind| kind == Trun::KIND.as_ref())
        .unwrap();
    film[run + 11] = 60;

    let error = decoder(film).err().unwrap();

    assert!(matches!(error, DataError::Mp4Box { .. }), "{error}");
}
