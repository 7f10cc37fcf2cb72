import Table from "cli-table3";
import colors from "picocolors";

import { type Answer, type Metric, type Output, outputs } from "./protocols/answer";

/** A table for people: right-aligned numbers, no colours where none are wanted. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const plain = { head: [], border: [] };
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? "left" : "right")),
    style: colors.isColorSupported ? { head: ["bold"], border: ["dim"] } : plain,
  });
  made.push(...rows.map((row) => [...row]));
  return made.toString();
}

/** A model's answer: a row for each prediction, then its metrics. */
export function answerTable(answer: Answer): string {
  const rows = outputs(answer);
  const width = Math.max(...rows.map((row) => row.length));
  const { names = [] } = answer.data;
  const many = Array.from({ length: width }, (_, index) => names[index] ?? `output ${index}`);
  const predictions = rows.map((row, index) => [
    `row ${index}`,
    ...row.map((value) => cell(value, width > 1 ? 4 : 2)),
  ]);
  const metrics = (answer.meta?.metrics ?? []).map((metric) => [metric.key, metricValue(metric)]);
  return [
    table(["prediction", ...(width > 1 || names.length === 1 ? many : ["price"])], predictions),
    ...(metrics.length > 0 ? [table(["metric", "value"], metrics)] : []),
  ].join("\n");
}

/** An output as people read it. */
function cell(value: Output, digits: number): string {
  if (value === null) return "missing";
  return typeof value === "number" ? amount(value, digits) : String(value);
}

/** A number with thousands set apart, to the cent, or finer: probabilities are near to 0 and 1. */
export function amount(value: number, digits = 2): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function metricValue(metric: Metric): string {
  return metric.type === "TIMER"
    ? `${metric.value.toFixed(3)} ms`
    : amount(metric.value).replace(/\.00$/, "");
}
