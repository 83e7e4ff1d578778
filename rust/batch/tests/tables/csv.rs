use crate::cells;
use penstock_batch::csv::{self, CsvError};
use penstock_core::cell::Cell;

/// Names, and the texts of each column.
fn read(data: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let columns = csv::columns(data).expect("is CSV");
    let texts = (0..columns.names().len()).map(|at| {
        let column = columns.get(at).expect("is there");
        assert_eq!(column.len(), columns.rows());
        let text = |cell| match cell {
            Cell::Lexical(text) => text.to_owned(),
            other => panic!("{other:?}"),
        };
        cells(column).into_iter().map(text).collect()
    });
    (columns.names().to_vec(), texts.collect())
}

fn refusal(data: &[u8]) -> CsvError {
    csv::columns(data).err().expect("is refused")
}

#[test]
fn csv_is_read_however_it_is_written() {
    for text in [
        "a,b\n1,x\n",
        "a,b\n1,x",
        "a,b\r\n1,x\r\n",
        "\u{feff}a,b\n1,x\n",
        "\"a\",\"b\"\n\"1\",\"x\"\n",
        "\u{feff}\"a\",b\r\n1,x",
        "\n\na,b\n\n1,x\n\n",
        "\r\na,b\r\n\r\n1,\"x\"",
        "a,b\r1,x\r",
    ] {
        let found = read(text.as_bytes());
        assert_eq!(found, (vec!["a".into(), "b".into()], vec![vec!["1".into()], vec!["x".into()]]));
    }
}

#[test]
fn csv_values_stay_as_they_are() {
    let long = "é,\"".repeat(1000);
    let quoted = long.replace('"', "\"\"");
    for (text, expected) in [
        ("\"1,2\"", "1,2"),
        ("\"say \"\"x\"\"\"", "say \"x\""),
        ("\"1\n2\"", "1\n2"),
        ("\"x\r\ny\"", "x\r\ny"),
        (" 1 ", " 1 "),
        ("NA", "NA"),
        ("é", "é"),
        ("1\"x\"y", "1\"x\"y"),
        ("\0", "\0"),
        (format!("\"{quoted}\"").as_str(), long.as_str()),
    ] {
        let (_, columns) = read(format!("x,y\n{text},1\n2,{text}").as_bytes());
        assert_eq!(columns, [[expected, "2"], ["1", expected]]);
    }
    let (names, _) = read("\"a\nb\",\"c,d\",größe\n1,2,3\n".as_bytes());
    assert_eq!(names, ["a\nb", "c,d", "größe"]);
}

#[test]
fn empty_fields_are_empty_with_and_without_quotes() {
    let (_, columns) = read(b"a,b\n,\"\"\n\"\",\n");
    assert_eq!(columns, [["", ""], ["", ""]]);
    let (_, columns) = read(b"a\n\"\"\n\n1\n");
    assert_eq!(columns, [["", "1"]]);
}

#[test]
fn a_header_alone_is_a_table_without_rows() {
    for data in [b"a,b".as_slice(), b"a,b\n", b"a,b\r\n\r\n"] {
        assert_eq!(read(data), (vec!["a".into(), "b".into()], vec![vec![], vec![]]));
    }
}

#[test]
fn csv_without_a_header_is_refused() {
    for data in [b"".as_slice(), b"\n\r\n", "\u{feff}".as_bytes()] {
        let said = "line 1 of the CSV: the header is missing; the first line must name the columns";
        assert_eq!(refusal(data).to_string(), said);
    }
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    let said = "line 2 of the CSV: column `a` comes twice; send each column once";
    assert_eq!(refusal(b"\na,b,a\n1,2\n").to_string(), said);
}

#[test]
fn a_row_of_another_length_is_refused_with_its_line() {
    for (row, fields) in [("3", 1), ("3,4,5", 3), ("3,4,", 3), ("\"\"", 1)] {
        let error = refusal(format!("a,b\n\"1\n\",2\n\n{row}\n5,6\n").as_bytes());
        assert_eq!((error.line, error.row), (5, Some(1)));
        assert_eq!(
            error.problem,
            format!("the row has {fields} fields, the header 2; a field with a comma or a line break needs quotes")
        );
    }
    assert_eq!(refusal(b"a,b\r1,2\r3\r").line, 3);
    assert_eq!(refusal(b"a,b\r\n1,2\r\n3\r\n").line, 3);
}

#[test]
fn a_quote_that_is_never_closed_is_refused_where_its_record_begins() {
    for data in ["\"a,b\n1,2\n", "\"", "\"a\"\""] {
        assert_eq!((refusal(data.as_bytes()).line, refusal(data.as_bytes()).row), (1, None));
    }
    for data in ["a,b\n1,2\n3,\"4\n5,6\n", "a,b\n\n1,\"2", "a,b\n\n1,\"2\"\"", "a,b\n\n1,\""] {
        let error = refusal(data.as_bytes());
        assert_eq!(error.line, 3, "{data}");
        assert!(error.problem.starts_with("a quote is opened and never closed"), "{error}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_line() {
    let said = "line 2 of the CSV: the text is not UTF-8; convert it";
    assert_eq!(refusal(b"a,b\n1,\xff\n").to_string(), said);
    // Halves of a letter in two fields, which together would be one.
    assert_eq!(refusal(b"a,b\n\xc3,\xa9\n").to_string(), said);
    assert_eq!(refusal(b"\xff\xfea\0,\0b\0\n\0").line, 1);
}
