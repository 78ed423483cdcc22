#!/usr/bin/env python3
"""Makes the sample shop: 20,000 customers and 1,080,000 order lines over the 30 days from 2026-01-01.

    make_shop.py sqlite PATH        a SQLite database (made under a temporary name, then renamed)
    make_shop.py postgres URL       the same rows in a PostgreSQL database (needs psycopg)

The rows are the same every time and in both: decimals, timestamps, NULLs, empty strings, names in several scripts.
"""

import os
import sqlite3
import sys

CUSTOMERS = 20_000
LINES_A_DAY = 36_000
DAYS = 30

PRODUCTS = ["Galão", "Pão de Deus", "Bolo do caco", "crème brûlée", "Grüner Tee", "寿司", "борщ", "قهوة", "Ποντίκι ☕",
            "plain bread", "poncha", "queijada"]
NOTES = [None, "", "gift wrap, please", "leave at the door", "sem glúten", None, "naïve \"quotes\", commas\tand tabs", None]
CITIES = ["Funchal", "São Vicente", "Köln", "Łódź", "東京", "Reykjavík", None]

SCHEMA = """
create table customers (
  customer_id integer primary key,
  name        text not null,
  city        text,
  credit      decimal(9,2),
  joined      date not null
);
create table order_lines (
  line_id     integer primary key,
  order_id    integer not null,
  customer_id integer not null,
  ordered_at  timestamp not null,
  product     text not null,
  quantity    integer not null,
  unit_price  decimal(9,2) not null,
  discount    decimal(4,2),
  is_gift     text not null,
  note        text
);
"""
INDEX = "create index order_lines_by_time on order_lines (ordered_at);"


def mixed(number):
    """A cheap, stable scrambling of an integer (splitmix64's finaliser)."""
    number = (number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return number ^ (number >> 31)


def cents(number):
    return f"{number // 100}.{number % 100:02d}"


def customers():
    for i in range(1, CUSTOMERS + 1):
        dice = mixed(i)
        credit = None if dice % 5 == 0 else cents(dice % 500_000)
        yield i, f"{PRODUCTS[dice % 12]} {i}", CITIES[dice % 7], credit, f"2025-{dice % 12 + 1:02d}-{dice % 28 + 1:02d}"


def order_lines():
    line = 0
    for day in range(1, DAYS + 1):
        for i in range(LINES_A_DAY):
            line += 1
            dice = mixed(line)
            micros = i * 2_400_000 + dice % 2_400_000
            seconds, fraction = divmod(micros, 1_000_000)
            moment = f"2026-01-{day:02d} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}"
            discount = None if (dice >> 8) % 3 else cents((dice >> 12) % 3000)
            yield (line, line // 3 + 1, dice % CUSTOMERS + 1, moment, PRODUCTS[(dice >> 16) % 12], (dice >> 20) % 9 + 1,
                   cents(99 + (dice >> 24) % 5_000), discount, "true" if (dice >> 32) % 50 == 0 else "false",
                   NOTES[(dice >> 40) % 8])


def to_sqlite(path):
    temporary = path + ".part"
    if os.path.exists(temporary):
        os.remove(temporary)
    database = sqlite3.connect(temporary)
    database.execute("pragma journal_mode = off")
    database.execute("pragma synchronous = off")
    database.executescript(SCHEMA)
    database.executemany("insert into customers values (?,?,?,?,?)", customers())
    database.executemany("insert into order_lines values (?,?,?,?,?,?,?,?,?,?)", order_lines())
    database.executescript(INDEX + "analyze;")
    database.commit()
    database.close()
    os.replace(temporary, path)


def to_postgres(url):
    import psycopg

    with psycopg.connect(url) as connection:
        there = connection.execute("select to_regclass('order_lines')").fetchone()[0]
        if there and connection.execute("select count(*) from order_lines").fetchone()[0] == DAYS * LINES_A_DAY:
            return
        connection.execute("drop table if exists customers, order_lines")
        connection.execute(SCHEMA)
        for table, rows in (("customers", customers()), ("order_lines", order_lines())):
            with connection.cursor().copy(f"copy {table} from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
        connection.execute(INDEX)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum (analyze) order_lines")


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("sqlite", "postgres"):
        sys.exit(__doc__)
    {"sqlite": to_sqlite, "postgres": to_postgres}[sys.argv[1]](sys.argv[2])


if __name__ == "__main__":
    main()
