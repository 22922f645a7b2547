//! The rows of JSON files: a list, an object of named lists, or an object a line.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::json_value::Budget;
use super::python_json::{Repaired, repaired};
use super::{AnnotationError, Lines, RowFault, RowNumber, open_regular};
use crate::DataError;

/// The largest JSON file read; the largest published one has some hundred megabytes.
const MAX_JSON_BYTES: u64 = 2 << 30;

/// An element of a list of a JSON file.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    /// The name of the list, where there are several.
    pub(crate) section: Option<&'a str>,
    /// Its key, where the section is an object and no list.
    pub(crate) key: Option<&'a str>,
    /// Its number in its section, counted from one.
    pub(crate) entry: usize,
    /// What it is, unless it is too much.
    pub(crate) value: Result<Value, RowFault>,
}

/// What is done with each element; [`ControlFlow::Break`] ends the walk.
pub(crate) type EachElement<'a> = dyn FnMut(Element<'_>) -> ControlFlow<()> + 'a;

/// Walks the elements of a JSON file, which is a list or an object of lists or objects, one at a time.
///
/// Members of the outer object that are neither are passed over.
pub(crate) fn walk_json(path: &Path, each: &mut EachElement<'_>) -> Result<(), DataError> {
    let reader = open_regular(path, Some(MAX_JSON_BYTES))?;
    let mut stopped = false;
    let reader = BufReader::new(Repaired::new(reader));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let walk = Walk {
        section: None,
        each,
        stopped: &mut stopped,
    };
    let outcome = walk.deserialize(&mut json).and_then(|()| json.end());
    match outcome {
        Err(source) if !stopped => Err(AnnotationError::Json {
            path: path.to_path_buf(),
            source,
        }
        .into()),
        _ => Ok(()),
    }
}

/// Walks the rows of a JSON file that is a list of rows or has one row a line.
pub(crate) fn each_row(
    path: &Path,
    each: &mut dyn FnMut(RowNumber, Result<Value, RowFault>),
) -> Result<(), DataError> {
    if is_list(path)? {
        return walk_json(path, &mut |element| {
            if element.section.is_none() {
                each(RowNumber::Entry(element.entry), element.value);
            }
            ControlFlow::Continue(())
        });
    }
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next_line()? {
        let row = match line.bytes {
            Ok(bytes) if bytes.trim_ascii().is_empty() => continue,
            Ok(bytes) => json_row(&bytes),
            Err(fault) => Err(fault),
        };
        each(RowNumber::Line(line.number), row);
    }
    Ok(())
}

/// The row in a line or in a file of its own.
pub(crate) fn json_row(bytes: &[u8]) -> Result<Value, RowFault> {
    serde_json::from_slice(&repaired(bytes)).map_err(RowFault::NotJson)
}

/// Tells whether the first byte that is not blank opens a list.
fn is_list(path: &Path) -> Result<bool, DataError> {
    let mut reader = open_regular(path, None)?;
    let start = reader.fill_buf().map_err(|source| DataError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(start.trim_ascii_start().first() == Some(&b'['))
}

struct Walk<'a, 'b> {
    section: Option<&'a str>,
    each: &'a mut EachElement<'b>,
    stopped: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list or an object of lists")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for entry in 1.. {
            let mut budget = Budget::row();
            let Some(value) = seq.next_element_seed(budget.bounded())? else {
                break;
            };
            self.hand(None, entry, budget.check(value))?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.section.is_some() {
            for entry in 1.. {
                let Some(key) = map.next_key::<String>()? else {
                    break;
                };
                let mut budget = Budget::row();
                let value = map.next_value_seed(budget.bounded())?;
                self.hand(Some(&key), entry, budget.check(value))?;
            }
            return Ok(());
        }
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Walk {
                section: Some(&name),
                each: &mut *self.each,
                stopped: &mut *self.stopped,
            })?;
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar()
    }
}

impl Walk<'_, '_> {
    fn hand<E: Error>(
        &mut self,
        key: Option<&str>,
        entry: usize,
        value: Result<Value, RowFault>,
    ) -> Result<(), E> {
        let element = Element {
            section: self.section,
            key,
            entry,
            value,
        };
        match (self.each)(element) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                *self.stopped = true;
                Err(E::custom("the walk was ended"))
            }
        }
    }

    /// A member without rows is passed over; a whole file without any is not.
    fn scalar<E: Error>(self) -> Result<(), E> {
        match self.section {
            Some(_) => Ok(()),
            None => Err(E::custom("expected a list or an object of lists")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(content: &str) -> Result<Vec<String>, DataError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let mut found = Vec::new();
        walk_json(file.path(), &mut |element| {
            let section = element.section.unwrap_or("-");
            let key = element.key.unwrap_or("-");
            let value = element.value.unwrap();
            found.push(format!("{section} {} {key} {value}", element.entry));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    #[test]
    fn lists_and_objects_are_walked_by_name_and_the_rest_passed_over() {
        let found = walk(r#"{"n":1.5,"x":[true,"b"],"y":[[0]],"z":{"k":[1]}}"#).unwrap();

        let wanted = ["x 1 - true", "x 2 - \"b\"", "y 1 - [0]", "z 1 k [1]"];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_truncated_list_is_an_error() {
        assert!(walk("[1,2").is_err());
        assert!(walk("[1] 2").is_err());
        assert!(walk("7").is_err());
    }

    #[test]
    fn a_walk_ends_when_told_to() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1,2,broken").unwrap();
        let mut seen = 0;

        walk_json(file.path(), &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        })
        .unwrap();

        assert_eq!(seen, 1);
    }

    #[test]
    fn a_broken_line_does_not_hide_the_next() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{\"a\":1}\n\n{\"a\":\n{\"a\":2}\n").unwrap();
        let mut found = Vec::new();

        each_row(file.path(), &mut |row, value| {
            found.push((row, value.is_ok()));
        })
        .unwrap();

        let lines = [(1, true), (3, false), (4, true)];
        assert_eq!(
            found,
            lines.map(|(line, usable)| (RowNumber::Line(line), usable))
        );
    }
}
