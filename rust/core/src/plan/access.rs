//! Which registers a step reads and writes: so that what nobody reads can be dropped, and the rest be numbered anew.

use super::element::{CodeRegister, Register, SparseRegister, TextRegister};

/// One register of a step.
pub enum Access<'a> {
    Reads(&'a mut Register),
    Writes(&'a mut Register),
    ReadsCode(&'a mut CodeRegister),
    WritesCode(&'a mut CodeRegister),
    ReadsText(&'a mut TextRegister),
    WritesText(&'a mut TextRegister),
    ReadsSparse(&'a mut SparseRegister),
    WritesSparse(&'a mut SparseRegister),
}

/// Looks at each register of a step, and may rename it.
pub type Visitor<'a> = dyn FnMut(Access<'_>) + 'a;

/// Shows registers that are read.
pub fn reads<'a>(visit: &mut Visitor<'_>, registers: impl IntoIterator<Item = &'a mut Register>) {
    registers.into_iter().for_each(|register| visit(Access::Reads(register)));
}

/// Shows registers that are written.
pub fn writes<'a>(visit: &mut Visitor<'_>, registers: impl IntoIterator<Item = &'a mut Register>) {
    registers.into_iter().for_each(|register| visit(Access::Writes(register)));
}
