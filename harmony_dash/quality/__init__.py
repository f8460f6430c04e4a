"""What is checked in the data of every source: checks as values, made from the dictionary.

A check says what it asks, of whom, and from which share on it warns or fails. How it is counted is the store's
business, what of the answer may leave is that of the disclosure package.

The three categories are those of Kahn and others, "A harmonized data quality assessment terminology and framework for
the secondary use of electronic health record data", eGEMs 4 (2016) 1244: conformance, completeness, plausibility.
"""
