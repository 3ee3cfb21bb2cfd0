"""Rows as Parquet: shards of a fixed number of rows, the same bytes for the same rows.

A shard's name says which it is, and not how many there are; so where rows are only added at the end, as when a run goes
on, every shard but the last one stays as it was, byte for byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apep_datagen.core.durable import sync_directory, sync_file
from apep_datagen.formats.format import Row
from apep_datagen.formats.parquet import ColumnType

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

__all__ = ["ROWS_OF_SHARD", "ParquetFile"]

ROWS_OF_SHARD = 20_000
# What is in memory at a time. The hub reads a group of rows to show one page of a dataset.
_ROWS_OF_GROUP = 1_000
_PART = ".part"


class ParquetFile:
    """The rows of one split, in shards beside each other: a `RowFile`.

    Args:
        directory: Where the shards are; it is there.
        split: What their names begin with: `train-00000.parquet`, ….
        columns: The columns in order. A column that a row lacks is null; a type never follows from what is there.
        rows_of_shard: How many rows a shard has; the last one has what is left.
    """

    def __init__(
        self, directory: Path, split: str, columns: Mapping[str, ColumnType], *, rows_of_shard: int = ROWS_OF_SHARD
    ) -> None:
        import pyarrow as pa

        self._directory = directory
        self._split = split
        self._columns = columns
        self._schema = _schema(columns, pa.json_())
        self._rows_of_shard = rows_of_shard
        self._shards: list[Path] = []
        self._rows: list[Row] = []
        self._rows_in_shard = 0
        self._writer: pq.ParquetWriter | None = None
        self._remove_parts()

    @property
    def names(self) -> list[str]:
        """The names of the shards that there are after `finish`, if no further row is written."""
        count = len(self._shards) + (self._writer is None and bool(self._rows))
        return [self._shard(number).name for number in range(count)]

    def write(self, row: Row) -> None:
        """Add a row.

        Raises:
            OSError: It cannot be written.
        """
        self._rows.append(row)
        is_whole = self._rows_in_shard + len(self._rows) == self._rows_of_shard
        if is_whole or len(self._rows) == _ROWS_OF_GROUP:
            self._write_group()
        if is_whole:
            self._close_writer()

    def finish(self) -> list[str]:
        """Wait until all is on the disk, and let it take the place of what was there; return the files' names.

        Shards are replaced one by one, each as a whole; those of a larger dataset that are left over are removed. A
        split without rows has no file: `datasets` refuses one without rows, and all other splits with it.

        Raises:
            OSError: It cannot be written.
        """
        if self._rows:
            self._write_group()
        if self._writer is not None:
            self._close_writer()
        for shard in self._shards:
            _part(shard).replace(shard)
        for path in self._files(".parquet"):
            if path not in self._shards:
                path.unlink()
        sync_directory(self._directory)
        return self.names

    def abandon(self) -> None:
        """Remove what was written; what was there stays."""
        try:
            if self._writer is not None:
                self._writer.close()
        finally:  # its end cannot be written, where the disk is full
            self._writer = None
            self._remove_parts()

    def _write_group(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet as pq

        if self._writer is None:
            shard = self._shard(len(self._shards))
            self._shards.append(shard)
            self._writer = pq.ParquetWriter(_part(shard), self._schema, compression="zstd")
        rows = [{name: _stored(row.get(name), kind) for name, kind in self._columns.items()} for row in self._rows]
        # What is of the type JSON is made of texts, and then called so.
        table = pa.Table.from_pylist(rows, schema=_schema(self._columns, pa.string())).cast(self._schema)
        self._writer.write_table(table, row_group_size=_ROWS_OF_GROUP)
        self._rows_in_shard += len(self._rows)
        self._rows = []

    def _close_writer(self) -> None:
        assert self._writer is not None  # noqa: S101 - it has written something
        self._writer.close()
        self._writer = None
        self._rows_in_shard = 0
        sync_file(_part(self._shards[-1]))

    def _shard(self, number: int) -> Path:
        return self._directory / f"{self._split}-{number:05d}.parquet"

    def _files(self, ending: str) -> list[Path]:
        name = re.compile(rf"{re.escape(self._split)}-\d{{5,}}{re.escape(ending)}")
        return [path for path in self._directory.iterdir() if name.fullmatch(path.name)]

    def _remove_parts(self) -> None:
        for path in self._files(f".parquet{_PART}"):
            path.unlink()


def _part(shard: Path) -> Path:
    """Return where a shard is while it is being written."""
    return shard.with_name(shard.name + _PART)


def _stored(value: Any, kind: ColumnType) -> Any:
    """Return a value as a column takes it."""
    if value is not None and kind == "json":
        return json.dumps(value, ensure_ascii=False)
    if value is not None and kind == "jsons":
        return [json.dumps(item, ensure_ascii=False) for item in value]
    return value


def _schema(columns: Mapping[str, ColumnType], json_type: pa.DataType) -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    types: Mapping[ColumnType, pa.DataType] = {
        "text": text,
        "texts": pa.list_(text),
        "number": pa.int64(),
        "messages": pa.list_(pa.struct([("role", text), ("content", text)])),
        "conversations": pa.list_(
            pa.struct([("number", pa.int64()), ("ability", text), ("form", text), ("topic", text), ("day", text)])
        ),
        "json": json_type,
        "jsons": pa.list_(json_type),
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
