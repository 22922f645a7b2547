//! A JSON value that cannot be larger than a row.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{MAX_ROW_BYTES, RowFault};

/// Rows are nested three deep at most.
const MAX_DEPTH: usize = 16;

/// What a value may still cost, counted as the bytes that JSON needs for it at least.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    exceeded: bool,
}

/// Reads a value within a budget; what goes beyond is read past.
#[derive(Debug)]
pub(crate) struct Bounded<'a> {
    budget: &'a mut Budget,
    depth: usize,
}

impl Budget {
    /// The budget of one row.
    pub(crate) fn row() -> Self {
        Self {
            left: MAX_ROW_BYTES,
            exceeded: false,
        }
    }

    /// Reads a value within it.
    pub(crate) fn bounded(&mut self) -> Bounded<'_> {
        Bounded {
            budget: self,
            depth: 0,
        }
    }

    /// The value, if it was within the budget.
    pub(crate) fn check(&self, value: Value) -> Result<Value, RowFault> {
        match self.exceeded {
            true => Err(RowFault::TooLong {
                limit: MAX_ROW_BYTES,
            }),
            false => Ok(value),
        }
    }

    fn spend(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) if !self.exceeded => self.left = left,
            _ => self.exceeded = true,
        }
        !self.exceeded
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        self.budget.spend(2);
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        self.budget.spend(2);
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        self.budget.spend(2);
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        self.budget.spend(2);
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        self.budget.spend(2);
        Ok(Value::Null)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        match self.budget.spend(value.len() + 2) {
            true => Ok(value.into()),
            false => Ok(Value::Null),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        let deep = self.depth >= MAX_DEPTH;
        self.budget.exceeded |= deep;
        while self.budget.spend(1) {
            let element = Bounded {
                budget: &mut *self.budget,
                depth: self.depth + 1,
            };
            match seq.next_element_seed(element)? {
                Some(value) => list.push(value),
                None => return Ok(Value::Array(list)),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        let deep = self.depth >= MAX_DEPTH;
        self.budget.exceeded |= deep;
        while self.budget.spend(2) {
            let Some(key) = map.next_key::<String>()? else {
                return Ok(Value::Object(object));
            };
            self.budget.spend(key.len());
            let value = map.next_value_seed(Bounded {
                budget: &mut *self.budget,
                depth: self.depth + 1,
            })?;
            object.insert(key, value);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, RowFault> {
        let mut budget = Budget::row();
        let mut json = serde_json::Deserializer::from_str(text);
        let value = budget.bounded().deserialize(&mut json);
        budget.check(value.unwrap())
    }

    #[test]
    fn a_row_is_the_value_it_is() {
        let text = r#"{"a":[1,-2,3.5,null,true],"b":{"c":"d"}}"#;

        let value = read(text).unwrap();

        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_huge_or_deep_row_is_read_past() {
        let long = format!("[{}0]", "0,".repeat(MAX_ROW_BYTES / 2));
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));

        for text in [long, deep] {
            assert!(matches!(read(&text), Err(RowFault::TooLong { .. })));
        }
    }
}
