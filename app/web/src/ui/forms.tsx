// Parts of forms that several pages have: choices as chips, a problem in its place, work that a worker does for a form.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { jobAfter, watchJob } from "../api/events";
import { order } from "../api/http";
import { Problem, wasAborted } from "../api/problem";
import type { Job, JobEvent } from "../api/types";
import { href } from "../router";
import { ProgressBar, stageText } from "./progress";

interface ChipsProps {
  label: string;
  options: { value: string; words?: string; disabled?: boolean; title?: string }[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

/** Several of a few: check boxes that look like chips. */
export function Chips({ label, options, chosen, onChange }: ChipsProps) {
  const toggle = (value: string) => onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  return (
    <fieldset class="chips">
      <legend class="field-name soft">{label}</legend>
      {options.map(({ value, words, disabled, title }) => (
        <label key={value} class="chip-box" title={title}>
          <input type="checkbox" checked={chosen.includes(value)} disabled={disabled} onChange={() => toggle(value)} />
          <span>{words ?? value.replaceAll("_", " ")}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** What went wrong, where it happened, with what to do about it. */
export function Trouble({ problem, children }: { problem: Problem | null; children?: ComponentChildren }) {
  if (!problem) return null;
  const lines = [problem.detail, ...problem.errors.map(({ pointer, message }) => `${pointer.replace(/^\//, "")}: ${message}`)].filter(Boolean);
  return (
    <div class="trouble" role="alert">
      <strong>{problem.message}</strong>
      {lines.map((line) => <p key={line}>{line}</p>)}
      {children}
    </div>
  );
}

/** Order work of a worker and follow it to its end; the page may be left meanwhile, the work goes on. */
export function useWork() {
  const [job, setJob] = useState<Job | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);

  /** Resolves to the job's result, or to null where there is none; the reason is then in `problem`. */
  const run = async (path: string, body: unknown): Promise<Record<string, unknown> | null> => {
    stop.current.abort();
    stop.current = new AbortController();
    const { signal } = stop.current;
    setProblem(null);
    try {
      const ordered = await order<Record<string, unknown>>(path, body, signal);
      if (!ordered.job) return ordered.made;
      setJob(ordered.job);
      const onEvent = (event: JobEvent) => setJob((before) => before && jobAfter(before, event));
      const ended = await watchJob(ordered.job, { onEvent }, signal);
      setJob(null);
      if (ended.status === "succeeded") return ended.result ?? {};
      setProblem(Problem.ofJob(ended));
    } catch (error) {
      if (wasAborted(error)) return null;
      setJob(null);
      setProblem(Problem.of(error));
    }
    return null;
  };
  return { run, job, problem, setProblem, busy: job !== null };
}

/** How far ordered work is. */
export function WorkLine({ job, label }: { job: Job | null; label: string }) {
  if (!job) return null;
  const { total, done, stage } = job.progress;
  return (
    <div class="progress-box" role="status">
      <div class="row small"><span>{label}</span><span class="soft">{stageText(stage) ?? ""}</span><a class="push" href={href("jobs", job.id)}>Its job</a></div>
      <ProgressBar label={label} percent={total ? (100 * done) / total : null} />
    </div>
  );
}

/** A number as the person types it: empty is null. */
export function numberOf(text: string): number | null {
  return text.trim() === "" || Number.isNaN(Number(text)) ? null : Number(text);
}
