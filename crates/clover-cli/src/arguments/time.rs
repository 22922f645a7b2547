//! Spans of time: `90s`, `30m`, `1h30m`.

use std::time::Duration;

/// Reads a span: numbers, each with its unit behind it.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let mut seconds = 0.0;
    let mut rest = text;
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit() && c != '.') {
        let (number, behind) = rest.split_at(end);
        let unit = match behind.chars().next() {
            Some('s') => 1.0,
            Some('m') => 60.0,
            Some('h') => 3_600.0,
            _ => break,
        };
        let Ok(number) = number.parse::<f64>() else {
            break;
        };
        seconds += number * unit;
        rest = &behind[1..];
    }
    let span = Duration::try_from_secs_f64(seconds);
    let span = span.ok().filter(|span| rest.is_empty() && !span.is_zero());
    span.ok_or_else(|| "must be a span of time, such as 90s, 30m or 1h30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser;

    #[test]
    fn a_time_and_a_number_of_steps_exclude_each_other() {
        for command in ["pretrain --vocab auto", "finetune task --bundle b"] {
            let line = format!("clover {command} --data a --out b --time 5m");
            let refused = |more: &str| {
                let words = line.split(' ').chain(more.split_whitespace());
                Arguments::try_parse_from(words).is_err()
            };

            assert!(!refused(""), "{line}");
            assert!(refused("--max-steps 9"), "{line}");
        }
    }

    #[test]
    fn spans_are_numbers_with_units() {
        let seconds = |text| span(text).map(|span| span.as_secs());

        for (text, expected) in [
            ("90s", 90),
            ("30m", 1_800),
            ("1h30m", 5_400),
            ("1.5h", 5_400),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for wrong in ["", "30", "0m", "m", "1d", "-5m", "5m 3", "1e9h"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
