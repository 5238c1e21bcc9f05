SELECT é,
  metadata. FROM t WHERE metadata.a == 1e400 'open