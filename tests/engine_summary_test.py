"""Tests of engine_summary: what it counts, and what it refuses to call a pass."""

import unittest
import xml.etree.ElementTree as ElementTree

from engine_summary import ENGINES, count_doctests, summarise, table

STORY = "store::it jobs::runs_once"


def summary_of(*cases):
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", name="store::it")
    for name, *outcome in cases:
        case = ElementTree.SubElement(suite, "testcase", name=name, classname="store::it")
        for tag in outcome:
            ElementTree.SubElement(case, tag)
    return summarise(ElementTree.ElementTree(suites))


def on(*engines):
    return [(f"jobs::runs_once::{engine}",) for engine in engines]


class EngineSummary(unittest.TestCase):
    def test_a_story_on_every_engine_is_no_complaint(self):
        summary = summary_of(*on(*ENGINES), ("pure::rule",))
        self.assertEqual(list(summary.complaints()), [])
        self.assertEqual([count.tests for count in summary.engines.values()], [1, 1, 1])
        self.assertEqual((summary.other.tests, summary.total.passed, summary.total.failed), (1, 4, 0))

    def test_a_story_that_misses_an_engine_is_named(self):
        everywhere = [(f"other::{engine}",) for engine in ENGINES]
        summary = summary_of(*everywhere, *on("sqlite", "mariadb"))
        self.assertEqual(list(summary.complaints()), [f"{STORY} did not run on postgres"])

    def test_a_run_without_database_tests_is_not_a_pass(self):
        summary = summary_of(("pure::rule",))
        self.assertEqual(list(summary.complaints()), [f"no test ran on {engine}" for engine in ENGINES])

    def test_a_skipped_test_did_not_run(self):
        summary = summary_of(*on("sqlite", "postgres"), ("jobs::runs_once::mariadb", "skipped"))
        self.assertIn(f"{STORY} did not run on mariadb", list(summary.complaints()))

    def test_failures_and_errors_are_counted_where_they_happened(self):
        summary = summary_of(*on("sqlite"), ("jobs::runs_once::postgres", "failure"), ("pure::rule", "error"))
        self.assertEqual((summary.engines["postgres"].failed, summary.other.failed), (1, 1))
        self.assertEqual((summary.total.passed, summary.total.failed), (1, 2))

    def test_doctests_are_added_up_over_the_crates(self):
        line = "test result: {}. {} passed; {} failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n"
        count = count_doctests("running 3 tests\n" + line.format("ok", 3, 0) + line.format("FAILED", 1, 2))
        self.assertEqual((count.passed, count.failed), (4, 2))

    def test_the_table_names_engines_and_versions(self):
        rows = list(table(summary_of(*on(*ENGINES)), {engine: f"{engine}-9" for engine in ENGINES}))
        self.assertEqual(rows[2].split(), ["postgres", "postgres-9", "1", "1", "0"])


if __name__ == "__main__":
    unittest.main()
