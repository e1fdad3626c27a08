//! Many rows for one statement of PostgreSQL whose text does not depend on how many there are: one array for each column.

use std::fmt::Display;

use sea_orm::Value;

/// An array as PostgreSQL reads it from text, every element in quotes; without a value, NULL.
pub fn array<T: Display>(elements: impl Iterator<Item = Option<T>>) -> Value {
    let mut text = String::from("{");
    for (n, element) in elements.enumerate() {
        if n > 0 {
            text.push(',');
        }
        let Some(element) = element else {
            text.push_str("NULL");
            continue;
        };
        text.push('"');
        for character in element.to_string().chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    text.into()
}

/// The rows as a table of a statement, from columns that are [arrays](array()) of so many elements each, by their types.
pub fn unnest<const N: usize>(columns: [(&str, Value); N]) -> (String, [Value; N]) {
    let casts: Vec<String> = columns.iter().map(|(of, _)| format!("CAST(? AS {of}[])")).collect();
    (format!("unnest({})", casts.join(", ")), columns.map(|(_, array)| array))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_keeps_its_elements_apart() {
        let elements = [Some("a"), None, Some(""), Some("b,c"), Some(r#"{"d\e"}"#), Some("NULL")];
        let text = r#"{"a",NULL,"","b,c","{\"d\\e\"}","NULL"}"#;
        assert_eq!(array(elements.into_iter()), text.into());
        assert_eq!(array(std::iter::empty::<Option<i64>>()), "{}".into());
    }

    #[test]
    fn rows_have_a_type_for_each_column() {
        let (sql, values) =
            unnest([("uuid", array([Some("a")].into_iter())), ("bigint", array([Some(1)].into_iter()))]);
        assert_eq!(sql, "unnest(CAST(? AS uuid[]), CAST(? AS bigint[]))");
        assert_eq!(values, [r#"{"a"}"#.into(), r#"{"1"}"#.into()]);
    }
}
