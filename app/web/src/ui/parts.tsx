// Small parts that every page uses: page head, panel, badge, empty state, labelled field, key facts, time.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../api/problem";

/** The head of a page: its title, a line about it, and what can be done. */
export function PageHead({ title, lead, children }: { title: string; lead?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="page-head">
      <div class="page-title">
        <h1>{title}</h1>
        {lead && <p class="soft">{lead}</p>}
      </div>
      {children && <div class="page-actions">{children}</div>}
    </header>
  );
}

export function Panel({ title, actions, class: name = "", children }: { title?: ComponentChildren; actions?: ComponentChildren; class?: string; children: ComponentChildren }) {
  return (
    <section class={`panel ${name}`}>
      {(title || actions) && <header class="panel-head">{title && <h2>{title}</h2>}{actions && <div class="row push">{actions}</div>}</header>}
      {children}
    </section>
  );
}

/** A state in a word. `tone` is its colour; by default the word's own where it is a job's or a review's. */
export function Badge({ children, tone }: { children: string; tone?: "good" | "busy" | "bad" | "plain" }) {
  const known: Record<string, string> = {
    succeeded: "good", accepted: "good", deployed: "good", running: "busy", cancelling: "busy", edited: "busy", failed: "bad", rejected: "bad",
  };
  return <span class={`badge ${tone ?? known[children] ?? "plain"}`}>{children}</span>;
}

/** Nothing is here yet: say what would be, and how it gets here. */
export function Empty({ title, children, art }: { title: string; children?: ComponentChildren; art?: ComponentChildren }) {
  return (
    <div class="empty">
      {art}
      <p class="empty-title">{title}</p>
      {children && <div class="soft">{children}</div>}
    </div>
  );
}

/** Why something is not shown: it is not there, or could not be fetched; `what` such as "This dataset" or "The datasets". */
export function CannotShow({ what, problem, again, children }: { what: string; problem: Problem; again: () => void; children?: ComponentChildren }) {
  if (problem.status === 404 || problem.status === 422) return <Empty title={`${what} is not here`}>It may have been deleted.<br />{children}</Empty>;
  const why = [problem.message, problem.away ? "This fills up as soon as it is back" : problem.detail].filter(Boolean).join(". ");
  return <Empty title={`${what} cannot be shown`}>{why}<br /><button type="button" class="button" onClick={again}>Try again</button></Empty>;
}

/** A label with its control; `column` puts the control under it. `hint` says what to enter, `error` what is wrong. */
export function Field({ label, hint, error, column = true, children }: { label: string; hint?: ComponentChildren; error?: string | null; column?: boolean; children: ComponentChildren }) {
  return (
    <label class={column ? "field column" : "field"}>
      <span class="field-name">{label}</span>
      {children}
      {hint && <span class="field-hint">{hint}</span>}
      {error && <span class="field-error" role="alert">{error}</span>}
    </label>
  );
}

/** Names and values, such as a model's origin. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts-list">
      {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

/** A name of the API in words. */
export const spoken = (name: string): string => name.replaceAll("_", " ");

/** Seconds as "3.2 s", "4 min 10 s" or "2 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

function agoText(text: string): string {
  const seconds = Math.max(0, (Date.now() - new Date(text).getTime()) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(text).toLocaleDateString();
}

/** How long ago something was; the exact time on hovering. */
export function Ago({ time }: { time: string }) {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((turn) => turn + 1), 10_000);
    return () => clearInterval(timer);
  }, []);
  return <time dateTime={time} title={new Date(time).toLocaleString()}>{agoText(time)}</time>;
}

/** A share as a percentage, or a dash where there is none. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}
