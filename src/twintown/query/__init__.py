"""Questions to the rows of a layer: CQL2 expressions, boxes, times; pure values and their evaluation over Arrow batches."""
