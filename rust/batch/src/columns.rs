//! The named columns of a batch, whatever they are made of.

use penstock_core::cell::{Cell, Column};
use penstock_core::error::SchemaError;
use penstock_core::load::Table;
use penstock_core::plan::Plan;

/// Columns of equal length, in the order in which they were added.
#[derive(Default)]
pub struct Columns<'a> {
    names: Vec<String>,
    columns: Vec<Box<dyn Column + Send + 'a>>,
    rows: Option<usize>,
}

impl<'a> Columns<'a> {
    /// Adds a column.
    ///
    /// # Errors
    /// `SchemaError` if it has not as many rows as those before.
    pub fn add(
        &mut self,
        name: String,
        column: Box<dyn Column + Send + 'a>,
    ) -> Result<(), SchemaError> {
        let rows = *self.rows.get_or_insert(column.len());
        if rows != column.len() {
            let is = column.len();
            let message = format!("column `{name}` has {is} rows, not {rows}; send equal columns");
            return Err(SchemaError(message));
        }
        self.names.push(name);
        self.columns.push(column);
        Ok(())
    }

    /// Adds the columns of another batch.
    ///
    /// # Errors
    /// `SchemaError` if they have not as many rows.
    pub fn append(&mut self, other: Columns<'a>) -> Result<(), SchemaError> {
        if let Some(rows) = other.rows {
            self.set_rows(rows);
        }
        let mut columns = other.names.into_iter().zip(other.columns);
        columns.try_for_each(|(name, column)| self.add(name, column))
    }

    /// Makes the texts of the columns added so far take the type of their field, as in CSV files.
    pub fn set_lexical(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        let lexical = |column| Box::new(Lexical(column)) as Box<dyn Column + Send + 'a>;
        self.columns = columns.into_iter().map(lexical).collect();
    }

    /// Says how many rows there are, for tables without columns; nothing if that is known.
    pub fn set_rows(&mut self, rows: usize) {
        self.rows.get_or_insert(rows);
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows.unwrap_or(0)
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A column by its position.
    pub fn get(&self, at: usize) -> Option<&(dyn Column + Send + 'a)> {
        self.columns.get(at).map(Box::as_ref)
    }

    /// The columns as the fields of a plan.
    ///
    /// # Errors
    /// `SchemaError` for columns that are unknown, there twice, or absent and required.
    pub fn table(&self, plan: &Plan) -> Result<Table<'_>, SchemaError> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let positions = plan.match_columns(&names)?.into_iter();
        let find = |at: usize| self.columns.get(at).map(|column| column.as_ref() as &dyn Column);
        let columns = positions.map(|at| at.and_then(find)).collect();
        Ok(Table::new(plan, columns, self.rows()))
    }
}

/// Texts that take the type of their field.
struct Lexical<'a>(Box<dyn Column + Send + 'a>);

impl Column for Lexical<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        self.0.read(start, cells);
        for cell in cells {
            if let Cell::Text(text) = cell {
                *cell = Cell::Lexical(text);
            }
        }
    }
}
