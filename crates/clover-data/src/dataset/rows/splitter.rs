//! A record's fields, where a field in quotes may hold delimiters, line ends and doubled quotes
//! (RFC 4180).

/// Splits a record that arrives line by line.
#[derive(Debug)]
pub(crate) struct Splitter {
    delimiter: u8,
    fields: Vec<Vec<u8>>,
    field: Vec<u8>,
    state: State,
    /// Whether a letter followed a closing quote.
    stray: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a field, the only place where a quote opens one.
    Start,
    Plain,
    Quoted,
    /// After a quote inside quotes: the end, or the first half of a doubled one.
    Quote,
}

impl Splitter {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            fields: Vec::new(),
            field: Vec::new(),
            state: State::Start,
            stray: false,
        }
    }

    /// Takes a line without its end; tells whether the record ends with it.
    pub(crate) fn feed(&mut self, line: &[u8]) -> bool {
        if self.state == State::Quoted {
            self.field.push(b'\n');
        }
        for &byte in line {
            let next = self.step(byte);
            self.stray |= self.state == State::Quote && next == State::Plain;
            self.state = next;
        }
        self.state != State::Quoted
    }

    /// Whether a letter stood behind a closing quote, which then was none that closed.
    pub(crate) fn has_stray_letter(&self) -> bool {
        self.stray
    }

    /// The fields of the record.
    pub(crate) fn finish(mut self) -> Vec<Vec<u8>> {
        self.fields.push(self.field);
        self.fields
    }

    fn step(&mut self, byte: u8) -> State {
        match self.state {
            State::Start if byte == b'"' => State::Quoted,
            State::Quoted if byte == b'"' => State::Quote,
            State::Quote if byte == b'"' => self.keep(byte, State::Quoted),
            State::Quoted => self.keep(byte, State::Quoted),
            State::Start | State::Plain | State::Quote if byte == self.delimiter => {
                self.fields.push(std::mem::take(&mut self.field));
                State::Start
            }
            State::Start | State::Plain | State::Quote => self.keep(byte, State::Plain),
        }
    }

    fn keep(&mut self, byte: u8, next: State) -> State {
        self.field.push(byte);
        next
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn split(line: &str) -> Vec<String> {
        let mut splitter = Splitter::new(b',');
        assert!(splitter.feed(line.as_bytes()));
        let fields = splitter.finish().into_iter();
        fields
            .map(|field| String::from_utf8(field).unwrap())
            .collect()
    }

    #[test]
    fn quotes_hold_delimiters_and_doubled_quotes() {
        assert_eq!(split(r#"1,"a, ""b""",c"#), ["1", r#"a, "b""#, "c"]);
    }

    #[test]
    fn a_quote_inside_a_plain_field_is_a_letter() {
        assert_eq!(split(r#"5" disk,b"#), [r#"5" disk"#, "b"]);
    }

    #[test]
    fn a_field_in_quotes_goes_on_in_the_next_line() {
        let mut splitter = Splitter::new(b',');

        assert!(!splitter.feed(br#"1,"first"#));
        assert!(splitter.feed(br#"second",2"#));

        assert_eq!(splitter.finish()[1], b"first\nsecond");
    }

    #[test]
    fn any_line_splits_as_another_reader_splits_it() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut compared = 0;
        for _ in 0..3_000 {
            let length = random.random_range(1..12);
            let mut line = String::from("x");
            line.extend((0..length).map(|_| ['a', '"', ',', ' '][random.random_range(0..4)]));
            let mut splitter = Splitter::new(b',');
            if !splitter.feed(line.as_bytes()) {
                continue;
            }

            let found = splitter.finish();

            let mut oracle = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(line.as_bytes());
            let wanted = oracle.byte_records().next().unwrap().unwrap();
            assert!(found.iter().map(Vec::as_slice).eq(wanted.iter()), "{line}");
            compared += 1;
        }
        assert!(compared > 1_000);
    }
}
