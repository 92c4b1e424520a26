// Evaluations in words.

import type { Benchmark, Evaluation } from "../../api/learning";

/** The figure that a benchmark is read by, with its interval where there is one. */
export function chiefText(row: Evaluation, benchmarks: Benchmark[]): string {
  const chief = benchmarks.find(({ name }) => name === row.benchmark)?.chief;
  const found = chief === undefined ? undefined : row.report[chief];
  if (typeof found === "object" && found !== null && "low" in found) {
    const { value, low, high } = found as { value: number; low: number; high: number };
    return `${value.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
  }
  const plain = chief === undefined ? undefined : row.metrics[chief];
  return typeof plain === "number" ? plain.toFixed(1) : "–";
}
