//! What a JSON row says under a key.

use serde_json::{Map, Value};

use super::super::rows::RowFault;

/// A JSON row: an object.
pub(super) type Row = Map<String, Value>;

/// The row, if it is an object.
pub(super) fn object(value: &Value) -> Result<&Row, RowFault> {
    value.as_object().ok_or(RowFault::NotAnObject)
}

/// The text under a key that must be there.
pub(super) fn text<'a>(row: &'a Row, key: &'static str) -> Result<&'a str, RowFault> {
    let wanted = "a text";
    match row.get(key) {
        None | Some(Value::Null) => Err(RowFault::Missing { key }),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(RowFault::WrongKind { key, wanted }),
    }
}

/// The whole number under a key that must be there.
pub(super) fn whole(row: &Row, key: &'static str) -> Result<u64, RowFault> {
    let wanted = "a whole number";
    match row.get(key) {
        None | Some(Value::Null) => Err(RowFault::Missing { key }),
        Some(value) => value.as_u64().ok_or(RowFault::WrongKind { key, wanted }),
    }
}

/// The text under a key, or its number behind a prefix: `7` is `video7`.
pub(super) fn name(row: &Row, key: &'static str, prefix: &str) -> Result<String, RowFault> {
    match row.get(key).and_then(Value::as_u64) {
        Some(number) => Ok(format!("{prefix}{number}")),
        None => text(row, key).map(|text| text.trim().to_owned()),
    }
}

/// The texts under a key: one, or a list.
pub(super) fn texts(row: &Row, key: &'static str) -> Result<Vec<String>, RowFault> {
    let wanted = "a list of texts";
    match row.get(key) {
        Some(Value::Array(list)) => list
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or(RowFault::WrongKind { key, wanted }),
        _ => text(row, key).map(|text| vec![text.to_owned()]),
    }
}

/// The id of a row, where it has one.
pub(super) fn id(row: &Row, key: &'static str) -> Option<String> {
    name(row, key, "").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_say_or_name_their_key() {
        let value = serde_json::json!({"a": "x", "b": 7, "c": ["y", "z"], "d": [1], "e": null});
        let row = object(&value).unwrap();

        assert_eq!(text(row, "a").unwrap(), "x");
        assert_eq!(whole(row, "b").unwrap(), 7);
        assert_eq!(name(row, "b", "video").unwrap(), "video7");
        assert_eq!(texts(row, "c").unwrap(), ["y", "z"]);
        assert_eq!(texts(row, "a").unwrap(), ["x"]);
        assert_eq!(id(row, "b").as_deref(), Some("7"));
        for error in [text(row, "e").unwrap_err(), text(row, "f").unwrap_err()] {
            assert!(matches!(error, RowFault::Missing { .. }));
        }
        assert!(texts(row, "d").unwrap_err().to_string().contains('d'));
        assert!(whole(row, "a").is_err());
        assert!(object(&value["a"]).is_err());
    }
}
