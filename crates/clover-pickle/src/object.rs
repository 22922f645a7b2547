//! The instructions of checkpoints: names of classes and functions, calls, and references.

use super::machine::Machine;
use super::opcode::refusal;
use super::vocabulary::{Vocabulary, runs_code};
use super::{Node, PickleError, PickleFault, Place};

/// Names of Python's classes and functions are shorter.
const MAX_NAME_BYTES: usize = 512;

/// Dicts that Python makes by a call.
const DICTS: &[&str] = &["collections.OrderedDict", "collections.defaultdict"];

/// Where the classes of a TorchScript program stand.
const SCRIPT: &str = "__torch__.";

impl Machine<'_> {
    /// Carries out an instruction that makes more than plain data.
    pub(super) fn object(&mut self, code: u8) -> Result<(), PickleError> {
        if self.vocabulary() == Vocabulary::Plain {
            return Err(self.error(refusal(code)));
        }
        match code {
            b'c' => {
                let (module, name) = self.name_lines()?;
                self.global(&module, &name)
            }
            0x93 => {
                let name = self.pop_text()?;
                let module = self.pop_text()?;
                self.global(&module, &name)
            }
            b'R' | 0x81 => {
                let arguments = self.pop()?;
                let callee = self.pop()?;
                self.call(callee, arguments)
            }
            0x92 => {
                let _named_arguments = self.pop()?;
                let arguments = self.pop()?;
                let callee = self.pop()?;
                self.call(callee, arguments)
            }
            b'i' => {
                let (module, name) = self.name_lines()?;
                let arguments = self.since_mark()?;
                self.global(&module, &name)?;
                let callee = self.pop()?;
                self.call_with(callee, arguments)
            }
            b'o' => {
                let mut values = self.since_mark()?.into_iter();
                let callee = values.next().ok_or_else(|| self.misplaced())?;
                self.call_with(callee, values.collect())
            }
            b'b' => {
                // The state of an object that is never made.
                let state = self.pop()?;
                let object = self.top()?;
                if self.is_script_module(object) {
                    self.pop()?;
                    self.push(state)?;
                }
                Ok(())
            }
            b'Q' => {
                let name = self.pop()?;
                self.make(Node::Persistent(name))
            }
            _ => Err(self.error(refusal(code))),
        }
    }

    /// Whether an object is a module of a TorchScript program: a class of the program, made of nothing. Such a
    /// module is the dict of its parameters and modules, which is set as its state.
    fn is_script_module(&self, object: Place) -> bool {
        let Some(Node::Call { callee, arguments }) = self.node(object) else {
            return false;
        };
        let of_nothing = matches!(self.node(*arguments), Some(Node::List(list)) if list.is_empty());
        let of_program =
            matches!(self.node(*callee), Some(Node::Global(name)) if name.starts_with(SCRIPT));
        of_nothing && of_program
    }

    fn name_lines(&mut self) -> Result<(String, String), PickleError> {
        Ok((self.text_line()?, self.text_line()?))
    }

    fn pop_text(&mut self) -> Result<String, PickleError> {
        let place = self.pop()?;
        match self.node(place) {
            Some(Node::Text(text)) => Ok(text.to_string()),
            _ => Err(self.misplaced()),
        }
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), PickleError> {
        // A remembered text could be made a name again and again.
        if module.len() + name.len() > MAX_NAME_BYTES {
            return Err(self.error(PickleFault::Text));
        }
        let full = format!("{module}.{name}");
        self.spend_names(full.len())?;
        if runs_code(module, name) {
            return Err(self.error(PickleFault::RunsCode { name: full }));
        }
        self.make(Node::Global(full.into()))
    }

    fn call_with(&mut self, callee: Place, arguments: Vec<Place>) -> Result<(), PickleError> {
        self.make(Node::List(arguments))?;
        let arguments = self.pop()?;
        self.call(callee, arguments)
    }

    fn call(&mut self, callee: Place, arguments: Place) -> Result<(), PickleError> {
        let makes_dict = matches!(
            self.node(callee), Some(Node::Global(name)) if DICTS.contains(&&**name)
        );
        match makes_dict {
            true => {
                let pairs = self.pairs(arguments);
                // A remembered list could be made a dict again and again.
                self.count(pairs.len())?;
                self.make(Node::Dict(pairs))
            }
            false => self.make(Node::Call { callee, arguments }),
        }
    }

    /// The pairs an old Python makes an ordered dict from: `([[key, value], ..],)`.
    fn pairs(&self, arguments: Place) -> Vec<(Place, Place)> {
        let list = |place| match self.node(place) {
            Some(Node::List(places)) => places.as_slice(),
            _ => &[],
        };
        let [rows] = list(arguments) else {
            return Vec::new();
        };
        let pair = |&row: &Place| match *list(row) {
            [key, value] => Some((key, value)),
            _ => None,
        };
        list(*rows).iter().filter_map(pair).collect()
    }
}
