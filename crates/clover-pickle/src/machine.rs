//! The stack machine that a pickle is a program for.

mod memo;

use std::collections::HashMap;

use super::cursor::Cursor;
use super::scalar::{float, integer, text};
use super::vocabulary::Vocabulary;
use super::{Node, PickleError, PickleFault, Place};

/// The newest protocol.
const NEWEST: u8 = 5;

/// How far names of classes and functions may outgrow the pickle.
const NAME_GROWTH: usize = 16;

#[derive(Debug)]
pub(super) struct Machine<'a> {
    cursor: Cursor<'a>,
    vocabulary: Vocabulary,
    /// Where the instruction that is carried out starts, and its code.
    current: (usize, u8),
    length: usize,
    nodes: Vec<Node>,
    stack: Vec<Place>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Place>,
    pushed: usize,
    name_bytes: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn new(cursor: Cursor<'a>, vocabulary: Vocabulary) -> Self {
        Self {
            length: cursor.left(),
            cursor,
            vocabulary,
            current: (0, 0),
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            pushed: 0,
            name_bytes: 0,
        }
    }

    /// All values, and how many bytes were read.
    pub(super) fn finish(self) -> (Vec<Node>, usize) {
        (self.nodes, self.length - self.cursor.left())
    }

    pub(super) fn vocabulary(&self) -> Vocabulary {
        self.vocabulary
    }

    pub(super) fn node(&self, place: Place) -> Option<&Node> {
        self.nodes.get(place.0 as usize)
    }

    /// Carries out one instruction; the last one gives the place of the finished value.
    pub(super) fn step(&mut self) -> Result<Option<Place>, PickleError> {
        let offset = self.length - self.cursor.left();
        let code = self.cursor.u8()?;
        self.current = (offset, code);
        match code {
            b'.' => return self.pop().map(Some),
            0x80 => self.protocol()?,
            0x95 => self.frame()?,
            b'N' => self.make(Node::None)?,
            0x88 | 0x89 => self.make(Node::Bool(code == 0x88))?,
            b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b => {
                self.integer(code)?;
            }
            b'F' | b'G' => {
                let node = float(code, &mut self.cursor)?;
                self.make(node)?;
            }
            b'S' | b'V' | b'T' | b'U' | b'X' | b'B' | b'C' | 0x8c..=0x8e | 0x96 => {
                let node = text(code, &mut self.cursor)?;
                self.make(node)?;
            }
            b'(' | b'0' | b'1' | b'2' => self.arrange(code)?,
            b']' | b')' | 0x8f => self.make(Node::List(Vec::new()))?,
            b'l' | b't' | 0x91 | 0x85..=0x87 => self.collect(code)?,
            b'a' | b'e' | 0x90 => self.append(code)?,
            b'}' => self.make(Node::Dict(Vec::new()))?,
            b'd' | b's' | b'u' => self.set(code)?,
            b'p' | b'q' | b'r' | 0x94 => self.remember(code)?,
            b'g' | b'h' | b'j' => self.recall(code)?,
            _ => self.object(code)?,
        }
        Ok(None)
    }

    fn integer(&mut self, code: u8) -> Result<(), PickleError> {
        let node = match integer(code, &mut self.cursor) {
            // Checkpoints keep the state of random generators beside their tensors.
            Err(PickleError {
                fault: PickleFault::IntegerTooLarge,
                ..
            }) if self.vocabulary == Vocabulary::Checkpoint => Node::LongInt,
            read => read?,
        };
        self.make(node)
    }

    fn protocol(&mut self) -> Result<(), PickleError> {
        match self.cursor.u8()? {
            0..=NEWEST => Ok(()),
            found => Err(self.error(PickleFault::Protocol { found })),
        }
    }

    /// Frames only tell how much to read at once.
    fn frame(&mut self) -> Result<(), PickleError> {
        match self.cursor.u64()? > self.cursor.left() as u64 {
            true => Err(self.error(PickleFault::Truncated)),
            false => Ok(()),
        }
    }

    /// Marks a place on the stack, drops what is on it, or doubles its top.
    fn arrange(&mut self, code: u8) -> Result<(), PickleError> {
        match code {
            b'(' if self.marks.len() < self.vocabulary.max_values() => {
                self.marks.push(self.stack.len());
            }
            b'(' => return Err(self.too_many()),
            // Directly above a mark, POP drops the mark.
            b'0' if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
            }
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.since_mark()?;
            }
            _ => {
                let top = self.top()?;
                self.push(top)?;
            }
        }
        Ok(())
    }

    /// Makes a list of what is on the stack since the mark, or of one to three values.
    fn collect(&mut self, code: u8) -> Result<(), PickleError> {
        let values = match code {
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                self.need(count)?;
                self.stack.split_off(self.stack.len() - count)
            }
            _ => self.since_mark()?,
        };
        self.make(Node::List(values))
    }

    /// Appends to the list below: one value, or all since the mark.
    fn append(&mut self, code: u8) -> Result<(), PickleError> {
        let values = match code {
            b'a' => vec![self.pop()?],
            _ => self.since_mark()?,
        };
        let fault = self.misplaced();
        let place = self.top()?;
        match self.nodes.get_mut(place.0 as usize) {
            Some(Node::List(list)) => list.extend(values),
            // What an object that is never made would hold.
            Some(Node::Call { .. }) => {}
            _ => return Err(fault),
        }
        Ok(())
    }

    /// Adds keys and values to the dict below, or makes a new one of them.
    fn set(&mut self, code: u8) -> Result<(), PickleError> {
        let values = match code {
            b's' => {
                self.need(2)?;
                self.stack.split_off(self.stack.len() - 2)
            }
            _ => self.since_mark()?,
        };
        let fault = self.misplaced();
        if values.len() % 2 != 0 {
            return Err(fault);
        }
        let pairs = values.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        if code == b'd' {
            return self.make(Node::Dict(pairs.collect()));
        }
        let place = self.top()?;
        match self.nodes.get_mut(place.0 as usize) {
            Some(Node::Dict(dict)) => dict.extend(pairs),
            Some(Node::Call { .. }) => {}
            _ => return Err(fault),
        }
        Ok(())
    }

    pub(super) fn text_line(&mut self) -> Result<String, PickleError> {
        let line = std::str::from_utf8(self.cursor.line()?.trim_ascii());
        let text = line.map(str::to_owned);
        text.map_err(|_| self.error(PickleFault::Text))
    }

    pub(super) fn make(&mut self, node: Node) -> Result<(), PickleError> {
        let place = Place(self.nodes.len() as u32);
        self.push(place)?;
        self.nodes.push(node);
        Ok(())
    }

    pub(super) fn push(&mut self, place: Place) -> Result<(), PickleError> {
        self.count(1)?;
        self.stack.push(place);
        Ok(())
    }

    /// Counts values against the most that are made.
    pub(super) fn count(&mut self, values: usize) -> Result<(), PickleError> {
        self.pushed += values;
        match self.pushed > self.vocabulary.max_values() {
            true => Err(self.too_many()),
            false => Ok(()),
        }
    }

    /// Counts bytes of names, which may be made of remembered texts, against a multiple of the
    /// pickle.
    pub(super) fn spend_names(&mut self, bytes: usize) -> Result<(), PickleError> {
        let limit = self.length.saturating_mul(NAME_GROWTH);
        self.name_bytes += bytes;
        match self.name_bytes > limit {
            true => Err(self.error(PickleFault::TooFar { limit })),
            false => Ok(()),
        }
    }

    pub(super) fn pop(&mut self) -> Result<Place, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    pub(super) fn top(&self) -> Result<Place, PickleError> {
        self.need(1)?;
        self.stack.last().copied().ok_or_else(|| self.misplaced())
    }

    /// Values below the last mark are out of reach.
    fn need(&self, count: usize) -> Result<(), PickleError> {
        let reachable = self.stack.len() - self.marks.last().copied().unwrap_or(0);
        match reachable < count {
            true => Err(self.misplaced()),
            false => Ok(()),
        }
    }

    pub(super) fn since_mark(&mut self) -> Result<Vec<Place>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| self.misplaced())?;
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn misplaced(&self) -> PickleError {
        self.error(PickleFault::Stack {
            code: self.current.1,
        })
    }

    fn too_many(&self) -> PickleError {
        let limit = self.vocabulary.max_values();
        self.error(PickleFault::TooManyValues { limit })
    }

    pub(super) fn error(&self, fault: PickleFault) -> PickleError {
        PickleError {
            offset: self.current.0,
            fault,
        }
    }
}
