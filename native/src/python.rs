//! The module as Python sees it. Pages are read, and batches built, without the interpreter's lock.

use std::ffi::CStr;

use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::ffi::FFI_ArrowSchema;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::columns::arrays::Batch;
use crate::failure::Failure;
use crate::json::{Decoder, Options, Value};

create_exception!(
    external_data_decoder,
    DecodeError,
    PyValueError,
    "A page that cannot be decoded; `kind` says how."
);

const SCHEMA_NAME: &CStr = c"arrow_schema";
const ARRAY_NAME: &CStr = c"arrow_array";

type Pair = (&'static str, String);
type PushedTuple = (usize, Vec<Pair>, u64, bool, usize);

/// Pages of JSON in, Arrow batches out.
#[pyclass(name = "Decoder", module = "external_data_decoder")]
struct PyDecoder {
    decoder: Decoder,
}

#[pymethods]
impl PyDecoder {
    #[new]
    #[pyo3(signature = (
        *,
        records_path,
        envelope = Vec::new(),
        extract = Vec::new(),
        structs = false,
        proof = false,
        nothing = false,
        known = Vec::new(),
        overlaps = false
    ))]
    fn new(
        records_path: Vec<String>,
        envelope: Vec<Vec<String>>,
        extract: Vec<Vec<String>>,
        structs: bool,
        proof: bool,
        nothing: bool,
        known: Vec<String>,
        overlaps: bool,
    ) -> Self {
        let options = Options { structs, proof, nothing, known, overlaps };
        PyDecoder { decoder: Decoder::new(records_path, &envelope, &extract, options) }
    }

    #[getter]
    fn rows(&self) -> usize {
        self.decoder.rows()
    }

    #[getter]
    fn bytes(&self) -> usize {
        self.decoder.bytes()
    }

    #[getter]
    fn fields(&self) -> Vec<String> {
        self.decoder.fields()
    }

    #[getter]
    fn replaced(&self) -> Vec<(Option<String>, usize)> {
        self.decoder.replaced()
    }

    #[pyo3(signature = (page, *, lone_object = false, unless = None))]
    fn push(
        &mut self,
        py: Python<'_>,
        page: &[u8],
        lone_object: bool,
        unless: Option<u64>,
    ) -> PyResult<PushedTuple> {
        let pushed = py
            .detach(|| self.decoder.push(page, lone_object, unless))
            .map_err(|failure| to_error(py, &failure))?;
        let values = pushed.values.into_iter().map(to_pair).collect();
        Ok((pushed.rows, values, pushed.digest, pushed.repeated, pushed.overlap))
    }

    fn flush(&mut self, py: Python<'_>) -> ArrowBatch {
        ArrowBatch { batch: py.detach(|| self.decoder.flush()) }
    }
}

/// Rows for whoever speaks the Arrow PyCapsule interface.
#[pyclass(module = "external_data_decoder", frozen)]
struct ArrowBatch {
    batch: Batch,
}

#[pymethods]
impl ArrowBatch {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&self.batch.schema)
            .map_err(|e| PyValueError::new_err(e.to_string()))?;
        PyCapsule::new_with_value(py, schema, SCHEMA_NAME)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface lets a producer give what it has, whatever was asked for.
        drop(requested_schema);
        let array =
            PyCapsule::new_with_value(py, FFI_ArrowArray::new(&self.batch.rows), ARRAY_NAME)?;
        Ok((self.__arrow_c_schema__(py)?, array))
    }
}

/// What a value is, and its text.
fn to_pair(value: Value) -> Pair {
    match value {
        Value::Missing => ("missing", String::new()),
        Value::Null => ("null", String::new()),
        Value::Bool(value) => ("boolean", value.to_string()),
        Value::Number(text) => ("number", text),
        Value::Text(text) => ("string", text),
        Value::Object => ("object", String::new()),
        Value::List => ("list", String::new()),
    }
}

fn to_error(py: Python<'_>, failure: &Failure) -> PyErr {
    let error = DecodeError::new_err(failure.to_string());
    let object = error.value(py);
    match object
        .setattr("kind", failure.kind.word())
        .and_then(|()| object.setattr("detail", &failure.detail))
        .and_then(|()| object.setattr("keys", failure.keys.clone()))
    {
        Ok(()) => error,
        Err(other) => other,
    }
}

#[pymodule]
fn external_data_decoder(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDecoder>()?;
    module.add("DecodeError", module.py().get_type::<DecodeError>())
}
