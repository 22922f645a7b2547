//! Where the samples of all shards lie, in few bytes a sample: 56, the key, and 8 for each further
//! frame.

use std::num::NonZeroU32;
use std::ops::Range;

use super::members::BLOCK;

/// Where the content of a member lies in its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Contents begin at whole blocks, and the first block is a header.
    block: NonZeroU32,
    length: u32,
}

/// A sample as the headers describe it.
#[derive(Debug, Clone, Copy)]
struct Record {
    key_start: usize,
    media_start: usize,
    media_count: u32,
    json: Option<Span>,
    text: Option<Span>,
    shard: u32,
    key_length: u16,
    framewise: bool,
}

/// The samples of some shards, in order.
#[derive(Debug, Default)]
pub(super) struct ShardIndex {
    records: Vec<Record>,
    keys: String,
    media: Vec<Span>,
}

/// What the index knows of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Located<'a> {
    /// The number of its shard.
    pub(super) shard: usize,
    /// What its members have in common.
    pub(super) key: &'a str,
    /// Its video or image, or its frames.
    pub(super) media: &'a [Span],
    /// Whether the media are frames of one clip.
    pub(super) framewise: bool,
    /// What is known of it.
    pub(super) json: Option<Span>,
    /// Its caption.
    pub(super) text: Option<Span>,
}

impl Span {
    /// A content that begins at a block, nowhere beyond 2 TiB, and has less than 4 GiB.
    pub(super) fn new(offset: u64, length: u64) -> Option<Self> {
        let block = u32::try_from(offset / BLOCK).ok()?;
        Some(Self {
            block: NonZeroU32::new(block).filter(|_| offset.is_multiple_of(BLOCK))?,
            length: u32::try_from(length).ok()?,
        })
    }

    pub(super) fn offset(self) -> u64 {
        u64::from(self.block.get()) * BLOCK
    }

    pub(super) fn len(self) -> usize {
        self.length as usize
    }
}

impl ShardIndex {
    /// Adds a sample at the end; `None` if its key is longer or its shard further than any.
    pub(super) fn push(&mut self, sample: Located<'_>) -> Option<()> {
        self.records.push(Record {
            key_start: self.keys.len(),
            media_start: self.media.len(),
            media_count: u32::try_from(sample.media.len()).ok()?,
            json: sample.json,
            text: sample.text,
            shard: u32::try_from(sample.shard).ok()?,
            key_length: u16::try_from(sample.key.len()).ok()?,
            framewise: sample.framewise,
        });
        self.keys.push_str(sample.key);
        self.media.extend_from_slice(sample.media);
        Some(())
    }

    /// Adds the samples of other shards behind these.
    pub(super) fn append(&mut self, other: Self) {
        let (keys, media) = (self.keys.len(), self.media.len());
        self.records
            .extend(other.records.into_iter().map(|record| Record {
                key_start: record.key_start + keys,
                media_start: record.media_start + media,
                ..record
            }));
        self.keys.push_str(&other.keys);
        self.media.extend(other.media);
    }

    /// Gives back what was set aside for more samples.
    pub(super) fn shrink(&mut self) {
        self.records.shrink_to_fit();
        self.keys.shrink_to_fit();
        self.media.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The sample of this number.
    pub(super) fn get(&self, index: usize) -> Located<'_> {
        let record = &self.records[index];
        let key_end = record.key_start + usize::from(record.key_length);
        let media_end = record.media_start + record.media_count as usize;
        Located {
            shard: record.shard as usize,
            key: &self.keys[record.key_start..key_end],
            media: &self.media[record.media_start..media_end],
            framewise: record.framewise,
            json: record.json,
            text: record.text,
        }
    }

    /// The samples of each shard that has any.
    pub(super) fn stretches(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let shards = self.records.chunk_by(|one, next| one.shard == next.shard);
        shards
            .map(|shard| {
                let stretch = start..start + shard.len();
                start = stretch.end;
                stretch
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_small() {
        assert!(size_of::<Record>() + size_of::<Span>() <= 56);
    }

    #[test]
    fn samples_are_found_after_indices_were_joined() {
        let span = |block: u64| Span::new(block * 512, 10).unwrap();
        let mut all = ShardIndex::default();
        for shard in 0..3 {
            let mut one = ShardIndex::default();
            for (key, media) in [("a", vec![span(1)]), ("bcd", vec![span(2), span(3)])] {
                let sample = Located {
                    shard,
                    key,
                    framewise: media.len() > 1,
                    media: &media,
                    json: None,
                    text: Some(span(4)),
                };
                one.push(sample).unwrap();
            }
            all.append(one);
        }

        let found = all.get(5);

        assert_eq!((all.len(), found.shard, found.key), (6, 2, "bcd"));
        assert_eq!(found.media, [span(2), span(3)]);
        assert!(found.framewise);
        assert_eq!(all.stretches(), [0..2, 2..4, 4..6]);
    }

    #[test]
    fn places_that_cannot_be_are_refused() {
        assert!(Span::new(0, 1).is_none());
        assert!(Span::new(513, 1).is_none());
        assert!(Span::new(512, 1 << 32).is_none());
        assert!(Span::new(512 << 32, 1).is_none());
        assert_eq!(Span::new(1_024, 7).unwrap().offset(), 1_024);
    }
}
