//! Videos in fragments, written for these tests from the boxes of a small one.

use mp4_atom::{
    Atom, Ctts, CttsEntry, ElstEntry, Encode, Mfhd, Moof, Moov, Mvex, Stbl, Stco, Stsc, StscEntry,
    Stss, Stsz, StszSamples, Stts, SttsEntry, Tfdt, Tfhd, Traf, Trex, Trun, TrunEntry, TrunSamples,
};

use super::mp4_videos::{FRAMES, LENGTH, decoder, edits, empty, parts, plain, shown};
use crate::DataError;

/// How a video is cut into fragments.
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
    /// Whether another track's data lies before.
    other: bool,
}

#[derive(Debug, Clone, Copy)]
enum Base {
    /// Places are counted from the beginning of the file.
    File,
    /// From the beginning of the fragment, said or not.
    Moof,
    Unsaid,
}

/// The pictures of the video in the order they are decoded: bytes and delay.
fn pictures(video: &[u8], boxes: &Stbl) -> Vec<(Vec<u8>, i64)> {
    let StszSamples::Different { sizes } = &boxes.stsz.samples else {
        unreachable!()
    };
    let delays = boxes.ctts.as_ref().unwrap().entries.iter();
    let delays = delays.flat_map(|run| vec![run.sample_offset; run.sample_count as usize]);
    let mut at = boxes.stco.as_ref().unwrap().entries[0] as usize;
    let cut = |(size, delay): (&u32, i64)| {
        let bytes = video[at..at + *size as usize].to_vec();
        at += *size as usize;
        (bytes, delay)
    };
    sizes.iter().zip(delays).map(cut).collect()
}

/// The video in fragments; its `moov` is `change`d first.
fn fragmented(cut: Cut, change: impl FnOnce(&mut Moov)) -> Vec<u8> {
    let (mut video, mut moov) = parts();
    let pictures = pictures(&video, &moov.trak[0].mdia.minf.stbl);
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
    moov.encode(&mut video).unwrap();
    for (number, some) in pictures[cut.listed..].chunks(cut.each).enumerate() {
        let first = (cut.listed + number * cut.each) as u64;
        let entry = |(at, (bytes, delay)): (usize, &(Vec<u8>, i64))| TrunEntry {
            duration: (!cut.shared).then_some(LENGTH as u32),
            size: Some(bytes.len() as u32),
            // Groups are of six pictures.
            flags: (first as usize + at)
                .is_multiple_of(6)
                .then_some(0x0200_0000),
            cts: Some(*delay),
        };
        let mut entries: Vec<TrunEntry> = some.iter().enumerate().map(entry).collect();
        if !cut.shared {
            for entry in &mut entries {
                entry.flags.get_or_insert(0x0101_0000);
            }
        }
        let start = video.len();
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
        let mut data = Vec::new();
        if cut.other {
            data.extend(b"sound");
            moof.traf.insert(0, other_track());
            moof.traf[1].trun[0].data_offset = None;
        }
        let mut header = Vec::new();
        moof.encode(&mut header).unwrap();
        let from = if matches!(cut.base, Base::File) {
            start
        } else {
            0
        };
        moof.traf[0].trun[0].data_offset = Some((from + header.len() + 8) as i32);
        moof.encode(&mut video).unwrap();
        data.extend(some.iter().flat_map(|(bytes, _)| bytes.clone()));
        video.extend((data.len() as u32 + 8).to_be_bytes());
        video.extend(b"mdat");
        video.extend(data);
    }
    video
}

/// A fragment's part of another track: one sample of five bytes.
fn other_track() -> Traf {
    Traf {
        tfhd: Tfhd {
            track_id: 77,
            default_sample_size: Some(5),
            ..Tfhd::default()
        },
        trun: vec![Trun {
            data_offset: Some(0),
            samples: TrunSamples::Inherited {
                count: 1,
                first_flags: None,
            },
        }],
        ..Traf::default()
    }
}

/// Lists only the first pictures of a video.
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
    boxes.stsc = Stsc {
        entries: if count > 0 { vec![run] } else { Vec::new() },
    };
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
    boxes.stss = Some(Stss {
        entries: (1..=count).step_by(6).collect(),
    });
}

const CUT: Cut = Cut {
    listed: 0,
    each: 6,
    base: Base::Moof,
    timed: true,
    shared: false,
    other: false,
};

#[test]
fn fragments_of_every_kind_show_the_whole_video() {
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
                    other: false,
                };
                let video = fragmented(cut, |_| ());

                let length = decoder(video.clone()).unwrap().seconds().unwrap();
                assert_eq!(shown(video), (frames.clone(), times.clone()), "{cut:?}");
                assert!((length - 1.2).abs() < 1e-9, "{cut:?}: {length}");
            }
        }
    }
}

#[test]
fn an_edit_list_hides_what_is_listed_beside_it_and_shifts_fragments() {
    let cut = Cut { listed: 6, ..CUT };
    let video = |entries: &[ElstEntry]| fragmented(cut, |moov| moov.trak[0].edts = edits(entries));

    let (frames, times) = shown(video(&[plain(400, 2.0)]));
    assert_eq!(frames, (2..FRAMES).collect::<Vec<_>>());
    assert_eq!(times, (0..10).map(|frame| 100 * frame).collect::<Vec<_>>());

    let (frames, times) = shown(video(&[empty(300), plain(0, 0.0)]));
    assert_eq!(frames, (0..FRAMES).collect::<Vec<_>>());
    assert_eq!((times[0], times[11]), (300, 1400));
}

// FFmpeg drops the second.
#[cfg(not(feature = "ffmpeg"))]
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

// FFmpeg refuses fragments of a track without a description.
#[cfg(not(feature = "ffmpeg"))]
#[test]
fn data_without_a_place_follows_that_of_the_track_before() {
    let cut = Cut {
        base: Base::Unsaid,
        other: true,
        ..CUT
    };

    assert_eq!(shown(fragmented(cut, |_| ())).0.len(), FRAMES);
}

/// What is wrong with a video whose only fragment is this one.
#[cfg(not(feature = "ffmpeg"))]
fn with_fragment(traf: Traf) -> DataError {
    let (mut video, mut moov) = parts();
    list(&mut moov.trak[0].mdia.minf.stbl, &[]);
    moov.encode(&mut video).unwrap();
    Moof {
        mfhd: Mfhd { sequence_number: 1 },
        traf: vec![traf],
    }
    .encode(&mut video)
    .unwrap();
    decoder(video).err().unwrap()
}

// FFmpeg has its own words for these.
#[cfg(not(feature = "ffmpeg"))]
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
    assert!(
        error.to_string().contains("later than any video"),
        "{error}"
    );
    let error = with_fragment(traf(0, 0, 0));
    assert_eq!(error.to_string(), "a.mp4: it has no frames");
}

#[test]
fn a_run_shorter_than_the_number_of_its_pictures_is_an_error() {
    let mut video = fragmented(CUT, |_| ());
    let run = video
        .windows(4)
        .position(|kind| kind == Trun::KIND.as_ref())
        .unwrap();
    video[run + 11] = 60;

    let error = decoder(video).err().unwrap();

    let ffmpeg = cfg!(feature = "ffmpeg");
    assert!(
        ffmpeg || matches!(error, DataError::Mp4Box { .. }),
        "{error}"
    );
}
