#!/usr/bin/env python3
"""What did the shop sell? Asks the lake that the demo wrote, through DuckDB.   ask.py LAKE"""
import sys

import duckdb

if len(sys.argv) != 2:
    sys.exit(__doc__)
print(duckdb.sql(f"""
    select product, count(*) as lines, sum(quantity) as pieces, sum(unit_price * quantity) as turnover,
           count(*) filter (is_gift) as gifts
    from read_parquet('{sys.argv[1]}/order_lines/*/*.parquet', hive_partitioning = true)
    group by product order by turnover desc limit 10
"""))
