use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use penstock_batch::answers::With;
use penstock_batch::cells::Cells;
use penstock_batch::columns::Columns;
use penstock_batch::csv;
use penstock_batch::parallel::{self, Wish};
use penstock_core::cell::Cell;
use penstock_core::model::Model;

/// A forest on `carrier`, `distance` (not below 0, else missing) and `hour`; labels are `late` and `on time`.
const GOLDEN: &[u8] = include_bytes!("../../../../tests/golden/format-1.penstock");

const WISH: Wish = Wish { threads: 1, warnings: true };

fn model() -> Model {
    Model::open(GOLDEN, true).expect("is a model")
}

/// Rows of every kind: plain, missing, unseen, out of range, refused.
fn rows(count: usize) -> String {
    let rows = ["UA,500.5,7", ",,", "XX,1e3,23", "AA,-1,12", "B6,100,noon"];
    let rows = (0..count).map(|row| rows[row % rows.len()]).collect::<Vec<_>>();
    format!("carrier,distance,hour\n{}\n", rows.join("\n"))
}

fn predicted(model: &Model, columns: &Columns<'_>, wish: Wish, with: With) -> RecordBatch {
    let table = columns.table(&model.plan).expect("has the columns of the model");
    let answers = parallel::predict(&model.plan, &table, wish);
    answers.record_batch(&model.plan, with).expect("is a batch")
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> &'a StringArray {
    batch.column_by_name(name).expect("is there").as_string()
}

#[test]
fn answers_are_labels_numbers_errors_and_warnings() {
    let (model, text) = (model(), rows(5));
    let columns = csv::columns(text.as_bytes()).expect("is CSV");
    let batch = predicted(&model, &columns, WISH, With { errors: true, warnings: true });
    let schema = batch.schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let expected = ["label", "probability_late", "probability_on time", "error", "warnings"];
    assert_eq!(names, expected);
    let label = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    assert_eq!(*schema.field(0).data_type(), label);
    let (labels, numbers) = (batch.column(0), batch.column(1).as_primitive::<Float64Type>());
    let labels = labels.as_dictionary::<UInt32Type>();
    assert!((0..4).all(|row| labels.is_valid(row) && numbers.is_valid(row)));
    assert!(labels.is_null(4) && numbers.is_null(4));
    let errors = texts(&batch, "error");
    assert!((0..4).all(|row| errors.is_null(row)));
    assert!(errors.value(4).starts_with("row 4: "), "{}", errors.value(4));
    let warnings = batch.column(4).as_list::<i32>();
    let counts: Vec<_> = (0..5).map(|row| warnings.value_length(row)).collect();
    assert_eq!(counts, [0, 0, 1, 1, 0]);
    let (unseen, low) = (warnings.value(2), warnings.value(3));
    let entry =
        |list: &dyn Array, at| list.as_struct().column(at).as_string::<i32>().value(0).to_owned();
    assert_eq!([entry(&unseen, 0), entry(&unseen, 1)], ["carrier", "unseen_level"]);
    assert_eq!([entry(&low, 0), entry(&low, 1)], ["distance", "out_of_range"]);
}

#[test]
fn what_was_not_asked_for_is_no_column() {
    let (model, text) = (model(), rows(5));
    let columns = csv::columns(text.as_bytes()).expect("is CSV");
    let wish = Wish { threads: 1, warnings: false };
    assert_eq!(predicted(&model, &columns, wish, With::default()).num_columns(), 3);
    let with = With { errors: false, warnings: true };
    let batch = predicted(&model, &columns, wish, with);
    assert!((0..5).all(|row| batch.column(3).as_list::<i32>().value_length(row) == 0));
}

#[test]
fn tables_without_rows_have_answers_without_rows() {
    let (model, text) = (model(), rows(0));
    let columns = csv::columns(text.as_bytes()).expect("is CSV");
    let batch = predicted(&model, &columns, WISH, With { errors: true, warnings: true });
    assert_eq!((batch.num_rows(), batch.num_columns()), (0, 5));
}

#[test]
fn answers_are_the_same_on_any_number_of_threads() {
    let (model, text) = (model(), rows(10_000));
    let columns = csv::columns(text.as_bytes()).expect("is CSV");
    let with = With { errors: true, warnings: true };
    let one = predicted(&model, &columns, WISH, with);
    assert_eq!(texts(&one, "error").null_count(), 8000);
    for threads in [0, 2, 3, 100] {
        let many = predicted(&model, &columns, Wish { threads, warnings: true }, with);
        assert_eq!(many, one, "{threads} threads");
    }
}

#[test]
fn cells_are_answered_as_the_texts_of_csv() {
    let model = model();
    let text = csv::columns(b"carrier,hour\nUA,7\n,\n").expect("is CSV");
    let mut columns = Columns::default();
    let hours = Cells(vec![Cell::Integer(7), Cell::Missing]);
    let carriers = Cells(vec![Cell::Text("UA"), Cell::Missing]);
    columns.add("hour".to_owned(), Box::new(hours)).expect("is the first");
    columns.add("carrier".to_owned(), Box::new(carriers)).expect("is as long");
    let of = |columns: &Columns<'_>| predicted(&model, columns, WISH, With::default());
    assert_eq!(of(&columns), of(&text));
}

#[test]
fn columns_that_no_field_has_are_refused() {
    let columns = csv::columns(b"carier,hour\nUA,7\n").expect("is CSV");
    let error = columns.table(&model().plan).err().expect("is refused");
    assert!(error.0.contains("`carier`") && error.0.contains("`carrier`"), "{error}");
}
