EXPLAIN SELECT id, document, distance AS d, metadata.a.b AS "x y", metadata['k'], collection
FROM noun.animal, "my-docs" -- a comment
USING EMBEDDING (TEXT 'a bird' MODEL 'm') /* another */
TOPK 5 LIMIT 3 OFFSET 1 WHERE metadata.n > 2.5 AND NOT (id IN ('a', 'b''c'));