"""Last days of limits by another implementation, which does not walk from day to day: it lists every working day of the
published years, without those in a pause, and takes the n-th one after the start from that list. Calendar days and months are
added by the arithmetic of Python's library and moved to the next day of the list, as article 203 of the civil code has it.

Run from the root of the repository (Python 3 with PyYAML); it prints dates.txt, which TestDue_ByPython reads.
"""

import bisect
import calendar
import datetime
import random

import yaml


def days(a, b):
    return {a + datetime.timedelta(i) for i in range((b - a).days + 1)}


off, on, years = set(), set(), []
for year in yaml.safe_load(open("examples/holidays/holidays.yaml"))["years"]:
    years.append(year["year"])
    for h in year["holidays"]:
        off |= days(h["from"], h["to"])
    on |= set(year["workdays"])
span = sorted(days(datetime.date(years[0], 1, 1), datetime.date(years[-1], 12, 31)))
working = {d for d in span if d in on or d.weekday() < 5 and d not in off}


def months_later(start, n):
    year, month = divmod(start.month - 1 + n, 12)
    year, month = start.year + year, month + 1
    return datetime.date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def due(start, unit, n, pauses):
    open_days = sorted(working - set().union(*(days(a, b) for a, b in pauses)))
    if unit == "working_days":
        return open_days[bisect.bisect_right(open_days, start) + n - 1]
    end = start + datetime.timedelta(n) if unit == "days" else months_later(start, n)
    return open_days[bisect.bisect_left(open_days, end)]


random.seed(20261128)
print("# from unit n pauses last; by dates.py")
rows = 0
while rows < 400:
    unit = random.choice(["working_days", "working_days", "days", "months"])
    n = random.choice([1, 1, 2, 3, 6]) if unit == "months" else random.choice([1, 2, 3, 5, 5, 10, 15, 20, 30, 45, 60])
    start = random.choice(span)
    pauses = []
    if unit == "working_days":
        for _ in range(random.choice([0, 0, 0, 1, 2])):  # two may overlap
            a = start + datetime.timedelta(random.randint(1, 20))
            pauses.append((a, a + datetime.timedelta(random.randint(0, 12))))
    if start + datetime.timedelta(230) > span[-1]:
        continue
    print(start, unit, n, ",".join(f"{a}/{b}" for a, b in pauses) or "-", due(start, unit, n, pauses))
    rows += 1
