"""The columns of part files: what `parts.py` writes and `part_reader.py` reads."""

import pyarrow as pa

NAME = pa.dictionary(pa.int32(), pa.string())
"""Text with few distinct values."""

METRICS = pa.schema(
    {
        "run_id": NAME,
        "attempt": pa.int32(),
        "step": pa.int64(),
        "split": NAME,
        "metric": NAME,
        "value": pa.float64(),
    }
)

PROBES = pa.schema(
    {
        "run_id": NAME,
        "step": pa.int64(),
        "probe": NAME,
        "layer": pa.int32(),
        "position": NAME,
        "metric": NAME,
        "value": pa.float64(),
    }
)

SOURCES = pa.schema({"digest": pa.string(), "module": pa.string(), "text": pa.string()})

TIMINGS = pa.schema({"span": pa.string(), "seconds": pa.float64()})

PLAN = pa.schema(
    {
        "run_id": pa.string(),
        "spec": pa.string(),
        "task": pa.string(),
        "model": pa.string(),
        "optimizer": pa.string(),
        "layers": pa.int32(),
        "width": pa.int32(),
        "ratio": pa.float64(),
        "weight_decay": pa.float64(),
        "learning_rate": pa.float64(),
        "data_size": pa.int64(),
        "train_fraction": pa.float64(),
        "label_corruption": pa.float64(),
        "chance_accuracy": pa.float64(),
        "seed": pa.int32(),
        "data_seed": pa.int32(),
        "num_params": pa.int64(),
        "point": pa.string(),
        "horizon": pa.int64(),
        "pack_id": pa.string(),
    }
)
