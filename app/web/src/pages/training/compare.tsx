// Trainings side by side: one number as a line each, and what they were asked for where it differs.

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api/http";
import type { Curve, OrderedJob } from "../../api/learning";
import { wasAborted } from "../../api/problem";
import { Chart } from "../../ui/chart";
import { report } from "../../ui/notices";
import { Panel } from "../../ui/parts";
import { lineOf } from "./curves";
import { orderOf, titleOf } from "./words";

export function Compare({ jobs }: { jobs: OrderedJob[] }) {
  const [curves, setCurves] = useState<Record<string, Curve[]>>({});
  const [name, setName] = useState("loss");
  const ids = jobs.map(({ id }) => id).join();
  useEffect(() => {
    const stop = new AbortController();
    Promise.all(jobs.map(async ({ id }) => [id, (await get<{ data: Curve[] }>(`/v1/jobs/${id}/curves?points=300`, stop.signal)).data] as const))
      .then((found) => setCurves(Object.fromEntries(found)), (error: unknown) => wasAborted(error) || report(error));
    return () => stop.abort();
  }, [ids]);
  const names = [...new Set(Object.values(curves).flat().map((curve) => curve.name))];
  const shown = names.includes(name) ? name : names[0];
  const lines = jobs.flatMap((job) => (curves[job.id] ?? []).filter((curve) => curve.name === shown).map((curve) => lineOf(curve, [titleOf(job), curve.stage].filter(Boolean).join(" · "))));
  const fields = [...new Set(jobs.flatMap((job) => Object.keys(orderOf(job))))];
  const differing = fields.filter((field) => new Set(jobs.map((job) => JSON.stringify(orderOf(job)[field] ?? null))).size > 1);
  return (
    <Panel title="Compared" class="chart-panel" actions={names.length > 0 && (
      <label class="field">Number<select id="compared-number" value={shown} onChange={(event) => setName(event.currentTarget.value)}>{names.map((one) => <option key={one} value={one}>{one.replaceAll("_", " ")}</option>)}</select></label>
    )}>
      {lines.length > 0 ? <Chart label={`${shown} of ${jobs.length} trainings`} lines={lines} xName="step" height={300} /> : <p class="soft">These trainings have reported no numbers yet.</p>}
      <div class="table-box" role="region" aria-label="What they were asked for" tabIndex={0}>
        <table id="differences">
          <thead><tr><th scope="col">Asked for</th>{jobs.map((job) => <th key={job.id} scope="col">{titleOf(job)}</th>)}</tr></thead>
          <tbody>{(differing.length ? differing : ["recipe"]).map((field) => <tr key={field}><th scope="row">{field.replaceAll("_", " ")}</th>{jobs.map((job) => <td key={job.id}>{String(orderOf(job)[field] ?? "–")}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </Panel>
  );
}
