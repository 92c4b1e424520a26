// Jobs: the list, and one job with its log and items.

import { useEffect } from "preact/hooks";
import { get } from "../../api/http";
import type { Answer, Job } from "../../api/types";
import { go, href, route } from "../../router";
import { attempt, tell } from "../../ui/notices";
import { Ago, Badge, Empty, PageHead } from "../../ui/parts";
import { ProgressBar } from "../../ui/progress";
import { JobDetail } from "./detail";
import { follow, JOBS, older, tellJob } from "./store";
import { canCancel, canRetry, howFar, isActive, nameOf, percentOf, resultLink, took } from "./words";
import "./jobs.css";

const STATES = ["", "running", "queued", "succeeded", "failed", "cancelled"];

/** A button or link to what a job made. */
export function ResultLink({ job, class: name = "button small" }: { job: Job; class?: string }) {
  const found = resultLink(job);
  if (!found) return null;
  if ("address" in found) return <a class={name} href={found.address}>{found.words}</a>;
  const open = () => attempt(async () => {
    const answer = await get<Answer>(`/v1/answers/${found.answerId}`);
    if (answer.mark_set_id) go(href("ask", answer.mark_set_id));
    else tell("Answered without marks", answer.text); // there is no marked picture to show it on
  });
  return <button type="button" class={name} onClick={open}>{found.words}</button>;
}

export function Orders({ job, onChange }: { job: Job; onChange?: (job: Job) => void }) {
  const order = (what: "cancel" | "retry") => void tellJob(job, what).then((after) => after && onChange?.(after));
  return (
    <>
      {canCancel(job) && <button type="button" class="button small" onClick={() => order("cancel")}>Cancel</button>}
      {canRetry(job) && <button type="button" class="button small" onClick={() => order("retry")}>{job.progress.failed > 0 && job.progress.done > job.progress.failed ? "Retry failed" : "Retry"}</button>}
    </>
  );
}

function reasonOf({ error, status }: Job): string {
  return error && status !== "succeeded" ? [error.title, error.detail].filter(Boolean).join(". ") : "";
}

function Row({ job }: { job: Job }) {
  const reason = reasonOf(job);
  const attempts = job.attempt > 1 ? `attempt ${job.attempt}` : "";
  return (
    <li class="job" data-job={job.id} data-status={job.status}>
      <div class="job-head">
        <a class="job-name" href={href("jobs", job.id)}>{nameOf(job)}</a>
        <Badge>{job.status}</Badge>
        <span class="soft small"><Ago time={job.created_at} />{[took(job), attempts].filter(Boolean).map((words) => ` · ${words}`)}</span>
      </div>
      <div class="job-body">
        <ProgressBar label={`${nameOf(job)}: ${job.status}`} percent={percentOf(job)} tone={isActive(job) || job.status === "succeeded" ? undefined : "quiet"} />
        <span class="soft small cut" title={howFar(job)}>{howFar(job)}</span>
      </div>
      <div class="job-buttons"><ResultLink job={job} /><Orders job={job} /></div>
      {reason && <p class="job-error">{reason}</p>}
    </li>
  );
}

function JobList() {
  const state = route.value.query.get("status") ?? "";
  useEffect(() => follow(state), [state]);
  const rows = JOBS.rows.value;
  return (
    <div class="page jobs">
      <PageHead title="Jobs" lead={<span id="jobs-note">{JOBS.trouble.value ? `${JOBS.trouble.value}. Trying again.` : "Everything that takes longer than a request. Nothing is lost when this page is closed."}</span>}>
        <label class="field">Show
          <select id="jobs-status" value={state} onChange={(event) => go(href("jobs", null, { status: event.currentTarget.value }))}>
            {STATES.map((name) => <option key={name} value={name}>{name || "all"}</option>)}
          </select>
        </label>
      </PageHead>
      {JOBS.loaded.value && !rows.length && <Empty title={state ? `No job is ${state}` : "No jobs yet"}>Mark a picture, and it appears here.</Empty>}
      <ul class="joblist" id="joblist" aria-label="Jobs, newest first">{rows.map((job) => <Row key={job.id} job={job} />)}</ul>
      {JOBS.cursor.value && <p class="more"><button type="button" class="button" id="jobs-more" onClick={older}>Older jobs</button></p>}
    </div>
  );
}

export default function JobsPage() {
  const { id } = route.value;
  return id ? <JobDetail key={id} id={id} /> : <JobList />;
}
