//! The outputs of a schema as tensors, and their values, for protocols that know tensors.

use crate::answers::table::Values;
use crate::failure::{Failure, Kind};
use crate::protocols::datatypes::Datatype;
use penstock_core::manifest::OutputKind;
use penstock_core::plan::{OutputElement, OutputPlan, Plan};
use serde_json::Value;

/// One value of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Element<'a> {
    Number(f64),
    Integer(i64),
    Boolean(bool),
    Text(&'a str),
    Missing,
}

/// A class label in the form that its datatype has.
#[derive(Debug, Clone, PartialEq)]
enum Label {
    Number(f64),
    Integer(i64),
    Boolean(bool),
    Text(String),
}

impl Label {
    fn element(&self) -> Element<'_> {
        match self {
            Label::Number(x) => Element::Number(*x),
            Label::Integer(x) => Element::Integer(*x),
            Label::Boolean(x) => Element::Boolean(*x),
            Label::Text(text) => Element::Text(text),
        }
    }
}

/// An output as a tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputTensor {
    pub name: String,
    pub datatype: Datatype,
    pub kind: OutputKind,
    /// Columns of a table `[n, width]`; `None` for a list `[n]`.
    pub width: Option<usize>,
    /// The names of the columns of a table.
    pub names: Vec<String>,
    labels: Vec<Label>,
    /// Position of the first column among the answers.
    first: usize,
}

impl OutputTensor {
    /// The outputs of a model. Features are one table if all are numbers, and else one tensor each.
    pub fn all(plan: &Plan) -> Vec<Self> {
        let mut tensors = Vec::new();
        let mut first = 0;
        for output in &plan.outputs {
            let is_text = |element: &OutputElement| {
                matches!(element, OutputElement::Text(_) | OutputElement::Made(_))
            };
            let names: Vec<_> = output.names.iter().map(plain).collect();
            if output.elements.iter().any(is_text) {
                let elements = names.into_iter().zip(&output.elements).enumerate();
                tensors.extend(elements.map(|(at, (name, element))| {
                    let datatype = if is_text(element) { Datatype::Bytes } else { Datatype::Fp64 };
                    let (names, labels, first) = (Vec::new(), Vec::new(), first + at);
                    let kind = output.kind;
                    Self { name, datatype, kind, width: None, names, labels, first }
                }));
            } else {
                let (datatype, labels) = labels(output);
                let is_table = matches!(output.kind, OutputKind::Numbers | OutputKind::Features);
                let width = is_table.then_some(output.elements.len());
                let (name, kind) = (output.name.clone(), output.kind);
                tensors.push(Self { name, datatype, kind, width, names, labels, first });
            }
            first += output.elements.len();
        }
        tensors
    }

    /// The position of the output of a name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(tensors: &[Self], name: &str) -> Result<usize, Failure> {
        tensors.iter().position(|tensor| tensor.name == name).ok_or_else(|| {
            let names: Vec<_> = tensors.iter().map(|tensor| format!("`{}`", tensor.name)).collect();
            let detail = format!("there is no output `{name}`; there are {}", names.join(", "));
            Failure::new(Kind::Option, detail)
        })
    }

    /// Whether its values can follow those of another in one tensor; labels may be others.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.name, self.datatype, self.kind) == (&other.name, other.datatype, other.kind)
            && (self.width, &self.names) == (other.width, &other.names)
    }

    /// The shape for so many rows.
    pub fn shape(&self, rows: i64) -> Vec<i64> {
        let width = self.width.and_then(|width| i64::try_from(width).ok());
        [Some(rows), width].into_iter().flatten().collect()
    }

    /// The values of one row; `answers` are in the order of `Plan::output_columns`.
    pub fn row<'a>(
        &'a self,
        answers: &'a [Values],
        row: usize,
    ) -> impl Iterator<Item = Element<'a>> {
        let columns = answers.iter().skip(self.first).take(self.width.unwrap_or(1));
        columns
            .map(move |column| match column {
                Values::Numbers(values) => values.get(row).map(|x| Element::Number(*x)),
                Values::Texts(values) => {
                    values.get(row).and_then(Option::as_deref).map(Element::Text)
                }
                Values::Codes(values) => {
                    let label = values.get(row).and_then(|code| self.labels.get(*code as usize));
                    label.map(Label::element)
                }
            })
            .map(|element| element.unwrap_or(Element::Missing))
    }
}

/// A name as JSON has it without quotes.
fn plain(name: &Value) -> String {
    match name {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    }
}

/// The class labels of an output and the datatype that all of them have; texts if they differ.
fn labels(output: &OutputPlan) -> (Datatype, Vec<Label>) {
    type Read = fn(&Value) -> Option<Label>;
    const READS: [(Datatype, Read); 3] = [
        (Datatype::Int64, |value| value.as_i64().map(Label::Integer)),
        (Datatype::Bool, |value| value.as_bool().map(Label::Boolean)),
        (Datatype::Fp64, |value| value.as_f64().map(Label::Number)),
    ];
    if output.kind != OutputKind::Label {
        return (Datatype::Fp64, Vec::new());
    }
    let read_all = |read: Read| output.levels.iter().map(read).collect::<Option<Vec<_>>>();
    let found = READS.iter().find_map(|(datatype, read)| Some((*datatype, read_all(*read)?)));
    found.unwrap_or_else(|| {
        let labels = output.levels.iter().map(|level| Label::Text(plain(level)));
        (Datatype::Bytes, labels.collect())
    })
}
