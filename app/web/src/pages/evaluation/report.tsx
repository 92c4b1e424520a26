// A benchmark's report: runs with their 95 % intervals, what differs surely, all metrics, categories, and the worst answers.

import type { Interval, Run, Section } from "../../api/learning";
import { Badge, Panel, spoken } from "../../ui/parts";
import { Picture } from "../../ui/picture";

const isInterval = (value: unknown): value is Interval => typeof value === "object" && value !== null && "low" in value;
const chiefOf = (run: Run, chief: string): Interval | null => (isInterval(run[chief]) ? run[chief] : null);
const range = ({ low, high }: Interval): string => `${low.toFixed(1)} to ${high.toFixed(1)}`;

/** A bar to the value with a line over its interval; the figures stand beside it. */
function Bar({ found, scale }: { found: Interval; scale: number }) {
  const at = (value: number): number => (100 * Math.max(0, value)) / scale;
  return (
    <svg class="interval" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="12" />
      <rect class="bar" width={at(found.value)} height="12" />
      <rect class="sure" x={at(found.low)} width={Math.max(0.6, at(found.high) - at(found.low))} y="5" height="2" />
    </svg>
  );
}

function Difference({ run }: { run: Run }) {
  const gap = run.difference;
  if (!gap) return <span class="soft">the first</span>;
  const sure = gap.low > 0 ? "better" : gap.high < 0 ? "worse" : null;
  return (
    <span class="row">
      <span>{gap.value > 0 ? "+" : ""}{gap.value.toFixed(1)} <span class="soft small">({range(gap)})</span></span>
      <Badge tone={sure === "better" ? "good" : sure === "worse" ? "bad" : "plain"}>{sure ?? "cannot tell"}</Badge>
    </span>
  );
}

function Figures({ section }: { section: Section }) {
  const { chief, runs } = section;
  const scale = Math.max(100, ...runs.map((run) => chiefOf(run, chief)?.high ?? 0));
  return (
    <div class="table-box" role="region" aria-label={`${section.benchmark}: runs`} tabIndex={0}>
      <table class="runs">
        <thead><tr><th scope="col">Run</th><th scope="col">{spoken(chief)}</th><th scope="col" class="number">95 %</th><th scope="col" class="number">Answers</th><th scope="col">Against the first</th></tr></thead>
        <tbody>
          {runs.map((run) => {
            const found = chiefOf(run, chief);
            return (
              <tr key={run.run}>
                <th scope="row">{run.run}</th>
                <td>{found ? <span class="bar-cell"><Bar found={found} scale={scale} /><strong>{found.value.toFixed(1)}</strong></span> : <span class="soft">none</span>}</td>
                <td class="number">{found ? range(found) : "–"}</td>
                <td class="number">{run.n}{run.missing ? `, ${run.missing} missing` : ""}</td>
                <td><Difference run={run} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Grid({ label, runs, rows }: { label: string; runs: Run[]; rows: [string, (string | null)[]][] }) {
  if (!rows.length) return null;
  return (
    <details>
      <summary>{label}</summary>
      <div class="table-box" role="region" aria-label={label} tabIndex={0}>
        <table>
          <thead><tr><td />{runs.map((run) => <th key={run.run} scope="col" class="number">{run.run}</th>)}</tr></thead>
          <tbody>{rows.map(([name, cells]) => <tr key={name}><th scope="row">{spoken(name)}</th>{cells.map((cell, index) => <td key={index} class="number">{cell ?? "–"}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </details>
  );
}

function metricsOf(runs: Run[]): [string, (string | null)[]][] {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))];
  return names.map((name) => [name, runs.map((run) => run.metrics[name]?.toFixed(2) ?? null)]);
}

function categoriesOf(runs: Run[], chief: string): [string, (string | null)[]][] {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.categories ?? {})))];
  return names.map((name) => [name, runs.map((run) => {
    const found = run.categories?.[name];
    const sure = found?.[chief];
    return isInterval(sure) ? `${sure.value.toFixed(1)} (${range(sure)}), ${found!.n}` : null;
  })]);
}

function Worst({ run }: { run: Run }) {
  if (!run.worst?.length) return null;
  const id = run.about.evaluation_id;
  return (
    <div class="stack tight">
      <h3>The worst answers: {run.run}</h3>
      <ul class="worst">
        {run.worst.map((one) => (
          <li key={one.position} data-worst={one.id}>
            {id && <Picture path={`/v1/evaluations/${id}/items/${one.position}/picture`} alt={`What the model saw: ${one.id}`} lazy />}
            <p class="small"><strong>{one.grade.toFixed(2)}</strong> <span class="soft">{one.id}</span></p>
            <dl class="small"><dt class="soft">True</dt><dd>{one.label}</dd><dt class="soft">Said</dt><dd>{one.answer}</dd></dl>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Changed({ run }: { run: Run }) {
  if (!run.changed?.length) return null;
  return (
    <details>
      <summary>{run.changed.length} answers better or worse than the first: {run.run}</summary>
      <div class="table-box" role="region" aria-label={`Changed answers of ${run.run}`} tabIndex={0}>
        <table>
          <thead><tr><th scope="col">Question</th><th scope="col" class="number">Change</th><th scope="col">True</th><th scope="col">First</th><th scope="col">This run</th></tr></thead>
          <tbody>{run.changed.map((one) => <tr key={one.id}><th scope="row">{one.id}</th><td class="number">{one.change > 0 ? "+" : ""}{one.change.toFixed(2)}</td><td>{one.label}</td><td>{one.baseline}</td><td>{one.run}</td></tr>)}</tbody>
        </table>
      </div>
    </details>
  );
}

export function SectionPanel({ section }: { section: Section }) {
  return (
    <Panel title={`${section.benchmark}: ${spoken(section.chief)}`}>
      <Figures section={section} />
      <Grid label="All metrics" runs={section.runs} rows={metricsOf(section.runs)} />
      <Grid label={`${spoken(section.chief)} by category`} runs={section.runs} rows={categoriesOf(section.runs, section.chief)} />
      {section.runs.map((run) => <Changed key={run.run} run={run} />)}
      {section.runs.map((run) => <Worst key={run.run} run={run} />)}
    </Panel>
  );
}
