// One job: how far it is, its log and numbers as they come, and its items with what went wrong and the picture it went wrong with.

import { useEffect, useState } from "preact/hooks";
import { watchJob } from "../../api/events";
import { get } from "../../api/http";
import { Problem } from "../../api/problem";
import type { Job, JobItem } from "../../api/types";
import { useComeback } from "../../health";
import { href } from "../../router";
import { usePaged } from "../../paged";
import { report } from "../../ui/notices";
import { Ago, Badge, CannotShow, Facts, PageHead, Panel } from "../../ui/parts";
import { Picture } from "../../ui/picture";
import { ProgressBar } from "../../ui/progress";
import { Orders, ResultLink } from ".";
import { howFar, imageOf, isActive, itemName, nameOf, percentOf, took } from "./words";

const LOG_LINES = 500;

interface Line {
  at: string;
  words: string;
}

function lineOf(type: string, data: Record<string, unknown>): string | null {
  if (type === "log") return String(data.message ?? "");
  if (type !== "metric") return null;
  const numbers = Object.entries(data).filter(([name, value]) => typeof value === "number" && name !== "step");
  return `${data.step === undefined ? "" : `step ${String(data.step)}: `}${numbers.map(([name, value]) => `${name} ${Number((value as number).toPrecision(4))}`).join(", ")}`;
}

/** Follow the job; `turn` starts anew, after a retry. */
function useJob(id: string, turn: number) {
  const [job, setJob] = useState<Job | null>(null);
  const [lines, setLines] = useState<Line[]>([]);
  const [misses, setMisses] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const seen = new Set<string>();
    setLines([]);
    setProblem(null);
    const onEvent = ({ type, data }: { type: string; data: object }) => {
      const fields = data as Record<string, unknown>;
      const at = String(fields.created_at ?? new Date().toISOString());
      if (type === "progress") setJob((before) => before && { ...before, status: (fields.status as Job["status"] | undefined) ?? before.status, progress: { ...before.progress, ...progressOf(fields) } });
      const words = lineOf(type, fields);
      if (words && !seen.has(at + words)) {
        seen.add(at + words);
        setLines((before) => [...before, { at, words }].slice(-LOG_LINES));
      }
    };
    const run = async () => {
      const found = await get<Job>(`/v1/jobs/${id}`, stop.signal);
      setJob(found);
      // An ended job has a history to read, too: watched as if it ran, its stream ends at once.
      const watched = isActive(found) ? found : { ...found, status: "running" as const };
      setJob(await watchJob(watched, { onEvent: (event) => (isActive(found) || event.type !== "progress") && onEvent(event), onMisses: setMisses, patience: Infinity }, stop.signal));
    };
    run().catch((error: unknown) => {
      if (!stop.signal.aborted) setProblem(Problem.of(error));
    });
    return () => stop.abort();
  }, [id, turn]);
  return { job, setJob, lines, misses, problem };
}

function progressOf({ done, total, failed, percent, stage }: Record<string, unknown>): Partial<Job["progress"]> {
  const found = { done, total, failed, percent, stage } as Partial<Job["progress"]>;
  if (found.percent === undefined && found.total) found.percent = (100 * (found.done ?? 0)) / found.total;
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function Items({ job }: { job: Job }) {
  const [picked, setPicked] = useState<string | null>(null);
  const status = picked ?? (job.progress.failed ? "failed" : "");
  const items = usePaged<JobItem>(`/v1/jobs/${job.id}/items`, { status }, 30);
  const changes = `${job.status}/${job.attempt}/${job.progress.failed}`;
  useEffect(() => items.reload(), [changes]);
  if (job.progress.total <= 1 && !items.rows.length && !status) return null;
  return (
    <Panel title="Items" actions={
      <div class="segmented" role="group" aria-label="Which items">
        {[["failed", `Failed ${job.progress.failed}`], ["", `All ${job.progress.total}`]].map(([value, words]) => <button type="button" key={value} aria-pressed={status === value} onClick={() => setPicked(value!)}>{words}</button>)}
      </div>}>
      {!items.loading && !items.rows.length && <p class="soft">{status ? "No item failed." : "No items."}</p>}
      <ul class="items" id="items">
        {items.rows.map((item) => <Item key={item.item} item={item} />)}
      </ul>
      {items.more && <p class="more"><button type="button" class="button small" onClick={() => items.next().catch(report)}>More</button></p>}
    </Panel>
  );
}

function Item({ item }: { item: JobItem }) {
  const image = imageOf(item);
  return (
    <li class="item" data-status={item.status}>
      {image ? <a href={href("gallery", image)} class="item-picture"><Picture path={`/v1/images/${image}/thumbnail?size=160`} alt={`The picture of item ${item.item + 1}`} lazy /></a> : <span class="item-picture none" aria-hidden="true" />}
      <div class="stack tight">
        <div class="row"><strong class="cut">{itemName(item)}</strong><Badge>{item.status}</Badge>{item.attempt > 1 && <span class="soft small">attempt {item.attempt}</span>}</div>
        {item.error && <p class="job-error">{[item.error.title, item.error.detail].filter(Boolean).join(". ")}</p>}
      </div>
    </li>
  );
}

function Log({ lines }: { lines: Line[] }) {
  return (
    <ol class="log" id="log" tabIndex={0} aria-label="Log">
      {lines.map(({ at, words }, index) => <li key={index}><time class="soft">{new Date(at).toLocaleTimeString()}</time> {words}</li>)}
    </ol>
  );
}

export function JobDetail({ id }: { id: string }) {
  const [turn, setTurn] = useState(0);
  const { job, setJob, lines, misses, problem } = useJob(id, turn);
  const again = () => setTurn((before) => before + 1);
  useComeback(problem?.away ?? false, again);
  if (problem) return <div class="page"><CannotShow what="This job" problem={problem} again={again}><a href={href("jobs")}>All jobs</a></CannotShow></div>;
  if (!job) return <p class="loading" role="status">Loading</p>;
  const error = job.error && job.status !== "succeeded" ? [job.error.title, job.error.detail].filter(Boolean).join(". ") : null;
  const changed = (after: Job) => {
    setJob(after);
    again();
  };
  return (
    <div class="page jobs" id="job" data-status={job.status}>
      <PageHead title={nameOf(job)} lead={<><a href={href("jobs")}>All jobs</a> · <Ago time={job.created_at} /></>}>
        <ResultLink job={job} class="button primary" />
        <Orders job={job} onChange={changed} />
      </PageHead>
      <Panel>
        <div class="row"><Badge>{job.status}</Badge><span class="soft small" role="status" id="job-line">{misses ? "The connection was lost; trying again. The job goes on." : howFar(job)}</span><span class="soft small push">{took(job)}</span></div>
        <ProgressBar label={`${nameOf(job)}: ${job.status}`} percent={percentOf(job)} tone={job.status === "failed" ? "bad" : isActive(job) || job.status === "succeeded" ? undefined : "quiet"} />
        {error && <p class="job-error">{error}</p>}
        <Facts rows={[["Attempt", job.attempt], ...(job.usage ? [["Usage", Object.entries(job.usage).map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`).join(", ")] as [string, string]] : []), ["Id", <code key="id">{job.id}</code>]]} />
      </Panel>
      {job.progress.total > 0 && <Items job={job} />}
      {lines.length > 0 && <Panel title="Log"><Log lines={lines} /></Panel>}
    </div>
  );
}
