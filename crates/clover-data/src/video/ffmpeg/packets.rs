//! The coded pictures of a stream, in the order they are decoded, and the order they are shown in.

use std::time::Duration;

use ffmpeg_next::Packet;

use super::SampleTable;

/// All coded pictures of a stream.
pub(super) struct Packets {
    packets: Vec<Packet>,
    /// When each is shown; nothing where the file does not say, or says the same of two.
    times: Option<Times>,
}

struct Times {
    /// The time of each packet.
    of_packet: Vec<i64>,
    /// The packets in the order of their times.
    order: Vec<usize>,
    /// The inverse.
    rank: Vec<usize>,
}

/// The frames of an mp4 file, in terms of its packets in the order they are shown.
#[derive(Debug)]
pub(super) struct Edited {
    pub(super) packets: Vec<usize>,
    pub(super) times: Vec<Duration>,
    pub(super) seconds: Option<f64>,
}

impl Packets {
    /// Sorts packets out; there is at least one.
    pub(super) fn new(packets: Vec<Packet>) -> Self {
        let times: Option<Vec<i64>> = packets.iter().map(Packet::pts).collect();
        Self {
            times: times.and_then(Times::new),
            packets,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(super) fn get(&self, at: usize) -> &Packet {
        &self.packets[at]
    }

    /// Whether the file says when each picture is shown.
    pub(super) fn are_timed(&self) -> bool {
        self.times.is_some()
    }

    /// The packet that is shown as a frame; without times, the packet of the same number.
    pub(super) fn packet_of_frame(&self, frame: usize) -> usize {
        self.times
            .as_ref()
            .map_or(frame, |times| times.order[frame])
    }

    pub(super) fn frame_of_packet(&self, packet: usize) -> usize {
        self.times
            .as_ref()
            .map_or(packet, |times| times.rank[packet])
    }

    /// The frame shown at a time.
    pub(super) fn frame_at(&self, time: i64) -> Option<usize> {
        let times = self.times.as_ref()?;
        let found = times
            .order
            .binary_search_by_key(&time, |packet| times.of_packet[*packet]);
        found.ok()
    }

    /// The time between the first and the last picture, and one picture's share more.
    pub(super) fn duration(&self) -> Option<f64> {
        let times = self.times.as_ref()?;
        let (first, last) = (times.order.first()?, times.order.last()?);
        let between = times.of_packet[*last].checked_sub(times.of_packet[*first])?;
        let steps = self.len().checked_sub(1).filter(|steps| *steps > 0)? as f64;
        Some(between as f64 * (steps + 1.0) / steps)
    }

    /// When each frame is shown after the first, where a unit of time is `tick` seconds. Files
    /// without times show their frames at equal distances, `rate` a second.
    pub(super) fn times(&self, tick: f64, rate: Option<f64>) -> Option<Vec<Duration>> {
        let duration = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        let Some(times) = &self.times else {
            let rate = rate?;
            let frames = 0..self.len();
            return frames.map(|frame| duration(frame as f64 / rate)).collect();
        };
        let first = times.of_packet[*times.order.first()?];
        let order = times.order.iter();
        let ticks = order.map(|packet| times.of_packet[*packet].saturating_sub(first));
        ticks.map(|ticks| duration(ticks as f64 * tick)).collect()
    }

    /// The frames of a track whose samples these packets are; nothing if they are not.
    pub(super) fn edited(&self, table: SampleTable) -> Option<Edited> {
        let sizes = table.samples.iter().map(|sample| sample.size as usize);
        let same = sizes.eq(self.packets.iter().map(Packet::size));
        (same && self.are_timed()).then(|| Edited {
            packets: table
                .sample_of_frame
                .iter()
                .map(|packet| self.frame_of_packet(*packet))
                .collect(),
            times: table.times,
            seconds: table.seconds,
        })
    }

    /// The last packet that decoding of `packet` can begin at: a key picture shown no later. A
    /// picture shown before its group's key picture may refer to the group before.
    pub(super) fn group_start(&self, packet: usize) -> usize {
        let Some(times) = &self.times else { return 0 };
        (0..=packet)
            .rev()
            .find(|at| {
                self.packets[*at].is_key() && times.of_packet[*at] <= times.of_packet[packet]
            })
            .unwrap_or(0)
    }
}

impl Times {
    fn new(of_packet: Vec<i64>) -> Option<Self> {
        let mut order: Vec<usize> = (0..of_packet.len()).collect();
        order.sort_by_key(|packet| of_packet[*packet]);
        if order
            .windows(2)
            .any(|pair| of_packet[pair[0]] == of_packet[pair[1]])
        {
            return None;
        }
        let mut rank = vec![0; order.len()];
        for (frame, packet) in order.iter().enumerate() {
            rank[*packet] = frame;
        }
        Some(Self {
            of_packet,
            order,
            rank,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ffmpeg_next::packet::Flags;

    fn packets(times: &[Option<i64>], keys: &[usize]) -> Packets {
        let packets = times.iter().enumerate().map(|(at, time)| {
            let mut packet = Packet::copy(&[0]);
            packet.set_pts(*time);
            if keys.contains(&at) {
                packet.set_flags(Flags::KEY);
            }
            packet
        });
        Packets::new(packets.collect())
    }

    #[test]
    fn frames_are_counted_in_the_order_they_are_shown() {
        let packets = packets(&[Some(0), Some(30), Some(10), Some(20)], &[0]);

        let order: Vec<usize> = (0..4).map(|frame| packets.packet_of_frame(frame)).collect();

        assert_eq!(order, [0, 2, 3, 1]);
        assert_eq!(packets.frame_at(30), Some(3));
        assert_eq!(packets.frame_at(31), None);
    }

    #[test]
    fn a_picture_shown_before_its_key_picture_begins_a_group_earlier() {
        let packets = packets(&[Some(0), Some(10), Some(40), Some(20), Some(50)], &[0, 2]);

        assert_eq!(packets.group_start(3), 0);
        assert_eq!(packets.group_start(4), 2);
    }

    #[test]
    fn equal_or_missing_times_are_none() {
        assert!(!packets(&[Some(0), Some(0)], &[0]).are_timed());
        assert!(!packets(&[Some(0), None], &[0]).are_timed());
    }
}
