// How often people agree with what was written: in sum, and per writer, teacher and prompt.

import type { ReviewCount } from "../../api/types";
import { percent } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";

const COLUMNS: Column<ReviewCount>[] = [
  { key: "kind", title: "Kind", value: (row) => row.kind },
  { key: "writer", title: "Writer", value: (row) => row.writer },
  { key: "teacher", title: "Teacher", value: (row) => row.teacher },
  { key: "prompt", title: "Prompt", value: (row) => row.prompt, cell: (row) => <span class="mono">{row.prompt?.slice(0, 12) ?? "–"}</span> },
  { key: "texts", title: "Texts", value: (row) => row.texts, numeric: true },
  { key: "reviewed", title: "Reviewed", value: (row) => row.reviewed, numeric: true },
  { key: "agreement", title: "Accepted", value: (row) => row.agreement_rate, cell: (row) => percent(row.agreement_rate), numeric: true },
  { key: "edits", title: "Edited", value: (row) => row.edit_rate, cell: (row) => percent(row.edit_rate), numeric: true },
  { key: "rejections", title: "Rejected", value: (row) => row.rejection_rate, cell: (row) => percent(row.rejection_rate), numeric: true },
];

export function Rates({ counts }: { counts: ReviewCount[] }) {
  if (!counts.length) return null;
  const sum = (name: "texts" | "reviewed" | "accepted" | "edited" | "rejected") => counts.reduce((total, row) => total + row[name], 0);
  const reviewed = sum("reviewed");
  const share = (part: number) => (reviewed ? part / reviewed : null);
  const rates: [string, string, string][] = [
    ["agreement", "Agreement", percent(share(sum("accepted")))],
    ["edits", "Edited", percent(share(sum("edited")))],
    ["rejections", "Rejected", percent(share(sum("rejected")))],
    ["reviewed", "Reviewed", `${reviewed} of ${sum("texts")}`],
  ];
  return (
    <details class="rates">
      <summary>
        {rates.map(([key, name, value]) => <span class="rate" key={key} id={`rate-${key}`}><span class="soft small">{name}</span> <strong>{value}</strong></span>)}
        <span class="soft small push">per writer and prompt</span>
      </summary>
      <Table label="Verdicts per writer, teacher and prompt" rows={counts} columns={COLUMNS} rowKey={(row) => [row.kind, row.writer, row.teacher, row.prompt].join("/")} />
    </details>
  );
}
