"""What one hopes that the code does: reads what it was given, and writes what it was asked for."""

import csv
from collections import Counter

sold = Counter()
with open("/data/sales.csv", newline="") as file:
    for row in csv.DictReader(file):
        sold[row["fruit"]] += int(row["sold"])

with open("/out/report.md", "w") as file:
    file.write("# Sales\n\n")
    file.writelines(f"- {count} {fruit}\n" for fruit, count in sold.most_common())

print(f"counted {len(sold)} kinds; {sold['apples']} apples")
