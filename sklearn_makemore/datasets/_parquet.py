"""Columns of Parquet, in bounded memory."""

from .._sklearn import import_extra
from ._columns import Table, chosen_columns, values_in
from ._compression import opened


def parquet_blocks(source, name, options, size, *, with_places=False):
    """Yield columns as lists, the numbers of the rows from 0 last if asked."""
    import_extra("pyarrow", f"Reading {name}")
    import pyarrow.parquet

    # Failing to open the file is an OSError; later failures mean that it is damaged.
    with opened(source) as file:
        try:
            # Without these, pyarrow reads the whole column of a row group at once.
            table = pyarrow.parquet.ParquetFile(
                file, pre_buffer=False, buffer_size=1 << 18
            )
            columns, n_rows = _chosen(pyarrow.types, table, name, options), 0
            names = list(dict.fromkeys(column.name for column in columns))
            for batch in table.iter_batches(size, columns=names):
                values = [_values(batch, column, name, n_rows) for column in columns]
                numbers = list(range(n_rows, n_rows + len(batch)))
                yield (*values, numbers) if with_places else tuple(values)
                n_rows += len(batch)
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as exc:
            raise ValueError(f"{name} cannot be read as Parquet: {exc}") from exc


def _chosen(types, table, name, options):
    """Return the columns to read."""
    schema = table.schema_arrow
    texts = [index for index, field in enumerate(schema) if _is_text(types, field.type)]
    example = schema.names[texts[0]] if texts else "name"
    advice = f"Pass one of strings, such as `column={example!r}`"
    table = Table(name, schema.names, len(schema.names), texts, advice)
    return chosen_columns(options, table, is_text=False)


def _is_text(types, kind):
    """Whether a type of a column is strings."""
    kind = kind.value_type if types.is_dictionary(kind) else kind
    is_long = types.is_large_string(kind)
    return is_long or types.is_string(kind) or types.is_string_view(kind)


def _values(batch, column, name, n_before):
    """Return the values of a column of a batch, after `n_before` rows."""
    return values_in(
        column,
        batch.column(column.name).to_pylist(),
        name,
        lambda index: f"row {n_before + index:,} (from 0)",
    )
