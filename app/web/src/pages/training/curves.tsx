// The numbers that trainings report, as charts: one training by stage, or one number of several trainings side by side.

import { useEffect, useRef, useState } from "preact/hooks";
import { jobAfter, watchJob } from "../../api/events";
import { get } from "../../api/http";
import type { Curve, OrderedJob } from "../../api/learning";
import { wasAborted } from "../../api/problem";
import type { JobEvent } from "../../api/types";
import { Chart, type Line } from "../../ui/chart";
import { report } from "../../ui/notices";
import { duration, Panel, spoken } from "../../ui/parts";

/** A chart is drawn anew this often at most, however fast numbers come. */
const EVERY_MS = 2000;

/** Numbers that say how it goes rather than what is learnt. */
const OF_THE_RUN = ["eta_s", "tokens_per_s", "samples_per_s", "steps_per_s", "learning_rate", "rate", "records", "memory_mb"];

/** The curves of a job, fetched again as numbers come, until it ends. */
export function useCurves(job: OrderedJob, onEnd: (job: OrderedJob) => void): { curves: Curve[]; job: OrderedJob } {
  const [curves, setCurves] = useState<Curve[]>([]);
  const [now, setNow] = useState(job);
  const due = useRef(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const fetchThem = () => get<{ data: Curve[] }>(`/v1/jobs/${job.id}/curves?points=300`, stop.signal).then(({ data }) => setCurves(data), (error: unknown) => wasAborted(error) || report(error));
    const soon = () => {
      if (timer !== undefined) return;
      timer = setTimeout(() => { timer = undefined; due.current = Date.now(); void fetchThem(); }, Math.max(0, due.current + EVERY_MS - Date.now()));
    };
    void fetchThem();
    const onEvent = (event: JobEvent) => {
      if (event.type === "metric") soon();
      setNow((before) => jobAfter(before, event));
    };
    if (!job.finished_at) {
      watchJob(job, { onEvent, patience: Infinity }, stop.signal).then((ended) => { void fetchThem(); setNow(ended); onEnd(ended); }, (error: unknown) => wasAborted(error) || report(error));
    }
    return () => { stop.abort(); clearTimeout(timer); };
  }, [job.id]);
  return { curves, job: now };
}

/** A curve as a line; where no step was told, points are numbered. */
export function lineOf(curve: Curve, name: string): Line {
  return { name, x: curve.points.map(({ step }, index) => step ?? index), y: curve.points.map(({ value }) => value) };
}

function latest(curves: Curve[], name: string): number | null {
  const found = curves.filter((curve) => curve.name === name).at(-1)?.points.at(-1);
  return found ? found.value : null;
}

/** The last value of every number, large. */
export function Latest({ curves }: { curves: Curve[] }) {
  const names = [...new Set(curves.map(({ name }) => name))];
  if (!names.length) return null;
  const words = (name: string, value: number): string => (name === "eta_s" ? duration(value) : value.toLocaleString("en", { maximumSignificantDigits: 4 }));
  return (
    <dl class="figures" id="latest">
      {names.map((name) => <div key={name}><dt>{name === "eta_s" ? "time left" : spoken(name)}</dt><dd>{words(name, latest(curves, name)!)}</dd></div>)}
    </dl>
  );
}

/** A chart for each number, the stages of the training as its lines; what is learnt first. */
export function Charts({ curves }: { curves: Curve[] }) {
  const names = [...new Set(curves.map(({ name }) => name))].filter((name) => name !== "eta_s" && curves.some((curve) => curve.name === name && curve.points.length > 1));
  names.sort((a, b) => Number(OF_THE_RUN.includes(a)) - Number(OF_THE_RUN.includes(b)));
  return (
    <div class="columns" id="charts">
      {names.map((name) => {
        const of = curves.filter((curve) => curve.name === name);
        return (
          <Panel key={name} title={spoken(name)} class="chart-panel">
            <Chart label={`${spoken(name)} by step, last ${latest(of, name)?.toPrecision(4) ?? "nothing"}`} lines={of.map((curve) => lineOf(curve, curve.stage ?? spoken(name)))} xName="step" height={230} />
          </Panel>
        );
      })}
    </div>
  );
}
