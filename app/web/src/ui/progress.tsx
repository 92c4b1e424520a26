// Progress bars and what the stages of jobs mean in words.

import { useEffect, useState } from "preact/hooks";
import type { JobEvent } from "../api/types";

const STAGES: Record<string, string> = { decode: "Reading the picture", mark: "Placing marks", answer: "Asking the model" };
const SEGMENTERS: Record<string, string> = { gui: "interface elements", regions: "regions", provided: "your regions" };

/** What a stage of a job means; unknown ones are shown as they are. */
export function stageText(stage: string | null | undefined): string | null {
  if (!stage) return null;
  if (stage.startsWith("segment")) {
    const name = stage.split(":")[1];
    return name ? `Finding ${SEGMENTERS[name] || `regions (${name})`}` : "Finding regions";
  }
  return STAGES[stage] || stage;
}

/** How far work is: words, and 0 to 100 or null for "busy, nobody knows how long". */
export interface Step {
  words: string;
  percent: number | null;
}

/** What an event of a job changes about the step that is shown. */
export function stepAfter(step: Step, event: JobEvent): Step {
  if (event.type === "log") return { ...step, words: event.data.message || step.words };
  if (event.type !== "progress") return step;
  const { status, stage, done, total } = event.data;
  if (status === "queued") return { words: "Waiting for a worker", percent: null };
  return { words: stageText(stage) || step.words, percent: total ? (100 * done) / total : null };
}

export function ProgressBar({ label, percent, tone }: { label: string; percent: number | null; tone?: "quiet" | "bad" | undefined }) {
  return (
    <div class={`progress ${percent === null ? "busy" : ""} ${tone ?? ""}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100}
      aria-valuenow={percent === null ? undefined : Math.round(percent)}>
      <span class="fill" style={percent === null ? {} : { width: `${Math.max(2, Math.min(100, percent))}%` }} />
    </div>
  );
}

function Clock() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const started = performance.now();
    const timer = setInterval(() => setSeconds(Math.floor((performance.now() - started) / 1000)), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span class="soft clock">{seconds} s</span>;
}

/** A bar with a line of text, the time it takes, and a way out. */
export function Working({ step, label, onCancel }: { step: Step; label: string; onCancel?: () => void }) {
  const [cancelling, setCancelling] = useState(false);
  const cancel = () => {
    setCancelling(true);
    onCancel?.();
  };
  return (
    <div class="progress-box" role="status">
      <div class="row">
        <span class="stage-text">{cancelling ? "Cancelling" : step.words}</span>
        <Clock />
        {onCancel && <button type="button" class="button small" disabled={cancelling} onClick={cancel}>Cancel</button>}
      </div>
      <ProgressBar label={label} percent={step.percent} />
    </div>
  );
}
