// What a mixture holds, in figures: counts, kinds, reviews, and how each part came to its samples.

import type { Statistics } from "../../api/learning";
import { Panel } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";

const count = (value: number): string => value.toLocaleString("en");

function Shares({ label, of }: { label: string; of: Record<string, number> }) {
  const rows = Object.entries(of).sort(([, a], [, b]) => b - a);
  const total = rows.reduce((sum, [, value]) => sum + value, 0);
  if (!rows.length) return null;
  return (
    <div class="stack tight">
      <h3>{label}</h3>
      <ul class="shares">
        {rows.map(([name, value]) => (
          <li key={name}>
            <span class="cut">{name.replaceAll("_", " ")}</span>
            <span class="meter" aria-hidden="true"><span class="fill" style={{ width: `${(100 * value) / total}%` }} /></span>
            <span class="number">{count(value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface PartRow {
  name: string;
  rules: [string, number][];
}

const PARTS: Column<PartRow>[] = [
  { key: "name", title: "Part", value: (row) => row.name },
  { key: "read", title: "Found", value: (row) => row.rules.find(([name]) => name === "read")?.[1] ?? 0, numeric: true },
  { key: "rules", title: "After each rule", value: (row) => row.rules.length, cell: (row) => row.rules.filter(([name]) => !["read", "taken"].includes(name)).map(([name, value]) => `${name.replaceAll("_", " ")} ${count(value)}`).join(", ") || "–" },
  { key: "taken", title: "Taken", value: (row) => row.rules.find(([name]) => name === "taken")?.[1] ?? 0, numeric: true },
];

export function StatisticsPanel({ statistics, title = "Statistics" }: { statistics: Statistics; title?: string }) {
  const figures: [string, string][] = [
    ["Texts", count(statistics.texts)], ["Pictures", count(statistics.images)], ["About marks", count(statistics.tagged)],
    ["Text alone", count(statistics.text_only)], ["Words an answer", statistics.answer_words_mean.toFixed(1)],
  ];
  const parts = Object.entries(statistics.parts ?? {}).map(([name, rules]) => ({ name, rules: Object.entries(rules) }));
  const excluded = statistics.excluded;
  return (
    <Panel title={title}>
      <dl class="figures" id="figures">{figures.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <div class="columns">
        <Shares label="Kinds" of={statistics.by_kind} />
        <Shares label="Reviews" of={statistics.by_review} />
      </div>
      {parts.length > 0 && <Table label="How each part came to its samples" rows={parts} columns={PARTS} rowKey={(row) => row.name} />}
      {excluded !== undefined && excluded.count > 0 && (
        <details>
          <summary>{count(excluded.count)} left out</summary>
          <ul class="stack tight small">{Object.entries(excluded.reasons).map(([reason, times]) => <li key={reason}>{count(times)} × {reason}</li>)}</ul>
        </details>
      )}
    </Panel>
  );
}
