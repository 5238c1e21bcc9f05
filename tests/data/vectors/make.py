"""Writes the files of this folder: the same six vectors as numpy and pyarrow write them."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Powers of two, so that half precision holds them exactly.
rows = np.array([[i + 1, 0.5, -0.25 * i] for i in range(6)], dtype=np.float32)

np.save("f16.npy", rows.astype("<f2"))
np.save("f32.npy", rows)
np.save("f64.npy", rows.astype("<f8"))
np.save("f32-big-endian.npy", rows.astype(">f4"))
np.save("fortran.npy", np.asfortranarray(rows))
np.save("i64.npy", np.arange(12, dtype=np.int64).reshape(6, 2))

ids = pa.array([f"id-{i}" for i in range(6)])
fixed = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 3)
lists = pa.array(rows.tolist(), pa.list_(pa.float64()))
half = pa.array([row for row in rows.astype(np.float16)], pa.large_list(pa.float16()))
other = pa.array([[9.0]] * 6, pa.list_(pa.float32()))

table = pa.table({"id": ids, "vector": fixed})
with pa.OSFile("batches.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
    writer.write_table(table, max_chunksize=4)
table = pa.table({"vector": half})
with pa.OSFile("stream.arrows", "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
    writer.write_table(table, max_chunksize=4)
pq.write_table(pa.table({"id": ids, "vector": fixed}), "snappy.parquet", row_group_size=4)
pq.write_table(pa.table({"other": other, "vector": lists}), "two-columns.parquet", compression="zstd")
uneven = pa.array([[1.0, 2.0, 3.0]] * 4 + [[1.0, 2.0], [1.0, 2.0, 3.0]], pa.list_(pa.float32()))
pq.write_table(pa.table({"vector": uneven}), "uneven.parquet", compression="lz4")
missing = pa.array([[1.0, 2.0, 3.0]] * 3 + [None] + [[1.0, 2.0, 3.0]] * 2, pa.list_(pa.float32()))
pq.write_table(pa.table({"vector": missing}), "null.parquet", compression="none")
