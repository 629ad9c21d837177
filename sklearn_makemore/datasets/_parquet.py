"""Reading words from a column of Parquet, in bounded memory."""

from importlib import import_module
from typing import Any


def parquet_blocks(path, name, chunk_size, column):
    """Yield lists of values of a column; `name` is the name of the file for errors."""
    import_extra("pyarrow", f"Reading {name}")
    import pyarrow.parquet

    # Failing to open the file is an OSError; later failures mean that it is damaged.
    with open(path, "rb") as file:
        try:
            # Without these, pyarrow reads the whole column of a row group at once.
            table = pyarrow.parquet.ParquetFile(
                file, pre_buffer=False, buffer_size=1 << 18
            )
            column, n_rows = _column_of_words(pyarrow.types, table, name, column), 0
            for batch in table.iter_batches(chunk_size, columns=[column]):
                values = batch.column(0)
                if values.null_count:
                    row = n_rows + values.is_null().index(True).as_py()
                    raise ValueError(
                        f"{name} has a missing value in row {row:,} (from 0) of column "
                        f"{column!r}; drop it, or replace it by a word."
                    )
                n_rows += len(values)
                yield values.to_pylist()
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as exc:
            raise ValueError(f"{name} cannot be read as Parquet: {exc}") from exc


def import_extra(package: str, feature: str) -> Any:
    """Import a package of the extra "distributed", or say how to install it."""
    try:
        return import_module(package)
    except ImportError as exc:
        raise ImportError(
            f"{feature} needs the package {package}; install it with "
            'pip install "sklearn-makemore[distributed]".'
        ) from exc


def _column_of_words(types, table, name, column):
    """Return the name of the column that holds the words."""

    def holds_text(kind):
        kind = kind.value_type if types.is_dictionary(kind) else kind
        is_long = types.is_large_string(kind)
        return is_long or types.is_string(kind) or types.is_string_view(kind)

    schema = table.schema_arrow
    text_columns = [field.name for field in schema if holds_text(field.type)]
    if column in text_columns:
        return column
    if column is None and len(text_columns) == 1:
        return text_columns[0]
    given = "it is not given" if column is None else f"it is {column!r}"
    found = ", ".join(map(repr, text_columns)) or "there is none"
    raise ValueError(
        f"{name}: `column` must be one that holds strings ({found}), and {given}."
    )
